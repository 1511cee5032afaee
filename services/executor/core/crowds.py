"""Executions of one workflow side by side: who is counted together, and who counts. Pure."""

from __future__ import annotations

from hashlib import sha256

from services.executor.core import flow
from services.executor.core.deciding import Deciding
from services.executor.core.expressions import as_text, resolved
from services.executor.core.jsonpath import TooCostly
from services.executor.core.model import Execution
from services.executor.core.scope import ExecutionScope


def key_of(execution: Execution) -> bytes:
    """The same for all executions that count together; empty: its workflow has no limit."""
    if execution.workflow.rate_limit is None:
        return b""
    text = f"{execution.workflow.name}\0{value_of(execution)}"
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def value_of(execution: Execution) -> str:
    """What the key of its limit comes to, as text; empty: nothing, or it has no limit."""
    limit = execution.workflow.rate_limit
    if limit is None:
        return ""
    scope = ExecutionScope(Deciding(execution, {}, execution.created_at, flow.MOVES), None)
    try:
        return as_text(resolved(limit.key, scope))
    except (TooCostly, RecursionError, ArithmeticError, ValueError):
        return ""


def held_by(execution: Execution) -> bytes:
    """The key of the slot that it holds; empty: none, as it waits for one, or has ended."""
    if execution.workflow.rate_limit is None or execution.status.final:
        return b""
    return key_of(execution) if has_begun(execution) else b""


def waits(execution: Execution) -> bool:
    """Whether it is kept from its first task by others of its workflow, or is about to begin."""
    limited = execution.workflow.rate_limit is not None
    return limited and not execution.status.final and not has_begun(execution)


def has_begun(execution: Execution) -> bool:
    """Whether it has had a task."""
    return execution.next_sequence > 1

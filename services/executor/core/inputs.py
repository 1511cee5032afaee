"""The input of a task: its step's, with the expressions in it resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.executor.core.model import Json, Task
from services.executor.core.scope import ExecutionScope
from services.executor.core.sizes import checked

if TYPE_CHECKING:
    from services.executor.core.deciding import Deciding
    from services.executor.core.workflow import Step

# The note of a task whose input an operator has given: it is data, and a retry has it again.
GIVEN = "given"


def resolved_input(deciding: Deciding, task: Task, step: Step) -> Json:
    """As things stand. Raises :class:`jsonpath.TooCostly` and what arithmetic raises."""
    if task.memory and GIVEN in task.memory:
        return checked(task.input)
    if step.spawned:
        # What it was given is data: nothing in it is resolved, and a retry has it again.
        given = task.input if isinstance(task.input, dict) else {}
        own = _resolved(deciding, task, step)
        return checked({**own, **given} if isinstance(own, dict) else given)
    return _resolved(deciding, task, step)


def _resolved(deciding: Deciding, task: Task, step: Step) -> Json:
    if step.template is None:
        return step.input
    value = step.template.resolve(ExecutionScope(deciding, task))
    for key, fallback in step.fallback.items():
        if isinstance(value, dict) and value.get(key) is None:
            value[key] = fallback(ExecutionScope(deciding, task))
    return checked(value)

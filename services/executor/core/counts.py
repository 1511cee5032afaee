"""What is open in a block, and in the whole: what is behind it begins once that is nothing.

Each block has one way through it; another one begins where an operator's retry runs a task again
that the flow had gone on behind, and a FORK's branches have one each. A way ends with its block, or
where it comes upon a task that another way is at. Their number stands with the task that owns the
block (``Task.open``), at the top with the execution (``Execution.open``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from services.executor.core.copies import changed
from services.executor.core.deciding import Deciding
from services.executor.core.model import Task

_DETACHED = "detached"


def is_settled(task: Task) -> bool:
    """Whether the task and all within it have ended, for good."""
    return task.status.final and not task.open and not task.held


def add(deciding: Deciding, parent: str, ways: int) -> Task | None:
    """Counts ``ways`` more in the block of ``parent``.

    Returns:
        Who counts them, as it now stands: a task, or None, the execution.
    """
    owner = _owner(deciding, parent)
    if owner is None:
        deciding.open += ways
        return None
    owner = changed(owner, open=owner.open + ways)
    deciding.put(owner)
    return owner


def detached(deciding: Deciding, task: Task, ways: int) -> Task:
    """``task`` with ``ways`` that it does not wait for: whoever holds it does."""
    task = changed(task, open=0, memory={**task.memory, _DETACHED: True})
    deciding.put(task)
    add(deciding, task.parent, ways)
    return task


def recount(deciding: Deciding, opened: Iterable[Task]) -> None:
    """Counts anew: ``opened`` are open, so is who holds them, and nothing else is."""
    counts: Counter[str] = Counter()
    known: set[str] = set()
    for task in opened:
        _count(deciding, task, counts, known)
    deciding.open = counts.pop("", 0)
    for task in list(deciding.tasks()):
        if task.open != counts[task.ref]:
            deciding.put(changed(task, open=counts[task.ref]))


def _count(deciding: Deciding, task: Task | None, counts: Counter[str], known: set[str]) -> None:
    while task is not None and task.ref not in known:
        known.add(task.ref)
        owner = _owner(deciding, task.parent)
        counts[owner.ref if owner else ""] += 1
        task = owner


def _owner(deciding: Deciding, parent: str) -> Task | None:
    """Who counts the ways in the block of ``parent``; None: the execution."""
    owner = deciding.latest(parent) if parent else None
    while owner is not None and owner.memory.get(_DETACHED):
        owner = deciding.latest(owner.parent) if owner.parent else None
    return owner

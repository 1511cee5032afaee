"""What is open in a block, and in the whole: what is behind it begins once that is nothing.

Each block has one way through it; another one begins where an operator's retry runs a task again
that the flow had gone on behind. A FORK's branches have one each, and all of them together are one
more of the block that the FORK stands in. A way ends with its block, or where it comes upon a task
that another way is at. Their number stands with the task that owns the block (``Task.open``), at
the top with the execution (``Execution.open``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from services.executor.core.copies import changed
from services.executor.core.deciding import Deciding
from services.executor.core.model import Task, TaskStatus

_DETACHED = "detached"
AHEAD = "ahead"


def is_settled(task: Task) -> bool:
    """Whether the task and all within it have ended, for good."""
    return task.status.final and not task.open and not task.held and not is_ahead(task)


def is_ahead(task: Task) -> bool:
    """Whether the task was skipped and the flow has not come upon it yet."""
    return task.status is TaskStatus.SKIPPED and task.memory.get(AHEAD) is True


def is_detached(task: Task) -> bool:
    """Whether what follows the task does not wait for its blocks (a FORK's)."""
    return task.memory.get(_DETACHED) is True


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


def detached(deciding: Deciding, task: Task) -> None:
    """What follows ``task`` does not wait for its blocks: whoever holds it does."""
    deciding.put(changed(task, memory={**task.memory, _DETACHED: True}))
    add(deciding, task.parent, 1)


def owners(deciding: Deciding, task: Task) -> Iterator[Task]:
    """Who holds the block that ``task`` stands in, who holds that one's, and so on."""
    owner = _owner(deciding, task.parent)
    while owner is not None:
        yield owner
        owner = _owner(deciding, owner.parent)


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
    return deciding.latest(parent) if parent else None

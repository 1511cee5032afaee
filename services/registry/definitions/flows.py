"""How the tasks of a workflow follow each other: which branches a fork has, and who joins them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place, shortened, shown
from services.registry.definitions.tasks.kind import TaskKind, references_within

FORKS = ("FORK_JOIN", "FORK_JOIN_DYNAMIC")
_JOINING = ("joinOn", "defaultExclusiveJoinTask")

Read = tuple[Document, TaskKind | None, Place]
"""A task as it was read, its kind, and where it stands."""


def check_flow(at: Place, references: Collection[str]) -> None:
    """Tells of forks that nothing joins, and of joins whose tasks are not there."""
    for previous, (task, kind, place), following in _in_sequence(at.reading.tasks):
        if kind is None:
            continue
        if kind.name in FORKS and (following is None or following[0].get("type") != "JOIN"):
            (place / "type").fault(f"a {kind.name} must be followed by a JOIN")
        for name in _JOINING:
            _check_joined(task, name, place, references, previous)


def _check_joined(
    task: Document, name: str, at: Place, references: Collection[str], previous: Read | None
) -> None:
    joined = task.get(name)
    if not isinstance(joined, list) or not at.reading.task_kinds.get(str(task.get("type"))):
        return
    forked = _forked(previous) if task.get("type") == "JOIN" else None
    for index, reference in enumerate(joined):
        spot = at / name / index
        if not isinstance(reference, str):
            continue
        if reference not in references:
            # What a fork makes when it is reached is known by then.
            if previous is None or previous[0].get("type") != "FORK_JOIN_DYNAMIC":
                hint = at.guess(reference, references)
                spot.fault(f"no task of this workflow is named {shown(reference)}{hint}")
        elif forked is not None and reference not in forked:
            spot.warn(f"task '{shortened(reference)}' is in no branch of the fork before it")


def _forked(previous: Read | None) -> Collection[str] | None:
    """The tasks in the branches of the fork that comes before; None: that is none."""
    if previous is None or previous[0].get("type") != "FORK_JOIN":
        return None
    return frozenset(references_within(previous[0].get("forkTasks")))


def _in_sequence(tasks: list[Read]) -> Iterator[tuple[Read | None, Read, Read | None]]:
    """Each task with the one before it and the one behind it in its list."""
    lists: dict[Place | None, list[Read]] = {}
    for each in tasks:
        lists.setdefault(each[2].outer, []).append(each)
    for sequence in lists.values():
        around = [None, *sequence, None]
        for index, each in enumerate(sequence):
            yield around[index], each, around[index + 2]

"""FORK_JOIN: several branches side by side."""

from __future__ import annotations

from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field
from services.registry.definitions.tasks.kind import TASKS, TaskKind
from services.registry.definitions.values import ListOf

MOST_BRANCHES = 100_000


def _check(task: Document, at: Place) -> None:
    branches = task.get("forkTasks")
    if isinstance(branches, list) and len(branches) > MOST_BRANCHES:
        (at / "forkTasks").fault(
            f"has {len(branches):,} branches, and {MOST_BRANCHES:,} are allowed; a loop or "
            "sub-workflows can take them in parts"
        )
    if isinstance(branches, list) and branches and not any(branches):
        (at / "forkTasks").fault("must have a task in one of its branches")


KIND = TaskKind(
    name="FORK_JOIN",
    doc=(
        "Begins all its branches at once. The task behind it is a JOIN, which waits for tasks "
        "that its `joinOn` names. A task of a branch that fails for good fails the workflow, and "
        "the other branches are cancelled."
    ),
    fields=(Field("forkTasks", ListOf(TASKS, shortest=1), "The branches.", required=True),),
    check=_check,
)

"""EXCLUSIVE_JOIN: goes on with whichever of several branches was taken."""

from __future__ import annotations

from services.registry.definitions.records import Field
from services.registry.definitions.tasks.join import REFERENCES
from services.registry.definitions.tasks.kind import TaskKind

KIND = TaskKind(
    name="EXCLUSIVE_JOIN",
    doc=(
        "Its output is that of the first task of `joinOn` that was reached and not skipped; where "
        "none was, that of the first of `defaultExclusiveJoinTask` that was. It waits for that "
        "task's end, and fails with it."
    ),
    fields=(
        Field("joinOn", REFERENCES, "References of the tasks to choose from.", required=True),
        Field("defaultExclusiveJoinTask", REFERENCES, "Chosen from otherwise.", default=[]),
    ),
)

"""JOIN: waits for tasks of the branches before it."""

from __future__ import annotations

from services.registry.definitions.records import Field
from services.registry.definitions.tasks.kind import TaskKind
from services.registry.definitions.values import Choice, ListOf, Name

REFERENCES = ListOf(Name())

KIND = TaskKind(
    name="JOIN",
    doc=(
        "Waits for the end of the tasks that `joinOn` names, usually the last one of each branch. "
        "Its output has theirs, by reference. One that is never reached, since its branch went "
        "another way, is not waited for once all branches have ended. It fails where a "
        "`permissive` one of them did. Behind a FORK_JOIN_DYNAMIC it waits for all branches, "
        "without `joinOn`."
    ),
    fields=(
        Field("joinOn", REFERENCES, "References of the tasks that it waits for.", default=[]),
        Field(
            "joinMode",
            Choice(("SYNC", "ASYNC")),
            "Accepted: it goes on at once in either.",
            default="ASYNC",
        ),
    ),
)

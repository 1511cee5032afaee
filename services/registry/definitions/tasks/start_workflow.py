"""START_WORKFLOW: another workflow, whose end nobody waits for."""

from __future__ import annotations

from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record, Unknown
from services.registry.definitions.tasks.kind import TaskKind
from services.registry.definitions.tasks.workflow_keys import KEY, STRATEGY
from services.registry.definitions.values import MapOf, Name, Object, Text, holds_expression, whole


def _check(request: Document, at: Place) -> None:
    name, version = request.get("name"), request.get("version")
    if request.get("workflowDef") is None and isinstance(name, str) and not holds_expression(name):
        pinned = version if isinstance(version, int) and version else None
        (at / "name").refer("workflow", name, pinned, required=False)


REQUEST = Record(
    "a start",
    (
        Field("name", Name(), "The workflow to start.", required=True, refers="workflow"),
        Field("version", whole(), "Which version; 0 or absent: the latest."),
        Field("input", Object(), "Its input.", default={}),
        Field("correlationId", Text(), "Absent: that of this execution."),
        Field("priority", whole(0, 99), "From 0 to 99.", default=0),
        Field("workflowDef", Object(), "A workflow that is not put by itself."),
        Field(
            "taskToDomain",
            MapOf(Text()),
            "By task type, or `*`, the domains whose workers have its tasks; absent: as here.",
        ),
        KEY,
        STRATEGY,
    ),
    unknown=Unknown.WARN,
    templated=True,
    rules=(_check,),
)

KIND = TaskKind(
    name="START_WORKFLOW",
    doc=(
        "Starts another workflow and ends at once; the output is `{workflowId}`. What it started "
        "goes its own way, however this execution ends."
    ),
    inputs=Record(
        "the input",
        (Field("startWorkflow", REQUEST, "What is started.", required=True),),
        unknown=Unknown.GUESS,
        templated=True,
    ),
)

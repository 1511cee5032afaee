"""TERMINATE: the end of the execution, from anywhere."""

from __future__ import annotations

from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record, Unknown
from services.registry.definitions.tasks.kind import TaskKind
from services.registry.definitions.values import Anything, Choice, Text


def _check(task: Document, at: Place) -> None:
    if task.get("optional") is True:
        (at / "optional").fault("a TERMINATE task cannot be optional")


KIND = TaskKind(
    name="TERMINATE",
    doc="Ends the execution with a status of the author's choice.",
    inputs=Record(
        "the input",
        (
            Field(
                "terminationStatus",
                Choice(("COMPLETED", "FAILED", "TERMINATED")),
                "How the execution ends.",
                required=True,
            ),
            Field("terminationReason", Text(), "Why."),
            Field("workflowOutput", Anything(), "The output of the workflow."),
        ),
        unknown=Unknown.GUESS,
        templated=True,
    ),
    check=_check,
)

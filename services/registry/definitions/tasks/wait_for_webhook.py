"""WAIT_FOR_WEBHOOK: waits for a request to a webhook that matches."""

from __future__ import annotations

from services.registry.definitions.model import Document, Json
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import Field, Record, Unknown
from services.registry.definitions.tasks.kind import TaskKind
from services.registry.definitions.values import Name, holds_expression

MOST_MATCHES = 16


class Matches:
    """What a request must tell: values by path."""

    def check(self, value: Json, at: Place) -> Json:
        if not isinstance(value, dict):
            at.fault(f"must be an object of values by path, not {shown(value)}")
            return value
        if len(value) > MOST_MATCHES:
            at.fault(f"has more than {MOST_MATCHES} paths")
        for path in value:
            if not path.startswith(("$.", "$[")):
                (at / path).fault("must be a path into the body, like $.order.id")
        return value

    def says(self) -> str:
        return "object of values by path"

    def schema(self) -> Document:
        return {"type": "object", "maxProperties": MOST_MATCHES}


def _check(task: Document, at: Place) -> None:
    inputs = task.get("inputParameters")
    name = inputs.get("webhook") if isinstance(inputs, dict) else None
    if name is None:
        (at / "inputParameters" / "webhook").fault("is required")
    elif isinstance(name, str) and name and not holds_expression(name):
        (at / "inputParameters" / "webhook").refer("webhook", name)


KIND = TaskKind(
    name="WAIT_FOR_WEBHOOK",
    doc=(
        "Waits until somebody sends to a webhook (kind webhook) what matches; the output is the "
        "body. Podium's own."
    ),
    inputs=Record(
        "the input",
        (
            Field("webhook", Name(), "The webhook.", refers="webhook"),
            Field(
                "matches",
                Matches(),
                "By JSONPath into the body, the value that must be there; all of them. Without "
                "any, every request matches.",
                default={},
            ),
        ),
        unknown=Unknown.GUESS,
        templated=True,
    ),
    check=_check,
)

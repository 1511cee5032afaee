"""EVENT: tells whoever listens."""

from __future__ import annotations

from services.registry.definitions.model import Document, Json
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import Field
from services.registry.definitions.tasks.kind import TaskKind
from services.registry.definitions.values import Boolean, Name, holds_expression


class Sink:
    """``conductor`` or ``conductor:<name>``."""

    def check(self, value: Json, at: Place) -> Json:
        Name().check(value, at)
        if isinstance(value, str) and not holds_expression(value):
            source, colon, name = value.partition(":")
            if source != "conductor":
                at.fault(f"{shown(value)} is not supported: sinks are conductor and conductor:NAME")
            elif colon and not name:
                at.fault("must name something after conductor:")
        return value

    def says(self) -> str:
        return "conductor or conductor:NAME"

    def schema(self) -> Document:
        return {"type": "string", "minLength": 1}


KIND = TaskKind(
    name="EVENT",
    doc=(
        "Tells event handlers (kind event) of its input; the output is that, with what it comes "
        "from and `event_produced`, the event's name."
    ),
    fields=(
        Field("sink", Sink(), "`conductor`: the event is `conductor:WORKFLOW:REF`; "
              "`conductor:NAME`: it is `conductor:WORKFLOW:NAME`.", required=True),
        Field("asyncComplete", Boolean(), "Once told, the task stays open until somebody ends it.",
              default=False),
    ),
)  # fmt: skip

"""What a definition other than a workflow starts: Conductor's StartWorkflowRequest."""

from __future__ import annotations

from services.registry.definitions.model import Document
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record, later
from services.registry.definitions.values import (
    MapOf,
    Name,
    Object,
    Text,
    holds_expression,
    whole,
)


def _refer(request: Document, at: Place) -> None:
    name, version = request.get("name"), request.get("version")
    if isinstance(name, str) and name and not holds_expression(name):
        pinned = version if isinstance(version, int) and version else None
        (at / "name").refer("workflow", name, pinned)


FIELDS = (
    Field("name", Name(), "The workflow to start.", required=True, refers="workflow"),
    Field("version", whole(), "Which version; 0 or absent: the latest."),
    Field("input", Object(), "Its input."),
    Field("correlationId", Text(longest=1024), "The execution's correlation id."),
    Field("priority", whole(0, 99), "From 0 to 99.", default=0),
    later("workflowDef", "A workflow that is not put by itself.", refusal="is not supported here"),
    Field(
        "taskToDomain",
        MapOf(Text()),
        "By task type, or `*`, the domains whose workers have its tasks: `a,b,NO_DOMAIN`.",
    ),
    later("idempotencyKey", "Of starts with it, one begins."),
    Field("idempotencyStrategy", Name(), "Has a meaning only with its key."),
    later("externalInputPayloadStoragePath", "An input that is kept elsewhere."),
    Field("createdBy", Text(longest=255), "Accepted: who starts it is said by the engine."),
)

REQUEST = Record("a start", FIELDS, rules=(_refer,))

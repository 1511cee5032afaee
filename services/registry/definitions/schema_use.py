"""How workflows and task definitions say which schemas their inputs and outputs keep to."""

from __future__ import annotations

from services.registry.definitions.model import Document, Json, pinned
from services.registry.definitions.reading import Place
from services.registry.definitions.records import Field, Record, Rule, later
from services.registry.definitions.schema import check_json_schema
from services.registry.definitions.values import Boolean, Choice, Name, Object, whole

_USE = Record(
    "a schema",
    (
        Field("name", Name(), "A schema definition, where there is no `data`.", refers="schema"),
        Field("version", whole(), "Which version; 0 or absent: the latest at each start."),
        Field("type", Choice(("JSON",), later=("AVRO", "PROTOBUF")), "JSON.", default="JSON"),
        Field("data", Object(), "The JSON Schema itself."),
        later("externalRef", "Where the schema lies."),
    ),
)


def schema_fields(broken: str, *, enforced: bool) -> tuple[Field, ...]:
    """The fields by which an object says what its input and output keep to.

    Args:
        broken: What becomes of an input that does not keep to it.
        enforced: Whether they hold where it does not say.
    """
    return (
        Field("inputSchema", _USE, f"The JSON Schema of the input. {broken}"),
        Field(
            "outputSchema", _USE, "The JSON Schema of the output; what breaks it fails for good."
        ),
        Field("enforceSchema", Boolean(), "Whether the two are enforced.", default=enforced),
    )


def check_schema_uses(*, enforced: bool) -> Rule:
    """The rule of an object that has :func:`schema_fields`."""

    def rule(document: Document, at: Place) -> None:
        holds = document.get("enforceSchema", enforced) is True
        for field in ("inputSchema", "outputSchema"):
            use = document.get(field)
            if isinstance(use, dict) and use:
                _check(use, at / field, holds=holds)

    return rule


def _check(use: Document, at: Place, *, holds: bool) -> None:
    data: Json = use.get("data")
    name, version = use.get("name"), use.get("version")
    if isinstance(data, dict):
        check_json_schema(data, at / "data")
    elif data is None and isinstance(name, str):
        (at / "name").refer("schema", name, pinned(version), required=holds)
    elif data is None and holds:
        (at / "name").fault("is required, or data")

"""Schemas: JSON Schema documents by name and version."""

from __future__ import annotations

from functools import cache

import jsonschema_rs

from services.json_schema import DRAFT_07, DRAFT_2020_12, compiled, draft_of, meta_schema
from services.registry.definitions.model import Document, Json, Kind
from services.registry.definitions.reading import Place, shortened, shown
from services.registry.definitions.records import Field, Record, kept, later
from services.registry.definitions.values import Choice, Name, Object, Text, whole
from services.schema_circles import circle_in

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_meta = cache(meta_schema)


def check_json_schema(schema: Document, at: Place) -> None:
    """Tells every reason why ``schema`` is no JSON Schema of draft 2020-12 or draft-07."""
    draft = draft_of(schema)
    if draft is None:
        declared = schema["$schema"]
        (at / "$schema").fault(f"must be {DRAFT_2020_12} or {DRAFT_07}#, not {shown(declared)}")
        return
    try:
        faults = list(_meta(draft).iter_errors(schema))
        told = {(*fault.instance_path, fault.message): fault for fault in faults}
        for fault in told.values():
            _tell(fault, _descend(at, fault.instance_path))
        if not faults and (reference := circle_in(schema)) is not None:
            at.fault(f"leads by {shown(reference)} back to itself, without going into the value")
        elif not faults:
            compiled(schema)
    except jsonschema_rs.ValidationError as fault:
        _descend(at, fault.instance_path).fault(_reason(fault.message))
    except (jsonschema_rs.ReferencingError, ValueError) as fault:
        at.fault(_reason(str(fault)))


def _tell(fault: jsonschema_rs.ValidationError, at: Place) -> None:
    if [*fault.schema_path[-2:]] != ["type", "anyOf"]:
        at.fault(shortened(fault.message))
        return
    value = fault.instance
    said = f", not {shown(value)}{at.guess(value, _TYPES)}" if isinstance(value, str) else ""
    at.fault(f"must be one of {', '.join(_TYPES)}, or a list of them{said}")


def _reason(message: str) -> str:
    if "retrieving it failed" in message:
        resource = message.removeprefix("Resource '").split("'")[0]
        return f"refers to '{shortened(resource)}', which is outside of the schema"
    return shortened(message)


def _descend(at: Place, path: list[str | int]) -> Place:
    for step in path:
        at = at / step
    return at


def _check(document: Document, at: Place) -> None:
    data: Json = document.get("data")
    if isinstance(data, dict) and document.get("type", "JSON") == "JSON":
        check_json_schema(data, at / "data")


KIND = Kind(
    name="schema",
    doc="A JSON Schema that routes, workflows and tasks name.",
    record=Record(
        "a schema",
        (
            Field("name", Name(), "Its name.", required=True),
            Field("version", whole(1), "Its version.", default=1),
            Field("type", Choice(("JSON",), later=("AVRO", "PROTOBUF")), "JSON.", default="JSON"),
            Field(
                "data",
                Object(),
                "The JSON Schema: draft 2020-12, or draft-07 where `$schema` says so. It refers "
                "to nothing outside of itself.",
                required=True,
            ),
            kept("description", Text(), "For people."),
            later("externalRef", "Where the schema lies."),
        ),
    ),
    versioned=True,
    check=_check,
)

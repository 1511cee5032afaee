"""Routes' schemas as they stand in a document: what they refer to is found there. No IO."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from services import json_schema
from services.edge.openapi.references import placed, refers, step
from services.edge.openapi.words import Document, Schemas
from services.edge.routes import Route
from services.json_example import example
from services.json_text import Json
from services.schema_weight import weight

_LONGEST_EXAMPLE = 4096
# Of a schema, to see whether an example keeps to it, as services.schema_weight has it.
_HEAVIEST = 10_000


def named_schemas(
    routes: Iterable[Route], names: Mapping[tuple[str, str], str], schemas: Schemas
) -> Document:
    """Those that refer to something, by a name of each: readers look for it from the root."""
    named: Document = {}
    for route in routes:
        operation = names[route.method, route.path]
        for part in ("input", "output"):
            schema = schemas.get((route.method, route.path, part))
            if schema is not None and refers(schema):
                named[_name(operation, part)] = placed(schema, _place(operation, part))
    return named


def schema_of(schema: Mapping[str, Any] | None, operation: str, part: str) -> Json:
    """The schema of a body: itself, or a reference to that of :func:`named_schemas`."""
    if schema is None:
        return {}
    place = _place(operation, part)
    return {"$ref": place} if refers(schema) else placed(schema, place)


def example_of(schema: Mapping[str, Any] | None) -> dict[str, Json]:
    """``{"example": …}`` of a body that keeps to ``schema``.

    Empty where none can be made, or to know whether that one keeps to it may take long.
    """
    if schema is None:
        return {}
    value = example(schema)
    heavy, small = weight(schema), len(json.dumps(value)) <= _LONGEST_EXAMPLE
    quick = small and heavy is not None and heavy <= _HEAVIEST
    keeps = quick and json_schema.compiled(schema).is_valid(value)
    return {"example": value} if keeps else {}


def property_schema(schema: Mapping[str, Any], name: str, operation: str) -> Json:
    """The schema of a parameter, which is a property of the input's."""
    inner: Json = schema["properties"][name]
    place = _place(operation, "input")
    if refers(inner):
        return {"$ref": f"{place}/properties{step(name)}"}
    return placed(inner, place) if isinstance(inner, dict) else inner


def _name(operation: str, part: str) -> str:
    return f"{operation}_{part}"


def _place(operation: str, part: str) -> str:
    return f"#/components/schemas/{_name(operation, part)}"

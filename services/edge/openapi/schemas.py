"""Routes' schemas as they stand in a document: what they refer to is found there. No IO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from services.edge.openapi.words import Document
from services.json_text import Json

# What these hold is no schema.
_VALUES = ("const", "default", "enum", "examples")
_NAMED = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")


def own_resource(schema: Mapping[str, Any], name: str, part: str) -> Document:
    """``schema`` as a resource of its own, so that what it refers to is sought within it."""
    return dict(schema) if "$id" in schema else {**schema, "$id": f"urn:podium:{name}:{part}"}


def property_schema(schema: Mapping[str, Any], name: str, operation: str) -> Json:
    """The schema of a parameter; one that refers is that of :func:`component`."""
    inner: Json = schema["properties"][name]
    if not refers(inner):
        return inner
    step = quote(name.replace("~", "~0").replace("/", "~1"))
    return {"$ref": f"{_place(operation)}/properties/{step}"}


def component(schema: Mapping[str, Any], operation: str) -> Json:
    """``schema`` without a name of its own: what it refers to is sought from the document's root.

    Tools that know no ``$id`` find it there, too.
    """
    own = {key: value for key, value in schema.items() if key not in ("$id", "$schema")}
    return _moved(own, _place(operation))


def _place(operation: str) -> str:
    return f"#/components/schemas/{operation}_input"


def _moved(schema: Json, place: str, *, named: bool = False) -> Json:
    """``schema`` whose pointers from its own root begin at ``place``.

    Args:
        named: It is no schema, but an object of schemas by names of any kind.
    """
    if isinstance(schema, list):
        return [_moved(each, place) for each in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {
        key: each
        if key in _VALUES and not named
        else _moved(each, place, named=key in _NAMED and not named)
        for key, each in schema.items()
    }
    reference = schema.get("$ref")
    if isinstance(reference, str) and (reference == "#" or reference.startswith("#/")):
        moved["$ref"] = place + reference[1:]
    return moved


def refers(schema: Json) -> bool:
    """Whether there is a ``$ref`` in it."""
    if isinstance(schema, list):
        return any(map(refers, schema))
    return isinstance(schema, dict) and ("$ref" in schema or any(map(refers, schema.values())))

"""Schemas of what is asked for where nobody has written one: a route's call, a workflow's input."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tui.views.forms.schemas import Schema

_PARAMETER = re.compile(r"\{([^{}/]+)\}")
_WITHOUT_BODY = frozenset(("GET", "HEAD", "DELETE"))
_TYPES = frozenset(("string", "integer", "number", "boolean", "array"))


def input_schema(workflow: Mapping[str, Any]) -> Schema:
    """The input of a workflow: its own schema, else one of its parameters' names.

    Without either, any object.
    """
    declared = workflow.get("inputSchema")
    if isinstance(declared, Mapping):
        data = declared.get("data")
        # A schema definition within it, as Conductor has it, or the schema itself.
        return data if isinstance(data, Mapping) else declared
    names = workflow.get("inputParameters")
    named = [each for each in names if isinstance(each, str)] if isinstance(names, list) else []
    if not named:
        return {"type": "object"}
    return _object({name: {"description": "Text, or JSON."} for name in dict.fromkeys(named)})


def call_schema(route: Mapping[str, Any], body: Schema | None = None) -> Schema:
    """The parts of a call of ``route``, its document in the registry: as an object.

    Its documents are ``{path: {NAME: text}, query: {NAME: value}, headers: [{name, value}],
    body}``; of a route that declares no query, ``query`` is like ``headers``.

    Args:
        body: The schema of the body, where the route refers to one.
    """
    parts: dict[str, Any] = {}
    path = route.get("path")
    if names := list(dict.fromkeys(_PARAMETER.findall(path if isinstance(path, str) else ""))):
        texts = {name: {"type": "string", "minLength": 1} for name in names}
        parts["path"] = {**_object(texts, names), "description": "What stands in the path."}
    if query := _query(route.get("queryParameters")):
        parts["query"] = query
    else:
        parts["query"] = _pairs("Fields of the query.")
    parts["headers"] = _pairs("Headers besides the key's.")
    if route.get("httpMethod") not in _WITHOUT_BODY:
        parts["body"] = _body(route, body)
    return _object(parts, [name for name in ("path",) if name in parts])


def _query(parameters: object) -> Schema | None:
    fields: dict[str, Schema] = {}
    required: list[str] = []
    for each in parameters if isinstance(parameters, list) else ():
        name = each.get("name") if isinstance(each, Mapping) else None
        if isinstance(name, str):
            fields[name] = _parameter(each)
            required += [name] if each.get("required") is True else []
    return _object(fields, required) if fields else None


def _parameter(parameter: Mapping[str, Any]) -> Schema:
    kind = parameter.get("type")
    field: dict[str, Any] = {"type": kind if kind in _TYPES else "string"}
    if kind == "array":
        field["items"] = {"type": "string"}
    for name in ("default", "enum", "description"):
        if parameter.get(name) is not None:
            field[name] = parameter[name]
    return field


def _body(route: Mapping[str, Any], body: Schema | None) -> Schema:
    declared = body if body is not None else route.get("inputSchema")
    if isinstance(declared, Mapping):
        return declared
    return {"description": "The body: JSON."}


def _pairs(description: str) -> Schema:
    text = {"type": "string"}
    pair = _object({"name": {"type": "string", "minLength": 1}, "value": text}, ["name"])
    return {"type": "array", "items": pair, "description": description}


def _object(properties: Mapping[str, Any], required: Iterable[str] = ()) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(required)}

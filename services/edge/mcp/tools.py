"""Routes as tools: their names, what they take and what they give. No IO."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any

from services.edge.openapi.names import operation_names
from services.edge.openapi.parameters import query_parameter
from services.edge.openapi.references import placed
from services.edge.openapi.words import WITH_BODY
from services.edge.routes import Route, routes_of

Schema = dict[str, Any]
# By method, path and "input" or "output": JSON text.
Schemas = tuple[tuple[str, str, str, str], ...]

BODY = "body"
PENDING: Schema = {
    "type": "object",
    "description": "It is not done yet: its answer will be at the location.",
    "properties": {
        "executionId": {"type": "string"},
        "status": {"type": "string"},
        "location": {"type": "string"},
    },
    "required": ["executionId", "status", "location"],
}
# What 204 is, where a script may say so.
NOTHING: Schema = {
    "type": "object",
    "description": "It is done, and there is nothing to tell.",
    "maxProperties": 0,
}

# With any of these, a schema says more of its object than which fields there are: others beside
# them could break it.
_OF_THE_WHOLE = frozenset(
    {
        "$dynamicRef", "$ref", "allOf", "anyOf", "const", "dependencies", "dependentRequired",
        "dependentSchemas", "else", "enum", "if", "maxProperties", "minProperties", "not", "oneOf",
        "patternProperties", "propertyNames", "then", "unevaluatedProperties",
    }
)  # fmt: skip
_DEFINED = ("#/$defs/", "#/definitions/")
_MOST_KEPT = 64


@dataclass(frozen=True, slots=True)
class Tool:
    """One route, as a client may call it.

    Attributes:
        query: The arguments that go into the query.
        fields: Those that the body's schema names, even where they go elsewhere too.
        whole_body: The one argument that is the body; empty: its fields are arguments.
        every_query: What is no parameter goes into the query: the route declares none, and takes
            no body.
    """

    name: str
    description: str
    input_schema: Schema
    output_schema: Schema | None
    route: Route
    query: frozenset[str]
    fields: frozenset[str]
    whole_body: str
    every_query: bool

    @property
    def has_body(self) -> bool:
        return self.route.method in WITH_BODY


@lru_cache(maxsize=_MOST_KEPT)
def tools_of(service_text: str, schemas: Schemas) -> Mapping[str, Tool]:
    """The tools of a service by name, in the order of its routes.

    Args:
        service_text: Its definition.
        schemas: What its routes have or name.
    """
    service = json.loads(service_text)
    routes = routes_of(service)
    names = operation_names(routes)
    read = {(method, path, part): json.loads(text) for method, path, part, text in schemas}
    described = service.get("routes") or ()
    tools = (
        _tool(names[route.method, route.path], route, document, read)
        for route, document in zip(routes, described, strict=True)
    )
    return {tool.name: tool for tool in tools}


def _tool(
    name: str,
    route: Route,
    described: Mapping[str, Any],
    schemas: Mapping[tuple[str, str, str], Any],
) -> Tool:
    given = schemas.get((route.method, route.path, "input"))
    query = [query_parameter(each) for each in described.get("queryParameters") or ()]
    has_body = route.method in WITH_BODY
    taken = {*route.parameters, *(each["name"] for each in query)}
    whole = has_body and given is not None and not _has_fields(given)
    body = _free(taken) if whole else ""
    schema = _input(route, given, query, body)
    own = given.get("properties", {}) if given and has_body and _has_fields(given) else {}
    return Tool(
        name=name,
        description=described.get("description") or f"{route.method} {route.below}",
        input_schema=schema,
        output_schema=_output(route, schemas.get((route.method, route.path, "output"))),
        route=route,
        query=frozenset(each["name"] for each in query),
        fields=frozenset(own),
        whole_body=body,
        every_query=not has_body and route.query is None,
    )


def _has_fields(schema: object) -> bool:
    """Whether it is of an object, of which it says field by field what there is."""
    return (
        isinstance(schema, dict)
        and schema.get("type") == "object"
        and _OF_THE_WHOLE.isdisjoint(schema)
    )


def _input(route: Route, given: Any, query: Sequence[Schema], body: str) -> Schema:
    """All that a call takes as one object; where two have one name, the later wins.

    Args:
        body: The name of the body; empty: ``given`` has its fields.
    """
    schema: Schema = {"type": "object"}
    if given is not None and not body and _has_fields(given):
        given = _apart(given) if query or route.parameters else given
        schema = {**given, "properties": dict(given.get("properties", {}))}
    properties: Schema = schema.setdefault("properties", {})
    required = dict.fromkeys(schema.get("required", ()))
    if body:
        properties[body] = _placed(schema, given, f"#/properties/{body}")
        required[body] = None
    for each in query:
        properties[each["name"]] = _described(each)
        required.pop(each["name"], None)
        if each["required"]:
            required[each["name"]] = None
    for name in route.parameters:
        if route.method in WITH_BODY or name not in properties:
            properties[name] = {"type": "string"}
        required[name] = None
    schema["required"] = list(required)
    return schema


def _apart(given: Schema) -> Schema:
    """``given`` so that others may stand beside its fields.

    What refers to it, or to its fields, means it as it was: that is kept under ``$defs``.
    """
    if not _refers_to_itself(given):
        return given
    kept = given.get("$defs", {})
    name = _free(kept)
    schema: Schema = {}
    inner = _placed(schema, given, f"#/$defs/{name}")
    return {**schema, **inner, "$defs": {**inner.get("$defs", {}), name: inner}}


def _free(taken: Container[str]) -> str:
    """``body``, with as many ``_`` behind it as it needs to be a name that is not taken."""
    return next(name for number in count() if (name := BODY + "_" * number) not in taken)


def _refers_to_itself(schema: object) -> bool:
    """Whether it, or a part, refers to anything but its definitions; a value that looks so, too."""
    if isinstance(schema, list):
        return any(map(_refers_to_itself, schema))
    if not isinstance(schema, dict):
        return False
    references = (schema.get(word) for word in ("$ref", "$dynamicRef"))
    beyond = any(isinstance(each, str) and not each.startswith(_DEFINED) for each in references)
    return beyond or any(map(_refers_to_itself, schema.values()))


def _described(parameter: Schema) -> Schema:
    text = parameter.get("description")
    return {**parameter["schema"], **({"description": text} if text else {})}


def _placed(root: Schema, given: Any, place: str) -> Any:
    """``given`` within ``root``, which says by which draft it is read."""
    if not isinstance(given, dict):
        return given
    inner = placed(given, place)
    if isinstance(inner, dict) and (draft := inner.pop("$schema", None)):
        root["$schema"] = draft
    return inner


def _output(route: Route, given: Any) -> Schema | None:
    """What a call gives, or that it goes on; only objects are structured (MCP, tools)."""
    if not isinstance(given, dict) or given.get("type") != "object":
        return None
    if route.asynchronous:
        return PENDING
    schema: Schema = {"type": "object"}
    schema["anyOf"] = [_placed(schema, given, "#/anyOf/0"), PENDING]
    if route.response.envelope:
        schema["anyOf"].append(NOTHING)
    return schema

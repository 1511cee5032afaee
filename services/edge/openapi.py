"""A service's routes as an OpenAPI 3.1 document. No IO."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from services.edge.problems import KINDS
from services.edge.routes import Route
from services.edge.trie import is_parameter, template_segments
from services.json_text import Json

Document = dict[str, Any]
Schemas = Mapping[tuple[str, str, str], Mapping[str, Any]]
"""By method, path and ``input`` or ``output``."""

_WITH_BODY = ("POST", "PUT", "PATCH")
_LONGEST_NAME = 64
# What these hold is no schema.
_VALUES = ("const", "default", "enum", "examples")
_NAMED = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
_PROBLEM: Document = {
    "type": "object",
    "description": "A problem (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "requestId": {"type": "string"},
        "executionId": {"type": "string", "format": "uuid"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
                "required": ["pointer", "detail"],
            },
        },
        "violated-policies": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["type", "title", "status", "detail", "requestId"],
}
_EXECUTION: Document = {
    "type": "object",
    "properties": {
        "executionId": {"type": "string", "format": "uuid"},
        "status": {"type": "string", "examples": ["RUNNING"]},
    },
    "required": ["executionId", "status"],
}
_SCHEMES: Document = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer", "description": "The key as a token."},
    "Basic": {"type": "http", "scheme": "basic", "description": "The key as the password."},
}
# What may go wrong with any call; the sentence is that of the first class with the status.
_ALWAYS = (400, 404, 405, 408, 431, 500, 502, 503, 504)


def openapi(
    service: Mapping[str, Any], routes: Sequence[Route], schemas: Schemas, *, public: bool
) -> Document:
    """The document of a service.

    Args:
        service: Its definition.
        routes: All of it, in order.
        schemas: What the routes name or have.
        public: Whether anybody may call, without a key.
    """
    paths, inputs = _paths(service, routes, schemas, public)
    document: Document = {
        "openapi": "3.1.0",
        "info": {
            "title": service.get("name") or service["id"],
            "version": "1",
            "description": service.get("description") or "",
        },
        "servers": [{"url": "/"}],
        "paths": paths | {"/-/executions/{executionId}": _location(public)},
        "components": {"schemas": {"Problem": _PROBLEM, "Execution": _EXECUTION} | inputs},
    }
    if not public:
        document["components"]["securitySchemes"] = _SCHEMES
        document["security"] = [{name: []} for name in _SCHEMES]
    return document


def _paths(
    service: Mapping[str, Any], routes: Sequence[Route], schemas: Schemas, public: bool
) -> tuple[Document, Document]:
    """The operations by path and method, and the schemas that their parameters refer to."""
    names = operation_names(routes)
    paths: dict[str, Document] = {}
    inputs: Document = {}
    templates: dict[tuple[str, ...], str] = {}
    for route, described in zip(routes, service.get("routes") or (), strict=True):
        # Paths that differ by names of parameters only are one path, with the names of the first.
        path = templates.setdefault(_erased(route.path), route.path)
        name = names[route.method, route.path]
        operation = _operation(route, described, name, schemas, public, path)
        paths.setdefault(path, {})[route.method.lower()] = operation
        given = schemas.get((route.method, route.path, "input"))
        if given and route.method not in _WITH_BODY and _refers(given.get("properties")):
            inputs[f"{name}_input"] = _component(given, name)
    return paths, inputs


def operation_names(routes: Iterable[Route]) -> dict[tuple[str, str], str]:
    """By method and path, a name of each route that no other has: ``POST_orderId_checkout``.

    Every run of characters that no name has becomes ``_``, at most 64 in all; a number follows
    where two routes would have one name.
    """
    names: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for route in routes:
        below = re.sub(r"[^A-Za-z0-9]+", "_", route.below).strip("_")
        base = f"{route.method}_{below}".rstrip("_")[:_LONGEST_NAME]
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base[: _LONGEST_NAME - len(str(number)) - 1]}_{number}"
        taken.add(name)
        names[route.method, route.path] = name
    return names


def _erased(template: str) -> tuple[str, ...]:
    return tuple("{}" if is_parameter(part) else part for part in template_segments(template))


def _operation(
    route: Route,
    described: Mapping[str, Any],
    name: str,
    schemas: Schemas,
    public: bool,
    path: str,
) -> Document:
    """The operation of ``route``, which is told of at ``path``."""
    given = schemas.get((route.method, route.path, "input"))
    operation: Document = {
        "operationId": name,
        "summary": described.get("description") or f"Run {route.workflow}",
        "tags": [route.service_id],
    }
    has_body = route.method in _WITH_BODY
    parameters = [
        *_path_parameters(route, path, None if has_body else given, name),
        *_parameters(route, described, None if has_body else given, name),
    ]
    if parameters:
        operation["parameters"] = parameters
    if has_body:
        required = given is not None and bool(given.get("required"))
        operation["requestBody"] = {
            "required": required,
            "content": _json(_own(given, name, "input") if given else {}),
        }
    produced = schemas.get((route.method, route.path, "output"))
    operation["responses"] = _responses(route, name, produced, public)
    return operation


def _path_parameters(
    route: Route, path: str, schema: Mapping[str, Any] | None, name: str
) -> Iterable[Document]:
    """Those of ``path``, in the order of the route's own, by which ``schema`` has them."""
    told = [part[1:-1] for part in template_segments(path) if is_parameter(part)]
    properties = schema.get("properties", {}) if schema else {}
    for own, shown in zip(route.parameters, told, strict=True):
        if schema and own in properties:
            yield _parameter(shown, "path", _property(schema, own, name))
        else:
            yield _parameter(shown, "path", {"type": "string"})


def _parameters(
    route: Route, described: Mapping[str, Any], schema: Mapping[str, Any] | None, name: str
) -> Iterable[Document]:
    """Query and preference; ``schema`` describes them where a call has no body."""
    for declared in described.get("queryParameters") or ():
        yield _query_parameter(declared)
    if route.query is None and schema:
        required = schema.get("required", ())
        for each in schema.get("properties", {}):
            if each not in route.parameters:
                inner = _property(schema, each, name)
                yield _parameter(each, "query", inner, required=each in required)
    if not route.asynchronous:
        described_as = "respond-async, or wait=n seconds (RFC 7240)"
        yield _parameter(
            "Prefer", "header", {"type": "string"}, required=False, description=described_as
        )


def _parameter(name: str, place: str, schema: Json, **fields: Any) -> Document:
    return {"name": name, "in": place, "required": True, "schema": schema, **fields}


def _query_parameter(declared: Mapping[str, Any]) -> Document:
    type_ = declared.get("type", "string")
    schema: Document = {"type": type_}
    enum, default = declared.get("enum"), declared.get("default")
    if type_ == "array":
        schema["items"] = {"type": "string", **({"enum": enum} if enum else {})}
    elif enum:
        schema["enum"] = enum
    if default is not None:
        schema["default"] = default
    required = declared.get("required") is True and default is None
    described = {"description": text} if (text := declared.get("description")) else {}
    exploded = {"style": "form", "explode": True} if type_ == "array" else {}
    return _parameter(declared["name"], "query", schema, required=required, **described, **exploded)


def _responses(
    route: Route, name: str, produced: Mapping[str, Any] | None, public: bool
) -> Document:
    responses: Document = {}
    if not route.asynchronous:
        responses["200"] = {
            "description": "The output of the workflow.",
            "headers": _headers("X-Request-Id", "Podium-Execution-Id"),
            "content": _json(_own(produced, name, "output") if produced else {}),
        }
    if route.response.envelope:
        # A script sets the status.
        responses["default"] = {"description": "What the workflow says.", "content": _json({})}
    responses["202"] = _accepted("It goes on; `Location` has the answer once it is done.")
    statuses = {*_ALWAYS}
    statuses |= set() if public else {401, 403}
    statuses |= {413, 415} if route.method in _WITH_BODY else set()
    statuses |= {422}
    statuses |= {429} if route.quotas else set()
    responses |= {str(status): _problem(status) for status in sorted(statuses)}
    return responses


def _location(public: bool) -> Document:
    """Where the ``Location`` of a 202 leads."""
    parameters = [
        _parameter("executionId", "path", {"type": "string", "format": "uuid"}),
        _parameter("t", "query", {"type": "string"}, required=public, description="The link's."),
    ]
    answers: Document = {
        "200": {"description": "What the route answers with.", "content": _json({})},
        "202": _accepted("It is not done yet: ask again."),
    }
    failed = {str(status): _problem(status) for status in (404, 410, 500, 502, 503, 504)}
    refused = {str(status): _problem(status) for status in (404, 409, 503)}
    return {
        "parameters": parameters,
        "get": {
            "operationId": "getExecution",
            "summary": "The answer of an execution, once it is done",
            "responses": answers | failed,
        },
        "delete": {
            "operationId": "cancelExecution",
            "summary": "End an execution",
            "responses": {"204": {"description": "It is ended."}} | refused,
        },
    }


def _accepted(description: str) -> Document:
    return {
        "description": description,
        "headers": _headers("Location", "Retry-After", "X-Request-Id", "Podium-Execution-Id"),
        "content": _json({"$ref": "#/components/schemas/Execution"}),
    }


def _problem(status: int) -> Document:
    kind = next(kind for kind in KINDS.values() if kind.status == status)
    return {
        "description": kind.title,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }


def _headers(*names: str) -> Document:
    return {name: {"schema": {"type": "string"}} for name in names}


def _json(schema: Json) -> Document:
    return {"application/json": {"schema": schema}}


def _own(schema: Mapping[str, Any], name: str, part: str) -> Document:
    """``schema`` as a resource of its own, so that what it refers to is sought within it."""
    return dict(schema) if "$id" in schema else {**schema, "$id": f"urn:podium:{name}:{part}"}


def _property(schema: Mapping[str, Any], name: str, operation: str) -> Json:
    """The schema of a parameter; one that refers is that of :func:`_component`."""
    inner: Json = schema["properties"][name]
    if not _refers(inner):
        return inner
    step = quote(name.replace("~", "~0").replace("/", "~1"))
    return {"$ref": f"{_place(operation)}/properties/{step}"}


def _component(schema: Mapping[str, Any], operation: str) -> Json:
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


def _refers(schema: Json) -> bool:
    """Whether there is a ``$ref`` in it."""
    if isinstance(schema, list):
        return any(map(_refers, schema))
    return isinstance(schema, dict) and ("$ref" in schema or any(map(_refers, schema.values())))

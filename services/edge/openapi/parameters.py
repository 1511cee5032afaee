"""What a call carries beside its body, in the words of OpenAPI. No IO."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.edge.idempotency import SAFE_METHODS
from services.edge.openapi.schemas import property_schema
from services.edge.openapi.words import Document
from services.edge.routes import Route
from services.edge.trie import is_parameter, template_segments
from services.json_text import Json


def path_parameters(
    route: Route, path: str, schema: Mapping[str, Any] | None, name: str
) -> Iterable[Document]:
    """Those of ``path``, in the order of the route's own, by which ``schema`` has them."""
    told = [part[1:-1] for part in template_segments(path) if is_parameter(part)]
    properties = schema.get("properties", {}) if schema else {}
    for own, shown in zip(route.parameters, told, strict=True):
        if schema and own in properties:
            yield parameter(shown, "path", property_schema(schema, own, name))
        else:
            yield parameter(shown, "path", {"type": "string"})


def other_parameters(
    route: Route,
    described: Mapping[str, Any],
    schema: Mapping[str, Any] | None,
    name: str,
    public: bool,
) -> Iterable[Document]:
    """Query and headers; ``schema`` describes the former where a call has no body."""
    for declared in described.get("queryParameters") or ():
        yield query_parameter(declared)
    if route.query is None and schema:
        required = schema.get("required", ())
        for each in schema.get("properties", {}):
            if each not in route.parameters:
                inner = property_schema(schema, each, name)
                yield parameter(each, "query", inner, required=each in required)
    if route.cache and route.method == "GET":
        tags = "The ETag of the answer that the caller has"
        yield parameter(
            "If-None-Match", "header", {"type": "string"}, required=False, description=tags
        )
    if not route.asynchronous:
        described_as = "respond-async, or wait=n seconds (RFC 7240)"
        yield parameter(
            "Prefer", "header", {"type": "string"}, required=False, description=described_as
        )
    if heeds_idempotency(route, public=public):
        yield _IDEMPOTENCY_KEY


def heeds_idempotency(route: Route, *, public: bool) -> bool:
    """Whether a call may bring an ``Idempotency-Key``."""
    return route.method not in SAFE_METHODS and (not public or route.idempotent_on_public)


def parameter(name: str, place: str, schema: Json, **fields: Any) -> Document:
    """One parameter, required unless ``fields`` say otherwise."""
    return {"name": name, "in": place, "required": True, "schema": schema, **fields}


_IDEMPOTENCY_KEY = parameter(
    "Idempotency-Key",
    "header",
    # As it is sent, the quotes included; a bare word is taken, too.
    {"type": "string", "pattern": r'^("[ !#-\[\]-~]{1,255}"|[!#-+\--:<-\[\]-~]{1,255})$'},
    required=False,
    description="The same for a call that is sent again: a string in quotes (RFC 9651).",
)


def query_parameter(declared: Mapping[str, Any]) -> Document:
    """A declared parameter of the query."""
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
    return parameter(declared["name"], "query", schema, required=required, **described, **exploded)

"""What a call is answered with, in the words of OpenAPI. No IO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.edge.openapi.schemas import schema_of
from services.edge.openapi.words import WITH_BODY, Document, events_content, json_content
from services.edge.problems import KINDS
from services.edge.routes import Route

PROBLEM: Document = {
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
EXECUTION: Document = {
    "type": "object",
    "properties": {
        "executionId": {"type": "string", "format": "uuid"},
        "status": {"type": "string", "examples": ["RUNNING"]},
    },
    "required": ["executionId", "status"],
}
STREAM_IS_OVER: Document = {
    "description": "`Last-Event-ID` was that of the last event: nothing more will come."
}
# What may go wrong with any call; the sentence is that of the first class with the status.
ALWAYS = (400, 404, 405, 408, 431, 500, 502, 503, 504)


def responses(
    route: Route, name: str, produced: Mapping[str, Any] | None, public: bool
) -> Document:
    """The answers of ``route`` by status.

    Args:
        name: The operation's.
        produced: The schema of its output.
        public: Whether anybody may call, without a key.
    """
    told: Document = {}
    if not route.asynchronous:
        told["200"] = {
            "description": "The output of the workflow.",
            "headers": _headers(
                "X-Request-Id", "Podium-Execution-Id", "Idempotent-Replayed", *_of_cache(route)
            ),
            "content": json_content(schema_of(produced, name, "output")) | events_content(),
        }
    if route.cache and route.method == "GET":
        told["304"] = {
            "description": "The caller has the answer already.",
            "headers": _headers("X-Request-Id", "Podium-Execution-Id", *_of_cache(route)),
        }
    if route.response.envelope:
        # A script sets the status.
        told["default"] = {"description": "What the workflow says.", "content": json_content({})}
    told["202"] = accepted("It goes on; `Location` has the answer once it is done.")
    told["204"] = STREAM_IS_OVER
    statuses = {*ALWAYS}
    statuses |= set() if public else {401, 403}
    statuses |= {413, 415} if route.method in WITH_BODY else set()
    statuses |= {422}
    statuses |= {429} if route.quotas or route.concurrency else set()
    told |= {str(status): problem(status) for status in sorted(statuses)}
    return told


def _of_cache(route: Route) -> tuple[str, ...]:
    """Headers by which a route that keeps answers tells of it."""
    if route.cache is None:
        return ()
    return ("Cache-Status", "Age", *(("ETag",) if route.method == "GET" else ()))


def accepted(description: str) -> Document:
    """A 202: where the answer will be."""
    return {
        "description": description,
        "headers": _headers("Location", "Retry-After", "X-Request-Id", "Podium-Execution-Id"),
        "content": json_content({"$ref": "#/components/schemas/Execution"}),
    }


def problem(status: int) -> Document:
    """An error, in the words of its first class."""
    kind = next(kind for kind in KINDS.values() if kind.status == status)
    return {
        "description": kind.title,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }


def _headers(*names: str) -> Document:
    return {name: {"schema": {"type": "string"}} for name in names}

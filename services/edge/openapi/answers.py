"""What a call is answered with, in the words of OpenAPI. No IO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.edge.openapi.headers import headers
from services.edge.openapi.parameters import heeds_idempotency
from services.edge.openapi.problems import problem
from services.edge.openapi.schemas import schema_of
from services.edge.openapi.words import WITH_BODY, Document, events_content, json_content
from services.edge.routes import Route

EXECUTION: Document = {
    "type": "object",
    "description": "One that goes on.",
    "properties": {
        "executionId": {"type": "string", "format": "uuid"},
        "status": {"type": "string", "examples": ["RUNNING"]},
    },
    "required": ["executionId", "status"],
}
STREAM_IS_OVER: Document = {
    "description": "`Last-Event-ID` was that of the last event: nothing more will come."
}
# What may go wrong with any call.
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
    replayed = ("Idempotent-Replayed",) if heeds_idempotency(route, public=public) else ()
    told: Document = {"200": _of_its_end(route, name, produced, replayed)}
    if route.cache and route.method == "GET":
        told["304"] = {
            "description": "The caller has the answer already.",
            "headers": headers("X-Request-Id", "Podium-Execution-Id", *_of_cache(route)),
        }
    if route.response.envelope:
        # A script sets the status.
        told["default"] = {"description": "What the workflow says.", "content": json_content({})}
    goes_on = accepted("It goes on; `Location` has the answer once it is done.", *replayed)
    told["202"] = goes_on | _links(public)
    told["204"] = STREAM_IS_OVER
    statuses = {*ALWAYS}
    statuses |= set() if public else {401, 403}
    statuses |= {413, 415} if route.method in WITH_BODY else set()
    statuses |= {422}
    statuses |= {429} if route.quotas or route.concurrency else set()
    told |= {str(status): problem(status) for status in sorted(statuses)}
    return told


def _of_its_end(
    route: Route, name: str, produced: Mapping[str, Any] | None, replayed: tuple[str, ...]
) -> Document:
    """A 200: of an asynchronous route, to those only who want events.

    Args:
        replayed: The header by which an answer that came before is known, where there may be one.
    """
    if route.asynchronous:
        return {
            "description": "What happens to the execution, and its answer at the end.",
            "headers": headers("Location", "X-Request-Id", "Podium-Execution-Id"),
            "content": events_content(),
        }
    return {
        "description": "The output of the workflow.",
        "headers": headers("X-Request-Id", "Podium-Execution-Id", *replayed, *_of_cache(route)),
        "content": json_content(schema_of(produced, name, "output")) | events_content(),
    }


def _of_cache(route: Route) -> tuple[str, ...]:
    """Headers by which a route that keeps answers tells of it."""
    if route.cache is None:
        return ()
    return ("Cache-Status", "Age", *(("ETag",) if route.method == "GET" else ()))


def _links(public: bool) -> Document:
    """From a 202 to where the answer will be; a public one is found by its ``Location`` alone."""
    if public:
        return {}
    execution_id = {"executionId": "$response.body#/executionId"}
    told = {
        "getExecution": "The answer, once it is done: ask after `Retry-After`, with the same key.",
        "cancelExecution": "End the execution.",
    }
    return {
        "links": {
            name: {"operationId": name, "parameters": execution_id, "description": description}
            for name, description in told.items()
        }
    }


def accepted(description: str, *more: str) -> Document:
    """A 202: where the answer will be; ``more`` are headers beside those of every one."""
    return {
        "description": description,
        "headers": headers("Location", "Retry-After", "X-Request-Id", "Podium-Execution-Id", *more),
        "content": json_content({"$ref": "#/components/schemas/Execution"}),
    }

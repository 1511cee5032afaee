"""Where the ``Location`` of a 202 leads, in the words of OpenAPI. No IO."""

from __future__ import annotations

from collections.abc import Iterable

from services.edge.openapi.answers import ALWAYS, STREAM_IS_OVER, accepted
from services.edge.openapi.parameters import parameter
from services.edge.openapi.problems import problem
from services.edge.openapi.words import Document, events_content, json_content

PATH = "/-/executions/{executionId}"
TAG: Document = {
    "name": "executions",
    "description": "Answers that take longer than their callers wait: `GET` the `Location` of a "
    "202, with the key of the call, until it is another.",
}
# Of an end that is asked for.
_REFUSED = tuple(status for status in (*ALWAYS, 409, 422) if status not in (502, 504))
_LAST = parameter(
    "Last-Event-ID",
    "header",
    {"type": "string"},
    required=False,
    description="Of events: those after this one.",
)


def execution(public: bool) -> Document:
    """The item of :data:`PATH`.

    Args:
        public: Whether anybody may have the answer who has its link.
    """
    link = "That of the `Location`" + ("" if public else "; it may be left out")
    return {
        "parameters": [
            parameter("executionId", "path", {"type": "string", "format": "uuid"}),
            parameter("t", "query", {"type": "string"}, required=public, description=f"{link}."),
        ],
        "get": {
            "operationId": "getExecution",
            "summary": "The answer of an execution, once it is done",
            "description": "What the route would have answered; kept for 24 hours.",
            "tags": [TAG["name"]],
            "parameters": [_LAST],
            "responses": _answers() | _problems((*ALWAYS, 410, 422)),
        },
        "delete": {
            "operationId": "cancelExecution",
            "summary": "End an execution",
            "tags": [TAG["name"]],
            "responses": {"204": {"description": "It is ended."}} | _problems(_REFUSED),
        },
    }


def _answers() -> Document:
    return {
        "200": {
            "description": "What the route answers with.",
            "content": json_content({}) | events_content(),
        },
        "202": accepted("It is not done yet: ask again."),
        "204": STREAM_IS_OVER,
    }


def _problems(statuses: Iterable[int]) -> Document:
    return {str(status): problem(status) for status in sorted(statuses)}

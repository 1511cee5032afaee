"""What is told of the end of an execution, and to whom, in the words of OpenAPI. No IO."""

from __future__ import annotations

from collections.abc import Iterable

from services.edge.openapi.parameters import parameter
from services.edge.openapi.words import WITH_BODY, Document, json_content
from services.edge.routes import Route
from services.edge.webhooks import CALLBACK_URL
from services.urls import LONGEST_URL

_STATUSES = ("COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED")
_NAME = "executionEnded"

EXECUTION_ENDED: Document = {
    "type": "object",
    "description": "What a completion webhook is told.",
    "properties": {
        "type": {"type": "string", "enum": [f"execution.{each.lower()}" for each in _STATUSES]},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": {
            "type": "object",
            "properties": {
                "executionId": {"type": "string", "format": "uuid"},
                "workflow": {"type": "string"},
                "status": {"type": "string", "enum": list(_STATUSES)},
                "location": {"type": "string", "format": "uri"},
                "correlationId": {"type": "string"},
                "output": {"description": "The answer, where it is small and told as it is."},
                "reason": {"type": "string"},
            },
            "required": ["executionId", "workflow", "status", "location"],
        },
    },
    "required": ["type", "timestamp", "data"],
}
_HEADERS = {
    "webhook-id": "The same for all attempts to tell of one end.",
    "webhook-timestamp": "When the attempt was made, in seconds since the epoch.",
    "webhook-signature": "`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, for each key.",
}
_TOLD: Document = {
    "post": {
        "summary": "An execution has ended",
        "description": "Signed as Standard Webhooks has it; sent again until it is taken.",
        "security": [],
        "parameters": [
            parameter(name, "header", {"type": "string"}, description=text)
            for name, text in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": json_content({"$ref": "#/components/schemas/ExecutionEnded"}),
        },
        "responses": {
            "2XX": {"description": "It is taken."},
            "410": {"description": "It is never sent again."},
            "default": {"description": "It is sent again, by and by."},
        },
    }
}
_CALLBACK_PARAMETER = parameter(
    CALLBACK_URL,
    "query",
    {"type": "string", "format": "uri", "maxLength": LONGEST_URL},
    required=False,
    description="Who is told of the end; where there is a body, a field of it will do.",
)


def put_in(document: Document, routes: Iterable[Route]) -> None:
    """Say of ``document`` what its service tells others, if it tells anybody."""
    told = [route.webhook for route in routes if route.webhook is not None]
    if told:
        document["components"]["schemas"]["ExecutionEnded"] = EXECUTION_ENDED
    if any(webhook.url for webhook in told):
        # To whom is nobody's business here.
        document["webhooks"] = {_NAME: _TOLD}


def put_in_operation(operation: Document, route: Route) -> None:
    """Say of the operation of ``route`` how its caller is told."""
    if route.webhook is None or not route.webhook.caller_url:
        return
    callback = {f"{{$request.query.{CALLBACK_URL}}}": _TOLD}
    if route.method in WITH_BODY:
        callback[f"{{$request.body#/{CALLBACK_URL}}}"] = _TOLD
    operation["callbacks"] = {_NAME: callback}
    parameters = operation.setdefault("parameters", [])
    if all(each["name"] != CALLBACK_URL or each["in"] != "query" for each in parameters):
        parameters.append(_CALLBACK_PARAMETER)

"""Errors, in the words of OpenAPI: each status once, with an example of each class. No IO."""

from __future__ import annotations

import json

from services.edge.openapi.headers import headers
from services.edge.openapi.words import Document
from services.edge.problems import KINDS, NOT_OF_ROUTES, Problem, body_of

PROBLEM: Document = {
    "type": "object",
    "description": "A problem (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Its class."},
        "title": {"type": "string"},
        "status": {"type": "integer", "description": "That of the answer."},
        "detail": {"type": "string", "description": "A sentence for a person."},
        "requestId": {"type": "string", "description": "As `X-Request-Id`."},
        "executionId": {
            "type": "string",
            "format": "uuid",
            "description": "Where there is an execution, or may be.",
        },
        "errors": {
            "type": "array",
            "description": "Every fault of the input.",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "Where (RFC 6901)."},
                    "detail": {"type": "string"},
                },
                "required": ["pointer", "detail"],
            },
        },
        "violated-policies": {
            "type": "array",
            "description": "The limits that refused the call.",
            "items": {"type": "string"},
        },
    },
    "required": ["type", "title", "status", "detail", "requestId"],
}
_TOLD = {name: kind for name, kind in KINDS.items() if name not in NOT_OF_ROUTES}
_REQUEST_ID = "3f1c9a52-6a0e-4d8b-9a53-0c9f5a1d7e21"
_FAULTS = {
    "invalid-query": (("/currency", "is required"),),
    "invalid-input": (("/items/0/count", "this value is less than the minimum of 1"),),
}
_MEMBERS = {"quota-exceeded": {"violated-policies": ["burst"]}}
_HEADERS = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    429: ("Retry-After", "RateLimit", "RateLimit-Policy"),
    503: ("Retry-After",),
}


def problem(status: int) -> Document:
    """An error, as :func:`problem_responses` has it."""
    return {"$ref": f"#/components/responses/{_name(status)}"}


def problem_responses() -> Document:
    """What errors are, by the names that :func:`problem` refers to."""
    return {_name(status): _response(status) for status in _statuses()}


def _statuses() -> list[int]:
    return sorted({kind.status for kind in _TOLD.values()})


def _name(status: int) -> str:
    return f"Problem{status}"


def _response(status: int) -> Document:
    kinds = [name for name, kind in _TOLD.items() if kind.status == status]
    titles = dict.fromkeys(_TOLD[name].title for name in kinds)
    content = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "examples": {name: {"value": _example(name)} for name in kinds},
    }
    return {
        "description": ", or: ".join(titles),
        "headers": headers("X-Request-Id", *_HEADERS.get(status, ())),
        "content": {"application/problem+json": content},
    }


def _example(name: str) -> Document:
    told = Problem(name, errors=_FAULTS.get(name, ()), members=_MEMBERS.get(name, {}))
    document: Document = json.loads(body_of(told, _REQUEST_ID))
    return document

"""Headers of answers, in the words of OpenAPI: each told once. No IO."""

from __future__ import annotations

from services.edge.openapi.words import Document

_TOLD = {
    "Age": "Seconds since the answer was kept (RFC 9111).",
    "Allow": "The methods by which the path is known.",
    "Cache-Status": "Whether the answer was kept (RFC 9211).",
    "ETag": "Of the answer: sent as `If-None-Match`, it is sent again only if it has changed.",
    "Idempotent-Replayed": "`true`: the answer is that of the same call before.",
    "Location": "The path of the answer, below the address of the gateway.",
    "Podium-Execution-Id": "The id of the execution, where there is one, or may be.",
    "RateLimit": "What is left of each limit, and until when.",
    "RateLimit-Policy": "The limits of the route.",
    "Retry-After": "Seconds until it is worth to ask again.",
    "WWW-Authenticate": "How a caller proves who it is.",
    "X-Request-Id": "The id of the request: the caller's own, if it sent one.",
}


def headers(*names: str) -> Document:
    """Those of an answer, as :func:`header_components` has them."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def header_components() -> Document:
    """What headers are, by their names."""
    return {
        name: {"description": description, "schema": {"type": "string"}}
        for name, description in _TOLD.items()
    }

"""What the pages beside executions need: events, and what there is not."""

from __future__ import annotations

from services.unserved import UNSERVED_PAGES

_GET, _LIST = ("registry.GetDefinition",), ("registry.ListDefinitions",)
_CHANGE = ("registry.GetDefinition", "registry.PutDefinitions")
_DELETE = ("registry.DeleteDefinition",)

_EVENTS = {
    "POST /api/event": ("registry.PutDefinitions",),
    "PUT /api/event": _CHANGE,
    "GET /api/event": _LIST,
    "DELETE /api/event/{name}": _DELETE,
    "GET /api/event/{event}": _LIST,
    "GET /api/event/handler": _LIST,
    "GET /api/event/handler/{name}": _GET,
    "GET /api/event/{name}/tags": _GET,
    "PUT /api/event/{name}/tags": _CHANGE,
    "DELETE /api/event/{name}/tags": _CHANGE,
}

# Whoever has a token is told that there is no such thing.
_UNSERVED = {f"{m} {path}": ("registry.GetOwnAccess",) for m, path, _ in UNSERVED_PAGES}

BESIDE: dict[str, tuple[str, ...]] = {**_EVENTS, **_UNSERVED}

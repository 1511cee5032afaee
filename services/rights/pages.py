"""What each page of the management listener needs: the rights of the RPCs that it is put into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from services.rights import RIGHTS, Right, rpc
from services.rights.conductor import CONDUCTOR

_GET, _LIST = ("registry.GetDefinition",), ("registry.ListDefinitions",)
_CREATE, _DELETE = ("registry.PutDefinitions",), ("registry.DeleteDefinition",)
# Read, changed, and put back if nobody else was quicker.
_CHANGE = ("registry.GetDefinition", "registry.PutDefinitions")

# The documentation of Orkes has two spellings of each: its headings and its examples differ.
AUTH_BASES = ("/api/gateway/config/auth", "/api/config/auth")
SERVICE_BASES = ("/api/gateway/config/services", "/api/gateway/config/service")

_AUTH = {
    "POST ": _CREATE,
    "GET ": _LIST,
    "GET /{id}": _GET,
    "PUT /{id}": _CHANGE,
    "DELETE /{id}": _DELETE,
}
_SERVICE = {
    "POST ": _CREATE,
    "GET ": _LIST,
    # Of one service, to whoever may read it.
    "GET /metrics": _GET,
    "GET /{serviceId}": _GET,
    "PUT /{serviceId}": _CHANGE,
    "DELETE /{serviceId}": _DELETE,
    "PUT /{serviceId}/tags": _CHANGE,
    "DELETE /{serviceId}/tags": _CHANGE,
    "POST /{serviceId}/routes": _CHANGE,
    "GET /{serviceId}/routes": _GET,
    "PUT /{serviceId}/routes": _CHANGE,
    "DELETE /{serviceId}/routes": _CHANGE,
    "GET /{serviceId}/routes/route": _GET,
    "PUT /{serviceId}/routes/tags": _CHANGE,
    "DELETE /{serviceId}/routes/tags": _CHANGE,
}


def _below(
    bases: tuple[str, ...], table: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for base in bases:
        for page, calls in table.items():
            method, _, rest = page.partition(" ")
            yield f"{method} {base}{rest}", calls


# By method and path, as the listener has them; none: nobody needs a token.
PAGES: Mapping[str, tuple[str, ...]] = {
    "GET /health": (),
    "GET /api/health": (),
    "GET /metrics": ("edge.GetGatewayMetrics",),
    "POST /api/token": ("registry.IssueToken",),
    "POST /api/tasks/{workflowId}/{taskRefName}/{status}": ("executor.UpdateTask",),
    **CONDUCTOR,
    **dict(_below(AUTH_BASES, _AUTH)),
    **dict(_below(SERVICE_BASES, _SERVICE)),
}


# They tell of everything at once, so that no grant on some of it is enough.
BY_ROLE = frozenset(("GET /metrics",))


def rights_of(page: str) -> tuple[Right, ...]:
    """What a caller of ``GET /metrics`` needs: all of these.

    Raises:
        KeyError: There is no such page.
    """
    rights = (RIGHTS[rpc(name)] for name in PAGES[page])
    return tuple(replace(right, grants=()) if page in BY_ROLE else right for right in rights)

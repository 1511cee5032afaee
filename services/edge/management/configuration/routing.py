"""The routes of a service's document: found, added, replaced and removed by method and path. No IO.

Each gives a new document; the registry judges it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.edge.management.configuration.documents import Document, route_written
from services.edge.trie import template_segments
from services.errors import AlreadyExists, Fault, InvalidDefinition, NotFound


def place_of(service: Document, method: str, path: str) -> int:
    """Where the route stands among those of ``service``.

    Raises:
        NotFound: It has none of that method and path.
    """
    found = found_at(service, method, path)
    if found is None:
        raise NotFound(f"Service '{service['id']}' has no route {method} {path}.")
    return found


def found_at(service: Document, method: str, path: str) -> int | None:
    """As :func:`place_of`, None where there is none."""
    wanted = method.upper(), template_segments(path)
    for place, route in enumerate(routes_of(service)):
        if (route["httpMethod"], template_segments(route["path"])) == wanted:
            return place
    return None


def routes_of(service: Document) -> Sequence[Document]:
    """The routes of a stored service, in order."""
    return service.get("routes") or ()


def with_route(service: Document, route: Any) -> Document:
    """``service`` with another route at its end.

    Raises:
        AlreadyExists: It has one of that method and path.
    """
    method, path = identity_of(route)
    if found_at(service, method, path) is not None:
        raise AlreadyExists(f"Service '{service['id']}' has a route {method} {path} already.")
    return {**service, "routes": [*routes_of(service), route_written(route)]}


def identity_of(route: Any) -> tuple[str, str]:
    """The method and path by which a route is known; empty where they are no text."""
    sent = route if isinstance(route, dict) else {}
    method, path = sent.get("httpMethod"), sent.get("path")
    return method if isinstance(method, str) else "", path if isinstance(path, str) else ""


def with_route_at(service: Document, place: int, route: Any) -> Document:
    """``service`` with another route in the place of one."""
    routes = list(routes_of(service))
    routes[place] = route_written(route, routes[place])
    return {**service, "routes": routes}


def without_route(service: Document, place: int) -> Document:
    """``service`` without one of its routes."""
    return {**service, "routes": [*routes_of(service)[:place], *routes_of(service)[place + 1 :]]}


def told_of_route(error: InvalidDefinition, place: int) -> InvalidDefinition:
    """``error`` about a service as whoever sent that one route reads it."""
    inside = f"routes[{place}]"
    return InvalidDefinition(
        error.detail, [Fault(_below(f.path, inside), f.detail) for f in error.faults]
    )


def _below(path: str, inside: str) -> str:
    rest = path.removeprefix(inside)
    if rest == path or rest[:1] not in ("", ".", "["):
        return path
    return rest.removeprefix(".")

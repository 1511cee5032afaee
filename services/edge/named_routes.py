"""The routes that an operator names: of all services, of one, or one by its method and path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.edge.trie import template_segments
from services.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from services.edge.definitions import Definitions
    from services.edge.routes import Route


def routes_of(definitions: Definitions, service_id: str) -> list[Route]:
    """The routes of a service, or of all.

    Raises:
        NotFound: There is no such service.
    """
    if not service_id:
        every = definitions.replica.all("service")
        return [route for stored in every for route in definitions.routes_of_service(stored)]
    service = definitions.replica.get("service", service_id)
    if service is None:
        raise NotFound(f"There is no service {service_id!r}.")
    return list(definitions.routes_of_service(service))


def check_named(service_id: str, method: str, path: str) -> None:
    """Raises InvalidRequest where a route is named by a part of its name only."""
    if bool(method) != bool(path) or (method and not service_id):
        raise InvalidRequest("A route is named by its service, its method and its path.")


def named_route(definitions: Definitions, service_id: str, method: str, path: str) -> Route:
    """One route; its path is the whole of it, or that below the service's.

    Raises:
        NotFound: There is no such service, or route.
    """
    wanted = template_segments(path)
    there = [
        route for route in routes_of(definitions, service_id) if route.method == method.upper()
    ]
    # One route's whole path may be what another has below the service's.
    whole = [route for route in there if template_segments(route.path) == wanted]
    named = whole or [route for route in there if template_segments(route.below) == wanted]
    if not named:
        raise NotFound(f"Service {service_id!r} has no route {method.upper()} {path}.")
    return named[0]


def meant_routes(definitions: Definitions, service_id: str, method: str, path: str) -> list[Route]:
    """The routes that are named.

    Raises:
        InvalidRequest: A route is named by a part of its name only.
        NotFound: There is no such service, or route.
    """
    check_named(service_id, method, path)
    if method:
        return [named_route(definitions, service_id, method, path)]
    return routes_of(definitions, service_id)

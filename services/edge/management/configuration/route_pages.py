"""``/api/gateway/config/services/{serviceId}/routes``: the routes of one service.

A route is known by its method and path, and stored with its service: a change is one of the whole
service, made again where somebody else was quicker.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from services.edge.call import Answer, Call
from services.edge.management.configuration import counted, routing, tagging
from services.edge.management.configuration.documents import Document, Kept, route_shown
from services.edge.management.configuration.exchange import Asked, answered, asked, done
from services.edge.routes import joined
from services.errors import InvalidDefinition

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_A_ROUTE = "a route"


async def create(call: Call, management: Management, service_id: str) -> Answer:
    """POST: 200 with the new route; 409 where there is one of its method and path."""
    request = asked(call, management)
    route = await request.document(_A_ROUTE)
    kept = await _changed(
        request,
        service_id,
        lambda service: (len(routing.routes_of(service)), routing.with_route(service, route)),
    )
    return await _answered(request, kept, route)


async def replace(call: Call, management: Management, service_id: str) -> Answer:
    """PUT: 200 with the route that took the place of the one of its method and path.

    Conductor's Go client names the path in the query: then that route is meant, and the body may
    give it another.
    """
    request = asked(call, management)
    route = await request.document(_A_ROUTE)
    method, path = routing.identity_of(route)
    method = request.query.get("method") or method
    path = request.query.get("path") or path
    route = {"httpMethod": method, "path": path, **route}

    def replaced(service: Document) -> tuple[int, Document]:
        place = routing.place_of(service, method, path)
        return place, routing.with_route_at(service, place, route)

    kept = await _changed(request, service_id, replaced)
    return await _answered(request, kept, route)


async def delete(call: Call, management: Management, service_id: str) -> Answer:
    """DELETE with method and path in the query: 200."""
    request = asked(call, management)
    method, path = request.wanted("method"), request.wanted("path")

    def removed(service: Document) -> tuple[int, Document]:
        place = routing.place_of(service, method, path)
        return place, routing.without_route(service, place)

    await _changed(request, service_id, removed)
    return done("Route deleted")


async def list_all(call: Call, management: Management, service_id: str) -> Answer:
    """GET: 200 with a list of ``{"route", "serviceRouteMetrics"}``, the latter where there are any.

    ``start`` and ``end`` are milliseconds; without them it is the last 24 hours.
    """
    request = asked(call, management)
    kept = await request.registry.get("service", service_id)
    view = await request.view(kept)
    counted_of = await counted.by_route(management.reporting, kept.document, request.query)

    def shown() -> list[Document]:
        return [
            _with_metrics(
                route_shown(route, kept, view),
                counted_of.get((route["httpMethod"], route["path"])),
            )
            for route in routing.routes_of(kept.document)
        ]

    return await answered(view.size + kept.size, shown)


def _with_metrics(route: Document, metrics: Document | None) -> Document:
    return {"route": route, "serviceRouteMetrics": metrics} if metrics else {"route": route}


async def get(call: Call, management: Management, service_id: str) -> Answer:
    """GET of one, with method and path in the query: 200, as :func:`list_all` has each."""
    request = asked(call, management)
    method, path = request.wanted("method"), request.wanted("path")
    kept = await request.registry.get("service", service_id)
    route = routing.routes_of(kept.document)[routing.place_of(kept.document, method, path)]
    metrics = await counted.of_service(
        management.reporting,
        service_id,
        request.query | {"method": route["httpMethod"]},
        joined(kept.document["path"], route["path"]),
    )
    shown = _with_metrics(await _shown(request, kept, route), metrics)
    return await answered(kept.size, lambda: shown)


async def put_tags(call: Call, management: Management, service_id: str) -> Answer:
    """PUT of a route's tags: 200; they take the place of all that were there."""
    return await _retagged(asked(call, management), service_id, tagging.with_tags)


async def delete_tags(call: Call, management: Management, service_id: str) -> Answer:
    """DELETE of a route's tags: 200; those whose key and value are sent go."""
    return await _retagged(asked(call, management), service_id, tagging.without_tags)


async def _retagged(
    request: Asked, service_id: str, retag: Callable[[Document, list[Document]], Document]
) -> Answer:
    method, path = request.wanted("method"), request.wanted("path")
    tags = tagging.read_tags(await request.body())

    def retagged(service: Document) -> tuple[int, Document]:
        place = routing.place_of(service, method, path)
        routes = list(routing.routes_of(service))
        routes[place] = retag(routes[place], tags)
        return place, {**service, "routes": routes}

    await _changed(request, service_id, retagged)
    return done()


async def _changed(
    request: Asked, service_id: str, change: Callable[[Document], tuple[int, Document]]
) -> Kept:
    """The service after a ``change`` of the route at the place that it gives.

    Raises:
        InvalidDefinition: With paths as in that route, where a fault is in it.
    """
    place = 0

    def changed(service: Document) -> Document:
        nonlocal place
        place, document = change(service)
        return document

    try:
        return await request.registry.change("service", service_id, changed)
    except InvalidDefinition as error:
        raise routing.told_of_route(error, place) from error


async def _answered(request: Asked, kept: Kept, sent: Any) -> Answer:
    place = routing.found_at(kept.document, *routing.identity_of(sent))
    # Somebody else may have removed it since.
    route = sent if place is None else routing.routes_of(kept.document)[place]
    shown = await _shown(request, kept, route)
    return await answered(kept.size, lambda: shown)


async def _shown(request: Asked, kept: Kept, route: Document) -> Document:
    """One route of the service ``kept``, with no schemas but its own."""
    alone = dataclasses.replace(kept, document={**kept.document, "routes": [route]})
    return route_shown(route, kept, await request.view(alone))

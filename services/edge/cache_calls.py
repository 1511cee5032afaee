"""Kept answers, as operators ask for them: how many there are, and away with some."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from podium.edge.v1 import edge_pb2 as pb
from services.access import EVERY, Sight
from services.edge.cachekeys import written_digest
from services.edge.keeping import Place, Purge, Shelf
from services.edge.named_routes import check_named, named_route, routes_of
from services.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.edge.gateway import Gateway
    from services.edge.routes import Route

logger = logging.getLogger(__name__)


def cache_status(
    gateway: Gateway, service_id: str, sight: Sight = EVERY
) -> pb.GetCacheStatusResponse:
    """What is kept, in all and by route.

    Args:
        service_id: Whose routes are told of; empty: all.
        sight: The services that are told of. Where that are not all, what is kept in all is what is
            kept of those, and what the cache does as a whole is not told.

    Raises:
        NotFound: There is no such service.
    """
    cache = gateway.cache
    routes = routes_of(gateway.definitions, service_id)
    shelves = cache.shelves
    rows = [
        _row(place, shelves.get(place, _EMPTY))
        for place in sorted(_places(routes, shelves, service_id))
        if place.service_id in sight
    ]
    if not sight.whole:
        seen = [shelf for place, shelf in shelves.items() if place.service_id in sight]
        return pb.GetCacheStatusResponse(
            entries=sum(shelf.answers for shelf in seen),
            bytes=sum(shelf.bytes for shelf in seen),
            limit_bytes=cache.most_bytes,
            routes=rows,
        )
    return pb.GetCacheStatusResponse(
        entries=sum(shelf.answers for shelf in shelves.values()),
        bytes=cache.bytes,
        limit_bytes=cache.most_bytes,
        let_off=cache.let_off,
        under_way=len(gateway.flights),
        routes=rows,
    )


_EMPTY = Shelf()


def _places(routes: Iterable[Route], known: Iterable[Place], service_id: str) -> set[Place]:
    """Of routes that keep answers, and of those that did and have some left."""
    now = {route.cache.place for route in routes if route.cache}
    return now | {place for place in known if service_id in ("", place.service_id)}


def _row(place: Place, shelf: Shelf) -> pb.CachedRoute:
    return pb.CachedRoute(
        service_id=place.service_id,
        method=place.method,
        path=place.path,
        entries=shelf.answers,
        bytes=shelf.bytes,
        hits=shelf.hits,
        misses=shelf.misses,
        collapsed=shelf.collapsed,
        bypassed=shelf.bypassed,
    )


async def purge_cache(gateway: Gateway, request: pb.PurgeCacheRequest) -> int:
    """Drop kept answers; what is being made is neither kept nor waited for by those who ask now.

    Requests are served between its steps, some from what is not yet dropped.

    How many were dropped.

    Raises:
        InvalidRequest: It does not say which.
        NotFound: There is no such service, or route.
    """
    _check(request)
    purge = Purge(
        places=_meant(gateway, request),
        principal=request.principal,
        written=written_digest(request.key) if request.HasField("key") else b"",
    )
    gateway.flights.purge(purge)
    dropped = 0
    for some in gateway.cache.purge(purge, gateway.monotonic()):
        dropped += some
        # The others' turn.
        await asyncio.sleep(0)
    logger.info("%d kept answers were purged.", dropped)
    return dropped


def _check(request: pb.PurgeCacheRequest) -> None:
    if not (request.service_id or request.principal or request.all):
        raise InvalidRequest("Say which answers: those of a service or a principal, or all.")
    if request.all and (request.service_id or request.principal or request.HasField("key")):
        raise InvalidRequest("All answers are asked for, and only some of them, too.")
    check_named(request.service_id, request.method, request.path)
    if request.HasField("key") and not request.service_id:
        raise InvalidRequest("A key is that of a service's routes: name the service.")


def _meant(gateway: Gateway, request: pb.PurgeCacheRequest) -> frozenset[Place] | None:
    if not request.service_id:
        return None
    return frozenset(places_of(gateway, request.service_id, request.method, request.path))


def places_of(gateway: Gateway, service_id: str, method: str, path: str) -> set[Place]:
    """Where answers are kept of a service, or of one route of it.

    Raises:
        NotFound: There is no such service, or route.
    """
    definitions = gateway.definitions
    if method:
        route = named_route(definitions, service_id, method, path)
        return {Place(service_id, route.method, route.path)}
    # Also what is left of routes that are no more.
    return _places(routes_of(definitions, service_id), gateway.cache.shelves, service_id)

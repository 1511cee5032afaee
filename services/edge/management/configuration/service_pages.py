"""``/api/gateway/config/services``: services with their routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.edge.call import Answer, Call
from services.edge.management.configuration import counted, routing, tagging
from services.edge.management.configuration.documents import Kept, service_shown, service_written
from services.edge.management.configuration.exchange import Asked, answered, asked, done, of_id
from services.edge.routes import joined

if TYPE_CHECKING:
    from services.edge.management.pages import Management


async def create(call: Call, management: Management) -> Answer:
    """POST: 200 with the new service; 409 where there is one of the id."""
    request = asked(call, management)
    kept = await request.registry.create(service_written(await request.document("a service")))
    return await _answered(request, kept)


async def list_all(call: Call, management: Management) -> Answer:
    """GET: 200 with a list of those that the caller may read."""
    request = asked(call, management)
    every = await request.registry.all("service")
    view = await request.view(*every)
    size = view.size + sum(each.size for each in every)
    return await answered(size, lambda: [service_shown(each, view) for each in every])


async def get(call: Call, management: Management, service_id: str) -> Answer:
    """GET of one: 200."""
    request = asked(call, management)
    kept = await request.registry.get("service", service_id)
    return await _answered(request, kept)


async def replace(call: Call, management: Management, service_id: str) -> Answer:
    """PUT: 200. Routes and tags, which have requests of their own, stay where they are left out."""
    request = asked(call, management)
    body = of_id(await request.document("a service"), service_id)
    kept = await request.registry.change(
        "service", service_id, lambda before: service_written(body, before)
    )
    return await _answered(request, kept)


async def delete(call: Call, management: Management, service_id: str) -> Answer:
    """DELETE: 200; its routes go with it."""
    await asked(call, management).registry.delete("service", service_id)
    return done()


async def put_tags(call: Call, management: Management, service_id: str) -> Answer:
    """PUT of its tags: 200; they take the place of all that were there."""
    request = asked(call, management)
    tags = tagging.read_tags(await request.body())
    await request.registry.change("service", service_id, lambda s: tagging.with_tags(s, tags))
    return done()


async def delete_tags(call: Call, management: Management, service_id: str) -> Answer:
    """DELETE of tags: 200; those whose key and value are sent go, if they are there."""
    request = asked(call, management)
    tags = tagging.read_tags(await request.body())
    await request.registry.change("service", service_id, lambda s: tagging.without_tags(s, tags))
    return done()


async def metrics(call: Call, management: Management) -> Answer:
    """GET with ``serviceId`` in the query: 200 with what was counted of it, by its id.

    ``method`` and ``path`` say which of its routes are meant, ``start`` and ``end`` (milliseconds)
    which of the last 24 hours. Without ``serviceId`` it is the service of the id that the path has.
    """
    request = asked(call, management)
    service_id = request.query.get("serviceId")
    if service_id is None:
        return await get(call, management, "metrics")
    document = (await request.registry.get("service", service_id)).document
    method, below = request.query.get("method"), request.query.get("path")
    if method is not None and below is not None:
        routing.place_of(document, method, below)
    path = None if below is None else joined(document["path"], below)
    found = await counted.of_service(management.reporting, service_id, request.query, path)
    return await answered(0, lambda: {service_id: found} if found else {})


async def _answered(request: Asked, kept: Kept) -> Answer:
    view = await request.view(kept)
    return await answered(view.size + kept.size, service_shown, kept, view)

"""Changes of definitions under a gateway that serves."""

from __future__ import annotations

import asyncio

from tests.edge.conftest import Edge
from tests.edge.documents import (
    KEY,
    application,
    auth,
    put,
    remove,
    route,
    service,
)  # fmt: skip
from tests.edge.scripted import result, silence


async def test_a_change_of_a_service_is_served_by_the_next_request(edge: Edge) -> None:
    assert (await edge.client.post("/api/orders/new/path")).status_code == 404

    put(edge.replica, service(route("POST", "/new/path", "reports")))

    assert (await edge.client.post("/api/orders/new/path")).status_code == 200
    assert (await edge.client.get("/api/orders/7")).status_code == 404
    remove(edge.replica, "service", "orders")
    assert (await edge.client.post("/api/orders/new/path")).status_code == 404


async def test_a_request_under_way_keeps_the_route_that_it_came_by(edge: Edge) -> None:
    edge.executor.script = silence
    asking = asyncio.create_task(edge.client.post("/api/orders/7/checkout"))
    frame = await edge.executor.next()

    remove(edge.replica, "service", "orders")
    edge.executor.say(result(frame))

    assert (await asking).status_code == 200


async def test_changes_of_keys_and_rights_hold_at_once(edge: Edge) -> None:
    async def status(key: str) -> int:
        headers = {"x-api-key": key}
        return (await edge.client.post("/api/orders/7/checkout", headers=headers)).status_code

    assert await status("new-key") == 401
    put(edge.replica, auth("partners", "storefront", first="new-key"))
    assert (await status("new-key"), await status(KEY)) == (200, 401)
    put(edge.replica, application("storefront"))
    assert await status("new-key") == 403
    remove(edge.replica, "application", "storefront")
    assert await status("new-key") == 403
    remove(edge.replica, "auth", "partners")
    assert await status("new-key") == 503

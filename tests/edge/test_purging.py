"""What operators are told of kept answers, and which of them they drop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from podium.edge.v1 import edge_pb2 as pb
from services.edge.cache_calls import cache_status, purge_cache
from services.edge.call import Answer
from services.edge.keeping import PURGED_AT_ONCE, Kept, Place, Tag
from services.errors import InvalidRequest, NotFound
from tests.edge.conftest import Edge
from tests.edge.documents import KEY, OTHER_KEY, put, remove, route, service
from tests.edge.test_caching import call, told, with_cache, with_envelope

# Calls of routes that keep answers, by their paths.
CALLS = ("/shop/7?page=1", "/shop/7?page=2", "/shop/8?page=1", "/shop/all", "/books")


async def kept(edge: Edge, *, refilled: bool = True) -> set[str]:
    """Which of the calls have kept answers; of all of them there is one afterwards."""
    if not refilled:
        only = {"Cache-Control": "only-if-cached"}
        return {each for each in CALLS if (await call(edge, each, headers=only)).is_success}
    return {each for each in CALLS if told(await call(edge, each)).startswith("hit")}


def services(edge: Edge) -> None:
    keyed: dict[str, Any] = {"cacheConfig": {"key": "${path.id}-${query.page}"}}
    put(
        edge.replica,
        service(
            route("POST", "/{id}", **keyed),
            route("POST", "/all", cacheConfig={}),
            id="shop",
            path="/shop",
        ),
    )
    books = route("POST", "/", cacheConfig={"shared": True})
    put(edge.replica, service(books, id="books", path="/books"))


async def purge(edge: Edge, **which: Any) -> int:
    edge.clock.now = edge.clock.now.replace(microsecond=(edge.clock.now.microsecond + 1) % 10**6)
    return await purge_cache(edge.gateway, pb.PurgeCacheRequest(**which))


@pytest.mark.parametrize(
    ("which", "left"),
    [
        ({"all": True}, set()),
        ({"service_id": "books"}, set(CALLS) - {"/books"}),
        ({"service_id": "shop"}, {"/books"}),
        ({"service_id": "shop", "method": "post", "path": "/shop/{id}"}, set(CALLS[3:])),
        ({"service_id": "shop", "method": "POST", "path": "{id}/"}, set(CALLS[3:])),
        ({"service_id": "shop", "key": "7-2"}, set(CALLS) - {CALLS[1]}),
        ({"service_id": "shop", "key": "/shop/all"}, set(CALLS) - {"/shop/all"}),
        ({"service_id": "shop", "key": ""}, set(CALLS)),
        ({"principal": "key:partners/first"}, {"/books"}),
        ({"principal": "key:partners/second"}, set(CALLS)),
    ],
)
async def test_answers_are_dropped_by_service_route_key_and_caller(
    edge: Edge, which: dict[str, Any], left: set[str]
) -> None:
    services(edge)
    await kept(edge)

    assert await purge(edge, **which) == len(CALLS) - len(left)
    assert await kept(edge, refilled=False) == left


async def test_what_is_meant_must_be_said(edge: Edge) -> None:
    services(edge)
    await kept(edge)

    for which in (
        {},
        {"key": "7-2"},
        {"all": True, "service_id": "shop"},
        {"service_id": "shop", "method": "POST"},
        {"method": "POST", "path": "/{id}"},
    ):
        with pytest.raises(InvalidRequest):
            await purge(edge, **which)
    with pytest.raises(NotFound, match="no service 'nope'"):
        await purge(edge, service_id="nope")
    with pytest.raises(NotFound, match="no route GET /x"):
        await purge(edge, service_id="shop", method="GET", path="/x")
    assert await kept(edge) == set(CALLS)


async def test_a_large_purge_gives_way_to_requests_and_spares_what_is_new(edge: Edge) -> None:
    with_cache(edge)
    cache, now, of = edge.gateway.cache, edge.gateway.monotonic(), Place("shop", "POST", "/x")
    cache.most_bytes = 1 << 30
    old, new = (
        Kept(Answer(200), "", Tag(of, "", b""), begun, 0.0, now * 2) for begun in (1.0, now + 9)
    )
    keys = [b"%d" % number for number in range(3 * PURGED_AT_ONCE)]
    for key in keys:
        cache.put(key, old, now)
    purging = asyncio.create_task(purge(edge, all=True))
    left = [len(cache)]
    while not purging.done():
        await asyncio.sleep(0)
        left.append(len(cache))
        if len(cache) == PURGED_AT_ONCE:
            for key in keys:
                cache.put(key, new, now)

    assert {len(keys), 2 * PURGED_AT_ONCE, PURGED_AT_ONCE} <= set(left)
    assert await purging == 2 * PURGED_AT_ONCE
    assert all(cache.find(key, now) is new for key in keys)


async def test_a_new_answer_is_kept_after_a_purge(edge: Edge) -> None:
    with_cache(edge)
    await call(edge)
    await purge(edge, all=True)
    edge.clock.now = edge.clock.now.replace(year=edge.clock.now.year + 1)

    assert told(await call(edge)) == "fwd=uri-miss; stored"
    assert told(await call(edge)).startswith("hit")


async def test_what_is_kept_is_told_by_route(edge: Edge) -> None:
    services(edge)
    for key in (KEY, KEY, OTHER_KEY):
        await call(edge, "/shop/7?page=1", headers={"x_api_key": key})
    await call(edge, "/shop/7?page=1", headers={"Prefer": "respond-async"})

    status = cache_status(edge.gateway, "")
    rows = {each.path: each for each in status.routes}

    assert list(rows) == ["/books", "/shop/all", "/shop/{id}"]
    seen = rows["/shop/{id}"]
    assert (seen.entries, seen.hits, seen.misses, seen.bypassed) == (2, 1, 2, 1)
    assert status.entries == 2
    assert 0 < seen.bytes == status.bytes <= status.limit_bytes
    assert [each.path for each in cache_status(edge.gateway, "books").routes] == ["/books"]
    with pytest.raises(NotFound):
        cache_status(edge.gateway, "nope")


async def test_what_is_only_remembered_not_to_be_kept_is_told_as_no_answer(edge: Edge) -> None:
    with_envelope(edge, {"Set-Cookie": "a=b"})
    await call(edge)

    status = cache_status(edge.gateway, "shop")
    assert (status.entries, status.routes[0].entries) == (0, 0)
    assert status.bytes > 0


async def test_a_whole_path_goes_before_one_below_the_service(edge: Edge) -> None:
    twins = [route("POST", path, cacheConfig={}) for path in ("/shop/x", "/x")]
    put(edge.replica, service(*twins, id="shop", path="/shop"))
    await call(edge, "/shop/x")

    assert await purge(edge, service_id="shop", method="POST", path="/shop/x") == 1


async def test_what_is_left_of_a_route_that_is_no_more_is_told_and_purged(edge: Edge) -> None:
    with_cache(edge)
    await call(edge)
    put(edge.replica, service(route("POST", "/new"), id="shop", path="/shop"))

    assert [each.path for each in cache_status(edge.gateway, "shop").routes] == ["/shop/{id}"]
    assert await purge(edge, service_id="shop") == 1
    remove(edge.replica, "service", "shop")
    with pytest.raises(NotFound):
        await purge(edge, service_id="shop")

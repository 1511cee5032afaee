"""Kept answers one by one, as operators look at them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from podium.common.v1.page_pb2 import PageRequest
from podium.edge.v1 import edge_pb2 as pb
from services.edge.cache_entries import get_entry, list_entries
from services.errors import InvalidRequest, NotFound
from tests.edge.conftest import Edge
from tests.edge.documents import OTHER_KEY
from tests.edge.figures import FIRST
from tests.edge.test_caching import call, with_cache
from tests.edge.test_purging import purge


def listed(edge: Edge, **request: Any) -> pb.ListCacheEntriesResponse:
    asked = pb.ListCacheEntriesRequest(service_id="shop", **request)
    return list_entries(edge.gateway, asked)


async def test_an_entry_says_what_it_is(edge: Edge) -> None:
    with_cache(edge, "GET", key="${path.id}", ttlInSecond=100)
    for _ in range(3):
        answer = await call(edge, method="GET")
    edge.clock.now += timedelta(seconds=30)
    (entry,) = listed(edge).entries

    assert (entry.service_id, entry.method, entry.path) == ("shop", "GET", "/shop/{id}")
    assert (entry.key, entry.principal, entry.status, entry.hits) == ("7", FIRST, 200, 2)
    assert (entry.age.seconds, entry.ttl.seconds) == (30, 70)
    assert entry.execution_id == answer.headers["podium-execution-id"]
    whole = get_entry(edge.gateway, pb.GetCacheEntryRequest(id=entry.id))
    assert whole.entry == entry
    assert (whole.body, whole.body_bytes) == (answer.content, len(answer.content))
    assert answer.headers["etag"] in [each.value for each in whole.headers if each.name == "etag"]

    edge.clock.now += timedelta(seconds=71)
    assert not listed(edge).entries
    with pytest.raises(NotFound):
        get_entry(edge.gateway, pb.GetCacheEntryRequest(id=entry.id))


async def test_the_key_that_is_told_is_that_which_purges(edge: Edge) -> None:
    with_cache(edge)
    await call(edge, "/shop/7?page=2")
    await call(edge, "/shop/8")
    told = {each.key for each in listed(edge).entries}

    assert told == {"/shop/7?page=2", "/shop/8"}
    assert await purge(edge, service_id="shop", key="/shop/7?page=2") == 1
    assert [each.key for each in listed(edge).entries] == ["/shop/8"]


async def test_no_secret_is_in_a_key(edge: Edge) -> None:
    with_cache(edge)
    await call(edge, "/shop/7?api_key=s3cret")

    assert listed(edge).entries[0].key.startswith("/shop/7?api_key=***")


async def test_entries_are_of_one_caller_where_that_is_asked(edge: Edge) -> None:
    with_cache(edge)
    await call(edge)
    await call(edge, headers={"x_api_key": OTHER_KEY})

    assert {each.principal for each in listed(edge).entries} == {FIRST, "key:partners/second"}
    assert [each.principal for each in listed(edge, principal=FIRST).entries] == [FIRST]


async def test_pages_have_each_entry_once(edge: Edge) -> None:
    with_cache(edge)
    for number in range(7):
        await call(edge, f"/shop/{number}")
    found: list[str] = []
    token = ""
    while True:
        told = listed(edge, page=PageRequest(page_size=3, page_token=token))
        assert len(told.entries) <= 3
        found += [each.key for each in told.entries]
        token = told.next_page_token
        if not token:
            break

    assert sorted(found) == [f"/shop/{number}" for number in range(7)]


async def test_of_a_long_answer_a_part_is_shown(edge: Edge) -> None:
    edge.gateway.cache.most_bytes = 64 << 20
    with_cache(edge)
    await call(edge, json={"a": "x" * (2 << 20)})
    (entry,) = listed(edge).entries
    whole = get_entry(edge.gateway, pb.GetCacheEntryRequest(id=entry.id))

    assert len(whole.body) == 1 << 20
    assert whole.body_bytes > 2 << 20


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"method": "POST"}, InvalidRequest),
        ({"method": "POST", "path": "/nope"}, NotFound),
        ({"page": PageRequest(page_size=-1)}, InvalidRequest),
        ({"page": PageRequest(page_token="x")}, InvalidRequest),
        ({"page": PageRequest(page_token="zz\na\nb\nc")}, InvalidRequest),
        ({"service_id": ""}, InvalidRequest),
        ({"service_id": "nope"}, NotFound),
    ],
)
async def test_what_makes_no_sense_is_refused(
    edge: Edge, request_: dict[str, Any], error: type[Exception]
) -> None:
    with_cache(edge)
    with pytest.raises(error):
        list_entries(edge.gateway, pb.ListCacheEntriesRequest(**{"service_id": "shop"} | request_))

"""Requests per window: who is counted with whom, and what callers are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from tests.edge.conftest import Edge
from tests.edge.documents import KEY, OTHER_KEY, put, route, service


def with_limits(edge: Edge, *limits: dict[str, Any], path: str = "/{id}") -> None:
    fields: dict[str, Any] = {"rateLimits": list(limits)}
    put(edge.replica, service(route("POST", path, **fields), id="shop", path="/shop"))


def limit(name: str = "burst", most: int = 2, seconds: int = 60, key: str = "") -> dict[str, Any]:
    written = {"key": key} if key else {}
    return {"name": name, "limit": most, "windowSeconds": seconds, **written}


async def call(edge: Edge, path: str = "/shop/7", **headers: str) -> httpx.Response:
    return await edge.client.post(path, headers=headers)


async def test_one_too_many_is_429_and_told_when_to_come_back(edge: Edge) -> None:
    with_limits(edge, limit())

    answers = [await call(edge) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"burst";q=2;w=60'
    assert answers[0].headers["ratelimit"] == '"burst";r=1;t=60'
    last = answers[2]
    assert last.headers["ratelimit"].startswith('"burst";r=0;t=')
    assert last.headers["retry-after"] == "60"
    problem = last.json()
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert problem["violated-policies"] == ["burst"]
    assert last.headers["content-type"] == "application/problem+json"


async def test_the_window_moves(edge: Edge) -> None:
    with_limits(edge, limit(most=1, seconds=10))
    first = await call(edge)
    edge.clock.now += timedelta(seconds=6)
    second = await call(edge)
    edge.clock.now += timedelta(seconds=int(second.headers["retry-after"]))
    third = await call(edge)

    assert [first.status_code, second.status_code, third.status_code] == [200, 429, 200]
    assert second.headers["retry-after"] == "4"


async def test_several_policies_hold_at_once_and_a_refused_call_counts_in_none(edge: Edge) -> None:
    with_limits(edge, limit("burst", 1, 10), limit("daily", 3, 86_400))

    answers = [await call(edge) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 429, 429, 429, 429]
    assert answers[-1].headers["ratelimit-policy"] == '"burst";q=1;w=10, "daily";q=3;w=86400'
    assert '"daily";r=2;' in answers[-1].headers["ratelimit"]


async def test_each_key_is_counted_apart(edge: Edge) -> None:
    with_limits(edge, limit(most=1, key="${principal}"))

    assert (await call(edge, **{"x-api-key": KEY})).status_code == 200
    assert (await call(edge, **{"x-api-key": OTHER_KEY})).status_code == 200
    assert (await call(edge, **{"x-api-key": KEY})).status_code == 429


async def test_a_key_may_be_of_path_query_and_headers(edge: Edge) -> None:
    with_limits(edge, limit(most=1, key="${path.id}-${query.page}-${headers.X-Tenant}"))

    async def status(path: str, tenant: str) -> int:
        return (await call(edge, path, **{"x-tenant": tenant})).status_code

    assert await status("/shop/7?page=1", "a") == 200
    assert await status("/shop/7?page=1", "a") == 429
    assert await status("/shop/8?page=1", "a") == 200
    assert await status("/shop/7?page=2", "a") == 200
    assert await status("/shop/7?page=1", "b") == 200


async def test_values_that_only_read_alike_together_are_counted_apart(edge: Edge) -> None:
    with_limits(edge, limit(most=1, key="${path.id}${query.page}"))

    assert (await call(edge, "/shop/a?page=bc")).status_code == 200
    assert (await call(edge, "/shop/ab?page=c")).status_code == 200


async def test_who_is_not_let_in_is_not_counted(edge: Edge) -> None:
    with_limits(edge, limit(most=1))
    for _ in range(3):
        assert (await call(edge, **{"x-api-key": "wrong"})).status_code == 401

    assert (await call(edge)).status_code == 200


async def test_a_route_without_limits_says_nothing_of_them(edge: Edge) -> None:
    answer = await edge.client.post("/api/orders/7/checkout")

    assert "ratelimit" not in answer.headers
    assert "ratelimit-policy" not in answer.headers

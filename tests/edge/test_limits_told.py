"""How limits stand, as operators are told, and what they have begin anew."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from podium.edge.v1 import edge_pb2 as pb
from podium.executor.v1 import executor_pb2
from services.auditing import calling
from services.auditing.calling import Calling
from services.edge.limit_calls import list_limits, reset_limits
from services.errors import InvalidRequest, NotFound, PermissionDenied
from tests.edge.conftest import Edge
from tests.edge.documents import KEY, OTHER_KEY, put, route, service
from tests.edge.figures import FIRST, asking
from tests.edge.replies import started
from tests.edge.suites import Suite

BURST = {"name": "burst", "limit": 2, "windowSeconds": 60, "key": "${principal}"}
DAY = {"name": "day", "limit": 1000, "windowSeconds": 86_400}
SIDE_BY_SIDE = {"concurrentExecLimit": 2, "rateLimitKey": "${body.tenant}"}


def shop(edge: Edge) -> None:
    put(
        edge.replica,
        service(
            route("POST", "/{id}", rateLimits=[BURST, DAY]),
            route("PUT", "/jobs", rateLimitConfig=SIDE_BY_SIDE),
            route("PUT", "/all", rateLimitConfig={"concurrentExecLimit": 1}),
            id="shop",
            path="/shop",
        ),
    )


async def told(edge: Edge, **request: Any) -> dict[tuple[str, str], pb.LimitState]:
    answer = await list_limits(edge.gateway, pb.ListLimitsRequest(**request))
    return {(each.path, each.name): each for each in answer.limits}


async def call(edge: Edge, key: str = KEY) -> int:
    return (await edge.client.post("/shop/7", headers={"x-api-key": key})).status_code


async def held(edge: Edge, path: str = "/shop/jobs", **body: Any) -> bytes:
    """The key of the slot that a call asks for."""
    await edge.client.put(path, json=body)
    return (await started(edge)).slot.key


def use(key: bytes, held: int = 1, waiting: int = 0, route: str = "") -> executor_pb2.SlotUse:
    half = json.dumps({"service": "shop", "route": route}) if route else ""
    holders = [
        executor_pb2.SlotHolder(execution_id=f"e{number}", answer=half) for number in range(held)
    ]
    return executor_pb2.SlotUse(key=key, limit=2, held=held, waiting=waiting, holders=holders)


async def test_a_window_tells_its_rule_and_who_has_used_it_up(edge: Edge) -> None:
    shop(edge)
    statuses = [await call(edge) for _ in range(4)]
    edge.clock.now += timedelta(seconds=20)
    await call(edge, OTHER_KEY)
    limits = await told(edge, service_id="shop", method="post", path="/{id}")

    assert statuses == [200, 200, 429, 429]
    assert list(limits) == [("/shop/{id}", "burst"), ("/shop/{id}", "day")]
    burst, day = limits.values()
    assert (burst.limit, burst.window.seconds, burst.key) == (2, 60, "${principal}")
    assert (burst.refused, burst.keys_used) == (2, 2)
    first, second = burst.keys
    assert (first.key, first.used, first.limit, first.refused) == (FIRST, 2, 2, 2)
    assert (second.key, second.used) == ("key:partners/second", 1)
    left = first.room_at.ToDatetime(edge.clock.now.tzinfo) - edge.clock.now
    assert 39 < left.total_seconds() <= 40
    assert [(each.key, each.used) for each in day.keys] == [("", 3)]

    edge.clock.now += timedelta(seconds=45)
    burst = (await told(edge))["/shop/{id}", "burst"]
    assert [each.key for each in burst.keys] == ["key:partners/second"]


async def test_only_the_busiest_keys_are_told(edge: Edge) -> None:
    shop(edge)
    await call(edge, OTHER_KEY)
    for _ in range(2):
        await call(edge)
    burst = (await told(edge, keys=1))["/shop/{id}", "burst"]

    assert burst.keys_used == 2
    assert [each.key for each in burst.keys] == [FIRST]


async def test_executions_side_by_side_are_told_with_those_who_hold_the_slots(edge: Edge) -> None:
    shop(edge)
    acme, other = await held(edge, tenant="acme"), await held(edge, tenant="other")
    everybody = await held(edge, "/shop/all")
    edge.executor.slots = [
        use(acme, 2, waiting=3),
        use(other),
        use(everybody),
        use(b"before", route="PUT /shop/jobs"),
        use(b"elsewhere", route="PUT /other"),
        use(b"nobody's", held=0, waiting=1),
    ]
    limits = await told(edge, service_id="shop")
    jobs, alone = limits["/shop/jobs", "concurrent"], limits["/shop/all", "concurrent"]

    assert [(each.key, each.used, each.waiting) for each in jobs.keys] == [
        ("acme", 2, 3),
        ("other", 1, 0),
        ("", 1, 0),
    ]
    assert [each.HasField("key") for each in jobs.keys] == [True, True, False]
    assert jobs.keys[0].execution_ids == ["e0", "e1"]
    assert jobs.keys_used == 3
    assert [(each.id, each.key) for each in alone.keys] == [(everybody.hex(), "")]


async def test_refused_executions_are_counted(edge: Edge) -> None:
    shop(edge)
    full = executor_pb2.Error(reason="CONCURRENCY_LIMITED")
    edge.executor.script = lambda frame: (
        executor_pb2.ServerFrame(correlation_id=frame.correlation_id, error=full),
    )
    answer = await edge.client.put("/shop/jobs", json={})

    assert answer.status_code == 429
    assert (await told(edge))["/shop/jobs", "concurrent"].refused == 1


async def test_without_the_executor_what_the_edge_counts_is_told(edge: Edge) -> None:
    shop(edge)
    await call(edge)
    edge.executor.slots = None
    answer = await list_limits(edge.gateway, pb.ListLimitsRequest())

    assert answer.executor_away
    assert answer.limits[0].keys[0].used == 1


@pytest.mark.parametrize(
    ("which", "count", "left"),
    [
        ({"service_id": "shop"}, 3, set()),
        ({"service_id": "shop", "name": "burst"}, 2, {""}),
        ({"service_id": "shop", "key": FIRST}, 1, {"", "key:partners/second"}),
        ({"service_id": "shop", "key": ""}, 1, {FIRST, "key:partners/second"}),
        ({"service_id": "shop", "method": "POST", "path": "/shop/{id}"}, 3, set()),
        ({"service_id": "orders"}, 0, {"", FIRST, "key:partners/second"}),
    ],
)
async def test_keys_begin_anew(
    edge: Edge, caplog: pytest.LogCaptureFixture, which: dict[str, Any], count: int, left: set[str]
) -> None:
    caplog.set_level(logging.INFO)
    shop(edge)
    await call(edge)
    await call(edge, OTHER_KEY)

    assert await reset_limits(edge.gateway, pb.ResetLimitsRequest(**which), "op") == count
    assert {key.key for each in (await told(edge)).values() for key in each.keys} == left
    assert f"{count} counts of limits were reset" in caplog.text
    assert [each.__dict__["principal"] for each in caplog.records if "reset" in each.msg] == ["op"]


async def test_the_audit_log_is_told_which_keys_began_anew(edge: Edge) -> None:
    shop(edge)
    await call(edge)
    await call(edge, OTHER_KEY)
    told_of = []
    for name in ("burst", "day", "burst"):
        entry = Calling("/podium.edge.v1.EdgeService/ResetLimits", None, name="shop")
        before = calling.current.set(entry)
        try:
            await reset_limits(
                edge.gateway, pb.ResetLimitsRequest(service_id="shop", name=name), "op"
            )
        finally:
            calling.current.reset(before)
        told_of.append(entry.asked)

    assert told_of == [
        f"POST /shop/{{id}} burst, key {FIRST!r}; "
        "POST /shop/{id} burst, key 'key:partners/second'",
        "POST /shop/{id} day, all",
        "nothing was counted of burst",
    ]


async def test_one_key_begins_anew_by_its_id(edge: Edge) -> None:
    shop(edge)
    for _ in range(3):
        await call(edge)
    (key,) = (await told(edge))["/shop/{id}", "burst"].keys

    assert await reset_limits(edge.gateway, pb.ResetLimitsRequest(id=key.id), "op") == 1
    assert await call(edge) == 200
    assert len(edge.gateway.windows) == 2 + 2


@pytest.mark.parametrize(
    ("which", "error"),
    [
        ({}, InvalidRequest),
        ({"service_id": "shop", "method": "POST"}, InvalidRequest),
        ({"service_id": "shop", "name": "concurrent"}, InvalidRequest),
        ({"id": "00" * 32}, InvalidRequest),
        ({"id": "00" * 16}, NotFound),
        ({"id": "no id"}, NotFound),
        ({"service_id": "nope"}, NotFound),
        ({"service_id": "shop", "name": "nope"}, NotFound),
        ({"service_id": "shop", "method": "POST", "path": "/nope"}, NotFound),
    ],
)
async def test_what_is_not_there_is_told(
    edge: Edge, which: dict[str, Any], error: type[Exception]
) -> None:
    shop(edge)
    with pytest.raises(error):
        await reset_limits(edge.gateway, pb.ResetLimitsRequest(**which), "op")


@pytest.mark.parametrize("keys", [-1, 101])
async def test_so_many_keys_are_not_told(edge: Edge, keys: int) -> None:
    with pytest.raises(InvalidRequest):
        await told(edge, keys=keys)


async def test_editors_see_and_reset_limits_and_others_do_not(suite: Suite) -> None:
    async with asking(suite) as edge:
        assert not (await edge.ListLimits(pb.ListLimitsRequest(), timeout=5)).executor_away
        answer = await edge.ResetLimits(pb.ResetLimitsRequest(service_id="orders"), timeout=5)
        assert answer.reset == 0
    with pytest.raises(PermissionDenied):
        async with asking(suite, "nobody") as edge:
            await edge.ResetLimits(pb.ResetLimitsRequest(service_id="orders"), timeout=5)

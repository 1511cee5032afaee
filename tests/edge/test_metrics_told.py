"""Who is told what the gateway has counted: over gRPC, and for Prometheus."""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from podium.edge.v1 import edge_pb2 as pb
from services import rpc
from services.errors import InvalidRequest, NotFound, Overloaded, PermissionDenied
from tests.edge.documents import KEY, OTHER_KEY
from tests.edge.figures import (
    CHECKOUT,
    FIRST,
    asking,
    checkout,
    figures,
    report,
    until,
)
from tests.edge.registry import token
from tests.edge.suites import Suite

if TYPE_CHECKING:
    from podium.edge.v1.edge_pb2_grpc import EdgeServiceAsyncStub


async def test_who_watches_is_told_again_only_when_something_changes(suite: Suite) -> None:
    async with asking(suite) as edge:
        request = pb.WatchGatewayMetricsRequest(query=pb.GatewayMetricsQuery(service_id="orders"))
        watch = edge.WatchGatewayMetrics(request)
        told = await watch.read()
        assert isinstance(told, pb.WatchGatewayMetricsResponse)
        assert told.report.total.requests == 0
        await checkout(suite)
        while told.report.total.requests == 0:
            told = await watch.read()
            assert isinstance(told, pb.WatchGatewayMetricsResponse)
        watch.cancel()


@pytest.mark.parametrize(
    "request_",
    [
        {"start_time": {"seconds": 20}, "end_time": {"seconds": 10}},
        {"start_time": {"seconds": 10**12}},
        {"query": {"limit": -1}},
        {"query": {"limit": 10_001}},
        {"query": {"group_by": 77}},
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    suite: Suite, request_: dict[str, Any]
) -> None:
    async with asking(suite) as edge:
        with pytest.raises(InvalidRequest), rpc.raising_ours():
            await edge.GetGatewayMetrics(pb.GetGatewayMetricsRequest(**request_), timeout=5)


async def test_a_period_is_a_day_at_most_and_the_busiest_rows_are_told(suite: Suite) -> None:
    for key in (KEY, KEY, OTHER_KEY):
        await checkout(suite, key)

    told = await report(suite, "KEY", limit=1)
    assert [row.principal for row in told.rows] == [FIRST]
    assert told.rows_left_off == 1
    period = told.end_time.ToDatetime() - told.start_time.ToDatetime()
    assert 23 * 3600 < period.total_seconds() <= 24 * 3600


async def test_prometheus_reads_what_was_answered_and_how_the_edge_is(suite: Suite) -> None:
    for key in (KEY, OTHER_KEY, "wrong"):
        await checkout(suite, key)
    await suite.gateway.get("/no/such/thing")

    response = await suite.management.get(
        "/metrics", headers={"authorization": f"Bearer {token('editors')}"}
    )

    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = figures(response.text)
    route = (CHECKOUT[1], CHECKOUT[2], CHECKOUT[0])
    name = "podium_gateway_requests_total"
    assert found[name, (*route, "200")] == 2
    assert found[name, (*route, "401")] == 1
    assert found[name, ("", "", "", "404")] == 1
    name = "podium_gateway_request_duration_seconds"
    assert found[f"{name}_count", route] == 3
    assert found[f"{name}_bucket", ("+Inf", *route)] == 3
    assert found[f"{name}_bucket", ("262.144", *route)] == 3
    assert found[f"{name}_sum", route] > 0
    outcomes = "podium_gateway_executions_total"
    assert found[outcomes, (route[0], "completed", *route[1:])] == 2
    assert found["podium_gateway_session_connected", ()] == 1
    assert found["podium_gateway_definitions_stale", ()] == 0
    assert found["podium_gateway_requests_in_flight", ()] == 0
    assert found["process_resident_memory_bytes", ()] > 0
    assert "key:" not in response.text


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ("", 401),
        ("Basic nonsense", 401),
        (f"Basic {base64.b64encode(b'key-1:wrong').decode()}", 401),
        ("Bearer storefront", 403),
        # The key is good, and storefront's.
        (f"Basic {base64.b64encode(b'key-1:secret').decode()}", 403),
        ("Bearer editors", 200),
    ],
)
async def test_metrics_are_for_those_who_may_read(
    suite: Suite, authorization: str, expected: int
) -> None:
    scheme, _, application = authorization.partition(" ")
    if scheme == "Bearer":
        authorization = f"Bearer {token(application)}"
    headers = {"authorization": authorization} if authorization else {}
    response = await suite.management.get("/metrics", headers=headers)

    assert response.status_code == expected
    if expected == 401:
        assert "Basic" in response.headers["www-authenticate"]
    async with asking(suite, "storefront") as edge:
        with pytest.raises(PermissionDenied), rpc.raising_ours():
            await edge.GetGatewayMetrics(pb.GetGatewayMetricsRequest(), timeout=5)


async def test_a_key_that_was_proved_once_needs_the_registry_no_more(suite: Suite) -> None:
    suite.registry.application = "editors"
    basic = httpx.BasicAuth("key-1", "secret")
    assert (await suite.management.get("/metrics", auth=basic)).status_code == 200

    suite.registry.refusal = NotFound("It is asked again.")
    assert (await suite.management.get("/metrics", auth=basic)).status_code == 200
    other = httpx.BasicAuth("key-1", "secret ")
    assert (await suite.management.get("/metrics", auth=other)).status_code == 404


async def test_those_who_watch_are_bounded_and_who_leaves_makes_room(suite: Suite) -> None:
    async with asking(suite) as edge:
        watches = [edge.WatchGatewayMetrics(pb.WatchGatewayMetricsRequest()) for _ in range(16)]
        for watch in watches:
            await watch.read()
        assert not await may_watch(edge)
        watches[0].cancel()
        await until(partial(may_watch, edge))
        for watch in watches:
            watch.cancel()


async def may_watch(edge: EdgeServiceAsyncStub) -> bool:
    watch = edge.WatchGatewayMetrics(pb.WatchGatewayMetricsRequest())
    try:
        with rpc.raising_ours():
            return bool(await watch.read())
    except Overloaded:
        return False
    finally:
        watch.cancel()

"""What the gateway counts of what it answers, kept in the edge's real file."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from podium.edge.v1 import edge_pb2 as pb
from podium.edge.v1.edge_pb2_grpc import EdgeServiceStub
from podium.executor.v1 import executor_pb2
from services import rpc
from services.errors import InvalidRequest, NotFound, Overloaded, PermissionDenied
from tests.edge.documents import KEY, OTHER_KEY, STRANGERS_KEY
from tests.edge.raw import connected
from tests.edge.registry import token
from tests.edge.scripted import accepted, result
from tests.edge.suites import Suite, suite_in

if TYPE_CHECKING:
    from podium.edge.v1.edge_pb2_grpc import EdgeServiceAsyncStub

CHECKOUT = ("orders", "POST", "/api/orders/{orderId}/checkout")
FIRST = "key:partners/first"


@asynccontextmanager
async def asking(suite: Suite, application: str = "editors") -> AsyncIterator[EdgeServiceAsyncStub]:
    async with rpc.channel(suite.addresses["edge"], lambda: token(application)) as channel:
        with rpc.raising_ours():
            yield EdgeServiceStub(channel)


async def report(suite: Suite, by: str = "UNSPECIFIED", **query: Any) -> pb.GatewayMetricsReport:
    grouping = pb.GatewayMetricsGrouping.Value(f"GATEWAY_METRICS_GROUPING_{by}")
    asked = pb.GatewayMetricsQuery(group_by=grouping, **query)
    async with asking(suite) as edge:
        answer = await edge.GetGatewayMetrics(pb.GetGatewayMetricsRequest(query=asked), timeout=5)
    return answer.report


async def checkout(suite: Suite, key: str = KEY, **more: Any) -> httpx.Response:
    return await suite.gateway.post(
        "/api/orders/7/checkout", json={}, headers={"x-api-key": key}, **more
    )


def answers(metrics: pb.GatewayMetrics) -> dict[tuple[int, str], int]:
    return {(each.status, each.problem): each.count for each in metrics.answers}


async def test_every_answer_is_counted_once_under_its_route_and_key(suite: Suite) -> None:
    for key in (KEY, KEY, OTHER_KEY):
        assert (await checkout(suite, key)).status_code == 200
    assert (await checkout(suite, "wrong")).status_code == 401
    assert (await suite.gateway.get("/api/orders/8", headers={"x-api-key": KEY})).is_success

    told = await report(suite, "ROUTE")
    assert told.total.requests == 5
    rows = {(row.service_id, row.method, row.path): row.metrics for row in told.rows}
    assert rows.keys() == {CHECKOUT, ("orders", "GET", "/api/orders/{orderId}")}
    assert answers(rows[CHECKOUT]) == {(200, ""): 3, (401, "unauthenticated"): 1}
    assert rows[CHECKOUT].errors == 1
    assert 0 < rows[CHECKOUT].latency_p50_ms <= rows[CHECKOUT].latency_p99_ms < 30_000

    keys = {row.principal: row.metrics for row in (await report(suite, "KEY")).rows}
    assert {name: metrics.requests for name, metrics in keys.items()} == {
        FIRST: 3,
        "key:partners/second": 1,
        "": 1,
    }
    assert (await report(suite, principal=FIRST, path=CHECKOUT[2])).total.requests == 2
    assert (await report(suite, service_id="elsewhere")).total.requests == 0


async def test_what_finds_no_route_is_counted_together_and_own_pages_by_template(
    suite: Suite,
) -> None:
    for path in ("/nothing", "/api/orders/7/8/9", "/%00"):
        assert (await suite.gateway.get(path)).status_code in (400, 404)
    assert (await suite.gateway.delete("/api/orders/7")).status_code == 405
    assert (await suite.gateway.get("/-/executions/none")).status_code == 404
    assert (await suite.gateway.options("/api/orders/7")).status_code == 204
    assert (await suite.gateway.post("/closed")).status_code == 503
    assert (await suite.gateway.get("/orders/openapi")).status_code == 200

    told = await report(suite, "ROUTE")
    rows = {(row.service_id, row.method, row.path): row.metrics for row in told.rows}
    assert answers(rows["", "", ""]) == {
        (404, "no-route"): 2,
        (400, "malformed-path"): 1,
        (405, "method-not-allowed"): 1,
    }
    assert answers(rows["", "GET", "/-/executions/{id}"]) == {(404, "not-found"): 1}
    assert answers(rows["", "OPTIONS", ""]) == {(204, ""): 1}
    assert answers(rows["closed", "POST", "/closed"]) == {(503, "service-disabled"): 1}
    assert answers(rows["orders", "GET", "/{serviceId}/openapi"]) == {(200, ""): 1}
    assert (await report(suite, service_id="")).total.requests == 6


async def test_what_is_no_request_is_counted_too(suite: Suite) -> None:
    async with connected(suite.addresses["gateway"]) as raw:
        assert (await raw.ask(b"NONSENSE\r\n\r\n")).status == 400

    assert answers((await report(suite)).total) == {(400, "malformed-request"): 1}


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        (executor_pb2.EXECUTION_STATUS_COMPLETED, "completed"),
        (executor_pb2.EXECUTION_STATUS_FAILED, "failed"),
        (executor_pb2.EXECUTION_STATUS_TERMINATED, "terminated"),
        (executor_pb2.EXECUTION_STATUS_TIMED_OUT, "timed_out"),
    ],
)
async def test_how_an_execution_ended_is_counted_where_the_answer_tells(
    suite: Suite, status: int, ending: str
) -> None:
    suite.executor.script = lambda frame: (result(frame, status=status),)
    await checkout(suite)

    executions = (await report(suite)).total.executions
    assert getattr(executions, ending) == 1
    assert executions.success_ratio == (1.0 if ending == "completed" else 0.0)


async def test_how_one_ends_that_still_runs_is_not_made_up(suite: Suite) -> None:
    headers = {"x-api-key": KEY}
    assert (await suite.gateway.put("/api/orders/7", headers=headers)).status_code == 202
    running = executor_pb2.EXECUTION_STATUS_RUNNING
    done = executor_pb2.TASK_STATUS_COMPLETED
    suite.executor.script = lambda frame: (
        result(frame, status=running, awaited_ref="charge", awaited_status=done),
    )
    assert (await suite.gateway.post("/api/orders/awaiting", headers=headers)).status_code == 200

    executions = (await report(suite)).total.executions
    assert executions.unknown == 2
    assert not executions.HasField("success_ratio")


async def test_events_count_once_they_end_with_what_they_told(suite: Suite) -> None:
    suite.executor.script = lambda frame: [accepted(frame)]
    status = executor_pb2.EXECUTION_STATUS_FAILED
    headers = {"x-api-key": KEY, "accept": "text/event-stream"}
    stream = suite.gateway.stream("POST", "/api/orders/7/checkout", headers=headers)
    async with stream as response:
        frame = await suite.executor.next()
        ended = executor_pb2.Result(status=status, answer=frame.start.answer)
        suite.executor.executions[frame.start.execution_id] = ended
        state = executor_pb2.ExecutionState(status=status)
        suite.executor.changes.put_nowait(executor_pb2.WatchExecutionResponse(execution=state))
        assert "event: error" in (await response.aread()).decode()

    async def counted() -> bool:
        return answers((await report(suite)).total) == {(200, "execution-failed"): 1}

    await until(counted)
    assert (await report(suite)).total.executions.failed == 1


async def test_a_client_that_left_is_counted_as_such(suite: Suite) -> None:
    suite.executor.script = lambda frame: ()
    with pytest.raises(httpx.ReadTimeout):
        await checkout(suite, timeout=0.2)

    async def left() -> bool:
        return answers((await report(suite)).total) == {(499, ""): 1}

    await until(left)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - of another process's, as it were
            await asyncio.sleep(0.02)


async def test_a_day_and_the_uses_of_keys_outlive_a_restart(tmp_path: Path) -> None:
    async with suite_in(tmp_path) as suite:
        await checkout(suite)
        before = await uses(suite)
    async with suite_in(tmp_path) as suite:
        assert (await report(suite, "MINUTE")).total.requests == 1
        assert await uses(suite) == before
        await checkout(suite)
        told = await report(suite, "KEY")
        assert [(row.principal, row.metrics.requests) for row in told.rows] == [(FIRST, 2)]
        after = await uses(suite)
        assert after["first"].last_used_at.ToDatetime() > before["first"].last_used_at.ToDatetime()
    async with suite_in(tmp_path) as suite:
        assert answers((await report(suite)).total) == {(200, ""): 2}
        assert await uses(suite) == after


async def uses(suite: Suite, auth_id: str = "partners") -> dict[str, pb.KeyUse]:
    async with asking(suite) as edge:
        answer = await edge.ListKeyUse(pb.ListKeyUseRequest(auth_id=auth_id), timeout=5)
    return {use.name: use for use in answer.keys}


async def test_a_key_was_last_used_when_it_let_somebody_in(suite: Suite) -> None:
    await checkout(suite)
    await checkout(suite, STRANGERS_KEY)
    assert (await suite.gateway.post("/strange", headers={"x-api-key": STRANGERS_KEY})).is_error

    used = await uses(suite)
    assert used["first"].HasField("last_used_at")
    assert not used["second"].HasField("last_used_at")
    # It is a good key, of an application that may not.
    assert (await uses(suite, "strangers"))["only"].HasField("last_used_at")
    with pytest.raises(NotFound):
        await uses(suite, "nobody")


async def test_a_file_that_cannot_be_written_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with suite_in(tmp_path) as suite:
        await checkout(suite)
    with sqlite3.connect(tmp_path / "edge.db") as database:
        database.execute("DROP TABLE gateway_minutes")
        database.execute("CREATE TABLE gateway_minutes (something TEXT)")
    database.close()

    async with suite_in(tmp_path) as suite:
        await checkout(suite)
        assert (await report(suite)).total.requests == 1
    told = [each for each in caplog.records if "in memory only" in each.getMessage()]
    assert len(told) == 1


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


def figures(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """By name, and the values of the labels in the order of their names."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


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
        watches = [edge.WatchGatewayMetrics(pb.WatchGatewayMetricsRequest()) for _ in range(32)]
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

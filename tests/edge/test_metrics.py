"""What the gateway counts of what it answers, kept in the edge's real file."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest

from podium.executor.v1 import executor_pb2
from services.edge.metrics import disk
from services.edge.metrics.history import Query
from services.edge.metrics.keeping import keeping
from services.errors import NotFound
from services.storage import opened
from tests.edge.documents import KEY, OTHER_KEY, STRANGERS_KEY, route, service
from tests.edge.figures import (
    CHECKOUT,
    FIRST,
    answers,
    checkout,
    report,
    scraped,
    until,
    uses,
)
from tests.edge.raw import connected
from tests.edge.scripted import accepted, result
from tests.edge.suites import Suite, suite_in


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
    assert answers(rows["", "GET", "/{serviceId}/openapi"]) == {(200, ""): 1}
    assert (await report(suite, service_id="")).total.requests == 7


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


async def test_an_execution_counts_once_whoever_waits_for_it_and_what_the_cache_had(
    tmp_path: Path,
) -> None:
    kept = route("POST", "/", cacheConfig={})
    async with suite_in(tmp_path, service(kept, id="kept", path="/kept")) as suite:
        suite.executor.script = lambda frame: [accepted(frame)]
        post = partial(suite.gateway.post, "/kept", headers={"x-api-key": KEY})
        async with asyncio.TaskGroup() as tasks:
            waiting = [tasks.create_task(post()) for _ in range(3)]
            frame = await suite.executor.next()
            await until(partial(are_waiting, suite, 3))
            suite.executor.say(result(frame, "{}"))
        assert {each.result().status_code for each in waiting} == {200}
        assert (await post()).status_code == 200

        total = (await report(suite, service_id="kept")).total
        assert dict(total.cache) == {"miss": 1, "collapsed": 2, "hit": 1}
        assert total.cache_hits == 1
        assert total.executions.completed == 1
        assert total.executions.unknown == 0


async def are_waiting(suite: Suite, count: int) -> bool:
    return (await scraped(suite))["podium_gateway_requests_in_flight", ()] == count


async def test_a_client_that_left_is_counted_as_such(suite: Suite) -> None:
    suite.executor.script = lambda frame: ()
    with pytest.raises(httpx.ReadTimeout):
        await checkout(suite, timeout=0.2)

    async def left() -> bool:
        return answers((await report(suite)).total) == {(499, ""): 1}

    await until(left)


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


async def test_tables_that_are_corrupt_are_told_with_the_way_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "edge.db"
    async with opened(path, disk.migrations), keeping(path, 1000) as metrics:
        await metrics.loaded()
    with closing(sqlite3.connect(path)) as database:
        [(page,)] = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'gateway_minutes'"
        )
        [(size,)] = database.execute("PRAGMA page_size")
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)

    async with opened(path, disk.migrations), keeping(path, 1000) as metrics:
        metrics.recorder.refused("malformed-request")
        told = await metrics.sums(Query(0, 10**9))
    assert [counter.requests for counter in told.values()] == [1]
    [warning] = [each.getMessage() for each in caplog.records if "in memory" in each.getMessage()]
    assert f"until {path}, which is corrupt, is deleted" in warning


async def test_a_minute_is_kept_when_it_is_over(tmp_path: Path) -> None:
    path, clock = tmp_path / "edge.db", Clock()
    async with opened(path, disk.migrations), keeping(path, 1000, clock) as metrics:
        metrics.recorder.refused("malformed-request")
        await metrics.loaded()
        clock.seconds += 0.2

        async def kept() -> bool:
            return bool(rows(path))

        await until(kept)
        # As it is after a kill: nothing more was written.
        [(minute, counts)] = rows(path)
        metrics.recorder.refused("malformed-request")
        told = await metrics.sums(Query(minute, minute + 1, by="minute"))
    assert minute == 1_000_000
    assert "malformed-request" in counts
    assert {key: counter.requests for key, counter in told.items()} == {minute: 1, minute + 1: 1}
    assert [each for each, _ in rows(path)] == [minute, minute + 1]


async def test_a_clock_that_was_ahead_keeps_no_use_of_a_key_in_the_future(tmp_path: Path) -> None:
    path = tmp_path / "edge.db"
    for used in (9_000_000_000.0, 1_000_000_000.0):
        async with opened(path, disk.migrations), keeping(path, 1000) as metrics:
            await metrics.loaded()
            metrics.recorder.used["partners", "first"] = used
            assert await metrics.last_used("partners", "first") == used

    async with opened(path, disk.migrations), keeping(path, 1000) as metrics:
        assert await metrics.last_used("partners", "first") == 1_000_000_000.0


@pytest.mark.parametrize(
    "spoilt",
    [
        b"\xff",
        "{",
        "{}",
        "[]",
        '[{"2x0 ":1},[],0,{},{}]',
        '[{"200 ":1},[1],0,{},{}]',
        '[[],[],"",{},{}]',
    ],
)
async def test_a_row_that_the_disk_has_spoilt_costs_no_other(
    tmp_path: Path, spoilt: str | bytes
) -> None:
    path, clock = tmp_path / "edge.db", Clock()
    async with opened(path, disk.migrations), keeping(path, 1000, clock) as metrics:
        metrics.recorder.refused("malformed-request")
        await metrics.loaded()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "INSERT INTO gateway_minutes VALUES (?, 's', 'GET', '/a', '', CAST(? AS TEXT))",
            (clock() // 60, spoilt),
        )

    async with opened(path, disk.migrations), keeping(path, 1000, clock) as metrics:
        metrics.recorder.refused("malformed-request")
        told = await metrics.sums(Query(0, 10**9))
        assert [counter.requests for counter in told.values()] == [2]


class Clock:
    """A moment before a minute is over, which a test may set on."""

    def __init__(self) -> None:
        self.seconds = 1_000_001 * 60 - 0.1

    def __call__(self) -> float:
        return self.seconds


def rows(path: Path) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT minute, counts FROM gateway_minutes").fetchall()


async def test_a_file_that_can_be_written_again_misses_nothing(tmp_path: Path) -> None:
    path, clock = tmp_path / "edge.db", Clock()
    async with opened(path, disk.migrations), keeping(path, 1000, clock) as metrics:
        await metrics.loaded()
        with closing(sqlite3.connect(path)) as database:
            database.execute("ALTER TABLE gateway_minutes RENAME TO away")
        metrics.recorder.refused("malformed-request")
        before = metrics.state
        clock.seconds += 60

        async def closed() -> bool:
            # The file has failed by then, or is tried just now.
            return metrics.recorder.copies() == {} and metrics.state != before

        await until(closed)
        with closing(sqlite3.connect(path)) as database:
            database.execute("ALTER TABLE away RENAME TO gateway_minutes")
        metrics.recorder.refused("malformed-request")
    assert [minute for minute, _ in rows(path)] == [1_000_000, 1_000_001]

"""A clock that is set by hours, forward and back: what it changes, and what it must not."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from aiohttp import web

from podium.executor.v1 import executor_pb2 as pb
from podium.worker.v1 import worker_pb2
from services.executor.answers import Answer
from services.executor.core.events import Retried
from services.executor.hands import ACTIVE_SECONDS, Hands, Taker
from tests.executor.rig import ADMIN, Rig, executing, http, step, upstream, workflow
from tests.executor.test_kin import COMPLETED, FAILED, child_of, sub
from tests.executor.test_workers import ONE, QUICK, limited
from tests.executor.working import DONE, poll, result, update

HOURS = 3
ANY_WAY = pytest.mark.parametrize("hours", [-HOURS, HOURS])


@contextmanager
def clock_set(hours: float) -> Generator[None]:
    """Within, the clock on the wall goes on from another time; no other clock does."""
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=hours), tick=True):
        yield


def test_who_left_long_ago_is_not_here_again_when_the_clock_is_set_back() -> None:
    elapsed, wall = 0.0, 1e9
    hands, taker = Hands(lambda: elapsed, lambda: wall), Taker()
    taker.worker_id = "w1"
    hands.join(taker, 1)
    hands.leave(taker)
    elapsed, wall = 60.0, wall - 3600

    assert not hands.active(ACTIVE_SECONDS)
    # A minute ago, by the clock that those who look have.
    assert [each.at for each in hands.seen()] == [wall - 60]


@ANY_WAY
async def test_a_rate_counts_by_a_clock_that_nobody_sets(tmp_path: Path, hours: int) -> None:
    definitions = [ONE, limited(rateLimitPerFrequency=1, rateLimitFrequencyInSeconds=600)]
    async with executing(tmp_path / "x.db", definitions) as rig:
        await rig.begin("one")
        await rig.begin("one")
        assert len(await poll(rig, "a", count=9)) == 1
        with clock_set(hours):
            await rig.begin("one")

            assert await poll(rig, "a", count=9) == []


async def test_a_rate_is_open_in_time_after_a_restart_with_the_clock_set_back(
    tmp_path: Path,
) -> None:
    definitions = [ONE, limited(rateLimitPerFrequency=1, rateLimitFrequencyInSeconds=1)]
    async with executing(tmp_path / "x.db", definitions) as rig:
        await rig.begin("one")
        await rig.begin("one")
        assert len(await poll(rig, "a", count=9)) == 1
    with clock_set(-HOURS):
        async with executing(tmp_path / "x.db", definitions) as rig:
            assert len(await poll(rig, "a", seconds=5, count=9)) == 1


async def test_who_has_waited_longest_is_next_though_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [ONE]) as rig:
        begun = [await rig.begin("one")]
        with clock_set(-HOURS):
            begun.append(await rig.begin("one"))
            begun.append(await rig.begin("one"))
            given = [(await poll(rig, "a"))[0] for _ in begun]

        assert [each.execution_id for each in given] == begun


@ANY_WAY
async def test_what_a_worker_has_it_may_end_after_a_jump(tmp_path: Path, hours: int) -> None:
    async with executing(tmp_path / "x.db", [ONE]) as rig:
        execution_id = await rig.begin("one")
        (task,) = await poll(rig, "a")
        with clock_set(hours):
            await update(rig, result(task, DONE))

            assert (await rig.ended(execution_id)).status == COMPLETED


@ANY_WAY
async def test_a_duration_lasts_as_long_as_it_is(tmp_path: Path, hours: int) -> None:
    waits = workflow("waits", step("w", "WAIT", duration="1 seconds"))
    async with executing(tmp_path / "x.db", [waits]) as rig:
        execution_id = await rig.begin("waits")
        with clock_set(hours):
            assert (await rig.ended(execution_id, 20)).status == COMPLETED


@ANY_WAY
async def test_a_duration_that_begins_after_a_jump_is_not_held_up(
    tmp_path: Path, hours: int
) -> None:
    waits = workflow("waits", step("w", "WAIT", duration="1 seconds"))
    async with executing(tmp_path / "x.db", [waits]) as rig:
        await rig.run("waits")
        with clock_set(hours):
            # Else a jump is seen by what is read anew each half minute.
            assert (await rig.run("waits", 15)).status == COMPLETED


async def test_who_is_not_heard_of_has_a_task_no_longer_than_that_when_the_clock_is_set_back(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [ONE, QUICK]) as rig:
        await rig.begin("one")
        assert await poll(rig, "a")
        with clock_set(-HOURS):
            (again,) = await first(rig, "a")

        assert again.attempt == 1


async def test_an_execution_has_its_time_once_more_at_most_when_the_clock_is_set_back(
    tmp_path: Path,
) -> None:
    flow = workflow("flow", step("w", "HUMAN"), timeoutSeconds=1, timeoutPolicy="TIME_OUT_WF")
    async with executing(tmp_path / "x.db", [flow]) as rig:
        execution_id = await rig.begin("flow")
        with clock_set(-HOURS):
            ended = await rig.ended(execution_id, 20)

        assert ended.status == pb.EXECUTION_STATUS_TIMED_OUT


async def first(rig: Rig, kind: str) -> list[worker_pb2.Task]:
    """The next task of a kind, by as many polls as that takes."""
    async with asyncio.timeout(20):
        while not (found := await poll(rig, kind, seconds=1)):
            continue
    return found


async def test_a_moment_has_come_when_the_clock_says_so(tmp_path: Path) -> None:
    moment = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%d %H:%M UTC}"
    waits = workflow("waits", step("w", "WAIT", until=moment))
    async with executing(tmp_path / "x.db", [waits]) as rig:
        execution_id = await rig.begin("waits")
        with clock_set(2):
            # What is due beyond the next minute is read anew; else in half a minute.
            rig.runtime.engine.timers.look()

            assert (await rig.ended(execution_id, 20)).status == COMPLETED


@ANY_WAY
async def test_what_ran_goes_on_after_a_restart_with_another_clock(
    tmp_path: Path, hours: int
) -> None:
    flow = workflow("flow", step("a", "SIMPLE"), step("w", "WAIT", duration="1 seconds"))
    async with executing(tmp_path / "x.db", [flow]) as rig:
        execution_id = await rig.begin("flow")
    with clock_set(hours):
        async with executing(tmp_path / "x.db", [flow]) as rig:
            (task,) = await poll(rig, "a", seconds=5)
            await update(rig, result(task, DONE))

            assert (await rig.ended(execution_id, 20)).status == COMPLETED


def moved(path: Path, execution_id: str, by: timedelta) -> None:
    """Let an execution have begun and ended at other times, as by a clock that was wrong."""
    micros = by // timedelta(microseconds=1)
    with sqlite3.connect(path, timeout=10) as db:
        changed = db.execute(
            "UPDATE executions SET created_at = created_at + ?1, ended_at = ended_at + ?1, "
            "last_retried_at = last_retried_at + ?1 WHERE id = ?2",
            (micros, execution_id),
        )
        assert changed.rowcount == 1
    db.close()


def deaf(rig: Rig) -> None:
    """Parents and children hear nothing of each other: a crash comes first."""
    rig.runtime.engine.kin._send = lambda *_: None


async def retried(rig: Rig, execution_id: str) -> None:
    answer = Answer()
    rig.runtime.engine.tell(execution_id, Retried(resume=True), answer)
    assert not (await answer.told()).after.status.final


@ANY_WAY
async def test_a_retry_that_a_child_has_not_heard_is_said_again_whatever_the_clock_says(
    tmp_path: Path, hours: int
) -> None:
    path, answers = tmp_path / "x.db", iter((500, 200))

    def item(request: web.Request) -> web.Response:
        return web.json_response({}, status=next(answers))

    async with upstream(item=item) as remote:
        child = workflow("child", http("h", f"{remote.url}/item"))
        flows = [child, workflow("parent", sub("s", "child"))]
        async with executing(path, flows) as rig:
            failed = await rig.run("parent")
            child_id = await child_of(rig, failed.execution_id)
            deaf(rig)
            await retried(rig, failed.execution_id)
        moved(path, child_id, timedelta(hours=hours))
        async with executing(path, flows) as rig:
            assert (await rig.ended(failed.execution_id, 20)).status == COMPLETED


@ANY_WAY
async def test_a_retry_that_a_child_has_heard_is_not_said_again(tmp_path: Path, hours: int) -> None:
    path = tmp_path / "x.db"

    def item(request: web.Request) -> web.Response:
        return web.json_response({}, status=500)

    async with upstream(item=item) as remote:
        child = workflow("child", http("h", f"{remote.url}/item"))
        flows = [child, workflow("parent", sub("s", "child"))]
        async with executing(path, flows) as rig:
            failed = await rig.run("parent")
            child_id = await child_of(rig, failed.execution_id)
            kin = rig.runtime.engine.kin
            kin._tell_parent = lambda *_: None  # type: ignore[method-assign]
            await retried(rig, failed.execution_id)
            assert (await rig.ended(child_id, 20)).status == FAILED
        asked = len(remote.asked)
        moved(path, child_id, timedelta(hours=hours))
        async with executing(path, flows) as rig:
            ended = await rig.ended(failed.execution_id, 20)

    assert (ended.status, len(remote.asked)) == (FAILED, asked)


async def test_what_is_kept_of_retries_goes_with_the_execution(tmp_path: Path) -> None:
    path, answers = tmp_path / "x.db", iter((500, 200))

    def item(request: web.Request) -> web.Response:
        return web.json_response({}, status=next(answers))

    async with upstream(item=item) as remote:
        child = workflow("child", http("h", f"{remote.url}/item"))
        async with executing(path, [child, workflow("parent", sub("s", "child"))]) as rig:
            failed = await rig.run("parent")
            child_id = await child_of(rig, failed.execution_id)
            rig.runtime.engine.tell(failed.execution_id, Retried(resume=True))
            assert (await rig.ended(failed.execution_id)).status == COMPLETED
            kept = "SELECT count(*) FROM retries_heard"
            assert await rig.store.readers.read(lambda db: db.execute(kept).fetchone()) == (1,)
            await rig.stub.DeleteExecution(
                pb.DeleteExecutionRequest(execution_id=child_id), metadata=ADMIN
            )

            assert await rig.store.readers.read(lambda db: db.execute(kept).fetchone()) == (0,)

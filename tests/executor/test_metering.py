"""What the engine did, in figures: counted once, added up, bounded, told and watched."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.executor.gauges import Gauges
from services.executor.metrics.counter import MOST_KINDS, OTHER, Counter
from services.executor.metrics.history import FIVES, MINUTES, SECONDS, History
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, http, step, traced, upstream, workflow
from tests.executor.test_watching import QUICK, WAITING

COMPLETED, TERMINATED = pb.EXECUTION_STATUS_COMPLETED, pb.EXECUTION_STATUS_TERMINATED


async def figures(rig: Rig, history: pb.EngineHistory.ValueType) -> pb.GetEngineMetricsResponse:
    request = pb.GetEngineMetricsRequest(history=history)
    return await rig.stub.GetEngineMetrics(request, metadata=ADMIN)


# It waits for the second to pass in which the last of it was counted.
async def test_what_the_engine_did_is_told_by_five_seconds_and_by_the_minute(
    tmp_path: Path,
) -> None:
    two = workflow("two", step("n", "NOOP"), step("v", "SET_VARIABLE", x=1))
    async with executing(tmp_path / "x.db", [two, WAITING]) as rig:
        for _ in range(3):
            await rig.run("two")
        held = await rig.begin("waiting")
        ids = pb.TerminateExecutionRequest(execution_id=held)
        await rig.stub.TerminateExecution(ids, metadata=ADMIN)
        await rig.stub.TerminateExecution(ids, metadata=ADMIN)
        await rig.stub.RestartExecution(
            pb.RestartExecutionRequest(execution_id=held), metadata=ADMIN
        )
        await rig.runtime.metering.turned()
        told = [
            await figures(rig, history)
            for history in (pb.ENGINE_HISTORY_TEN_MINUTES, pb.ENGINE_HISTORY_DAY)
        ]

    for each in told:
        assert sum(span.started for span in each.history) == 5
        ended = [(count.status, count.count) for span in each.history for count in span.ended]
        assert dict(ended) == {COMPLETED: 3, TERMINATED: 1}
        tasks = Counter()
        for span in each.history:
            for kind in span.tasks:
                tasks.add_task(kind.kind, kind.count)
        assert tasks.tasks == {"NOOP": 3, "SET_VARIABLE": 3, "WAIT": 1}
        units, commits = (sum(getattr(s, n) for s in each.history) for n in ("units", "commits"))
        assert 0 < commits <= units
        assert units == 6
        assert sum(span.decisions for span in each.history) == 7
        assert 0 < each.history[-1].commit_p50_ms <= each.history[-1].commit_max_ms
    assert told[0].recent.started == 5
    counts = {count.status: count.count for count in told[0].state.counts}
    assert {status: n for status, n in counts.items() if n} == {
        pb.EXECUTION_STATUS_RUNNING: 1, COMPLETED: 3
    }  # fmt: skip
    assert told[0].state.database_bytes + told[0].state.log_bytes > 4096


async def test_the_state_tells_of_calls_timers_and_scripts(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def answer(_: object) -> dict[str, int]:
        await release.wait()
        return {}

    async with upstream(item=answer) as up:
        uri = f"{up.url.replace('//', '//user:secret@')}/item"
        flows = [
            workflow("calling", http("call", uri)),
            workflow("later", step("hold", "WAIT", duration="1 hour")),
        ]
        async with executing(tmp_path / "x.db", flows, scripts=1) as rig:
            await rig.begin("later")
            calling = [await rig.begin("calling") for _ in range(2)]
            state = (await figures(rig, pb.ENGINE_HISTORY_UNSPECIFIED)).state
            release.set()
            for each in calling:
                await rig.ended(each)
            after = (await figures(rig, pb.ENGINE_HISTORY_UNSPECIFIED)).state

    assert state.timers >= 1
    assert (state.calls_under_way, state.calls_waiting) == (2, 0)
    assert [(each.host, each.under_way) for each in state.hosts] == [(up.url[7:], 2)]
    assert (state.scripts_running, state.script_workers_replaced) == (0, 0)
    assert (after.calls_under_way, list(after.hosts)) == (0, [])


async def test_figures_of_what_is_over_are_worked_out_once(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db") as rig:
        gauges, history = Gauges(rig.runtime), rig.runtime.metering.history
        minute = int(time.time()) // 60 * 60 - 600
        for second in (minute, minute + 60):
            history.counter.started = 1
            history.turn(second)
        first = gauges._past(pb.ENGINE_HISTORY_DAY)
        history.counter.started = 1
        history.turn(minute + 61)
        again = gauges._past(pb.ENGINE_HISTORY_DAY)

    assert [each.started for each in first] == [1, 1]
    assert [each.started for each in again] == [1, 2]
    assert again[0] is first[0]


async def test_what_takes_long_to_count_is_counted_once_for_all_who_ask(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db") as rig:
        said = await traced(rig)
        await asyncio.gather(*(figures(rig, pb.ENGINE_HISTORY_UNSPECIFIED) for _ in range(100)))

    # More than once where it took more than half a second.
    assert 1 <= sum("FROM timers" in each for each in said) < 50


# The first is told at once, the next after a second.
async def test_figures_are_told_every_againuntil_the_executor_drains(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        await rig.runtime.metering.turned()
        request = pb.WatchEngineMetricsRequest(history=pb.ENGINE_HISTORY_DAY)
        told = []
        async for response in rig.stub.WatchEngineMetrics(request, metadata=ADMIN):
            told.append(response)
            if len(told) == 1:
                await rig.run("quick")
            elif sum(each.last.started for each in told) == 1:
                rig.runtime.draining = True

    assert told[0].history
    assert not any(each.history for each in told[1:])
    assert all(each.last.seconds == 1 for each in told)


async def test_a_history_that_there_is_none_of_is_refused(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        with pytest.raises(InvalidRequest), raising_ours():
            await rig.stub.GetEngineMetrics(
                pb.GetEngineMetricsRequest(history=9),  # type: ignore[arg-type]
                metadata=ADMIN,
            )


steps = st.integers(0, 70)
jumps = st.integers(-100_000, 100_000)


@given(st.lists(st.tuples(steps | jumps, st.integers(0, 5)), max_size=60))
def test_spans_add_up_to_what_was_counted_and_are_in_order(
    passed: list[tuple[int, int]],
) -> None:
    history, now, back = History(), 1_000_000, False
    for step_, started in passed:
        now += step_
        back |= step_ < 0
        history.counter.started = started
        history.turn(now)

    for length in (FIVES, MINUTES):
        spans = history.spans(length, now)
        starts = [span.start for span in spans]
        assert starts == sorted(set(starts))
        assert all(start % length == 0 for start in starts)
        assert all(1 <= span.seconds <= length for span in spans)
        assert all(span.start <= now + length for span in spans)
    oldest = now - 1440 * 60
    if not back and oldest <= 1_000_000:
        assert sum(s.counter.started for s in history.spans(MINUTES, now)) == sum(
            started for _, started in passed
        )


@pytest.mark.parametrize("back", [0, 1, 2, 3600])
def test_a_clock_that_is_set_back_makes_nothing_faster(back: int) -> None:
    history = History()
    for second in (*range(10_000, 10_600), *range(10_600 - back, 11_200 - back)):
        history.counter.started = 5
        history.turn(second)
    now = 11_200 - back
    recent = history.recent(now)

    assert recent.counter.started == 5 * recent.seconds
    for length in (FIVES, MINUTES):
        newest = history.spans(length, now)[-2]
        assert newest.counter.started == 5 * newest.seconds == 5 * length


@given(st.integers(1, 20_000))
def test_no_more_is_kept_than_a_day_and_nothing_that_is_too_old(number: int) -> None:
    history = History()
    for second in range(0, number * 30, 30):
        history.turn(second)
    last = (number - 1) * 30

    assert len(history.spans(MINUTES, last)) <= 1440
    assert len(history.spans(FIVES, last)) <= 120
    assert len(history.spans(SECONDS, last)) <= 10
    assert history.spans(MINUTES, last + 2 * 86_400) == []
    assert history.recent(last).seconds == 1


def test_kinds_that_are_too_many_are_counted_as_one() -> None:
    counter = Counter()
    for number in range(MOST_KINDS + 10):
        counter.add_task(f"kind {number}")

    assert len(counter.tasks) == MOST_KINDS + 1
    assert counter.tasks[OTHER] == 10

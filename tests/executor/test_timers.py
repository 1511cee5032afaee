"""Timers: each fires once, in order, not before its time, whatever is replaced meanwhile."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from podium.executor.v1 import executor_pb2 as pb
from services.executor.core.events import TimerKey
from services.executor.rows import Row, moment
from services.executor.timers import UNTIL, Timers
from tests.executor.rig import executing, step, workflow

MINUTE = 60_000_000


class Clock:
    """Both clocks of a machine, and a loop that lives by them: nothing waits."""

    def __init__(self) -> None:
        self.elapsed = 1000.0
        self.offset = 5_000_000_000
        self._alarms: list[Alarm] = []

    def wall(self) -> int:
        return round(self.elapsed * 1e6) + self.offset

    def call_later(self, delay: float, ring: Callable[[], None]) -> Alarm:
        alarm = Alarm(self.elapsed + delay, ring)
        self._alarms.append(alarm)
        return alarm

    def advance(self, seconds: float) -> None:
        end = self.elapsed + seconds
        while due := [each for each in self._alarms if each.live and each.at <= end]:
            alarm = min(due, key=lambda each: each.at)
            alarm.live = False
            self.elapsed = max(self.elapsed, alarm.at)
            alarm.ring()
        self.elapsed = end


class Alarm:
    def __init__(self, at: float, ring: Callable[[], None]) -> None:
        self.at, self.ring, self.live = at, ring, True

    def cancel(self) -> None:
        self.live = False


class Bench:
    """Timers over rows in a dict, and when each fired (microseconds)."""

    def __init__(self, most: int = 20_000) -> None:
        self.clock = Clock()
        self.rows: dict[str, int] = {}
        self.fired: list[tuple[str, int]] = []
        # Whose due breaks.
        self.breaks = ""
        self.timers = Timers(
            self.clock,  # type: ignore[arg-type]
            self._read,
            self._due,
            elapsed=lambda: self.clock.elapsed,
            wall=self.clock.wall,
            most=most,
        )

    async def _read(self, until: int, limit: int) -> Sequence[Row]:
        rows = sorted((at, name) for name, at in self.rows.items() if at <= until)
        return [("e", "", name, at) for at, name in rows[:limit]]

    def _due(self, execution_id: str, key: TimerKey) -> None:
        if key.name == self.breaks:
            raise RuntimeError("It breaks.")
        self.fired.append((key.name, self.clock.wall()))
        self.clear(key.name)

    def set(self, name: str, at: int) -> None:
        self.rows[name] = at
        self.timers.arm("e", TimerKey("", name), moment(at))

    def clear(self, name: str) -> None:
        self.rows.pop(name, None)
        self.timers.disarm("e", TimerKey("", name))

    async def refill(self) -> None:
        await self.timers._refill()


actions = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.sampled_from("abcde"), st.integers(-5, 200)),
        st.tuples(st.just("clear"), st.sampled_from("abcde"), st.just(0)),
        st.tuples(st.just("pass"), st.just(""), st.integers(0, 29)),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(actions, st.sampled_from([2, 20_000]))
async def test_what_is_set_last_fires_once_and_at_its_time(
    script: list[tuple[str, str, int]], most: int
) -> None:
    bench = Bench(most)
    await bench.refill()
    expected: dict[str, int] = {}
    for action, name, seconds in [*script, *[("pass", "", 29)] * 10]:
        if action == "set":
            expected[name] = bench.clock.wall() + seconds * 1_000_000
            bench.set(name, expected[name])
        elif action == "clear":
            bench.clear(name)
            expected.pop(name, None)
        bench.clock.advance(seconds if action == "pass" else 0)
        await bench.refill()
        bench.clock.advance(0)
        for fired, at in bench.fired:
            assert at >= expected.pop(fired) - 2
        bench.fired.clear()

    assert not expected
    assert len(bench.timers) == 0


async def test_one_whose_due_breaks_keeps_no_other_from_its_time() -> None:
    bench = Bench()
    await bench.refill()
    start = bench.clock.wall()
    bench.set("a", start + 1_000_000)
    bench.set("b", start + 1_000_000)
    bench.set("c", start + 2_000_000)
    bench.breaks = "a"

    with pytest.raises(RuntimeError):
        bench.clock.advance(1)
    bench.clock.advance(1)

    assert [name for name, _ in bench.fired] == ["b", "c"]


async def test_a_timer_beyond_the_next_minute_stays_a_row() -> None:
    bench = Bench()
    await bench.refill()
    bench.set("far", bench.clock.wall() + 2 * MINUTE)
    assert len(bench.timers) == 0

    for _ in range(5):
        bench.clock.advance(29)
        await bench.refill()

    assert [name for name, _ in bench.fired] == ["far"]


async def test_only_what_follows_the_wall_clock_moves_when_that_jumps() -> None:
    bench = Bench()
    await bench.refill()
    began = bench.clock.wall()
    bench.set(UNTIL, began + 20_000_000)
    bench.set("duration", began + 20_000_000)
    bench.clock.offset += 15_000_000
    bench.clock.advance(10)

    assert [name for name, _ in bench.fired] == [UNTIL]
    bench.clock.advance(10)
    assert [name for name, _ in bench.fired] == [UNTIL, "duration"]


async def test_a_timer_that_has_come_due_is_not_read_again_while_its_row_is_there() -> None:
    bench = Bench()
    bench.clear = lambda name: None  # type: ignore[method-assign]
    bench.rows["slow"] = bench.clock.wall()
    await bench.refill()
    bench.clock.advance(1)
    await bench.refill()
    bench.clock.advance(1)

    assert [name for name, _ in bench.fired] == ["slow"]


# It waits for real: a tenth of a second before the restart, as much after.
async def test_a_wait_goes_on_over_a_restart(tmp_path: Path) -> None:
    flow = workflow("nap", step("nap", "WAIT", duration=0.3))
    async with executing(tmp_path / "x.db", [flow]) as rig:
        execution_id = await rig.begin("nap")
        await asyncio.sleep(0.1)
    async with executing(tmp_path / "x.db", [flow]) as rig:
        result = await rig.ended(execution_id)
        state = await rig.get(execution_id)

    assert result.status == pb.EXECUTION_STATUS_COMPLETED
    task = state.tasks[0]
    took = task.ended_at.ToDatetime() - task.scheduled_at.ToDatetime()
    assert took >= timedelta(seconds=0.3)


async def test_a_timer_that_came_due_meanwhile_fires_at_once(tmp_path: Path) -> None:
    flow = workflow("nap", step("nap", "WAIT", duration=0.01))
    async with executing(tmp_path / "x.db", [flow]) as rig:
        rig.runtime.engine.timers.close()
        execution_id = await rig.begin("nap")
        assert (await rig.ended(execution_id, seconds=0.05)).status == pb.EXECUTION_STATUS_RUNNING
    async with executing(tmp_path / "x.db", [flow]) as rig:
        assert (await rig.ended(execution_id)).status == pb.EXECUTION_STATUS_COMPLETED


# Three hundred executions, one after the other in the loop.
async def test_timers_fire_while_many_executions_wait_for_a_script_worker(tmp_path: Path) -> None:
    sums = workflow("sums", step("sum", "INLINE", evaluatorType="javascript", expression="1"))
    nap = workflow("nap", step("nap", "WAIT", duration=0.01))
    patience = timedelta(minutes=5)
    async with executing(tmp_path / "x.db", [sums, nap], patience=patience) as rig:
        # On a busy machine it would refuse some, which is not what is asked here.
        rig.runtime.gate._patience_seconds = rig.runtime.gate._most_waited_seconds = math.inf
        waiting = [asyncio.create_task(rig.begin("sums")) for _ in range(300)]
        async with asyncio.timeout(60):
            while len(rig.runtime.engine._computing) < 300:
                # One that was refused is told so, and not waited for.
                for each in waiting:
                    if each.done():
                        each.result()
                await asyncio.sleep(0.002)
        result = await rig.run("nap", seconds=60)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)

    assert result.status == pb.EXECUTION_STATUS_COMPLETED

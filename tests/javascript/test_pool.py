"""The pool's own life: queueing, replacing, closing. A worker takes 0.25 s to start."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from services.javascript import NoWorker, ScriptFailed, Scripts, pool


def children() -> set[int]:
    """The worker processes that this process has now, dead ones that nobody took included."""
    started = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {int(pid) for pid in started if is_worker(int(pid))}


def is_worker(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    # A dead process has no command line left.
    return b"worker.py" in command or not command


on_both_loops = pytest.mark.parametrize(
    "anyio_backend",
    [("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})],
    ids=["asyncio", "uvloop"],
)


async def test_a_pool_does_not_wait_for_its_workers_to_start() -> None:
    async with pool(1) as scripts:
        first = asyncio.create_task(scripts.evaluate("1", "{}", name="first"))
        await asyncio.sleep(0)
        assert not first.done()

        assert await first == 1


async def test_workers_can_be_started_later_than_their_pool() -> None:
    before = children()
    async with pool(2, at_once=False) as scripts:
        assert children() == before

        scripts.start()
        scripts.start()
        assert len(children() - before) == 2


async def test_the_first_call_starts_workers_that_were_left_for_later() -> None:
    async with pool(1, at_once=False) as scripts:
        assert await scripts.evaluate("1 + 1", "{}", name="two") == 2


@on_both_loops
async def test_a_closed_pool_leaves_no_process_behind() -> None:
    before = children()
    async with pool(2) as scripts:
        await scripts.evaluate("1", "{}", name="one")
        assert len(children() - before) == 2

    assert children() == before


async def test_a_pool_can_be_closed_before_a_worker_has_started() -> None:
    before = children()
    async with pool(2):
        pass

    assert children() == before


@on_both_loops
async def test_closing_fails_what_runs_and_what_waits() -> None:
    async with asyncio.TaskGroup() as group:
        async with pool(1, deadline=timedelta(seconds=20)) as scripts:
            await scripts.evaluate("1", "{}", name="first")
            calls = [group.create_task(stopped(scripts)) for _ in range(3)]
            await asyncio.sleep(0)
        details = [await call for call in calls]

    assert details == ["Script endless was stopped with the script workers."] * 3
    with pytest.raises(NoWorker, match="after the script workers were stopped"):
        await scripts.evaluate("1", "{}", name="late")


async def stopped(scripts: Scripts) -> str:
    try:
        await scripts.evaluate("while (true);", "{}", name="endless")
    except NoWorker as refusal:
        return refusal.detail
    return "it ended"


@on_both_loops
async def test_calls_are_answered_in_the_order_they_came() -> None:
    order: list[int] = []

    async def call(scripts: Scripts, number: int) -> None:
        assert await scripts.evaluate("$", str(number), name="one") == number
        order.append(number)

    async with pool(1) as scripts, asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(call(scripts, number))

    assert order == list(range(50))


async def test_endless_scripts_of_one_group_do_not_hold_up_another_one() -> None:
    """Takes most of a second: an endless one is ended and its worker replaced."""
    async with pool(1, deadline=timedelta(seconds=0.3)) as scripts:
        endless = [
            asyncio.create_task(scripts.evaluate("while (true);", "{}", name="endless", group="a"))
            for _ in range(20)
        ]
        await asyncio.sleep(0)
        assert await scripts.evaluate("1", "{}", name="good", group="b") == 1
        ended = [call for call in endless if call.done()]
        for call in endless:
            call.cancel()
        await asyncio.wait(endless)

    assert len(ended) == 1


async def test_a_call_that_no_worker_takes_was_not_the_scripts_fault() -> None:
    async with pool(0, patience=timedelta(seconds=0.01)) as scripts:
        with pytest.raises(NoWorker, match=r"Script one waited 0\.01 s for a worker"):
            await scripts.evaluate("1", "{}", name="one")


async def test_it_is_known_how_long_a_group_has_been_waiting() -> None:
    async with pool(0) as scripts:
        waiting = asyncio.create_task(scripts.evaluate("1", "{}", name="one", group="a"))
        await asyncio.sleep(0.01)

        assert 0.01 <= scripts.waited("a") < 30
        assert scripts.waited("b") == 0
        waiting.cancel()


@on_both_loops
async def test_a_caller_who_leaves_keeps_no_worker() -> None:
    async with pool(1, deadline=timedelta(seconds=0.3)) as scripts:
        await scripts.evaluate("1", "{}", name="first")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await scripts.evaluate("while (Date.now() < $);", "4e15", name="left")
        waiting = asyncio.create_task(scripts.evaluate("1", "{}", name="cancelled"))
        await asyncio.sleep(0)
        waiting.cancel()

        # The endless one is ended at its deadline.
        assert await scripts.evaluate("2", "{}", name="next") == 2


@on_both_loops
async def test_a_call_whose_worker_is_killed_is_made_again() -> None:
    before = children()
    async with pool(1, deadline=timedelta(seconds=10)) as scripts:
        await scripts.evaluate("1", "{}", name="first")
        (victim,) = children() - before
        slow = "var end = Date.now() + 150; while (Date.now() < end); 7"
        call = asyncio.create_task(scripts.evaluate(slow, "{}", name="again"))
        await asyncio.sleep(0)
        os.kill(victim, signal.SIGKILL)

        assert await call == 7
        assert victim not in children()


async def test_an_idle_worker_that_is_killed_is_replaced() -> None:
    before = children()
    async with pool(1) as scripts:
        for _ in range(3):
            await scripts.evaluate("1", "{}", name="one")
            (victim,) = children() - before
            os.kill(victim, signal.SIGKILL)

        assert await scripts.evaluate("1", "{}", name="one") == 1


async def test_a_worker_that_dies_twice_of_one_script_is_told() -> None:
    before = children()
    async with pool(1, deadline=timedelta(seconds=10)) as scripts:
        await scripts.evaluate("1", "{}", name="first")
        call = asyncio.create_task(scripts.evaluate("while (true);", "{}", name="deadly"))
        killed: set[int] = set()
        while not call.done():
            # Each pass lets the pool run; a starting worker is let alone.
            await asyncio.wait([call], timeout=0.02)
            for pid in children() - before - killed:
                if len(killed) == 0 or computing(pid):
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)

        with pytest.raises(ScriptFailed, match="worker died twice while it ran deadly"):
            await call
        assert await scripts.evaluate("1", "{}", name="next") == 1


def computing(pid: int) -> bool:
    """Whether the worker has used more processor time than starting takes."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return int(fields[11]) + int(fields[12]) > 0.8 * os.sysconf("SC_CLK_TCK")


async def test_a_worker_is_replaced_after_ten_thousand_calls() -> None:
    """Takes three seconds: it makes them all."""
    before = children()
    async with pool(1) as scripts:
        await scripts.evaluate("1", "{}", name="first")
        (first,) = children() - before
        for _ in range(9_998):
            await scripts.evaluate("1", "{}", name="many")
        assert children() - before == {first}

        await scripts.evaluate("1", "{}", name="last")
        assert await scripts.evaluate("1", "{}", name="next") == 1
        assert first not in children()


async def test_calls_fail_while_no_worker_starts_and_succeed_once_one_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Takes two seconds: three starts must fail, each later than the last."""
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    async with pool(1) as scripts:
        with pytest.raises(NoWorker, match="Script one cannot run: no script worker starts"):
            await scripts.evaluate("1", "{}", name="one")
        monkeypatch.undo()

        assert await scripts.evaluate("1", "{}", name="one") == 1


def test_a_pool_belongs_to_the_main_thread() -> None:
    async def open_one() -> None:
        async with pool(1):
            pass

    def attempt() -> None:
        try:
            asyncio.run(open_one())
        except RuntimeError as error:
            told.append(str(error))

    told: list[str] = []
    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()

    assert told == ["A script worker would end with the thread that starts it."]

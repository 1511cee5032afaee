"""A call's limit ends that call, at its time, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from services.egress.deadlines import Deadlines


async def test_what_takes_longer_than_its_limit_is_ended() -> None:
    deadlines = Deadlines()

    with pytest.raises(TimeoutError), deadlines.within(0.002):
        await asyncio.Event().wait()

    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_each_ends_in_its_turn_whichever_came_first() -> None:
    deadlines, ended = Deadlines(), []

    async def wait(seconds: float) -> None:
        with pytest.raises(TimeoutError), deadlines.within(seconds):
            await asyncio.Event().wait()
        ended.append(seconds)

    limits = [0.03, 0.001, 0.02, 0.04, 0.01]
    await asyncio.gather(*map(wait, limits))

    assert ended == sorted(limits)


async def test_what_ended_in_time_is_let_be() -> None:
    deadlines = Deadlines()
    with deadlines.within(0.001):
        pass

    with pytest.raises(TimeoutError), deadlines.within(0.005):
        await asyncio.Event().wait()
    with pytest.raises(KeyError, match="its own"), deadlines.within(1):
        raise KeyError("its own")


async def test_without_a_limit_there_is_none() -> None:
    with Deadlines().within(None):
        await asyncio.sleep(0)


async def test_a_cancelled_task_stays_cancelled_when_its_limit_passes_too() -> None:
    deadlines, begun = Deadlines(), asyncio.Event()

    async def wait() -> None:
        with deadlines.within(0.0):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await begun.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_closing_lets_every_limit_go() -> None:
    deadlines = Deadlines()

    with deadlines.within(0.001):
        deadlines.close()
        await asyncio.sleep(0.005)

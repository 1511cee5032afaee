"""A stream that is followed for ever: what ends it, and what brings it back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tui.live.following import Line
from tui.live.link import LinkState


async def test_a_wish_of_before_the_rest_ends_it_at_once() -> None:
    line = Line("executor")
    line.retry()

    async with asyncio.timeout(5.0):
        await line.rest()


async def test_one_wish_ends_one_rest() -> None:
    line = Line("executor")
    line.retry()
    await line.rest()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await line.rest()


def _failing_once(error: Exception, came_back: asyncio.Event) -> Callable[[], Awaitable[None]]:
    failed: list[bool] = []

    async def watch() -> None:
        if failed:
            came_back.set()
            await asyncio.Event().wait()
        failed.append(True)
        raise error

    return watch


@pytest.mark.parametrize("error", [RecursionError("too deep"), PermissionError("not yours")])
async def test_whatever_a_stream_brings_up_is_told_and_it_comes_back(error: Exception) -> None:
    line, came_back = Line("executor"), asyncio.Event()
    following = asyncio.create_task(line.follow(_failing_once(error, came_back)))
    try:
        async with asyncio.timeout(5.0):
            while line.now().attempt == 0:  # noqa: ASYNC110
                await asyncio.sleep(0)
            assert line.now().state == LinkState.CONNECTING
            assert line.now().reason == f"{type(error).__name__}: {error}"
            line.retry()
            await came_back.wait()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

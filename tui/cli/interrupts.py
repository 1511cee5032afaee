"""A command that waits hears at once of Ctrl-C, wherever it arrives, and of a reader who leaves."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives, in a loop of its own; Ctrl-C cancels it, a second one ends it at once.

    asyncio's own handler runs when the loop is awake. A signal that comes just before the loop
    begins to wait, or in another thread, wakes it only where the loop itself was told of it. What
    a shell has started to ignore Ctrl-C, as its jobs in the background are, goes on ignoring it.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    interrupted = False

    async def interruptible() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def interrupt() -> None:
            nonlocal interrupted
            interrupted = True
            loop.remove_signal_handler(signal.SIGINT)
            task.cancel()

        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            loop.add_signal_handler(signal.SIGINT, interrupt)
        try:
            return await work
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    try:
        return asyncio.run(interruptible())
    except asyncio.CancelledError:
        if not interrupted:
            raise
        raise KeyboardInterrupt from None


@asynccontextmanager
async def while_read() -> AsyncGenerator[None]:
    """Within, who leaves standard output's pipe ends what goes on, also where nothing is written.

    For what shows only: what changes something is done whoever reads of it.

    Raises:
        BrokenPipeError: Nobody reads any more.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    pipe, left = _pipe(), False
    assert task is not None

    def leave() -> None:
        nonlocal left
        left = True
        loop.remove_reader(pipe)
        task.cancel()

    if pipe >= 0:
        # Its end for writing is never readable; it is told to be when the other end is closed.
        loop.add_reader(pipe, leave)
    try:
        yield
    except asyncio.CancelledError:
        if not left:
            raise
        raise BrokenPipeError from None
    finally:
        if pipe >= 0:
            loop.remove_reader(pipe)


def _pipe() -> int:
    """The number of standard output where it is a pipe; else -1."""
    try:
        number = sys.stdout.fileno()
        return number if stat.S_ISFIFO(os.fstat(number).st_mode) else -1
    except (OSError, ValueError):
        return -1

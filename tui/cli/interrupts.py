"""Ctrl-C in a command that waits: heard at once, wherever the signal arrives."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
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

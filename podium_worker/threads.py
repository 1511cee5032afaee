"""Threads for functions that are no coroutines; none of them keeps the process from its end.

Those of ``concurrent.futures`` are waited for when the interpreter ends: a function that never
returns would keep a worker that was told to stop for ever.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any

Outcome = tuple[Any, BaseException | None]
"""What a function returned, or raised: not every exception can be raised into a future."""


class Threads:
    """At most so many, begun as they are needed; made and used in one loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._begun = 0

    def call(self, function: Callable[[Any], Any], argument: Any) -> asyncio.Future[Outcome]:
        """Call ``function`` in one of them."""
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._calls.put(partial(self._called, future, function, argument))
        if not self._idle.acquire(blocking=False) and self._begun < self._most:
            self._begun += 1
            name = f"podium-worker_{self._begun}"
            threading.Thread(target=self._run, name=name, daemon=True).start()
        return future

    def close(self) -> None:
        """End those that have nothing to do, and the others once they have not."""
        for _ in range(self._begun):
            self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            self._idle.release()

    def _called(
        self, future: asyncio.Future[Outcome], function: Callable[[Any], Any], argument: Any
    ) -> None:
        try:
            outcome: Outcome = function(argument), None
        except BaseException as error:  # noqa: BLE001
            # Whatever it is: whoever waits for the future raises it.
            outcome = None, error
        # The loop may have ended before.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(_settle, future, outcome)


def _settle(future: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)

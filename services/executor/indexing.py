"""Keeps the index of words: a little at a time while nothing else is to do, and before it is asked.

Whoever asks is answered from all that was committed by then.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from services.errors import Unavailable
from services.executor import fulltext
from services.storage import is_unwritable

logger = logging.getLogger(__name__)

T = TypeVar("T")

_SECONDS_BETWEEN_LOOKS = 0.25
# That many changes between two looks are as good as none; so many more leave room for a step.
_IDLE_CHANGES = 4
_FEW_CHANGES = 100
# Beyond, it goes on although there is much to do: changes are not kept for ever.
_MOST_BEHIND = 100_000
_SECONDS_AT_ONCE = 0.05
_SECONDS_WHILE_IDLE = 0.02
_SECONDS_BEFORE_ASKED = 8.0
_FORGOTTEN_AT_ONCE = 200
_MOST_FORGOTTEN = 200_000


class Indexing:
    """The index of one store; see :func:`fulltext.opened`."""

    def __init__(self, store: Path, epoch: str, loop: asyncio.AbstractEventLoop) -> None:
        self.path = fulltext.beside(store)
        self._loop = loop
        self._thread = ThreadPoolExecutor(1, "executor-words")
        self._db = fulltext.opened(store, epoch)
        self._turn = asyncio.Lock()
        # Gone without a change that tells it.
        self._gone: deque[str] = deque(maxlen=_MOST_FORGOTTEN)
        self._closed = False

    async def current(self) -> None:
        """Return when all is in it that was committed before.

        Raises:
            Unavailable: That takes too long, or cannot be done.
        """
        end = time.monotonic() + _SECONDS_BEFORE_ASKED
        while await self._on(_SECONDS_AT_ONCE):
            if time.monotonic() > end:
                number = await self._within(fulltext.left)
                left = f" {number:,} executions are left." if number else ""
                raise Unavailable(
                    f"Words are still being looked up in what has run; try again soon.{left}"
                )

    async def run(self, head: Callable[[], int], units: Callable[[], int]) -> None:
        """Keep it for ever.

        Args:
            head: The revision of the last change.
            units: How many units wait to be written.
        """
        seen = done = head()
        more = True
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            now = head()
            came, seen = now - seen, now
            idle = came <= _IDLE_CHANGES and not units()
            if not (more or now > done or self._gone):
                continue
            if not idle and not _is_time(came, now - done):
                continue
            try:
                if idle:
                    more = await self._on(_SECONDS_WHILE_IDLE)
                    await self._forget()
                else:
                    far = now - done >= _MOST_BEHIND
                    more = await self._within(
                        _a_few, fulltext.CHANGES_AT_ONCE if far else _FEW_CHANGES
                    )
            except Unavailable as error:
                logger.warning("%s", error.detail)
                await asyncio.sleep(60)
            if not more:
                done = now

    def forget(self, ids: list[str]) -> None:
        """These executions are gone."""
        self._gone.extend(ids)

    async def close(self) -> None:
        """End once what is under way is done."""
        self._closed = True
        await self._loop.run_in_executor(None, self._thread.shutdown)
        fulltext.close(self._db)

    async def _on(self, seconds: float) -> bool:
        """Go on for so long, a step at least; whether there is more to do."""
        return await self._within(_steps, seconds)

    async def _forget(self) -> None:
        ids = [self._gone.popleft() for _ in range(min(len(self._gone), _FORGOTTEN_AT_ONCE))]
        if ids:
            await self._within(fulltext.forget, ids)

    async def _within(self, work: Callable[..., T], *arguments: object) -> T:
        async with self._turn:
            if self._closed:
                raise Unavailable("The executor is stopping; try again in a moment.")
            try:
                return await self._loop.run_in_executor(self._thread, work, self._db, *arguments)
            except sqlite3.Error as error:
                way_out = f"deleted while the executor is stopped, {self.path.name} is made anew"
                if is_unwritable(error):
                    way_out = "it goes on once it can be written to"
                raise Unavailable(
                    f"The index of words cannot be kept ({error}); {way_out}."
                ) from error


def _a_few(db: sqlite3.Connection, changes: int) -> bool:
    # What is written here keeps the disk from whoever waits for it.
    return fulltext.step(db, changes, walking=False)


def _is_time(came: int, behind: int) -> bool:
    """Whether a step is taken although there is something else to do.

    Args:
        came: How many changes came since the last look.
        behind: How many are not in the index.
    """
    return behind >= _MOST_BEHIND or (behind > 0 and came <= _FEW_CHANGES)


def _steps(db: sqlite3.Connection, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while more := fulltext.step(db):
        if time.monotonic() >= end:
            break
    return more

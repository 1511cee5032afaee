"""The gateway's figures kept: what was counted leaves the event loop once a minute.

All but the minute of now belongs to one thread, which also writes it to the edge's file. A file
that cannot be read or written stops nobody: the figures are in memory, and are written when it can
be again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

from services.edge.metrics import disk
from services.edge.metrics.archive import Archive, Place
from services.edge.metrics.counter import Counter
from services.edge.metrics.disk import File
from services.edge.metrics.history import MINUTES, Key, Query, Uses
from services.edge.metrics.recorder import Recorder, newest

logger = logging.getLogger(__name__)

T = TypeVar("T")

SECONDS = 60
# Of the rows that are kept, one minute has this part at most.
_PART_OF_MINUTE = 50
_LOAD_SECONDS = 5.0
_LAST_SECONDS = 3.0


class Metrics:
    """What was counted; get one from :func:`keeping`.

    Attributes:
        recorder: Counts the minute of now.
    """

    def __init__(self, most: int, now: Callable[[], float]) -> None:
        self.recorder = Recorder(max(most // _PART_OF_MINUTE, 1))
        self._now = now
        self._archive = Archive(most)
        self._minute = self.minute
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="metrics")
        self._loaded = asyncio.Event()
        # Of all keys, and of those that are not on disk so.
        self._used: Uses = {}
        self._unsaved_uses: Uses = {}

    @property
    def minute(self) -> int:
        """The minute of now, since 1970."""
        return int(self._now() // SECONDS)

    @property
    def state(self) -> tuple[int, int]:
        """Changes whenever a sum over the minutes up to now may have."""
        return self.recorder.counted, self.minute

    async def sums(self, query: Query) -> dict[Key, Counter]:
        """The sums that ``query`` asks for."""
        await self.loaded()
        now = [(self._minute, *each) for each in self.recorder.copies().items()]
        return await self._aside(self._archive.sums, query, now)

    async def totals(self) -> dict[Place, Counter]:
        """All since the process began, by route."""
        return await self._aside(self._archive.totals_with, self.recorder.copies())

    async def last_used(self, auth_id: str, key: str) -> float | None:
        """When that key was last used, seconds since 1970, as far as it is known."""
        await self.loaded()
        return self.recorder.used.get((auth_id, key)) or self._used.get((auth_id, key))

    async def loaded(self) -> None:
        """Wait until what was kept is there, or does not come."""
        try:
            async with asyncio.timeout(_LOAD_SECONDS):
                await self._loaded.wait()
        except TimeoutError:
            logger.info("The figures of before are not there yet.")

    async def _aside(self, work: Callable[..., T], *arguments: object) -> T:
        """In the thread; what was handed to it before is done before."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    # Keeping them.

    async def keep(self, path: Path, stopping: asyncio.Event) -> None:
        """Have ``path`` follow, a minute behind, until ``stopping``; and then once more."""
        async with AsyncExitStack() as stack:
            file = File(path, stack)
            await self._load(file)
            self._loaded.set()
            ended = False
            while not ended:
                await _set_within(stopping, SECONDS - self._now() % SECONDS)
                ended = stopping.is_set()
                await self._close_minute()
                await self._save(file)

    async def _load(self, file: File) -> None:
        kept = await file.load(self.minute - MINUTES + 1)
        if kept is not None:
            await self._aside(self._archive.adopt, kept.minutes, self.minute)
            # What this process has seen came later, whatever the clock said then.
            self._used = {**kept.used, **self._used}

    async def _close_minute(self) -> None:
        # The clock may have been set: what was counted is of the minute in which that began.
        before, self._minute = self._minute, self.minute
        counted, used = self.recorder.take()
        self._unsaved_uses |= used
        self._used |= used
        self._used = newest(self._used)
        await self._aside(self._archive.close, before, counted, self._minute)

    async def _save(self, file: File) -> None:
        if not file.is_open:
            await self._load(file)
        minutes = await self._aside(self._archive.unsaved)
        used = newest(self._unsaved_uses)
        if await file.save(disk.Kept(minutes, used), self._minute - MINUTES + 1):
            self._unsaved_uses = {}
            await self._aside(self._archive.saved, minutes)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until it is set, or the time is over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


@asynccontextmanager
async def keeping(
    path: Path, most: int, now: Callable[[], float] = time.time
) -> AsyncGenerator[Metrics]:
    """Metrics that are kept in ``path`` while inside, and at the end once more.

    Args:
        path: A database that this process has opened.
        most: Rows of minutes that are held; see :class:`services.edge.metrics.history.History`.
        now: Seconds since 1970.
    """
    metrics, stopping = Metrics(most, now), asyncio.Event()
    task = asyncio.create_task(metrics.keep(path, stopping), name="keep the gateway's metrics")
    try:
        yield metrics
    finally:
        stopping.set()
        try:
            async with asyncio.timeout(_LAST_SECONDS):
                await task
        except TimeoutError:
            logger.warning("The gateway's metrics of the last minute were not kept.")
        metrics.close()

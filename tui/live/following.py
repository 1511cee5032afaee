"""Following a stream for ever: again after every break, later each time, at once when asked to."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from services.errors import PermissionDenied, ServiceError, Unauthenticated
from services.home import HomeUnusable
from tui.live import link
from tui.live.link import Link

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0


class Line:
    """One stream's link, as it stands, and the wish to try again now."""

    def __init__(self, service: str) -> None:
        self.link = Link(service)
        self._again = asyncio.Event()

    def syncing(self, told: int) -> None:
        """Part of a snapshot came."""
        self.link = link.syncing(self.link, time.monotonic(), told)

    def live(self, lag_seconds: float | None = None, quiet: bool = False) -> None:
        """All is here, and something came. ``quiet``: the next may be long in coming."""
        self.link = link.live(self.link, time.monotonic(), lag_seconds, quiet)

    def now(self) -> Link:
        """The link as it stands."""
        return self.link.at(time.monotonic())

    def retry(self) -> None:
        """Wait no longer."""
        self._again.set()

    async def rest(self, seconds: float | None = None) -> None:
        """Wait, LIVE, until there may be more again: see :meth:`retry`; at most ``seconds``."""
        self.live(quiet=True)
        await self._pause(seconds)

    async def follow(self, watch: Callable[[], Awaitable[None]]) -> None:
        """Run ``watch``, which tells this line what comes, again whenever it ends; for ever."""
        wait = FIRST_WAIT_SECONDS
        while True:
            began = self.link.heard_at
            reason, failed = "", link.broken
            try:
                await watch()
            except (Unauthenticated, PermissionDenied) as error:
                reason, failed = error.detail, link.refused
            except ServiceError as error:
                reason = error.detail
            except HomeUnusable as error:
                reason = str(error)
            except asyncio.CancelledError:
                if (task := asyncio.current_task()) is None or task.cancelling():
                    raise
                # Its channel was closed under it, since the suite is at another place now.
                reason = "the suite is at another place"
            except Exception as error:  # noqa: BLE001
                # The last one to see it: a stream that ends for good would look like a quiet one.
                reason = f"{type(error).__name__}: {error}"
            if self.link.heard_at != began:
                wait = FIRST_WAIT_SECONDS
            pause = wait * random.uniform(0.5, 1.0)
            self.link = failed(self.link, reason, time.monotonic() + pause)
            await self._pause(pause)
            wait = min(LONGEST_WAIT_SECONDS, 2 * wait)

    async def _pause(self, seconds: float | None) -> None:
        # A wish of before counts: what was told since may be newer than what was read.
        try:
            async with asyncio.timeout(seconds):
                await self._again.wait()
        except TimeoutError:
            return
        self._again.clear()

"""Following a stream for ever: again after every break, later each time, at once when asked to."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from services.errors import PermissionDenied, ServiceError, Unauthenticated
from services.home import HomeUnusable
from tui.live import link
from tui.live.link import Link, worst

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0
_Failed = Callable[[Link, str, float], Link]
_BROKEN: _Failed = link.broken


class Line:
    """One stream's link, as it stands, and the wish to try again now.

    What is made of the streams of several services has a part for each: see :meth:`parted`.
    """

    def __init__(self, service: str) -> None:
        self.link = Link(service)
        self._again = asyncio.Event()
        self._parts: tuple[Line, ...] = ()

    def syncing(self, told: int) -> None:
        """Part of a snapshot came."""
        self.link = link.syncing(self.link, time.monotonic(), told)

    def live(self, lag_seconds: float | None = None, quiet: bool = False) -> None:
        """All is here, and something came. ``quiet``: the next may be long in coming."""
        self.link = link.live(self.link, time.monotonic(), lag_seconds, quiet)

    @contextmanager
    def parted(self, services: Iterable[str]) -> Iterator[Mapping[str, Line]]:
        """Within, this line stands as its parts do: one to each of ``services``."""
        parts = {service: Line(service) for service in services}
        self._parts = tuple(parts.values())
        try:
            yield parts
        finally:
            self._parts = ()

    @property
    def links(self) -> list[Link]:
        """The links of its parts as they stand; where it has none, its own."""
        now = time.monotonic()
        return [each.link.at(now) for each in self._parts or (self,)]

    @property
    def away(self) -> list[str]:
        """Those services of a line in parts that were asked in vain last."""
        return [each.link.service for each in self._parts if each.link.attempt]

    def now(self) -> Link:
        """The link as it stands: the worst, where it has parts."""
        return worst(self.links)

    def retry(self) -> None:
        """Wait no longer."""
        for each in (self, *self._parts):
            each._again.set()

    async def rest(self, seconds: float | None = None) -> None:
        """Wait, LIVE, until there may be more again: see :meth:`retry`; at most ``seconds``."""
        self.live(quiet=True)
        await self._pause(seconds)

    async def follow(
        self, watch: Callable[[], Awaitable[None]],
        ends: Callable[[BaseException], bool] = lambda error: False,
    ) -> None:  # fmt: skip
        """Run ``watch``, which tells this line what comes, again whenever it ends; for ever.

        Args:
            ends: For which failures it is not: they are raised.
        """
        wait = FIRST_WAIT_SECONDS
        while True:
            began = self.link.heard_at
            reason, failed = "", _BROKEN
            try:
                await watch()
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or task.cancelling() or ends(error):
                    raise
                # Its channel was closed under it, since the suite is at another place now.
                reason = "the suite is at another place"
            except Exception as error:
                # The last one to see it: a stream that ends for good would look like a quiet one.
                if ends(error):
                    raise
                reason, failed = _told(error)
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


def _told(error: Exception) -> tuple[str, _Failed]:
    """Why a stream broke, and what its link is by that."""
    match error:
        case Unauthenticated():
            return error.detail, link.refused
        case PermissionDenied():
            return error.detail, link.denied
        case ServiceError():
            return error.detail, link.broken
        case HomeUnusable():
            return str(error), link.broken
    return f"{type(error).__name__}: {error}", link.broken

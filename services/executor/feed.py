"""What has happened, in order, for those who watch: from where they left off, without end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain

from services.executor import feed_rows
from services.executor.readers import Readers
from services.executor.units import Unit

# A watcher this far behind would hold every change in memory: it starts again from a snapshot.
_MOST_BEHIND = 10_000
_PAGE = 500
# How many changes go at once.
FULL = 500


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the feed.

    Attributes:
        state: See :func:`services.executor.states.parsed_change`.
    """

    revision: int
    execution_id: str
    workflow: str
    state: str


class Behind(Exception):
    """The watcher has missed changes; only a snapshot helps."""


class Follower:
    """What has been committed since it began to follow, and not been taken yet."""

    def __init__(self, head: int) -> None:
        self.head = head
        self._changes: deque[Change] = deque()
        self._wake = asyncio.Event()
        self._full = asyncio.Event()
        self._behind = False
        self._ended = False

    def add(self, change: Change) -> None:
        if len(self._changes) >= _MOST_BEHIND:
            self._behind = True
            self._changes.clear()
        if not self._behind:
            self._changes.append(change)
        if self._behind or len(self._changes) == FULL:
            self._full.set()
        self._wake.set()

    def end(self) -> None:
        self._ended = True
        self.wake()

    def wake(self) -> None:
        """Have what waits return, though nothing may have been committed."""
        self._wake.set()
        self._full.set()

    async def gather(self, until: float) -> None:
        """Return when as many changes as go at once are there; at ``until`` at the latest.

        Args:
            until: Of the loop's clock.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._full.wait()

    async def take(self, seconds: float) -> list[Change] | None:
        """All changes since the last time, after at most ``seconds``; None: there are no more.

        Raises:
            Behind: There were too many.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return []
        if self._ended:
            return None
        if self._behind:
            raise Behind
        self._wake.clear()
        self._full.clear()
        taken = list(self._changes)
        self._changes.clear()
        return taken


class Feed:
    """The changes of a store.

    Attributes:
        head: The revision of the last change.
        floor: The oldest revision from which a watcher can go on.
    """

    def __init__(self, readers: Readers, epoch: str, head: int, floor: int) -> None:
        self._readers = readers
        self.epoch = epoch
        self.head = head
        self.floor = floor
        self._followers: set[Follower] = set()
        # By execution: what happens to others costs those nothing who watch a single one.
        self._followers_of: dict[str, set[Follower]] = {}
        self._ended = False

    def publish(self, unit: Unit) -> None:
        """``unit`` was committed."""
        if not unit.changes:
            return
        if self._followers or self._followers_of:
            first = unit.revision - len(unit.changes) + 1
            for revision, (_, execution_id, workflow, state) in enumerate(unit.changes, first):
                change = Change(revision, execution_id, workflow, state)
                for follower in (*self._followers, *self._followers_of.get(execution_id, ())):
                    follower.add(change)
        self.head = unit.revision

    def end(self) -> None:
        """End every watch, and those to come."""
        self._ended = True
        for follower in (*self._followers, *chain(*self._followers_of.values())):
            follower.end()

    @contextmanager
    def following(self, execution_id: str = "") -> Generator[Follower]:
        """What is committed from now on, to that execution or to any."""
        follower = Follower(self.head)
        if self._ended:
            follower.end()
        followers = self._followers
        if execution_id:
            followers = self._followers_of.setdefault(execution_id, set())
        followers.add(follower)
        try:
            yield follower
        finally:
            followers.discard(follower)
            if execution_id and not followers:
                self._followers_of.pop(execution_id, None)

    def has(self, epoch: str, revision: int) -> bool:
        """Whether all that came after that place can still be told."""
        return epoch == self.epoch and self.floor <= revision <= self.head

    async def backlog(
        self, after: int, until: int, execution_id: str = ""
    ) -> AsyncIterator[Change]:
        """The changes after a revision, up to and with another; of one execution or of all.

        Raises:
            Behind: They were compacted meanwhile.
        """
        async for page in self.pages(after, until, execution_id):
            for change in page:
                yield change

    async def pages(
        self, after: int, until: int, execution_id: str = ""
    ) -> AsyncIterator[list[Change]]:
        """As :meth:`backlog`, many at once."""
        while after < until:
            rows = await self._readers.read(feed_rows.changes, after, until, _PAGE, execution_id)
            if after < self.floor:
                raise Behind
            yield [Change(*row) for row in rows]
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

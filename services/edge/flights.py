"""Calls of the same, while the first is under way: one execution, for which all of them wait.

It runs in a task of its own, for as long as its route waits, whoever comes and goes: a caller
that leaves takes nothing from the others, and what comes is kept even where nobody waits any
more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from services.edge.call import Answer, Call, Exchanged, Gone
from services.edge.problems import Problem, retry_after
from services.edge.unconnected import Unconnected
from services.errors import ServiceError

if TYPE_CHECKING:
    from services.edge.keeping import Purge, Tag

Landed: TypeAlias = Answer | Problem | ServiceError | Gone


class Ending(Enum):
    """Why one waits no longer for a flight that is under way."""

    TIME_UP = "its time is up"
    LEFT = "its client has left"


class Flight:
    """One execution, and who waits for it.

    Args:
        call: Of the first who asked.
        tag: What its answer is purged by.
        begun: Seconds, monotonic.

    Attributes:
        call: The flight's own: the first caller's request, without its client and preferences.
        kept: Its answer was kept.
        shared: It may be the answer of all who wait.
        promised: Somebody was told where the answer will be, and may come for it.
        landed: What came of it; None: it is under way.
    """

    def __init__(self, call: Call, tag: Tag, begun: float) -> None:
        # All who wait for it, in the place of one client.
        self._crowd = Unconnected()
        header = {name: value for name, value in call.header.items() if name != b"prefer"}
        self.call = replace(call, cycle=self._crowd, header=header, shared_headers=())
        self.tag = tag
        self.begun = begun
        self.kept = False
        self.shared = False
        self.promised = False
        self.landed: Landed | None = None
        self._waiting: set[asyncio.Future[Landed | Ending]] = set()

    @property
    def principal(self) -> str:
        """Whose execution it is."""
        return self.call.caller.principal if self.call.caller else ""

    def land(self, landed: Landed) -> None:
        """Tell all who wait."""
        self.landed = landed
        for waiter in self._waiting:
            _settle(waiter, landed)

    async def wait(self, cycle: Exchanged, seconds: float | None) -> Landed | Ending:
        """What comes of it, or why that is waited for no longer.

        Args:
            cycle: Of the call that waits.
            seconds: At most; None: as long as it takes, which has its limits.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Landed | Ending] = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, _settle, waiter, _TIME_UP)
        self._waiting.add(waiter)
        cycle.on_gone = partial(_settle, waiter, Ending.LEFT)
        if cycle.disconnected:
            # It left while its body was read: of that nobody will be told again.
            _settle(waiter, Ending.LEFT)
        try:
            return await waiter
        finally:
            cycle.on_gone = None
            self._waiting.discard(waiter)
            if timer is not None:
                timer.cancel()

    def is_left(self) -> bool:
        """Whether nobody waits for it, or will come for it."""
        return self.landed is None and not self._waiting and not self.promised

    def end(self) -> None:
        """Let its execution end, for all have left."""
        self._crowd.gone()


_TIME_UP = Ending.TIME_UP


def _settle(waiter: asyncio.Future[Landed | Ending], ending: Landed | Ending) -> None:
    if not waiter.done():
        waiter.set_result(ending)


class Flights:
    """The flights that are under way, by key; see :func:`flying`.

    Args:
        most: How many of them there may be, and how many may wait for all of them together.

    Attributes:
        waiting: How many wait now.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_key: dict[bytes, Flight] = {}
        self._running: set[asyncio.Task[None]] = set()
        self.waiting = 0

    def __len__(self) -> int:
        return len(self._running)

    def find(self, key: bytes) -> Flight | None:
        """The one to wait for."""
        return self._by_key.get(key)

    def begin(
        self, key: bytes, flight: Flight, work: Callable[[Flight], Coroutine[Any, Any, Landed]]
    ) -> None:
        """Have ``work`` done, once for all who wait.

        Raises:
            Problem: 503: too many are under way, or nobody more could wait. Nothing is begun.
        """
        if max(len(self), self.waiting) >= self._most:
            raise Problem("overloaded", headers=(retry_after(),))
        self._by_key[key] = flight
        task = asyncio.create_task(self._fly(key, flight, work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _fly(
        self, key: bytes, flight: Flight, work: Callable[[Flight], Coroutine[Any, Any, Landed]]
    ) -> None:
        # Said where it is cut off.
        landed: Landed = Problem("unavailable", headers=(retry_after(),))
        try:
            landed = await work(flight)
        finally:
            self.forget(key, flight)
            flight.land(landed)

    def forget(self, key: bytes, flight: Flight) -> None:
        """Let nobody join it any more."""
        if self._by_key.get(key) is flight:
            del self._by_key[key]

    async def wait(
        self, flight: Flight, cycle: Exchanged, seconds: float | None
    ) -> Landed | Ending:
        """As :meth:`Flight.wait`. Raises :class:`Problem` (503) where too many wait."""
        if self.waiting >= self._most:
            raise Problem("overloaded", headers=(retry_after(),))
        self.waiting += 1
        try:
            return await flight.wait(cycle, seconds)
        finally:
            self.waiting -= 1

    def purge(self, purge: Purge) -> None:
        """Let nobody join those whose answers are meant: who asks now has a new one made."""
        for key, flight in list(self._by_key.items()):
            if purge.means(flight.tag):
                del self._by_key[key]

    async def end(self) -> None:
        """Cut all of them off."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


@asynccontextmanager
async def flying(most: int) -> AsyncGenerator[Flights]:
    """Within, flights can be begun; at the end, those under way are cut off."""
    # No task group: that would hide in a group what ends the edge.
    flights = Flights(most)
    try:
        yield flights
    finally:
        await flights.end()

"""How much is let in: calls side by side, for a host and in all; and new executions at all."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import nlargest

from services.errors import Overloaded
from services.executor.core.http import HttpRequest

Begin = Callable[[], None]

_LOOK_SECONDS = 0.1


@dataclass(slots=True)
class _Lane:
    """One host's calls."""

    under_way: int = 0
    waiting: deque[Begin] = field(default_factory=deque)


class Lanes:
    """Lets calls begin: at most so many for one host and in all; the others in their order.

    A host with a long queue does not hold up another one's.
    """

    def __init__(self, per_host: int = 256, in_all: int = 2048) -> None:
        self._per_host = per_host
        self._in_all = in_all
        self._under_way = 0
        self._lanes: dict[str, _Lane] = {}
        # Lanes that could go on but for the limit in all.
        self._ready: deque[str] = deque()

    @property
    def waiting(self) -> int:
        return sum(len(lane.waiting) for lane in self._lanes.values())

    @property
    def under_way(self) -> int:
        return self._under_way

    def busiest(self, most: int) -> list[tuple[str, int, int]]:
        """(host, calls under way, calls waiting) of those with the most calls."""
        hosts = ((h, lane.under_way, len(lane.waiting)) for h, lane in self._lanes.items() if h)
        return nlargest(most, hosts, key=lambda each: each[1] + each[2])

    def enter(self, host: str, begin: Begin) -> None:
        """Call ``begin`` when it may; at once if there is room. ``leave`` must follow."""
        lane = self._lanes.get(host)
        if lane is None:
            lane = self._lanes[host] = _Lane()
        if lane.under_way < self._per_host and self._under_way < self._in_all:
            lane.under_way += 1
            self._under_way += 1
            begin()
            return
        if not lane.waiting and lane.under_way < self._per_host:
            self._ready.append(host)
        lane.waiting.append(begin)

    def leave(self, host: str) -> None:
        """A call that began has ended."""
        lane = self._lanes[host]
        lane.under_way -= 1
        self._under_way -= 1
        if lane.waiting:
            self._ready.append(host)
        elif not lane.under_way:
            del self._lanes[host]
        while self._ready and self._under_way < self._in_all:
            self._next(self._ready.popleft())

    def _next(self, host: str) -> None:
        lane = self._lanes.get(host)
        if lane is None or not lane.waiting or lane.under_way >= self._per_host:
            return
        begin = lane.waiting.popleft()
        lane.under_way += 1
        self._under_way += 1
        if lane.waiting and lane.under_way < self._per_host:
            self._ready.append(host)
        begin()


def host_of(request: object) -> str:
    """Whose limit an effect's request counts against; empty where it has no host."""
    if not isinstance(request, HttpRequest):
        return ""
    # Near enough, in a tenth of urlsplit's time: two spellings of a host have two limits.
    return request.uri.partition("://")[2].partition("/")[0].partition("?")[0]


class Gate:
    """Says no to new executions while the executor cannot keep up with those it has.

    Args:
        outstanding: How many units wait to be written.
        waited: For how many seconds the scripts of a workflow have been waiting for a worker.
        observed: Told how late the loop is, ten times a second.
        lag_seconds: How late the loop may be; beyond that for ``patience_seconds``, it is too
            late for more.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        outstanding: Callable[[], int],
        waited: Callable[[str], float],
        observed: Callable[[float], None] = lambda _: None,
        *,
        most_units: int = 1000,
        most_waited_seconds: float = 5.0,
        lag_seconds: float = 0.25,
        patience_seconds: float = 1.0,
    ) -> None:
        self._loop = loop
        self._outstanding = outstanding
        self._waited = waited
        self._observed = observed
        self._most_waited_seconds = most_waited_seconds
        self._most_units = most_units
        self._lag_seconds = lag_seconds
        self._patience_seconds = patience_seconds
        self._late_since: float | None = None
        self._due = loop.time() + _LOOK_SECONDS
        self._handle = loop.call_at(self._due, self._look)

    def check(self) -> None:
        """Raises :class:`Overloaded` while there is too much to do."""
        late = self._late_since
        if late is not None and self._loop.time() - late >= self._patience_seconds:
            raise Overloaded("The executor cannot keep up; try again in a moment.")
        if self._outstanding() >= self._most_units:
            raise Overloaded("The executor has too much to write; try again in a moment.")

    def check_scripts(self, workflow: str) -> None:
        """Raises :class:`Overloaded` while the workflow has too many scripts to be run."""
        if self._waited(workflow) >= self._most_waited_seconds:
            raise Overloaded(
                f"The scripts of workflow {workflow!r} wait for a worker; try again in a moment."
            )

    def close(self) -> None:
        self._handle.cancel()

    def _look(self) -> None:
        self.observe(self._loop.time() - self._due)
        self._due = self._loop.time() + _LOOK_SECONDS
        self._handle = self._loop.call_at(self._due, self._look)

    def observe(self, lag_seconds: float) -> None:
        """The loop was late by so much just now."""
        self._observed(lag_seconds)
        if lag_seconds < self._lag_seconds:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = self._loop.time() - lag_seconds

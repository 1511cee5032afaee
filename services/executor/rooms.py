"""How many tasks of a definition may be under way, where it says so: at a time, and in a time."""

from __future__ import annotations

import json
import time
from asyncio import AbstractEventLoop, TimerHandle
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Protocol

from services.executor.core.policy import Limits


class Named(Protocol):
    """Something of a definition."""

    @property
    def name(self) -> str: ...


class _Room:
    def __init__(self, limits: Limits, inside: Iterable[str]) -> None:
        self.limits = limits
        self.inside = set(inside)
        self.begun: deque[float] = deque()
        # In order, else it would be chance whose turn it is.
        self.queues: dict[str, None] = {}
        self.alarm: TimerHandle | None = None


class Rooms:
    """Of each definition with limits.

    Args:
        more: Told the queues in which some may have waited for what is free now.
        clock: Seconds, by a clock that nobody sets.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        more: Callable[[Iterable[str]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = loop
        self._more = more
        self._clock = clock
        self._rooms: dict[str, _Room] = {}

    def close(self) -> None:
        """Tell of nothing more."""
        for room in self._rooms.values():
            if room.alarm is not None:
                room.alarm.cancel()

    def limited(self, name: str, limits: Limits | None, held: Mapping[str, Named]) -> None:
        """The newest word on a definition; ``held`` are the tasks that somebody has, by id."""
        room = self._rooms.get(name)
        if room is not None:
            if limits is None:
                self._drop(name, room)
            elif limits != room.limits:
                room.limits = limits
                self._look_again(room)
        elif limits is not None:
            inside = (id for id, each in held.items() if each.name == name)
            self._rooms[name] = _Room(limits, inside)

    def known(self, name: str, text: str | None) -> None:
        """The limits that a row remembers, as JSON text; None: none."""
        if text is not None and name not in self._rooms:
            at_once, rate, seconds = json.loads(text)
            limits = Limits(int(at_once), int(rate), timedelta(seconds=float(seconds)))
            self._rooms[name] = _Room(limits, ())

    def begun(self, name: str, at: float) -> None:
        """A task has begun, at that time; in order."""
        room = self._rooms.get(name)
        if room is not None:
            room.begun.append(at)

    def waits(self, name: str, queue: str) -> None:
        """Somebody waits in that queue."""
        room = self._rooms.get(name)
        if room is not None:
            room.queues[queue] = None

    def has(self, name: str) -> bool:
        """Whether one more may begin."""
        room = self._rooms.get(name)
        if room is None:
            return True
        limits = room.limits
        if limits.at_once and len(room.inside) >= limits.at_once:
            return False
        return not limits.rate or self._has_time(name, room)

    def _has_time(self, name: str, room: _Room) -> bool:
        span, now = room.limits.span.total_seconds(), self._clock()
        while room.begun and room.begun[0] <= now - span:
            room.begun.popleft()
        if len(room.begun) < room.limits.rate:
            return True
        if room.alarm is None:
            wait = max(room.begun[0] + span - now, 0.001)
            room.alarm = self._loop.call_later(wait, self._ring, name, room)
        return False

    def _ring(self, name: str, room: _Room) -> None:
        room.alarm = None
        self._tell(room)

    def begin(self, name: str, task_id: str) -> None:
        """One more begins."""
        room = self._rooms.get(name)
        if room is not None:
            room.inside.add(task_id)
            if room.limits.rate:
                room.begun.append(self._clock())

    def enter(self, name: str, task_id: str) -> None:
        """One is under way; a second time changes nothing."""
        room = self._rooms.get(name)
        if room is not None:
            room.inside.add(task_id)

    def leave(self, name: str, task_id: str) -> None:
        """It has ended, or was given back."""
        room = self._rooms.get(name)
        if room is not None and task_id in room.inside:
            room.inside.discard(task_id)
            self._tell(room)

    def did_not_begin(self, name: str, task_id: str) -> None:
        """It has not begun after all."""
        room = self._rooms.get(name)
        if room is not None and room.begun:
            room.begun.pop()
        self.leave(name, task_id)

    def _drop(self, name: str, room: _Room) -> None:
        del self._rooms[name]
        self._look_again(room)

    def _look_again(self, room: _Room) -> None:
        """Other limits hold: what waits by those before need not wait for as long."""
        if room.alarm is not None:
            room.alarm.cancel()
            room.alarm = None
        self._tell(room)

    def _tell(self, room: _Room) -> None:
        queues, room.queues = room.queues, {}
        self._more(queues)
        # Those that are still full have been told of again by who waits on in them.
        room.queues |= queues

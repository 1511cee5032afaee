"""When what is due: timers are rows, and those of the next minute wait here.

Once here, a timer runs on a clock that nobody sets and that goes on while the machine sleeps; one
that is for a moment of the wall clock is placed anew when that clock jumps.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from services.errors import ServiceError
from services.executor.core.commands import CancelTimer, SetTimer
from services.executor.core.events import TimerKey
from services.executor.rows import Row, micros

logger = logging.getLogger(__name__)

AHEAD = timedelta(seconds=60)
# A timer of this name is for a moment of the wall clock; any other one is for a duration.
UNTIL = "until"

_REFILL_SECONDS = 30.0
_AGAIN_SECONDS = 1.0
_LONGEST_SLEEP_SECONDS = 5.0
_JUMP_MICROSECONDS = 250_000
_MICROSECOND = timedelta(microseconds=1)
_FIRED = -1.0
# Less than what is always filled ahead.
_SOON_MICROSECONDS = 20_000_000

_Key = tuple[str, str, str]

Read = Callable[[int, int], Awaitable[Sequence[Row]]]
Due = Callable[[str, TimerKey], None]


def elapsed() -> float:
    """Seconds of a clock that only goes forward; sleep of the machine counts."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def wall() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


class Timers:
    """The timers that come due within the next minute.

    One that has come due is kept in mind until it is armed or disarmed again: its row is there
    until then, and must not be read as another one.

    Args:
        read: Timer rows up to a time (microseconds), at most so many, the soonest first.
        due: Called for each timer that has come due, once.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        read: Read,
        due: Due,
        *,
        elapsed: Callable[[], float] = elapsed,
        wall: Callable[[], int] = wall,
        most: int = 20_000,
    ) -> None:
        self._loop = loop
        self._read = read
        self._due = due
        self._elapsed = elapsed
        self._wall = wall
        self._most = most
        self._offset = wall() - elapsed() * 1e6
        self._horizon = 0
        self._limited = False
        self._heap: list[tuple[float, _Key]] = []
        # When it is due, by the clock that only goes forward, and its row's time; a timer that
        # has come due has the former negative.
        self._armed: dict[_Key, tuple[float, int]] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = float("inf")
        self._wanted = asyncio.Event()
        self._open = True

    def __len__(self) -> int:
        return len(self._armed)

    def arm(self, execution_id: str, key: TimerKey, at: datetime) -> None:
        """Its row is stored. A timer of the same key is replaced."""
        self._place((execution_id, key.task_id, key.name), micros(at))

    def disarm(self, execution_id: str, key: TimerKey) -> None:
        """Its row is gone."""
        self._armed.pop((execution_id, key.task_id, key.name), None)

    def committed(
        self, execution_id: str, fired: Iterable[TimerKey], said: Iterable[SetTimer | CancelTimer]
    ) -> None:
        """The rows are as ``said``; those that have ``fired`` are gone, unless set again."""
        for key in fired:
            self.disarm(execution_id, key)
        for command in said:
            match command:
                case SetTimer():
                    self.arm(execution_id, command.key, command.at)
                case CancelTimer():
                    self.disarm(execution_id, command.key)

    async def run(self) -> None:
        """Keep the next minute filled, until :meth:`close`."""
        while self._open:
            self._wanted.clear()
            try:
                await self._refill()
                pause = _REFILL_SECONDS
            except ServiceError as error:
                logger.warning("Timers cannot be read just now: %s", error)
                pause = _AGAIN_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wanted.wait()

    def look(self) -> None:
        """Read the rows again: there is room now for some that were left out, or disarmed."""
        self._wanted.set()

    def close(self) -> None:
        """Fire nothing more."""
        self._open = False
        self._wanted.set()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _place(self, key: _Key, at: int) -> None:
        if at > self._horizon:
            # It is read from its row when its minute comes; one that it replaces must not fire.
            self._armed.pop(key, None)
            if not self._limited and at <= self._wall() + _SOON_MICROSECONDS:
                # The clock was set forward: that minute is not the next one any more.
                self._wanted.set()
            return
        when = self._elapsed() + (at - self._wall()) / 1e6
        self._armed[key] = when, at
        heapq.heappush(self._heap, (when, key))
        if when < self._alarm_at:
            self._set_alarm()

    async def _refill(self) -> None:
        before = self._horizon
        # Before the rows are read: what is stored while they are is placed on its own.
        self._horizon = max(before, self._wall() + AHEAD // _MICROSECOND)
        # Those that are here already are read again; beside them there must be room for others.
        limit = self._most + len(self._armed)
        rows = await self._read(self._horizon, limit)
        self._limited = len(rows) == limit
        if self._limited:
            self._horizon = max(before, rows[-1][3])
        for execution_id, task_id, name, at in rows:
            if (execution_id, task_id, name) not in self._armed:
                self._place((execution_id, task_id, name), at)

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._alarm_at = float("inf")
        if self._heap and self._open:
            self._alarm_at = self._heap[0][0]
            wait = min(max(self._alarm_at - self._elapsed(), 0.0), _LONGEST_SLEEP_SECONDS)
            self._alarm = self._loop.call_later(wait, self._ring)

    def _ring(self) -> None:
        now = self._elapsed()
        self._follow_wall_clock(now)
        try:
            self._fire(now)
        finally:
            # Whatever breaks at one of them, the others come.
            self._set_alarm()

    def _fire(self, now: float) -> None:
        while self._heap and self._heap[0][0] <= now:
            when, key = heapq.heappop(self._heap)
            # An entry that was replaced or disarmed stays in the heap until its time.
            armed = self._armed.get(key)
            if armed is not None and armed[0] == when:
                self._armed[key] = _FIRED, armed[1]
                self._due(key[0], TimerKey(key[1], key[2]))
        if self._limited and len(self._heap) < self._most // 2:
            self._wanted.set()

    def _follow_wall_clock(self, now: float) -> None:
        """Place what follows the wall clock anew, if that has jumped."""
        offset = self._wall() - now * 1e6
        if abs(offset - self._offset) < _JUMP_MICROSECONDS:
            return
        self._offset = offset
        for key, (when, at) in list(self._armed.items()):
            if key[2] == UNTIL and when != _FIRED:
                self._place(key, at)
        self._wanted.set()


def now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)

"""How often, within a window that moves with the clock: exact, in memory, bounded. No IO."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

MOST_BYTES = 64 << 20
_BYTES_OF_HIT = 8
_BYTES_OF_KEY = 400
_LOOKED_AT_ONCE = 4
# Who comes back when told so must not be early by the last bit of a float.
_ROUNDING_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class Window:
    """At most so many hits within any ``seconds``."""

    limit: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How a key stands in its window.

    Attributes:
        allowed: Whether one more was.
        remaining: How many more are, now.
        seconds: Until there is room for another than those, rounded up; 0 where none was taken.
    """

    allowed: bool
    remaining: int
    seconds: int


@dataclass(slots=True)
class _Hits:
    """Of one key: when, in order."""

    window: Window
    times: array[float] = field(default_factory=lambda: array("d"))


class Windows:
    """The hits of every key, the least recently used first.

    Beyond ``most_bytes`` in all, the keys that were used least recently are let off. Keys must be
    short: what they are made of is a caller's.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._hits: OrderedDict[Hashable, _Hits] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        """How many hits are held."""
        return self._count

    @property
    def bytes(self) -> int:
        """What all of it takes, roughly."""
        return _BYTES_OF_HIT * self._count + _BYTES_OF_KEY * len(self._hits)

    def take(self, asked: Sequence[tuple[Hashable, Window]], now: float) -> list[Standing]:
        """One hit of every key, or of none where one of them has no room.

        Args:
            asked: Keys, each with its window.
            now: Seconds, monotonic.
        """
        rows = [self._row(key, window, now) for key, window in asked]
        allowed = [len(row.times) < row.window.limit for row in rows]
        if all(allowed):
            for (key, _), row in zip(asked, rows, strict=True):
                row.times.append(now)
                self._hits[key] = row
            self._count += len(rows)
        self._let_go(now)
        return [_standing(row, fits, now) for row, fits in zip(rows, allowed, strict=True)]

    def _row(self, key: Hashable, window: Window, now: float) -> _Hits:
        """Of a key that was not hit, it is kept only once it is."""
        row = self._hits.get(key)
        if row is None:
            return _Hits(window)
        self._hits.move_to_end(key)
        # A window that was defined anew holds for the hits of before, too.
        row.window = window
        self._forget(row, now)
        return row

    def _forget(self, row: _Hits, now: float) -> None:
        over = bisect_right(row.times, now + _ROUNDING_SECONDS - row.window.seconds)
        if over:
            del row.times[:over]
            self._count -= over

    def _let_go(self, now: float) -> None:
        for _ in range(_LOOKED_AT_ONCE):
            if not self._hits:
                return
            key, row = next(iter(self._hits.items()))
            self._forget(row, now)
            if not row.times:
                del self._hits[key]
            elif self.bytes > self._most_bytes:
                self._count -= len(row.times)
                del self._hits[key]
            else:
                return


def _standing(row: _Hits, allowed: bool, now: float) -> Standing:
    remaining = max(0, row.window.limit - len(row.times))
    seconds = math.ceil(row.times[0] + row.window.seconds - now) if row.times else 0
    return Standing(allowed, remaining, max(seconds, 0 if allowed else 1))

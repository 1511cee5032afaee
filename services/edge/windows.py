"""How often, within a window that moves with the clock: exact, in memory, bounded. No IO."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from sys import getsizeof
from typing import Protocol

MOST_BYTES = 64 << 20
_BYTES_OF_HIT = 8
_BYTES_OF_KEY = 400
_LOOKED_AT_ONCE = 4
# In one step of those that look at all keys, for which every request waits: a millisecond or so.
WALKED_AT_ONCE = 1000
# Who comes back when told so must not be early by the last bit of a float.
_ROUNDING_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class Window:
    """At most so many hits within any ``seconds``."""

    limit: int
    seconds: float


class Name(Protocol):
    """Of whom a key is; what it says is short."""

    @property
    def key(self) -> str:
        """In words."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a key stands in its window.

    Attributes:
        allowed: Whether one more was.
        remaining: How many more are, now.
        seconds: Until there is room for another than those, rounded up; 0 where none was taken.
        first: It is the only one of its key: whose that is should be said by :meth:`Windows.tell`.
    """

    allowed: bool
    remaining: int
    seconds: int
    first: bool


@dataclass(slots=True)
class _Hits:
    """Of one key: when, in order.

    Attributes:
        refused: How many were one too many since the key is known.
        name: Whose it is, for those who look.
    """

    window: Window
    times: array[float] = field(default_factory=lambda: array("d"))
    refused: int = 0
    name: Name | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """How a key is used.

    Attributes:
        used: Of its window, now.
        first_until: Seconds, monotonic: when the first of them counts no more.
        last_until: When none of them does.
    """

    key: Hashable
    name: Name
    window: Window
    used: int
    refused: int
    first_until: float
    last_until: float


class Windows:
    """The hits of every key, the least recently used first.

    Beyond ``most_bytes`` in all, the keys that were used least recently are let off. Keys must be
    short: what they are made of is a caller's.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._hits: OrderedDict[Hashable, _Hits] = OrderedDict()
        self._count = 0
        self._names_bytes = 0

    def __len__(self) -> int:
        """How many hits are held."""
        return self._count

    @property
    def bytes(self) -> int:
        """What all of it takes, roughly."""
        rows = _BYTES_OF_KEY * len(self._hits)
        return _BYTES_OF_HIT * self._count + rows + self._names_bytes

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
        else:
            for row, fits in zip(rows, allowed, strict=True):
                row.refused += not fits
        self._let_go(now)
        return [_standing(row, fits, now) for row, fits in zip(rows, allowed, strict=True)]

    def tell(self, key: Hashable, name: Name) -> None:
        """``key`` is that of ``name``."""
        row = self._hits.get(key)
        if row is not None:
            self._names_bytes += _bytes_of(name) - _bytes_of(row.name)
            row.name = name

    def uses(self, now: float) -> Iterator[list[Use]]:
        """How every key is used that is used, in steps; others may take hits in between."""
        keys = iter(list(self._hits))
        while some := list(islice(keys, WALKED_AT_ONCE)):
            yield [use for key in some if (use := self._use(key, now))]

    def _use(self, key: Hashable, now: float) -> Use | None:
        row = self._hits.get(key)
        if row is None or row.name is None:
            return None
        self._forget(row, now)
        if not row.times:
            return None
        seconds, times = row.window.seconds, row.times
        until = times[0] + seconds, times[-1] + seconds
        return Use(key, row.name, row.window, len(times), row.refused, *until)

    def reset(self, means: Callable[[Hashable, Name], bool]) -> Iterator[int]:
        """Forget the hits of the keys that are meant, in steps: how many keys each has."""
        keys = iter(list(self._hits))
        while some := list(islice(keys, WALKED_AT_ONCE)):
            yield sum(self._reset(key, means) for key in some)

    def _reset(self, key: Hashable, means: Callable[[Hashable, Name], bool]) -> bool:
        row = self._hits.get(key)
        if row is None or row.name is None or not row.times or not means(key, row.name):
            return False
        self._drop(key, row)
        return True

    def _drop(self, key: Hashable, row: _Hits) -> None:
        self._count -= len(row.times)
        self._names_bytes -= _bytes_of(row.name)
        del self._hits[key]

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
            if row.times and self.bytes <= self._most_bytes:
                return
            self._drop(key, row)


def _standing(row: _Hits, allowed: bool, now: float) -> Standing:
    remaining = max(0, row.window.limit - len(row.times))
    seconds = math.ceil(row.times[0] + row.window.seconds - now) if row.times else 0
    first = allowed and len(row.times) == 1
    return Standing(allowed, remaining, max(seconds, 0 if allowed else 1), first)


def _bytes_of(name: Name | None) -> int:
    return getsizeof(name.key) if name else 0

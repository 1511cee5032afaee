"""Answers that are kept: by key, until their time is over, the least recently used let off. No IO.

Nothing is ever walked but what is purged, and that in steps: what has expired is dropped when it is
asked for, and when it is the least recently used as something is put in.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from sys import getsizeof
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from services.edge.call import Answer

# An answer this large a share of all would let off too many others.
_LARGEST_SHARE = 8
# Of an entry, beside its answer: objects, keys, places in tables.
_BYTES_OF_ENTRY = 1200
_BYTES_OF_HEADER = 120
_LOOKED_AT_ONCE = 4
# In one step of a purge, for which every request waits: a few milliseconds.
PURGED_AT_ONCE = 200
_MOST_SHELVES = 10_000
# That are remembered one by one: what was begun before them may still be put in.
_MOST_PURGES = 64


class Place(NamedTuple):
    """The route of an answer."""

    service_id: str
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Tag:
    """What an answer is known by to those who purge.

    Attributes:
        principal: Whose alone it is; empty: anybody's.
        written: A digest of the key as its author wrote it, with the call's values in it.
        shown: The same for those who look: short, and without secrets.
    """

    place: Place
    principal: str
    written: bytes
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Purge:
    """Which answers are meant: those that all of what is given holds for; empty: any.

    Attributes:
        places: The routes; None: all.
    """

    places: frozenset[Place] | None = None
    principal: str = ""
    written: bytes = b""

    def means(self, tag: Tag) -> bool:
        if self.places is not None and tag.place not in self.places:
            return False
        return self.principal in ("", tag.principal) and self.written in (b"", tag.written)


@dataclass(slots=True)
class Uses:
    """How often an answer was of use."""

    hits: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer.

    Attributes:
        answer: None: what this call is answered with may not be kept, and is not worth waiting
            for by others.
        execution_id: Of the execution that made it.
        begun: When that was begun: seconds, monotonic, as all times here.
        made: When it was there.
        until: When it is no longer given out.
        uses: How many calls had it.
    """

    answer: Answer | None
    execution_id: str
    tag: Tag
    begun: float
    made: float
    until: float
    uses: Uses = field(default_factory=Uses, compare=False)

    @property
    def size(self) -> int:
        """What it takes, roughly, in bytes."""
        words = getsizeof(self.tag.shown)
        if self.answer is None:
            return _BYTES_OF_ENTRY + words
        headers = sum(len(name) + len(value) for name, value in self.answer.headers)
        several = _BYTES_OF_HEADER * len(self.answer.headers)
        return _BYTES_OF_ENTRY + words + len(self.answer.body) + headers + several


@dataclass(slots=True)
class Shelf:
    """What is kept of one route, and how often it was of use.

    Attributes:
        keys: Of all entries, also of those that only say that an answer may not be kept.
        answers: How many of them are answers.
        bytes: What all of them take.
    """

    keys: set[bytes] = field(default_factory=set)
    answers: int = 0
    bytes: int = 0
    hits: int = 0
    misses: int = 0
    collapsed: int = 0
    bypassed: int = 0


class Cache:
    """All kept answers, the least recently used first.

    Args:
        most_bytes: In all; 0: nothing is kept.

    Attributes:
        bytes: What is kept takes, roughly.
        let_off: How many were dropped before their time, to make room.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self.let_off = 0
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()
        self._shelves: dict[Place, Shelf] = {}
        # With when each was; of those before them it is only known when the last one was.
        self._purges: deque[tuple[float, Purge]] = deque()
        self._purged_at = float("-inf")

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def shelves(self) -> Mapping[Place, Shelf]:
        """By route."""
        return self._shelves

    def shelf(self, place: Place) -> Shelf:
        """Of a route; a new one for one that was not heard of."""
        known = self._shelves.get(place)
        if known is None:
            if len(self._shelves) >= _MOST_SHELVES:
                self._shelves = {each: one for each, one in self._shelves.items() if one.keys}
            known = self._shelves[place] = Shelf()
        return known

    def find(self, key: bytes, now: float) -> Kept | None:
        """What is kept under ``key``; the caller looks whether its time is over by ``now``.

        What is over is dropped, so that it is seen once.
        """
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= now:
            self._drop(key)
        else:
            self._kept.move_to_end(key)
        return kept

    def look(self, key: bytes, now: float) -> Kept | None:
        """The answer under ``key``, if there is one whose time is not over; nothing changes."""
        kept = self._kept.get(key)
        if kept is None or kept.answer is None or kept.until <= now:
            return None
        return kept

    def page(
        self, place: Place, after: bytes, most: int, principal: str, now: float
    ) -> list[tuple[bytes, Kept]]:
        """At most so many answers of a route, by their keys: those that come after one.

        Args:
            principal: Whose alone they are; empty: anybody's.
        """
        shelf = self._shelves.get(place)
        found = (
            (key, kept)
            for key in (shelf.keys if shelf else ())
            if key > after
            and (kept := self.look(key, now))
            and principal in ("", kept.tag.principal)
        )
        return nsmallest(most, found, key=lambda each: each[0])

    def put(self, key: bytes, kept: Kept, now: float) -> bool:
        """Keep it, if it fits and nothing speaks against it: whether it is kept.

        What was begun before a purge that means it is not kept, nor what was begun before that
        which is there.
        """
        size = kept.size
        there = self._kept.get(key)
        newer = there is not None and there.until > now and there.begun > kept.begun
        too_large = size * _LARGEST_SHARE > self.most_bytes
        if too_large or newer or kept.until <= now or self._is_purged(kept):
            return False
        self._drop(key)
        self._kept[key] = kept
        self.bytes += size
        shelf = self.shelf(kept.tag.place)
        shelf.keys.add(key)
        shelf.answers += kept.answer is not None
        shelf.bytes += size
        self._make_room(now)
        return True

    def purge(self, purge: Purge, now: float) -> Iterator[int]:
        """Drop the answers that are meant, in steps, each of which gives how many it has dropped.

        From now on, none is kept that is meant and being made now. Others may be put and found in
        between.
        """
        self._purges.append((now, purge))
        if len(self._purges) > _MOST_PURGES:
            self._purged_at, _ = self._purges.popleft()
        places = self._shelves if purge.places is None else purge.places
        shelves = [shelf for place in places if (shelf := self._shelves.get(place))]
        return self._purged([key for shelf in shelves for key in shelf.keys], purge, now)

    def _is_purged(self, kept: Kept) -> bool:
        if kept.begun <= self._purged_at:
            return True
        return any(kept.begun <= at and purge.means(kept.tag) for at, purge in self._purges)

    def _purged(self, keys: list[bytes], purge: Purge, now: float) -> Iterator[int]:
        for first in range(0, len(keys), PURGED_AT_ONCE):
            some = keys[first : first + PURGED_AT_ONCE]
            yield sum(self._drop_if_meant(key, purge, now) for key in some)

    def _drop_if_meant(self, key: bytes, purge: Purge, now: float) -> bool:
        """Whether it was an answer, and is dropped; one that was begun since stays."""
        kept = self._kept.get(key)
        if kept is None or kept.begun > now or not purge.means(kept.tag):
            return False
        self._drop(key)
        return kept.answer is not None

    def _make_room(self, now: float) -> None:
        for _ in range(_LOOKED_AT_ONCE):
            oldest = next(iter(self._kept))
            if self._kept[oldest].until > now:
                break
            self._drop(oldest)
        while self.bytes > self.most_bytes:
            self._drop(next(iter(self._kept)))
            self.let_off += 1

    def _drop(self, key: bytes) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        size = kept.size
        self.bytes -= size
        shelf = self._shelves[kept.tag.place]
        shelf.keys.discard(key)
        shelf.answers -= kept.answer is not None
        shelf.bytes -= size

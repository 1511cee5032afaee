"""The last entries of this process's log, in bounded memory, for those who watch it.

Whoever logs, in any thread, pays for an append; whoever watches holds a place in it and no entries.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

MOST_ENTRIES = 5_000
MOST_BYTES = 8 << 20
# Of one that is longer, its parts are cut.
LONG_ENTRY_CHARS = 1 << 16
_MOST_PART_CHARS = 1 << 14
# Of an entry, beside its text.
_BYTES_OF_ENTRY = 200
_OURS = ("time", "level", "service", "logger", "message", "request_id", "execution_id")


class Entry(NamedTuple):
    """One line of the log.

    Attributes:
        sequence: Counts the entries of this process, from 0.
        level: As logging numbers it.
        line: A JSON object, all ASCII.
    """

    sequence: int
    level: int
    line: str


class Some(NamedTuple):
    """Entries one after the other, and how many are gone that stood before them."""

    entries: list[Entry]
    dropped: int
    next: int


class LogRing:
    """The newest entries; the oldest is let go when there are too many, or they take too much.

    Attributes:
        process: A name of this process.
        closed: Nobody watches any more: what is there is told, and that is all.
    """

    def __init__(self, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES) -> None:
        self.process = secrets.token_hex(8)
        self.closed = False
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        # What is collected as garbage while it is held may log, too: in the same thread.
        self._lock = threading.RLock()
        self._kept: deque[tuple[int, str]] = deque()
        self._first = 0
        self._bytes = 0
        self._watchers: set[News] = set()

    @property
    def first(self) -> int:
        """The sequence of the oldest entry that is kept; so many were let go."""
        return self._first

    @property
    def next(self) -> int:
        """The sequence of the entry that comes next."""
        with self._lock:
            return self._first + len(self._kept)

    @property
    def bytes(self) -> int:
        """What all of it takes, roughly."""
        return self._bytes

    def append(self, level: int, line: str) -> None:
        """Keep ``line``, a JSON object; tell those who watch. In any thread."""
        if len(line) > LONG_ENTRY_CHARS:
            line = shortened(line)
        with self._lock:
            # Its place is its number: whoever comes in between, has the place before.
            self._kept.append((level, line))
            self._bytes += len(line) + _BYTES_OF_ENTRY
            while len(self._kept) > self._most_entries or self._bytes > self._most_bytes:
                self._bytes -= len(self._kept.popleft()[1]) + _BYTES_OF_ENTRY
                self._first += 1
            if self._watchers:
                self._tell()

    def read(self, sequence: int, most: int, most_chars: int = MOST_BYTES) -> Some:
        """Entries from ``sequence`` on, or from the oldest that is kept.

        Args:
            most: How many at most.
            most_chars: Of their text in all; the one that goes beyond is the last.
        """
        with self._lock:
            begin = max(sequence, self._first)
            index = begin - self._first
            found = list(islice(self._kept, index, index + most))
        entries: list[Entry] = []
        for number, (level, line) in enumerate(found, begin):
            entries.append(Entry(number, level, line))
            most_chars -= len(line)
            if most_chars < 0:
                break
        return Some(entries, begin - sequence, begin + len(entries))

    @contextmanager
    def watched(self) -> Generator[News]:
        """What tells, within the block, that there may be more."""
        news = News(asyncio.get_running_loop())
        with self._lock:
            self._watchers.add(news)
        try:
            yield news
        finally:
            with self._lock:
                self._watchers.discard(news)

    def close(self) -> None:
        """Have every watch end."""
        with self._lock:
            self.closed = True
            self._tell()

    def _tell(self) -> None:
        for news in self._watchers:
            news.tell()


class News:
    """That something was logged, told to one loop by any thread; once, until it was heard."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()
        self._told = False

    def tell(self) -> None:
        if not self._told:
            self._told = True
            self._loop.call_soon_threadsafe(self._event.set)

    def hear(self) -> None:
        """From here on it is told again; whoever looks after this misses nothing."""
        self._event.clear()
        self._told = False

    async def wait(self) -> None:
        await self._event.wait()


def shortened(line: str) -> str:
    """A JSON object with each of its values cut to what may stay of it."""
    fields = {name: _cut(value) for name, value in json.loads(line).items()}
    short = json.dumps(fields)
    if len(short) <= 2 * LONG_ENTRY_CHARS:
        return short
    # Many fields, or characters that take six each: what is ours is enough to find it by.
    return json.dumps({name: fields[name] for name in _OURS if name in fields})


def _cut(value: object) -> object:
    text = value if isinstance(value, str) else json.dumps(value)
    return value if len(text) <= _MOST_PART_CHARS else f"{text[:_MOST_PART_CHARS]}…"

"""Whose turn it is: of those who wait, every group gets as much time as any other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Line(Generic[T]):
    """One group's items, the oldest first, and the seconds that it has had."""

    spent: float
    waiting: deque[T] = field(default_factory=deque)
    under_way: int = 0


class Turns(Generic[T]):
    """Items that wait, in a line for each group; the line that has had the least time is next.

    A line that was empty begins level with the others: time that it did not use is not saved up.

    Args:
        most_seconds: What an item is taken to need until it has ended, so that a group whose
            items take long does not have all places before it is known.
    """

    def __init__(self, most_seconds: float) -> None:
        self._most_seconds = most_seconds
        self._lines: dict[str, _Line[T]] = {}
        self._level = 0.0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, group: str, item: T, *, first: bool = False) -> None:
        """Let ``item`` wait, behind all others of its group or before them."""
        line = self._lines.get(group)
        if line is None:
            line = self._lines[group] = _Line(self._level)
        if not line.waiting:
            line.spent = max(line.spent, self._level)
        if first:
            line.waiting.appendleft(item)
        else:
            line.waiting.append(item)
        self._count += 1

    def take(self) -> T | None:
        """The next item; None where nothing waits. :meth:`end` must follow."""
        if not self._count:
            return None
        waiting = (line for line in self._lines.values() if line.waiting)
        line = min(waiting, key=lambda line: line.spent)
        self._level = max(self._level, line.spent)
        line.spent += self._most_seconds
        line.under_way += 1
        self._count -= 1
        return line.waiting.popleft()

    def end(self, group: str, seconds: float) -> None:
        """An item that was taken has ended; it took ``seconds``."""
        line = self._lines[group]
        line.spent += seconds - self._most_seconds
        line.under_way -= 1
        self._tidy(group)

    def oldest(self, group: str) -> T | None:
        """The first in the group's line."""
        line = self._lines.get(group)
        return line.waiting[0] if line is not None and line.waiting else None

    def shed(self, over: Callable[[T], bool]) -> Iterator[T]:
        """Take out whoever is first in a line and ``over``, until no line has one."""
        for group, line in list(self._lines.items()):
            while line.waiting and over(line.waiting[0]):
                self._count -= 1
                yield line.waiting.popleft()
            self._tidy(group)

    def _tidy(self, group: str) -> None:
        line = self._lines.get(group)
        if line is not None and not line.waiting and not line.under_way:
            del self._lines[group]

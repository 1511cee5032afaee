"""Few enough refusals, however many there are: each once a minute, and not too many. No IO."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

REPEAT_SECONDS = 60.0
MOST_A_MINUTE = 120
_REMEMBERED = 1_000


@dataclass(slots=True)
class _Known:
    told: float
    since: int = 0


class Refusals:
    """Which refusals are worth an entry.

    Args:
        most: So many different ones in a minute; of those beyond it only their number is told.
    """

    def __init__(self, most: int = MOST_A_MINUTE) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, _Known] = OrderedDict()
        self._minute = 0.0
        self._in_minute = 0
        self._beyond = 0

    def count(self, what: Hashable, now: float) -> int:
        """How many of ``what`` an entry of now stands for; 0: none is to be written.

        Args:
            now: Seconds, monotonic.
        """
        known = self._known.get(what)
        if known is not None and now - known.told < REPEAT_SECONDS:
            known.since += 1
            return 0
        if not self._has_room(now):
            self._beyond += 1
            return 0
        count = 1 + (known.since if known else 0)
        self._known[what] = _Known(now)
        self._known.move_to_end(what)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return count

    def _has_room(self, now: float) -> bool:
        if now - self._minute >= REPEAT_SECONDS:
            self._minute, self._in_minute = now, 0
        self._in_minute += 1
        return self._in_minute <= self._most

    def take_beyond(self) -> int:
        """How many were not told since this was last asked, for there were too many."""
        beyond, self._beyond = self._beyond, 0
        return beyond

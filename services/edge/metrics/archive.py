"""All that was counted but the minute of now; belongs to one thread. No IO."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from services.edge.metrics.counter import Counter
from services.edge.metrics.history import OTHER, History, Key, Query, Rows, Series

Place = tuple[str, str, str]
"""Service, method and path of a route."""
Totals = Mapping[Place, Counter]

_MOST_PLACES = 10_000


class Archive:
    """The minutes of a day, of which some are not on disk yet; and totals since the beginning.

    Args:
        most: Rows of the day's minutes; see :class:`History`.
    """

    def __init__(self, most: int) -> None:
        self._history = History(most)
        self._totals: dict[Place, Counter] = {}
        self._unsaved: set[int] = set()

    def close(self, minute: int, counted: Mapping[Series, Counter], newest: int) -> None:
        """Hold what was counted in ``minute``; ``newest`` is the minute that begins now."""
        if counted:
            self._history.add(minute, counted)
            self._unsaved.add(minute)
        _add_up(self._totals, counted)
        self._unsaved |= self._history.bound(newest)

    def adopt(self, minutes: Mapping[int, Mapping[Series, str]], newest: int) -> None:
        """Hold what was kept, too."""
        for minute, rows in minutes.items():
            if self._history.rows(minute):
                self._unsaved.add(minute)
            for series, text in rows.items():
                self._history.add_text(minute, series, text)
        self._unsaved |= self._history.bound(newest)

    def unsaved(self) -> dict[int, Rows]:
        """Minutes that are not on disk as they are; empty: nothing of it is held any more."""
        return {minute: dict(self._history.rows(minute)) for minute in self._unsaved}

    def saved(self, minutes: Iterable[int]) -> None:
        """Take note that those are on disk."""
        self._unsaved.difference_update(minutes)

    def sums(
        self, query: Query, now: Iterable[tuple[int, Series, Counter]] = ()
    ) -> dict[Key, Counter]:
        """As :meth:`History.sums`."""
        return self._history.sums(query, now)

    def totals_with(self, now: Mapping[Series, Counter]) -> dict[Place, Counter]:
        """Since the beginning, with what is not held yet; keys are not told apart."""
        totals = {place: counter.copy() for place, counter in self._totals.items()}
        _add_up(totals, now)
        return totals


def _add_up(totals: dict[Place, Counter], counted: Mapping[Series, Counter]) -> None:
    for (service, method, path, _), counter in counted.items():
        place = (service, method, path)
        if place not in totals and len(totals) >= _MOST_PLACES:
            # Of routes that were deleted, say, and made anew under other names.
            place = ("", "", OTHER)
        totals.setdefault(place, Counter()).merge(counter)

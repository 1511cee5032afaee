"""The minutes of a day: what is held of each, in bounded memory, and sums over them. No IO."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from sys import intern

from services.edge.metrics.counter import Counter

MINUTES = 24 * 60
_HOUR = 60

Series = tuple[str, str, str, str]
"""Service, method and path of the route, and the principal: what is counted apart. All of them are
empty for what found no route; the principal is for who has proved nothing."""

UNROUTED: Series = ("", "", "", "")
OTHER = "other"
"""Stands for the principals, or the paths, that were too many to be told apart."""

Rows = dict[Series, str]
Uses = dict[tuple[str, str], float]
"""When keys were last used, by auth and name of the key: seconds since 1970."""
Key = tuple[str, ...] | int
"""What a sum is of: a minute, or as many words as the grouping has."""


def without_principal(series: Series) -> Series:
    """That of all keys of the route together."""
    service, method, path, principal = series
    return (service, method, path, OTHER if principal else "")


def _without_route(series: Series) -> Series:
    service, _, path, principal = series
    return (service, "", OTHER if path else "", OTHER if principal else "")


_FOLDS = (without_principal, _without_route)


@dataclass(frozen=True, slots=True)
class Query:
    """Which requests are meant, and what is told apart of them.

    Attributes:
        first, last: Minutes since 1970, both included.
        service, method, path, principal: Only those of it; None: of any.
        services: Only those of one of them; None: of any, and those that found no route.
        by: ``minute``, ``service``, ``route`` or ``key``; empty: nothing is told apart.
    """

    first: int
    last: int
    service: str | None = None
    method: str | None = None
    path: str | None = None
    principal: str | None = None
    by: str = ""
    services: frozenset[str] | None = None

    @property
    def whole(self) -> bool:
        """Whether all requests of its minutes are meant."""
        wanted = (self.service, self.method, self.path, self.principal, self.services)
        return all(each is None for each in wanted)

    def takes(self, series: Series) -> bool:
        """Whether that series is meant."""
        if self.services is not None and series[0] not in self.services:
            return False
        wanted = (self.service, self.method, self.path, self.principal)
        return all(word is None or word == is_ for word, is_ in zip(wanted, series, strict=True))

    def key(self, minute: int, series: Series) -> Key:
        """The sum that it is part of."""
        match self.by:
            case "minute":
                return minute
            case "service":
                return series[:1]
            case "route":
                return series[:3]
            case "key":
                return series[3:]
        return ()


class History:
    """What was counted in each of the last :data:`MINUTES`.

    Args:
        most: Rows (of one series in one minute) in all. Beyond, the oldest minutes tell no keys
            apart any more, then no routes, and in the end are let go; those of the last hour only
            where all before them tell neither.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._minutes: dict[int, Rows] = {}
        self._folded: dict[int, int] = {}
        self._count = 0
        # Made when they are first asked for, and again once something of theirs has changed.
        self._totals: dict[int, str] = {}
        self._hours: dict[int, Rows] = {}

    def __len__(self) -> int:
        """How many rows are held."""
        return self._count

    def rows(self, minute: int) -> Mapping[Series, str]:
        """What is held of a minute."""
        return self._minutes.get(minute, {})

    def add(self, minute: int, counted: Mapping[Series, Counter]) -> None:
        """Hold ``counted`` beside what is held of that minute already."""
        for series, counter in counted.items():
            self.add_text(minute, series, counter.text())

    def add_text(self, minute: int, series: Series, text: str) -> None:
        """Hold one row, as :meth:`Counter.text` writes it."""
        self._forget_sums(minute)
        rows = self._minutes.setdefault(minute, {})
        known = rows.get(series)
        if known is None:
            self._count += 1
            # The same few words in every minute.
            service, method, path, principal = map(intern, series)
            rows[service, method, path, principal] = text
        else:
            rows[series] = _added(known, text)

    def bound(self, newest: int) -> set[int]:
        """Let go of what is too old, not yet or too much: the minutes of which less is held now."""
        # Of a clock that was far ahead nothing is kept: it would be told, and take its room, for
        # as long as it takes until then.
        held = range(newest - MINUTES + 1, newest + _HOUR + 1)
        changed = {minute for minute in self._minutes if minute not in held}
        for minute in changed:
            self._let_go(minute)
        for minute, level in self._foldable(newest):
            if self._count <= self._most:
                break
            if self._folded.get(minute, 0) < level and self._fold(minute, level):
                changed.add(minute)
        return changed

    def _foldable(self, newest: int) -> Iterator[tuple[int, int]]:
        """What to fold, and how far, until there is room: the least missed first."""
        every = sorted(self._minutes)
        # The last hour is what is asked for most: many routes must not leave it without keys.
        before = [minute for minute in every if minute < newest - _HOUR]
        for minutes, levels in ((before, (1, 2)), (every, (1, 2, 3))):
            yield from ((minute, level) for level in levels for minute in minutes)

    def _forget_sums(self, minute: int) -> None:
        self._totals.pop(minute, None)
        self._hours.pop(minute // _HOUR, None)

    def _let_go(self, minute: int) -> None:
        self._forget_sums(minute)
        self._count -= len(self._minutes.pop(minute))
        self._folded.pop(minute, None)

    def _fold(self, minute: int, level: int) -> bool:
        """Whether less is held of the minute so; if not, it stays as it is."""
        if level > len(_FOLDS):
            self._let_go(minute)
            return True
        self._forget_sums(minute)
        rows, fold = self._minutes[minute], _FOLDS[level - 1]
        self._folded[minute] = level
        if len(set(map(fold, rows))) == len(rows):
            return False
        counters: dict[Series, Counter] = {}
        for series, text in rows.items():
            counters.setdefault(fold(series), Counter()).merge_text(text)
        self._minutes[minute] = {series: counter.text() for series, counter in counters.items()}
        self._count += len(counters) - len(rows)
        return True

    def sums(
        self, query: Query, now: Iterable[tuple[int, Series, Counter]] = ()
    ) -> dict[Key, Counter]:
        """The sums that ``query`` asks for; ``now`` is what is not held yet."""
        found: dict[Key, Counter] = {}
        for minute, series, text in self._chosen(query):
            found.setdefault(query.key(minute, series), Counter()).merge_text(text)
        for minute, series, counter in now:
            if query.first <= minute <= query.last and query.takes(series):
                found.setdefault(query.key(minute, series), Counter()).merge(counter)
        return found

    def _chosen(self, query: Query) -> Iterator[tuple[int, Series, str]]:
        if query.whole and query.by in ("minute", ""):
            for minute in self._minutes:
                if query.first <= minute <= query.last:
                    yield minute, UNROUTED, self._total(minute)
            return
        for minute, rows in self._rows_of(query):
            for series, text in rows.items():
                if query.takes(series):
                    yield minute, series, text

    def _rows_of(self, query: Query) -> Iterator[tuple[int, Rows]]:
        """All rows of its time; whole hours as one where minutes are not told apart."""
        hours = set[int]()
        for minute, rows in self._minutes.items():
            if not query.first <= minute <= query.last:
                continue
            hour = minute // _HOUR
            within = query.first <= hour * _HOUR and hour * _HOUR + _HOUR - 1 <= query.last
            if query.by == "minute" or not within:
                yield minute, rows
            elif hour not in hours:
                hours.add(hour)
                yield minute, self._hour(hour)

    def _total(self, minute: int) -> str:
        known = self._totals.get(minute)
        if known is None:
            known = self._totals[minute] = _added(*self._minutes[minute].values())
        return known

    def _hour(self, hour: int) -> Rows:
        known = self._hours.get(hour)
        if known is None:
            known = self._hours[hour] = self._summed(hour)
        return known

    def _summed(self, hour: int) -> Rows:
        counters: dict[Series, Counter] = {}
        for minute in range(hour * _HOUR, hour * _HOUR + _HOUR):
            for series, text in self._minutes.get(minute, {}).items():
                counters.setdefault(series, Counter()).merge_text(text)
        return {series: counter.text() for series, counter in counters.items()}


def _added(*texts: str) -> str:
    counter = Counter()
    for text in texts:
        counter.merge_text(text)
    return counter.text()


def total(sums: Mapping[Key, Counter]) -> Counter:
    """All of them together."""
    whole = Counter()
    for counter in sums.values():
        whole.merge(counter)
    return whole

"""Cron expressions: what they may say, and when they next come (pure).

Five fields (minute, hour, day of month, month, day of week) are read as Unix cron reads them, six
(the second first) as Spring does. Days of the week are 0 to 7, Sunday being 0 and 7, or names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from cronsim import CronSimError

from services.cron_days import Ticks

LONGEST = 200
_MACROS = {
    "@YEARLY": "0 0 0 1 1 *",
    "@ANNUALLY": "0 0 0 1 1 *",
    "@MONTHLY": "0 0 0 1 * *",
    "@WEEKLY": "0 0 0 * * 0",
    "@DAILY": "0 0 0 * * *",
    "@MIDNIGHT": "0 0 0 * * *",
    "@HOURLY": "0 0 * * * *",
}
_FIELDS = ("second", "minute", "hour", "day of the month", "month", "day of the week")
_LOWEST = (0, 0, 0, 1, 1, 0)
_HIGHEST = (59, 59, 23, 31, 12, 6)
_HOUR, _DAY, _MONTH, _WEEKDAY = 2, 3, 4, 5
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_NAMES = {
    _MONTH: {name: str(number) for number, name in enumerate(_MONTHS, 1)},
    _WEEKDAY: {name: str(number) for number, name in enumerate(_DAYS)},
}
_WORD = re.compile(r"[A-Z]{3}")
_RANGE = re.compile(r"([0-9]{1,2})-([0-9]{1,2})(?:/([0-9]{1,3}))?", re.ASCII)
# Whether an expression ever comes is looked for from here: no clock is needed to say so.
_ANY_MOMENT = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cron:
    """When something is to be done, over and over; get one from :func:`parse`.

    Attributes:
        text: As it was written.
        fields: Six, as :class:`Ticks` reads them.
        both: Day of the month and day of the week must match; else one of them is enough, where
            neither is ``*``.
    """

    text: str
    fields: tuple[str, ...]
    both: bool

    def following(self, after: datetime, zone: tzinfo) -> Iterator[datetime]:
        """Its moments after ``after`` (aware), UTC, rising.

        Where its hour begins with ``*``, it comes whenever a clock on the wall shows its time:
        twice in the hour that is repeated when summer time ends. Else it comes once a day's time:
        in a repeated hour the first time, and of an hour that is left out right after the gap.
        """
        last = after.astimezone(UTC)
        for moment in self._moments(last, zone):
            if moment > last:
                last = moment
                yield moment

    def next(self, after: datetime, zone: tzinfo) -> datetime | None:
        """The first of :meth:`following`; None: it never comes again."""
        return next(self.following(after, zone), None)

    def _moments(self, after: datetime, zone: tzinfo) -> Iterator[datetime]:
        local = after.astimezone(zone)
        if self.fields[_HOUR].startswith("*"):
            yield from (shown.astimezone(UTC) for shown in self._ticks(local))
            return
        for wall in self._ticks(local.replace(tzinfo=UTC)):
            yield _moment(wall.replace(tzinfo=zone, fold=0))

    def _ticks(self, after: datetime) -> Iterator[datetime]:
        try:
            yield from Ticks(self.fields, self.both, after)
        except (CronSimError, OverflowError, ValueError):
            # No month has that day, or the calendar ends.
            return


def _moment(shown: datetime) -> datetime:
    """When a clock first shows that, UTC; what none ever shows comes right after the gap."""
    moment = shown.astimezone(UTC)
    if moment.astimezone(shown.tzinfo).replace(tzinfo=None) == shown.replace(tzinfo=None):
        return moment
    # The clock goes forward somewhere before it: found by halves, to the second.
    early, late = shown.replace(fold=1).astimezone(UTC), moment
    offset = early.astimezone(shown.tzinfo).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        if middle.astimezone(shown.tzinfo).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return late


def parse(text: str) -> Cron:
    """What ``text`` says.

    Raises:
        ValueError: It is no expression, or one that never comes; says why.
    """
    if len(text) > LONGEST:
        raise ValueError(f"has more than {LONGEST} characters")
    written = text.strip().upper()
    fields = _MACROS.get(written, written).split()
    if len(fields) not in (5, 6):
        raise ValueError(_wrong_count(written, len(fields)))
    both = len(fields) == 6
    if not both:
        fields.insert(0, "0")
    cron = Cron(text, tuple(_field(place, field) for place, field in enumerate(fields)), both)
    if cron.next(_ANY_MOMENT, UTC) is None:
        raise ValueError("never comes: there is no such day")
    return cron


def _wrong_count(written: str, count: int) -> str:
    if written.startswith("@"):
        return f"is none of {', '.join(name.lower() for name in _MACROS)}"
    wants = "must have six fields (second minute hour day month weekday), or five without seconds"
    if count == 7:
        return f"{wants}; a year is given by scheduleStartTime and scheduleEndTime"
    return f"{wants}, not {count}"


def _field(place: int, written: str) -> str:
    """One field as :class:`Ticks` reads it: numbers for names, lists for ranges over the end."""
    if written == "?" and place in (_DAY, _WEEKDAY):
        return "*"
    names = _NAMES.get(place, {})
    numbered = _WORD.sub(lambda word: names.get(word[0], word[0]), written)
    field = ",".join(_over_the_end(place, term) for term in numbered.split(","))
    probe = ["*"] * 6
    probe[place] = field
    try:
        Ticks(tuple(probe), True, _ANY_MOMENT)
    except (CronSimError, ValueError):
        raise ValueError(f"has no {_FIELDS[place]} {written!r}{_hint(place)}") from None
    return field


def _over_the_end(place: int, term: str) -> str:
    """``22-2`` as ``22,23,0,1,2``; anything else as it is."""
    range_ = _RANGE.fullmatch(term)
    if range_ is None:
        return term
    first, last, step = int(range_[1]), int(range_[2]), int(range_[3] or 1)
    low, high = _LOWEST[place], _HIGHEST[place]
    if last >= first or not (low <= last and first <= high and step):
        return term
    around = [*range(first, high + 1), *range(low, last + 1)]
    return ",".join(map(str, around[::step]))


def _hint(place: int) -> str:
    match place:
        case 3:
            return (
                "; there are 1-31, ranges, steps, L (the last), L-3 (three before it), "
                "15W (the weekday nearest to it) and LW (the last weekday)"
            )
        case 5:
            return "; there are 0-7 or SUN-SAT, ranges, steps, 5L or FRIL (the last), FRI#2"
    return ""

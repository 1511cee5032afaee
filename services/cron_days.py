"""Days of the month that a month's length or a weekday decides: ``L-3``, ``15W``, ``L-2W`` (pure).

cronsim knows ``L`` and ``LW`` only; the rest of the calendar stays its own.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime

from cronsim import CronSim

_TERM = re.compile(r"(?:L-(?P<before>[0-9]{1,2})|(?P<day>[0-9]{1,2}))(?P<near>W)?", re.ASCII)
_MOST_BEFORE = 30


@dataclass(frozen=True, slots=True)
class Day:
    """One day of each month that has it.

    Attributes:
        number: 1 to 31; counted from the month's last day, which is 0, where ``from_end``.
        near: The weekday (Monday to Friday) nearest to it in its month.
    """

    number: int
    from_end: bool
    near: bool

    @classmethod
    def of(cls, term: str) -> Day | None:
        """None: the term is no such day, or one that cronsim reads."""
        found = _TERM.fullmatch(term)
        if found is None or not (found["before"] or found["near"]):
            return None
        number, from_end = int(found["before"] or found["day"]), found["before"] is not None
        lowest, highest = (0, _MOST_BEFORE) if from_end else (1, 31)
        return cls(number, from_end, bool(found["near"])) if lowest <= number <= highest else None

    def within(self, year: int, month: int) -> int | None:
        """The day that it is in a month; None: the month has none."""
        first_weekday, last = calendar.monthrange(year, month)
        day = last - self.number if self.from_end else self.number
        if not 1 <= day <= last:
            return None
        return _weekday_near(day, (first_weekday + day - 1) % 7, last) if self.near else day


def _weekday_near(day: int, weekday: int, last: int) -> int:
    """As Quartz and Spring have it: the month is not left."""
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < last else day - 2
    return day


class Ticks(CronSim):
    """cronsim's moments, with such days among the days of the month.

    Args:
        fields: Six.
        both: Day of the month and day of the week must match.
    """

    def __init__(self, fields: tuple[str, ...], both: bool, after: datetime) -> None:
        terms = fields[3].split(",")
        self._days = [day for term in terms if (day := Day.of(term)) is not None]
        known = [term for term in terms if Day.of(term) is None]
        # A day in place of none: cronsim wants one.
        super().__init__(" ".join((*fields[:3], ",".join(known) or "1", *fields[4:])), after)
        if not known:
            self.days = set()
        if both:
            self.day_and = True

    def match_dom(self, d: date) -> bool:
        """Whether that is one of the days of the month."""
        return super().match_dom(d) or any(
            each.within(d.year, d.month) == d.day for each in self._days
        )

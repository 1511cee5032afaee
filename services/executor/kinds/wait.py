"""WAIT: for a while, until a moment, or until somebody outside ends it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from math import inf

from services.executor.core.kind import Finished, Kind, Next, View, Waiting, unusable
from services.executor.core.model import Json
from services.executor.core.policy import bounded
from services.zones import zone

_LONGEST_TEXT = 200
_PART = re.compile(r"(\d{1,9})\s*([a-z]+)\s*", re.ASCII)
# Seconds in each, in the order in which they may stand.
_UNITS = (
    (86_400, ("days", "day", "d")),
    (3_600, ("hours", "hour", "hrs", "hr", "h")),
    (60, ("minutes", "minute", "mins", "min", "m")),
    (1, ("seconds", "second", "secs", "sec", "s")),
)
_SECONDS = {word: seconds for seconds, words in _UNITS for word in words}
_UNTIL = re.compile(r"(\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2})(?: (\S+))?)?\Z", re.ASCII)
_DONE = "done"
# A timer of this name follows the wall clock when that is set.
_AT = "until"


class Wait(Kind):
    """``duration`` (``2 days 3 hours``, ``10s``) or ``until`` (``2027-01-31 18:00 CET``)."""

    def begin(self, view: View) -> Next:
        duration, until = view.input.get("duration"), view.input.get("until")
        if _is_given(duration) and _is_given(until):
            return unusable("Both 'duration' and 'until' specified. Please provide only one input")
        try:
            if _is_given(duration):
                return _waiting(_DONE, view.now + _parsed_duration(duration))
            return _waiting(_AT, _parsed_moment(until)) if _is_given(until) else Waiting()
        except ValueError as error:
            return unusable(str(error))

    def fired(self, view: View, timer: str) -> Next:
        return Finished()


def _is_given(value: Json) -> bool:
    """Whether it says anything: a duration of 0 does."""
    return value is not None and value != ""


def _waiting(timer: str, due: datetime) -> Waiting:
    return Waiting(timers=((timer, due),), next_at=due)


def _parsed_duration(value: Json) -> timedelta:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return bounded(value)
    seconds = _seconds(value) if isinstance(value, str) else None
    if seconds is None:
        raise ValueError(
            f"Invalid wait duration.  Provided: {value}; expected one like '2 hours 30 minutes'"
        )
    return bounded(seconds)


def _seconds(value: str) -> int | None:
    """What ``2 days 3h`` comes to; None: it is no duration."""
    if len(value) > _LONGEST_TEXT:
        return None
    # Part by part: one pattern for all would take for ever on long blanks.
    text, position, total, last = value.strip().lower(), 0, 0, inf
    while part := _PART.match(text, position):
        unit = _SECONDS.get(part[2])
        if unit is None or unit >= last:
            return None
        total += int(part[1]) * unit
        position, last = part.end(), unit
    return total if 0 < position == len(text) else None


def _parsed_moment(value: Json) -> datetime:
    refusal = ValueError(
        f"Invalid/Unsupported Wait Until format.  Provided: {value}; expected one like "
        "'2027-01-31 18:00 Europe/Berlin'"
    )
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise refusal
    text = value.strip()
    parts = _UNTIL.match(text)
    try:
        if parts is None:
            moment = datetime.fromisoformat(text)
            # What is beyond the calendar's end in UTC is refused, too.
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        local = datetime.fromisoformat(f"{parts[1]} {parts[2] or '00:00'}")
        return local.replace(tzinfo=zone(parts[3] or "UTC")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise refusal from None

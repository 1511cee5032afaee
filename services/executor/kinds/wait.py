"""WAIT: for a while, until a moment, or until somebody outside ends it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.executor.core.kind import Finished, Kind, Next, View, Waiting, unusable
from services.executor.core.model import Json
from services.executor.core.policy import bounded

_DURATION = re.compile(
    r"\s*(?:(\d{1,9})\s*(?:days?|d))?"
    r"\s*(?:(\d{1,9})\s*(?:hours?|hrs?|h))?"
    r"\s*(?:(\d{1,9})\s*(?:minutes?|mins?|m))?"
    r"\s*(?:(\d{1,9})\s*(?:seconds?|secs?|s))?\s*\Z",
    re.IGNORECASE | re.ASCII,
)
_UNTIL = re.compile(r"(\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2})(?: (\S+))?)?\Z", re.ASCII)
_OFFSET = re.compile(r"(?:GMT|UTC)?([+-])(\d{2}):?(\d{2})\Z", re.ASCII)
_DONE = "done"
# A timer of this name follows the wall clock when that is set.
_AT = "until"


class Wait(Kind):
    """``duration`` (``2 days 3 hours``, ``10s``) or ``until`` (``2027-01-31 18:00 CET``)."""

    def begin(self, view: View) -> Next:
        duration, until = view.input.get("duration"), view.input.get("until")
        if duration and until:
            return unusable("Both 'duration' and 'until' specified. Please provide only one input")
        if not duration and not until:
            return Waiting()
        try:
            due = view.now + _parsed_duration(duration) if duration else _parsed_moment(until)
        except ValueError as error:
            return unusable(str(error))
        return Waiting(timers=((_DONE if duration else _AT, due),), next_at=due)

    def fired(self, view: View, timer: str) -> Next:
        return Finished()


def _parsed_duration(value: Json) -> timedelta:
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return bounded(value)
    parts = _DURATION.match(value) if isinstance(value, str) else None
    if parts is None or not any(parts.groups()):
        raise ValueError(
            f"Invalid wait duration.  Provided: {value}; expected one like '2 hours 30 minutes'"
        )
    days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return bounded(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _parsed_moment(value: Json) -> datetime:
    refusal = ValueError(f"Invalid/Unsupported Wait Until format.  Provided: {value}")
    if not isinstance(value, str):
        raise refusal
    text = value.strip()
    parts = _UNTIL.match(text)
    try:
        if parts is None:
            moment = datetime.fromisoformat(text)
            # What is beyond the calendar's end in UTC is refused, too.
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        local = datetime.fromisoformat(f"{parts[1]} {parts[2] or '00:00'}")
        return local.replace(tzinfo=_zone(parts[3] or "UTC")).astimezone(UTC)
    except (ValueError, OverflowError, ZoneInfoNotFoundError):
        raise refusal from None


def _zone(name: str) -> tzinfo:
    """A zone by name (``CET``, ``Asia/Kolkata``) or offset (``+05:30``, ``GMT+05:30``)."""
    offset = _OFFSET.match(name)
    if offset:
        span = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-span if offset[1] == "-" else span)
    if name in ("UTC", "GMT", "Z"):
        return UTC
    return ZoneInfo(name)

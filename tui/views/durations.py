"""Lengths of time and moments as people type and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_LENGTH = re.compile(r"([0-9]{1,9})([smhdw]?)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=36_500)
_HALF_A_YEAR = 183 * 86_400


def length(text: str) -> timedelta:
    """``90d``, ``24h``, ``30m``, ``15s`` or ``2w``; 0 needs no unit.

    Raises:
        ValueError: It is none of these, or more than a hundred years.
    """
    found = _LENGTH.fullmatch(text.strip())
    if found is None or (not found[2] and int(found[1])):
        raise ValueError("write a number and s, m, h, d or w, like 24h")
    try:
        long = timedelta(**{_UNITS[found[2] or "s"]: int(found[1])})
    except OverflowError:
        long = timedelta.max
    if long > _LONGEST:
        raise ValueError("is more than a hundred years")
    return long


def end(text: str, now: datetime) -> datetime:
    """A moment: ISO 8601 with its zone, or a length of time from ``now``.

    Raises:
        ValueError: It is neither, or is not in the future.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = now + length(text)
        except ValueError:
            example = "2027-01-31T00:00:00Z"
            raise ValueError(f"write a length like 90d, or a moment like {example}") from None
    if moment.tzinfo is None:
        raise ValueError("the moment needs its zone, like 2027-01-31T00:00:00Z")
    if moment <= now:
        raise ValueError("is not in the future")
    return moment.astimezone(UTC)


def took(began: float, ended: float | None, now: float) -> float:
    """How long something took, or has been going on for, in seconds; moments in epoch seconds.

    An execution's is what Conductor calls its executionTime, and a query ``dur``: from its start to
    its end. What lay between a failure and its retry counts.
    """
    return (max(now, began) if ended is None else ended) - began


def age(seconds: float) -> str:
    """At most four characters for what is long ago: ``12s``, ``5m``, ``23h``, ``400d``."""
    whole = max(0, int(seconds))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def clock(at: float) -> str:
    """The time of day of ``at`` (epoch seconds) in UTC: ``12:00:00.123``."""
    return _utc(at).strftime("%H:%M:%S.%f")[:-3]


def moment_of_day(at: float, now: float) -> str:
    """``at`` (epoch seconds) in UTC, in at most eleven characters.

    ``12:00:00`` on the day of ``now``, else ``01-31 12:00``; ``2026-01-31`` half a year away.
    """
    moment = _utc(at)
    if moment.date() == _utc(now).date():
        return moment.strftime("%H:%M:%S")
    return moment.strftime("%m-%d %H:%M" if abs(now - at) < _HALF_A_YEAR else "%Y-%m-%d")


def date_and_clock(at: float) -> str:
    """``at`` (epoch seconds) in UTC: ``2027-01-31 12:00:00``."""
    return _utc(at).strftime("%Y-%m-%d %H:%M:%S")


def date_and_minute(at: float) -> str:
    """``at`` (epoch seconds) in UTC: ``2027-01-31 12:00``."""
    return _utc(at).strftime("%Y-%m-%d %H:%M")


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def iso(moment: datetime) -> str:
    """``moment`` in UTC, to the second: ``2027-01-31T00:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def compact(milliseconds: float) -> str:
    """At most six characters: ``310ms``, ``2.5s``, ``42.1s``, ``4m05s``, ``3h12m``, ``12d03h``."""
    whole = max(0, round(milliseconds))
    if whole < 1000:
        return f"{whole}ms"
    if whole < 59_950:
        return f"{whole / 1000:.1f}s"
    seconds = round(whole / 1000)
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    if seconds < 86_400:
        return f"{seconds // 3600}h{seconds % 3600 // 60:02}m"
    days, hours = divmod(seconds // 3600, 24)
    return f"{days}d{hours:02}h" if days < 100 else f"{min(days, 99_999)}d"

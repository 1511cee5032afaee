"""Lengths of time and moments as people write them, and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_PART = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)(ms|[wdhms])")
_LENGTH = re.compile(rf"(?:{_PART.pattern})+")
_LONGEST = timedelta(days=36_500)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    """Microseconds since the epoch: what TIME fields of records are compared as."""
    return (at - _EPOCH) // _MICROSECOND


def length(text: str) -> timedelta:
    """``10m``, ``2h``, ``1d12h``, ``1.5s`` or ``250ms``, to the millisecond.

    Raises:
        ValueError: It is none of these, or more than a hundred years.
    """
    if not _LENGTH.fullmatch(text.lower()):
        raise ValueError("write a number and its unit (ms, s, m, h, d, w), like 10m or 1h30m")
    try:
        parts = (float(each[1]) * _UNITS[each[2]] for each in _PART.finditer(text.lower()))
        long = sum(parts, timedelta())
    except OverflowError:
        long = timedelta.max
    if long > _LONGEST:
        raise ValueError("is more than a hundred years")
    return timedelta(milliseconds=round(long / _UNITS["ms"]))


def length_text(long: timedelta) -> str:
    """The shortest text that :func:`length` reads as ``long`` (whole milliseconds, from 0 on)."""
    parts = []
    for unit, size in _UNITS.items():
        count, long = divmod(long, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def moment(text: str) -> datetime:
    """ISO 8601 (without a zone: UTC) or epoch milliseconds, in UTC.

    Raises:
        ValueError: It is neither, or no calendar has it.
    """
    try:
        if text.isascii() and text.isdecimal():
            return _EPOCH + timedelta(milliseconds=int(text[:20]))
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("write a time like 2026-01-31T12:00, or epoch milliseconds") from None


def moment_text(at: datetime) -> str:
    """ISO 8601 in UTC, as :func:`moment` reads it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")

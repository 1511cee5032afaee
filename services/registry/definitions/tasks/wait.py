"""WAIT: for a while, until a moment, or for a signal."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from services.registry.definitions.model import Document, Json
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import Field, Record, Unknown, later
from services.registry.definitions.tasks.kind import TaskKind
from services.zones import zone

# The executor reads no longer ones.
_LONGEST_TEXT = 200
_PART = re.compile(r"(\d{1,9})\s*([a-z]+)\s*", re.ASCII)
# In the order in which they may stand.
_UNITS = (
    ("day", "days", "d"),
    ("hour", "hours", "hr", "hrs", "h"),
    ("minute", "minutes", "min", "mins", "m"),
    ("second", "seconds", "sec", "secs", "s"),
)
_RANKS = {word: rank for rank, words in enumerate(_UNITS) for word in words}
_UNTIL = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2})(?: ([A-Za-z][A-Za-z0-9_+:/-]*|[+-]\d{2}:?\d{2}))?)?\Z",
    re.ASCII,
)


class Duration:
    """``2 days 3 hours 5 minutes 10 seconds``, or ``2d 3h 5m 10s``, each part as needed."""

    def check(self, value: Json, at: Place) -> Json:
        if value != "" and not (isinstance(value, str) and _is_duration(value)):
            at.fault(f"must be a duration like '2 hours 30 minutes' or '10s', not {shown(value)}")
        return value

    def says(self) -> str:
        return "duration"

    def schema(self) -> Document:
        return {"type": "string"}


class Until:
    """``2027-01-31``, ``2027-01-31 18:00`` or ``2027-01-31 18:00 CET``."""

    def check(self, value: Json, at: Place) -> Json:
        if value != "" and not (isinstance(value, str) and _is_moment(value)):
            at.fault(
                f"must be a moment like '2027-01-31', '2027-01-31 18:00' or "
                f"'2027-01-31 18:00 UTC', not {shown(value)}"
            )
        return value

    def says(self) -> str:
        return "moment"

    def schema(self) -> Document:
        return {"type": "string"}


def _is_duration(value: str) -> bool:
    if len(value) > _LONGEST_TEXT:
        return False
    # Part by part: one pattern for all would take for ever on long blanks.
    text, position, last = value.strip().lower(), 0, -1
    while part := _PART.match(text, position):
        rank = _RANKS.get(part[2], -1)
        if rank <= last:
            return False
        position, last = part.end(), rank
    return 0 < position == len(text)


def _is_moment(value: str) -> bool:
    parts = _UNTIL.match(value.strip()) if len(value) <= _LONGEST_TEXT else None
    if parts is None:
        return False
    try:
        local = datetime.fromisoformat(f"{parts[1]} {parts[2] or '00:00'}")
        local.replace(tzinfo=zone(parts[3] or "UTC")).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


def _check(task: Document, at: Place) -> None:
    inputs = task.get("inputParameters")
    if isinstance(inputs, dict) and inputs.get("duration") and inputs.get("until"):
        (at / "inputParameters").fault("has both duration and until; give one")


KIND = TaskKind(
    name="WAIT",
    doc="Waits; with neither field, or one that comes to null, until somebody ends the task.",
    inputs=Record(
        "the input",
        (
            Field("duration", Duration(), "How long, like `2 hours 30 minutes` or `10s`."),
            Field("until", Until(), "Until when, like `2027-01-31 18:00 UTC`."),
            later("yield", "Answer the caller while waiting."),
        ),
        unknown=Unknown.GUESS,
        templated=True,
    ),
    check=_check,
)

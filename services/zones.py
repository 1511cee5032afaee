"""The time zones that a definition may name: those of the tz database, and offsets from UTC.

The database is the package's, not the machine's: what one service reads, every other reads alike.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_DATABASE = files("tzdata")
# Whatever is not in it is never looked for as a file: folders and what lies beside them, too.
NAMES = frozenset(_DATABASE.joinpath("zones").read_text("ascii").split())
_OFFSET = re.compile(r"(?:GMT|UTC)?([+-])(\d{2}):?(\d{2})\Z", re.ASCII)


def zone(name: str) -> tzinfo:
    """A zone by name (``CET``, ``Asia/Kolkata``) or offset (``+05:30``, ``GMT+05:30``).

    Raises:
        ValueError: There is none of that name.
    """
    if name in ("UTC", "GMT", "Z"):
        return UTC
    if name in NAMES:
        return _named(name)
    offset = _OFFSET.match(name)
    if offset is None:
        raise ValueError(f"there is no time zone {name[:40]!r}")
    span = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
    return timezone(-span if offset[1] == "-" else span)


@lru_cache(maxsize=len(NAMES))
def _named(name: str) -> ZoneInfo:
    with _DATABASE.joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)

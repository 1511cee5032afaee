"""The time zones that a definition may name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.zones import NAMES, zone

SUMMER = datetime(2027, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("UTC", 0), ("Z", 0), ("CET", 2), ("Asia/Kolkata", 5.5), ("America/New_York", -4),
        ("Etc/GMT+5", -5), ("+05:30", 5.5), ("-0200", -2), ("GMT+02:00", 2), ("UTC-01:30", -1.5),
    ],
)  # fmt: skip
def test_a_zone_by_name_or_offset(name: str, hours: float) -> None:
    assert SUMMER.replace(tzinfo=zone(name)).utcoffset() == timedelta(hours=hours)


def test_every_name_of_the_database_is_a_zone() -> None:
    assert {"Europe/Berlin", "US/Pacific", "EST"} < NAMES
    for name in NAMES:
        assert SUMMER.replace(tzinfo=zone(name)).astimezone(UTC).year == 2027


@pytest.mark.parametrize(
    "name",
    [
        "", "America", "America/", "Etc", ".", "..", "../zones", "/etc/passwd", "zone.tab",
        "__init__.py", "Nowhere/Land", "A" * 70_000, "\0", "+24:00", "+99:99", "cet ",
    ],
)  # fmt: skip
def test_what_is_no_zone_is_said_to_be_none(name: str) -> None:
    with pytest.raises(ValueError, match=r"time zone|strictly between"):
        zone(name)

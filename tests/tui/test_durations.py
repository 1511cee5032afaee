"""Lengths of time and moments as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tui.views.durations import end, iso, length, moment_of_day

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0", timedelta()),
        ("15s", timedelta(seconds=15)),
        ("30m", timedelta(minutes=30)),
        ("24h", timedelta(days=1)),
        ("90d", timedelta(days=90)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_a_length_is_a_number_and_a_unit(text: str, wanted: timedelta) -> None:
    assert length(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "5", "-1h", "1.5h", "h", "24 h", "999999999w", "36501d", "٣d"]
)
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write a number|hundred years"):
        length(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90d", "2027-05-01T12:00:00Z"),
        ("2027-01-31T13:00:01+01:00", "2027-01-31T12:00:01Z"),
        ("2028-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
    ],
)
def test_an_end_is_a_moment_or_a_length_from_now(text: str, wanted: str) -> None:
    assert iso(end(text, NOW)) == wanted


@pytest.mark.parametrize("text", ["2028-01-01", "2027-01-31T12:00:00Z", "0", "soon", "99999d"])
def test_an_end_must_be_a_moment_to_come(text: str) -> None:
    with pytest.raises(ValueError, match=r"zone|future|like 90d"):
        end(text, NOW)


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("2026-11-27T00:08:21Z", "00:08:21"),
        ("2026-11-27T00:00:00Z", "00:00:00"),
        ("2026-11-26T23:59:59Z", "11-26 23:59"),
        ("2026-11-28T00:00:00Z", "11-28 00:00"),
        ("2025-11-27T00:08:21Z", "2025-11-27"),
    ],
)
def test_todays_times_need_no_date(at: str, shown: str) -> None:
    now = datetime.fromisoformat("2026-11-27T00:09:00Z").timestamp()

    assert moment_of_day(datetime.fromisoformat(at).timestamp(), now) == shown

"""Cron expressions: what is read, when it comes, and what clocks that are set do to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given, strategies as st

from services.cron import parse
from services.zones import zone

BERLIN, APIA = "Europe/Berlin", "Pacific/Apia"


def times(expression: str, after: str, count: int = 3, in_zone: str = "UTC") -> list[str]:
    place = zone(in_zone)
    start = datetime.fromisoformat(after).replace(tzinfo=place)
    found = islice(parse(expression).following(start, place), count)
    return [f"{at.astimezone(place):%Y-%m-%d %H:%M:%S %z}".removesuffix(" +0000") for at in found]


@pytest.mark.parametrize(
    ("expression", "after", "next_at"),
    [
        ("*/15 * * * * *", "2026-01-01 00:00:01", "2026-01-01 00:00:15"),
        ("0 0 12 * * ?", "2026-01-01 00:00:00", "2026-01-01 12:00:00"),
        ("0 0 0 L * ?", "2026-02-01 00:00:00", "2026-02-28 00:00:00"),
        ("0 0 0 LW * ?", "2026-02-01 00:00:00", "2026-02-27 00:00:00"),
        ("0 0 0 L-3 * ?", "2026-02-01 00:00:00", "2026-02-25 00:00:00"),
        ("0 0 0 L-0 * ?", "2026-02-01 00:00:00", "2026-02-28 00:00:00"),
        ("0 0 0 L-28 * ?", "2026-02-01 00:00:00", "2026-03-03 00:00:00"),
        ("0 0 0 L-1W * ?", "2026-03-01 00:00:00", "2026-03-30 00:00:00"),
        ("0 0 0 15W * ?", "2026-02-01 00:00:00", "2026-02-16 00:00:00"),
        ("0 0 0 15w * ?", "2026-08-01 00:00:00", "2026-08-14 00:00:00"),
        ("0 0 0 1W * ?", "2026-07-30 00:00:00", "2026-08-03 00:00:00"),
        ("0 0 0 31W * ?", "2026-05-01 00:00:00", "2026-05-29 00:00:00"),
        ("0 0 0 31W * ?", "2026-05-29 00:00:00", "2026-07-31 00:00:00"),
        ("0 0 0 1,15W,L-3 * ?", "2026-02-01 00:00:00", "2026-02-16 00:00:00"),
        ("0 0 0 1,15W,L-3 * ?", "2026-02-16 00:00:00", "2026-02-25 00:00:00"),
        ("0 0 0 15W * MON", "2026-02-17 00:00:00", "2026-03-16 00:00:00"),
        ("0 0 15W * MON", "2026-02-17 00:00:00", "2026-02-23 00:00:00"),
        ("0 0 0 ? * FRI#3", "2026-02-01 00:00:00", "2026-02-20 00:00:00"),
        ("0 0 0 ? * 5#3", "2026-02-01 00:00:00", "2026-02-20 00:00:00"),
        ("0 0 0 ? * FRIL", "2026-02-01 00:00:00", "2026-02-27 00:00:00"),
        ("0 0 0 ? * 5L", "2026-02-01 00:00:00", "2026-02-27 00:00:00"),
        ("0 30 9 ? JAN-MAR MON-FRI", "2026-02-01 00:00:00", "2026-02-02 09:30:00"),
        ("0 0/5 8-9 * * *", "2026-02-01 09:00:00", "2026-02-01 09:05:00"),
        ("0 0 22-4/3 * * *", "2026-02-01 22:00:00", "2026-02-02 01:00:00"),
        ("0 0 0 ? * FRI-MON", "2026-02-03 00:00:00", "2026-02-06 00:00:00"),
        ("0 0 0 ? * mon-sun", "2026-02-07 12:00:00", "2026-02-08 00:00:00"),
        ("0 0 0 * * 7", "2026-02-02 00:00:00", "2026-02-08 00:00:00"),
        ("0 0 0 29 2 *", "2026-03-01 00:00:00", "2028-02-29 00:00:00"),
        ("*/5 * * * *", "2026-02-01 00:00:01", "2026-02-01 00:05:00"),
        ("@daily", "2026-02-01 00:00:01", "2026-02-02 00:00:00"),
        # With seconds both days must match, as Spring has it; without, one, as Unix has it.
        ("0 0 0 1-7 * MON", "2026-02-03 00:00:00", "2026-03-02 00:00:00"),
        ("0 0 13 * MON", "2026-02-03 00:00:00", "2026-02-09 00:00:00"),
    ],
)
def test_an_expression_comes_next_at_its_time(expression: str, after: str, next_at: str) -> None:
    assert times(expression, after, 1) == [next_at]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "must have six fields"),
        ("* * * *", "not 4"),
        ("0 0 0 1 1 ? 2028", "scheduleStartTime"),
        ("61 * * * * *", "no second '61'"),
        ("*/0 * * * *", "no minute '*/0'"),
        ("0 0 24 * * *", "no hour '24'"),
        ("0 0 0 32W * ?", "15W .the weekday nearest to it."),
        ("0 0 0 0W * ?", "no day of the month '0W'"),
        ("0 0 0 L-31 * ?", "no day of the month 'L-31'"),
        ("0 0 0 L- * ?", "no day of the month"),
        ("0 0 0 W * ?", "no day of the month"),
        ("0 0 0 1-5W * ?", "no day of the month"),
        ("0 0 0 ? * 5W", "no day of the week"),
        ("0 0 0 30W 2 ?", "never comes"),
        ("0 0 0 * * 5-9", "0-7 or SUN-SAT"),
        ("0 0 0 * * 1,", "no day of the week"),
        ("0 0 0 * FOO *", "no month 'FOO'"),
        ("? * * * * *", "no second"),
        ("0 0 0 30 2 *", "never comes"),
        ("0 0 0 30 2 MON", "never comes"),
        ("@often", "@yearly"),
        ("\u0661 * * * * *", "no second"),
        ("0," * 200 + "0 * * * *", "more than 200"),
    ],
)
def test_what_is_no_expression_says_what_is_wrong(expression: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("*", r"\*").replace("?", r"\?")):
        parse(expression)


def test_a_time_that_is_left_out_comes_right_after_the_gap() -> None:
    assert times("0 30 2 * * *", "2026-03-28 12:00:00", 2, BERLIN) == [
        "2026-03-29 03:00:00 +0200", "2026-03-30 02:30:00 +0200",
    ]  # fmt: skip


def test_several_times_in_a_gap_are_one() -> None:
    assert times("0 0,30 2,3 * * *", "2026-03-29 00:00:00", 3, BERLIN) == [
        "2026-03-29 03:00:00 +0200", "2026-03-29 03:30:00 +0200", "2026-03-30 02:00:00 +0200",
    ]  # fmt: skip


def test_a_day_that_is_left_out_comes_when_the_next_begins() -> None:
    assert times("0 0 12 * * *", "2011-12-29 12:00:00", 2, APIA) == [
        "2011-12-31 00:00:00 +1400", "2011-12-31 12:00:00 +1400",
    ]  # fmt: skip


def test_a_time_that_is_repeated_comes_once() -> None:
    assert times("0 30 2 * * *", "2026-10-24 12:00:00", 2, BERLIN) == [
        "2026-10-25 02:30:00 +0200", "2026-10-26 02:30:00 +0100",
    ]  # fmt: skip


def test_what_comes_every_so_often_goes_on_in_a_repeated_hour() -> None:
    assert times("0 */30 * * * *", "2026-10-25 01:30:00", 5, BERLIN) == [
        "2026-10-25 02:00:00 +0200", "2026-10-25 02:30:00 +0200", "2026-10-25 02:00:00 +0100",
        "2026-10-25 02:30:00 +0100", "2026-10-25 03:00:00 +0100",
    ]  # fmt: skip


@given(
    st.sampled_from(
        ("0 30 2 * * *", "0 */20 * * * *", "0 0 1-3 * * *", "30 15 */2 * * *", "0 0,45 2 ? * SUN")
    ),
    st.sampled_from((BERLIN, "America/New_York", "Australia/Lord_Howe", APIA, "+05:30")),
    st.integers(0, 19 * 366 * 86_400),
    st.integers(0, 100_000),
)
def test_where_one_begins_to_look_changes_nothing(
    expression: str, in_zone: str, start: int, seconds: int
) -> None:
    cron, place, first = (
        parse(expression),
        zone(in_zone),
        datetime(2011, 1, 1, tzinfo=UTC) + timedelta(seconds=start),
    )
    later = first + timedelta(seconds=seconds)

    from_first = [at for at in islice(cron.following(first, place), 80) if at > later]
    from_later = list(islice(cron.following(later, place), len(from_first)))

    assert from_later == from_first
    assert from_first == sorted(set(from_first))

"""Charts as text: what is drawn where, and what the axes say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from math import inf, nan

import pytest
from hypothesis import given, strategies as some

from tests.tui.screen import assert_snapshot
from tui.views.amounts import amount, log_ticks, ticks
from tui.views.pieces import text_of
from tui.views.plot import Chart, Kind, Series, cell_of, index_at, legend, plot
from tui.views.sparks import spark

Draw = some.DataObject
START = datetime(2026, 11, 26, 6, 3, tzinfo=UTC)


def chart(*values: float | None, **more: object) -> Chart:
    return Chart((Series("calls", values),), START, **more)  # type: ignore[arg-type]


def drawn(chart: Chart, width: int = 40, height: int = 8, **more: bool | int | None) -> list[str]:
    return [text_of(line) for line in plot(chart, width, height, **more)]  # type: ignore[arg-type]


WAVE = [abs(30 - number % 60) + 5.0 for number in range(240)]


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("kind", ["lines", "area", "bars"])
def test_a_chart_has_a_legend_axes_and_marks(kind: Kind, ascii: bool) -> None:
    gap = [*WAVE[:90], *[None] * 30, *WAVE[120:]]
    both = (Series("404", WAVE, "warning"), Series("502", gap, "error"))
    lines = drawn(Chart(both, START, unit="ms", kind=kind), 80, 14, ascii=ascii)

    assert all(len(line) <= 80 for line in lines)
    assert not ascii or "".join(lines).isascii()
    assert_snapshot("\n".join(line.rstrip() for line in lines), f"chart_{kind}_{ascii}")


def test_a_line_goes_from_the_lowest_to_the_highest() -> None:
    lines = drawn(chart(0, 100), 20, 8)

    assert lines[1].startswith("100┤")
    assert lines[5].startswith("  0┤")
    assert lines[1].rstrip()[-1] != "┤"
    assert lines[5][4] != " "


def test_nothing_is_drawn_where_there_is_no_value() -> None:
    lines = drawn(chart(*[5.0] * 10, *[None] * 10, *[5.0] * 10), 32, 6)
    columns = [any(line[x] != " " for line in lines[1:4]) for x in range(2, 32)]

    assert columns == [True] * 10 + [False] * 10 + [True] * 10


def test_a_single_minute_is_seen_among_many() -> None:
    values = [0.0] * 1440
    values[700] = 50
    top = drawn(chart(*values), 60, 10)[1]

    assert len(top.split("┤")[1].strip()) == 1


def test_stacked_bars_are_as_high_as_all_together() -> None:
    stacked = Chart((Series("a", [5, 0]), Series("b", [5, 0])), START, kind="bars")
    lines = drawn(stacked, 23, 11, ascii=True)

    assert [line[3:13].strip() for line in lines[1:9]] == ["+" * 10] * 4 + ["*" * 10] * 4
    assert all(not line[13:].strip() for line in lines[1:9])


def test_the_legend_tells_the_last_the_lowest_and_the_highest() -> None:
    told = text_of(legend(chart(10, 30, None, 20, unit="ms"), 80))

    assert told == "● calls 20 ms (min 10 ms, max 30 ms)  "
    assert text_of(legend(chart(1, None), 80)) == "● calls 1 (min 1, max 1)  "
    assert text_of(legend(chart(None), 80)) == "● calls -  "


def test_a_narrow_legend_is_close_together_and_has_whole_series_only() -> None:
    percentiles = Chart(
        tuple(Series(f"p{each}", [each / 10]) for each in (50, 95, 99)), START, unit="ms"
    )

    assert text_of(legend(percentiles, 60)) == "● p50 5 ms  ● p95 9.5 ms  ● p99 9.9 ms  "
    assert text_of(legend(percentiles, 34)).strip() == "●p50 5ms ●p95 9.5ms ●p99 9.9ms"
    assert text_of(legend(percentiles, 28)).strip() == "●p50 5ms ●p95 9.5ms"


def test_the_crosshair_tells_the_values_of_its_minute() -> None:
    lines = drawn(chart(10, 30, None, 20), 44, 8, cursor=1)

    assert lines[0].startswith("06:04  ● calls 30")
    assert sum("│" in line[5:] for line in lines[1:6]) >= 3
    assert "calls -" in drawn(chart(10, 30, None, 20), 44, 8, cursor=2)[0]


def test_marks_are_round_times_of_the_charts_own_zone() -> None:
    tokyo = timezone(timedelta(hours=9))
    there = Chart((Series("a", [1.0] * 120),), START.astimezone(tokyo))

    assert drawn(there, 60, 8)[-1].split() == ["15:30", "16:00", "16:30"]
    days = Chart((Series("a", [1.0] * 96),), START, step=timedelta(hours=1))
    assert drawn(days, 40, 8)[-1].split() == ["11-27", "11-28", "11-29"]


def test_a_logarithmic_scale_has_powers_of_ten() -> None:
    lines = drawn(chart(1, 10, 100, 1000, 0, log=True), 40, 15)
    labels = [line.split("┤")[0].strip() for line in lines if "┤" in line]

    assert labels == ["1k", "100", "10", "1"]


def test_the_newest_steps_begin_later() -> None:
    last = chart(*range(100)).last(10)

    assert last.length == 10
    assert last.start == START + timedelta(minutes=90)
    assert chart(1).last(10).length == 1


VALUES = some.lists(some.none() | some.floats(-1e12, 1e12), max_size=200)
WHATEVER = some.lists(some.none() | some.floats(), max_size=200)


@given(
    some.lists(VALUES | WHATEVER, max_size=3),
    some.integers(1, 120),
    some.integers(1, 20),
    some.sampled_from(["lines", "area", "bars"]),
    some.booleans(),
    some.none() | some.integers(-5, 300),
)
def test_whatever_the_values_a_chart_has_its_size(
    values: list[list[float | None]],
    width: int,
    height: int,
    kind: Kind,
    log: bool,
    cursor: int | None,
) -> None:
    many = Chart(tuple(Series(f"s{n}", each) for n, each in enumerate(values)), START,
                 kind=kind, log=log)  # fmt: skip
    index = None if cursor is None else min(max(cursor, 0), max(0, many.length - 1))

    assert len(plot(many, width, height, cursor=index)) == height
    assert len(plot(many, width, height, cursor=index, signs=True)) == height


@given(some.integers(1, 2000), some.integers(1, 300), some.data())
def test_a_cell_shows_the_step_that_is_in_it(length: int, cells: int, data: Draw) -> None:
    many = chart(*[1.0] * length)
    cell = data.draw(some.integers(0, cells - 1))
    index = index_at(many, cell, cells)

    assert 0 <= index < length
    assert cells > length or cell_of(many, index, cells) == cell


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (0, "", "0"), (1234, "", "1.23k"), (999.9, "", "1k"), (12_345_678, "", "12.3M"),
        (35, "ms", "35 ms"), (0.8214, "ms", "0.82 ms"), (2500, "ms", "2.5 s"),
        (600_000, "ms", "10 min"), (9_000_000, "ms", "2.5 h"), (99.5, "%", "99.5 %"),
        (1.5, "/s", "1.5/s"), (1536, "B", "1.5 KiB"), (512, "B", "512 B"), (None, "ms", "-"),
        (inf, "", "-"), (nan, "", "-"), (-1234, "", "-1.23k"), (0.0001, "", "0"),
    ],
)  # fmt: skip
def test_an_amount_is_short(value: float | None, unit: str, told: str) -> None:
    assert amount(value, unit) == told


@given(some.floats(-1e12, 1e12), some.floats(-1e12, 1e12), some.integers(2, 12))
def test_ticks_are_around_all_values(one: float, other: float, most: int) -> None:
    low, high = min(one, other), max(one, other)
    marks = ticks(low, high, most)

    assert 2 <= len(marks) <= most + 1
    assert marks == sorted(set(marks))
    slack = 1e-6 * max(abs(low), abs(high), 1e-300)
    assert marks[0] <= low + slack
    assert marks[-1] >= high - slack


@given(some.floats(1e-9, 1e12), some.floats(1, 1e4))
def test_log_ticks_are_around_all_values(low: float, times: float) -> None:
    marks = log_ticks(low, low * times)

    assert marks[0] <= low * 1.001
    assert marks[-1] >= low * times * 0.999


def test_a_spark_is_one_line_of_the_newest() -> None:
    assert spark([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert spark([1, None, 2], 5) == "  ▅ █"
    assert spark([], 3) == "   "
    assert spark([0, 0], 2) == "▁▁"
    assert spark([0, 9, 0, 0], 2) == "█▁"
    assert spark([0, 7], 2, ascii=True) == "_#"


@given(VALUES, some.integers(0, 80))
def test_a_spark_has_its_width(values: list[float | None], width: int) -> None:
    assert len(spark(values, width)) == width

"""Bars on an axis: exact to an eighth of a cell, and never outside it."""

from __future__ import annotations

from hypothesis import given, strategies as some

from tui.views.durations import compact
from tui.views.gantt import Axis, Span, axis_of, bar, scale

SECOND = Axis(start=0, length=1000, cells=10)


def test_a_bar_begins_and_ends_within_cells() -> None:
    assert bar(SECOND, [Span(None, 0, 1000)]) == "██████████"
    assert bar(SECOND, [Span(None, 100, 350)]) == " ██▌      "
    assert bar(SECOND, [Span(None, 150, 300)]) == " ▐█       "


def test_it_is_dotted_while_it_waited() -> None:
    assert bar(SECOND, [Span(100, 500, 700)]) == " ····██   "
    assert bar(SECOND, [Span(200, None, 1000)]) == "  ········"


def test_what_was_short_is_seen_nevertheless() -> None:
    assert bar(SECOND, [Span(None, 500, 500)]) == "     ▏    "
    assert bar(SECOND, [Span(None, 1000, 1000)]) == "         ▕"


def test_attempts_share_a_line() -> None:
    spans = [Span(0, 100, 200), Span(200, 500, 600)]

    assert bar(SECOND, spans) == "·█···█    "
    assert bar(SECOND, spans, ascii=True) == ".#...#    "


@given(
    some.lists(some.tuples(*[some.none() | some.integers(-(10**15), 10**15)] * 2, some.integers())),
    some.integers(1, 300),
    some.integers(1, 10**15),
)
def test_whatever_the_times_a_bar_has_its_cells(
    times: list[tuple[int | None, int | None, int]], cells: int, length: int
) -> None:
    drawn = bar(Axis(0, length, cells), [Span(*each) for each in times])

    assert len(drawn) == cells
    assert set(bar(Axis(0, length, cells), [Span(*each) for each in times], ascii=True)) <= set(
        " .#"
    )


def test_the_axis_of_what_runs_stays_while_time_goes_on() -> None:
    axes = {axis_of(0, None, now, 40) for now in range(0, 600_000, 1000)}

    assert len(axes) < 20
    assert all(axis_of(0, None, now, 40).length > now for now in range(0, 10**7, 999))


def test_the_axis_of_what_has_ended_ends_with_it() -> None:
    assert axis_of(0, 1234, 99_999, 40) == Axis(0, 1234, 40)
    assert axis_of(5, 5, 5, 40).length == 1


def test_the_scale_has_round_marks() -> None:
    assert scale(Axis(0, 60_000, 40)) == "╵0        ╵15.0s    ╵30.0s    ╵45.0s    "
    assert scale(Axis(0, 86_400_000 * 30, 40), ascii=True).startswith("|0           |10d00h")


@given(some.integers(1, 10**13), some.integers(1, 300))
def test_a_scale_fits(length: int, cells: int) -> None:
    assert len(scale(Axis(0, length, cells))) == cells


@given(some.floats(-1e6, 1e13))
def test_a_compact_length_is_short(milliseconds: float) -> None:
    assert 3 <= len(compact(milliseconds)) <= 7


def test_lengths_are_told_in_two_units_at_most() -> None:
    told = [compact(each) for each in (0, 999, 1000, 59_949, 59_960, 3_599_600, 86_400_000)]

    assert told == ["0ms", "999ms", "1.0s", "59.9s", "1m00s", "1h00m", "1d00h"]

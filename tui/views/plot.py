"""Charts over time as lines of text: lines, areas and stacked bars, with axes and a legend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import log10
from typing import Literal

from rich.cells import cell_len

from tui.views.amounts import LEAST, amount, log_ticks, ticks
from tui.views.pieces import Piece
from tui.views.raster import ACROSS, DOWN, Raster, spans_of
from tui.views.visible import in_one_line

Kind = Literal["lines", "area", "bars"]

# What tells series from each other where there are no colours, and fills their bars.
SIGNS = "*+ox%@=&"
_FILLS = "█▓▒░▚▞▤▥"
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_ROWS_A_TICK = 3
_MARK_CELLS = 9
_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 43_200)
_AXIS = "│└─┴┤"
_PLAIN_AXIS = "|+-++"
# Lower than a tenth of a thousandth of the highest, a logarithm says nothing more.
_LOG_SPAN = 1e4
# What is counted or measured is less.
_MOST = 1e18


@dataclass(frozen=True, slots=True)
class Series:
    """Values at equal steps; None where there is none. ``tone`` is one of ``statuses.TONES``."""

    name: str
    values: Sequence[float | None]
    tone: str = "primary"


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn.

    Attributes:
        series: All of one length.
        start: When the first value's step begins; marks are in its zone.
        unit: As ``amounts.amount`` has it.
        log: A logarithmic scale; values of zero and less are then at its foot.
    """

    series: tuple[Series, ...]
    start: datetime
    step: timedelta = timedelta(minutes=1)
    unit: str = ""
    kind: Kind = "lines"
    log: bool = False

    @property
    def length(self) -> int:
        """How many steps it has."""
        return max((len(each.values) for each in self.series), default=0)

    def at(self, index: int) -> datetime:
        """When a step begins."""
        return self.start + index * self.step

    def last(self, steps: int) -> Chart:
        """The newest ``steps`` of it."""
        first = max(0, self.length - steps)
        kept = tuple(Series(each.name, each.values[first:], each.tone) for each in self.series)
        return replace(self, series=kept, start=self.at(first))

    def sound(self) -> Chart:
        """The same without values that are no numbers: they are as if there were none."""
        kept = (replace(each, values=[*map(_sound, each.values)]) for each in self.series)
        return replace(self, series=tuple(kept))


def _sound(value: float | None) -> float | None:
    return value if value is not None and -_MOST < value < _MOST else None


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values to dots; ``marks`` are round, and the scale ends with them."""

    marks: tuple[float, ...]
    dots: int
    log: bool

    def share(self, value: float) -> float:
        """How high ``value`` is, from 0 to 1."""
        low, high = self.marks[0], self.marks[-1]
        if self.log:
            value, low, high = log10(max(value, low)), log10(low), log10(high)
        share = (value - low) / (high - low)
        return 0.0 if share < 0.0 else min(share, 1.0)

    def dot(self, value: float) -> int:
        """Rows of dots from above."""
        return int((1 - self.share(value)) * (self.dots - 1) + 0.5)


def plot(
    chart: Chart,
    width: int,
    height: int,
    *,
    cursor: int | None = None,
    ascii: bool = False,
    signs: bool = False,
) -> list[list[Piece]]:
    """``height`` lines of ``width`` cells: a legend, the chart, the axis of time and its marks.

    Args:
        cursor: The step of which the legend tells the values.
        signs: Draw each series by a sign of its own, for terminals without colours.
    """
    chart, rows = chart.sound(), max(1, height - 3)
    scale = _scale(chart, rows)
    labels = [amount(mark, chart.unit) for mark in scale.marks]
    gutter = max(map(len, labels)) + 1
    cells = max(1, width - gutter)
    raster = Raster(cells, rows)
    if chart.kind == "bars":
        _bars(raster, chart, scale, plain=ascii or signs)
    else:
        _lines(raster, chart, scale, plain=ascii or signs)
    if cursor is not None and chart.length:
        _crosshair(raster, cell_of(chart, cursor, cells), ascii=ascii)
    axis = _gutter(scale, labels, rows, gutter, ascii=ascii)
    drawn = [[next(axis), *line] for line in raster.lines()]
    below = _times(chart, cells, gutter, ascii=ascii)
    lines = [legend(chart, width, cursor=cursor, ascii=ascii, signs=signs), *drawn, *below]
    return [*lines[: max(1, height)]]


def legend(
    chart: Chart,
    width: int,
    *,
    cursor: int | None = None,
    ascii: bool = False,
    signs: bool = False,
) -> list[Piece]:
    """The series with their last, lowest and highest values; with a cursor, those at it."""
    at: list[Piece] = []
    if cursor is not None and chart.length:
        at.append(Piece(f"{chart.at(min(cursor, chart.length - 1)):%H:%M}  ", "text", bold=True))
    plain, room = ascii or signs, width - sum(cell_len(piece.text) for piece in at)
    line = list(_entries(chart, cursor, "  ", brief=_is_tight(chart, width), plain=plain))
    if sum(map(_cells, line)) > room + len("  "):
        line = list(_entries(chart, cursor, " ", brief=True, plain=plain))
    return [*at, *_cut(line, room)]


def _entries(
    chart: Chart, cursor: int | None, gap: str, *, brief: bool, plain: bool
) -> Iterator[list[Piece]]:
    """Each series with its sign; where the gap is narrow, all is as close together as can be."""
    close = len(gap) < 2
    for number, series in enumerate(chart.series):
        told = _told(series, chart.unit, cursor, brief=brief)
        told = told.replace(" ", "") if close else told
        sign = _sign(number, chart, plain=plain) + ("" if close else " ")
        yield [Piece(sign, series.tone), Piece(f"{in_one_line(series.name)} {told}{gap}", "text")]


def cell_of(chart: Chart, index: int, cells: int) -> int:
    """In which of the chart's cells a step is."""
    length = max(1, chart.length)
    return min(cells - 1, max(0, int((min(index, length - 1) + 0.5) * cells / length)))


def index_at(chart: Chart, cell: int, cells: int) -> int:
    """Which step a cell of the chart shows, of several the one in the middle."""
    length = max(1, chart.length)
    return min(length - 1, max(0, int((cell + 0.5) * length / cells)))


def gutter_of(chart: Chart, height: int) -> int:
    """How many cells are left of the chart."""
    scale = _scale(chart.sound(), max(1, height - 3))
    return max(len(amount(mark, chart.unit)) for mark in scale.marks) + 1


def _scale(chart: Chart, rows: int) -> _Scale:
    high, low = _bounds(chart)
    if chart.log and high > LEAST:
        return _Scale(tuple(log_ticks(max(low, high / _LOG_SPAN), high)), rows * DOWN, log=True)
    most = max(2, rows // _ROWS_A_TICK + 1)
    return _Scale(tuple(ticks(min(0.0, low), high, most)), rows * DOWN, log=False)


def _bounds(chart: Chart) -> tuple[float, float]:
    """The highest value and the lowest; on a logarithmic scale, the lowest above zero."""
    if chart.kind == "bars":
        return max(_totals(chart), default=0.0), 0.0
    known = [value for each in chart.series for value in each.values if value is not None]
    if chart.log:
        known = [value for value in known if value > LEAST]
    return max(known, default=0.0), min(known, default=0.0)


def _lines(raster: Raster, chart: Chart, scale: _Scale, *, plain: bool) -> None:
    columns = raster.width * (1 if plain else ACROSS)
    foot = scale.dots - 1
    # The first series lies above the others.
    for number, series in reversed([*enumerate(chart.series)]):
        for x, span in enumerate(spans_of(series.values, columns)):
            if span is None:
                continue
            top, bottom = scale.dot(span[1]), scale.dot(span[0])
            if plain:
                _signed(raster, x, top // DOWN, bottom // DOWN, SIGNS[number % 8], series.tone)
            else:
                raster.column(x, top, foot if chart.kind == "area" else bottom, series.tone)


def _signed(raster: Raster, cell: int, top: int, bottom: int, sign: str, tone: str) -> None:
    for row in range(top, bottom + 1):
        raster.sign(cell, row, sign, tone)


def _totals(chart: Chart) -> list[float]:
    """What the series come to at each step, together."""
    return [sum(filter(None, values)) for values in zip(*_values(chart), strict=True)]


def _values(chart: Chart) -> list[Sequence[float | None]]:
    """The series' values, all of one length."""
    length = chart.length
    return [[*each.values, *[None] * (length - len(each.values))] for each in chart.series]


def _stacks(chart: Chart, count: int) -> Iterator[list[float]]:
    """At most ``count`` times the value of each series; of several steps, the highest of all."""
    totals, values = _totals(chart), _values(chart)
    count = min(count, len(totals))
    for number in range(count):
        steps = range(number * len(totals) // count, (number + 1) * len(totals) // count)
        highest = max(steps, key=totals.__getitem__)
        yield [each[highest] or 0.0 for each in values]


def _bars(raster: Raster, chart: Chart, scale: _Scale, *, plain: bool) -> None:
    stacks = [*_stacks(chart, raster.width)]
    for cell in range(raster.width if stacks else 0):
        _bar(raster, cell, stacks[cell * len(stacks) // raster.width], chart, scale, plain)


def _bar(
    raster: Raster, cell: int, heights: list[float], chart: Chart, scale: _Scale, plain: bool
) -> None:
    """A cell shows the series that fills most of it; the top one ends within its cell."""
    total = sum(heights)
    if total <= 0:
        return
    eighths = max(1, round(scale.share(total) * raster.height * 8))
    for row in range(-(-eighths // 8)):
        middle = min(row * 8 + 4, eighths - 0.5) / eighths * total
        number = _owner(heights, middle)
        part = min(8, eighths - row * 8)
        fill = SIGNS[number % 8] if plain else _fill(number, part, len(heights))
        raster.sign(cell, raster.height - 1 - row, fill, chart.series[number].tone)


def _fill(number: int, part: int, series: int) -> str:
    return _EIGHTHS[part] if part < 8 or series == 1 else _FILLS[number % 8]


def _owner(heights: list[float], height: float) -> int:
    reached = 0.0
    for number, each in enumerate(heights):
        reached += each
        if height < reached:
            return number
    return max(range(len(heights)), key=lambda number: heights[number])


def _crosshair(raster: Raster, cell: int, *, ascii: bool) -> None:
    for row in range(raster.height):
        if raster.is_blank(cell, row):
            raster.sign(cell, row, "|" if ascii else "│", "accent")


def _gutter(
    scale: _Scale, labels: list[str], rows: int, width: int, *, ascii: bool
) -> Iterator[Piece]:
    axis = _PLAIN_AXIS if ascii else _AXIS
    by_row: dict[int, str] = {}
    for mark, label in zip(scale.marks, labels, strict=True):
        by_row.setdefault(min(rows - 1, scale.dot(mark) // DOWN), label)
    for row in range(rows):
        told = by_row.get(row, "")
        yield Piece(told.rjust(width - 1) + axis[4 if told else 0], "muted")


def _times(chart: Chart, cells: int, gutter: int, *, ascii: bool) -> Iterator[list[Piece]]:
    """The axis of time, and the marks below it."""
    axis = _PLAIN_AXIS if ascii else _AXIS
    line, text = [axis[2]] * cells, ""
    for moment, label in _marks(chart, cells):
        share = (moment - chart.start) / (chart.step * max(1, chart.length))
        place = int(share * cells)
        if place >= len(text) and place + len(label) <= cells:
            text = text.ljust(place) + label + " "
            line[place] = axis[3]
    yield [Piece(" " * (gutter - 1) + axis[1] + "".join(line), "muted")]
    yield [Piece(" " * gutter + text[:cells].ljust(cells), "muted")]


def _marks(chart: Chart, cells: int) -> Iterator[tuple[datetime, str]]:
    length = chart.step * max(1, chart.length)
    wanted = length.total_seconds() / 60 / max(1, cells / _MARK_CELLS)
    minutes = next((each for each in _MINUTES if each >= wanted), _MINUTES[-1])
    every = timedelta(minutes=minutes)
    midnight = chart.start.replace(hour=0, minute=0, second=0, microsecond=0)
    number = -(-(chart.start - midnight) // every)
    while (moment := midnight + number * every) < chart.start + length:
        yield moment, f"{moment:%m-%d}" if minutes >= 1440 else f"{moment:%H:%M}"
        number += 1


def _sign(number: int, chart: Chart, *, plain: bool) -> str:
    if plain:
        return SIGNS[number % 8]
    many = chart.kind == "bars" and len(chart.series) > 1
    return _FILLS[number % 8] if many else "●"


def _told(series: Series, unit: str, cursor: int | None, *, brief: bool) -> str:
    if cursor is not None:
        values = series.values
        return amount(values[min(cursor, len(values) - 1)] if values else None, unit)
    known = [value for value in series.values if value is not None]
    last = amount(known[-1] if known else None, unit)
    if brief or not known:
        return last
    return f"{last} (min {amount(min(known), unit)}, max {amount(max(known), unit)})"


def _is_tight(chart: Chart, width: int) -> bool:
    names = sum(cell_len(each.name) for each in chart.series)
    return names + 38 * len(chart.series) > width


def _cells(entry: list[Piece]) -> int:
    return sum(cell_len(piece.text) for piece in entry)


def _cut(line: list[list[Piece]], width: int) -> Iterator[Piece]:
    """As many of the series as there is room for, each of them whole."""
    for entry in line:
        if cell_len("".join(piece.text for piece in entry).rstrip()) > width:
            return
        yield from entry
        width -= _cells(entry)

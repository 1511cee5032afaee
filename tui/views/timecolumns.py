"""A timeline's rows as text in columns: which of them a width has, and what stands in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, set_cell_size

from tui.views.attempts import Attempt, PollMark
from tui.views.durations import clock, compact
from tui.views.gantt import Axis, axis_of, bar, scale
from tui.views.nesting import Nesting
from tui.views.timerows import Facts, Row, facts_of, rows_of
from tui.views.timetree import tree_of
from tui.views.visible import in_one_line

# By what they give up their place: the last is dropped first.
_OPTIONAL = (("status", 11, 60), ("type", 9, 74), ("queued", 6, 96), ("at", 8, 108))
_RAN = ("ran", 6)
_NOTE_FROM = 128
_LEAST_BAR = 12
_LEAST_TASK = 14
_MOST_TASK = 48
_PLAIN = str.maketrans("│├└┬↻▸…·", "|+++@>~.")
_RIGHT = frozenset(("queued", "ran"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, and how many cells it has."""

    name: str
    cells: int


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of exactly its column's cells; ``tone`` is one of ``statuses.TONES``."""

    column: str
    text: str
    tone: str


def columns_of(width: int) -> tuple[Column, ...]:
    """The columns that fit ``width`` cells, in order; between two of them is one cell.

    Task, time and bar are always there; 80 cells have the status as a word and the type, too.
    """
    fixed = [(name, cells) for name, cells, least in _OPTIONAL if width >= least]
    order = ("at", "type", "status", "queued")
    middle = sorted(fixed, key=lambda each: order.index(each[0]))
    middle.append(_RAN)
    free = width - 1 - sum(cells + 1 for _, cells in middle) - 2
    note = free // 4 if width >= _NOTE_FROM else 0
    free -= note + 1 if note else 0
    task = min(max(free * 9 // 20, min(_LEAST_TASK, free - _LEAST_BAR)), _MOST_TASK)
    task = max(1, task)
    columns = [("glyph", 1), ("task", task), *middle, ("bar", max(1, free - task))]
    if note:
        columns.append(("note", note))
    return tuple(Column(*each) for each in columns)


def cells_of(
    row: Row, facts: Facts, columns: Sequence[Column], axis: Axis, *, ascii: bool = False
) -> Iterator[Cell]:
    """A cell for each of ``columns``; the axis has as many cells as the column ``bar``."""
    tone = facts.look.tone
    for column in columns:
        match column.name:
            case "bar":
                yield Cell("bar", bar(axis, facts.spans, ascii=ascii), tone)
            case "glyph":
                glyph = facts.look.plain if ascii else facts.look.glyph
                yield Cell("glyph", set_cell_size(glyph, 1), tone)
            case "task":
                yield Cell("task", fitted(_label(row), column.cells, ascii=ascii), "text")
            case name:
                text = fitted(_text(name, row, facts, axis), column.cells, ascii=ascii)
                yield Cell(name, text, tone if name == "status" else "muted")


def head_of(columns: Sequence[Column], axis: Axis, *, ascii: bool = False) -> str:
    """The line above the rows: what the columns are, and the marks of the axis."""
    titles = {"glyph": "", "bar": scale(axis, ascii=ascii), "ran": "time"}
    texts = (
        _aligned(column.name, titles.get(column.name, column.name), column.cells)
        for column in columns
    )
    return " ".join(texts)


def detail_of(row: Row, facts: Facts) -> str:
    """All that there is to say about a row, in one line: for the one under the cursor.

    What its columns say too comes last: where there is no room, that is what goes.
    """
    node = row.node
    parts = [in_one_line(node.label), facts.look.label]
    parts += [facts.note] if facts.note else []
    if facts.at is not None:
        parts.append(clock(facts.at / 1000) + "Z")
    parts += [f"queued {compact(facts.queued)}"] if facts.queued else []
    parts += [f"ran {compact(facts.ran)}"] if facts.ran is not None else []
    parts += [node.kind] if node.kind else []
    return "  ".join(parts)


def timeline_text(
    nesting: Nesting,
    attempts: Mapping[str, Attempt],
    polls: Mapping[str, Sequence[PollMark]],
    times: tuple[int, int | None, int],
    width: int,
    *,
    ascii: bool = False,
) -> Iterator[str]:
    """A whole timeline as lines of text.

    Args:
        attempts: By id.
        times: When the execution began, when it ended if it has, and now: epoch milliseconds.
    """
    columns = columns_of(width)
    axis = axis_of(*times, cells=bar_cells(columns))
    yield head_of(columns, axis, ascii=ascii).rstrip()
    for row in rows_of(tree_of(nesting, attempts.values(), polls), ()):
        facts = facts_of(row, attempts, polls, times[2])
        cells = cells_of(row, facts, columns, axis, ascii=ascii)
        yield " ".join(cell.text for cell in cells).rstrip()


def bar_cells(columns: Sequence[Column]) -> int:
    """How many cells the axis has."""
    return next(column.cells for column in columns if column.name == "bar")


def fitted(text: str, cells: int, *, ascii: bool = False) -> str:
    """``text`` in exactly so many cells, with an ellipsis where it is cut."""
    if ascii:
        text = text.translate(_PLAIN)
    if cell_len(text) <= cells:
        return set_cell_size(text, cells)
    return set_cell_size(text, cells - 1) + ("~" if ascii else "…")


def plain(text: str) -> str:
    """The guides and marks of a timeline as terminals show them that have ASCII only."""
    return text.translate(_PLAIN)


def _label(row: Row) -> str:
    folded = f" [+{row.hidden}]" if row.folded else ""
    return row.guide + in_one_line(row.node.label) + folded


def _aligned(name: str, text: str, cells: int) -> str:
    text = fitted(text, cells)
    return text.rstrip().rjust(cells) if name in _RIGHT else text


def _text(name: str, row: Row, facts: Facts, axis: Axis) -> str:
    values: dict[str, Any] = {
        "status": facts.look.label,
        "type": in_one_line(row.node.kind),
        "queued": _length(facts.queued),
        "ran": _length(facts.ran),
        "at": "" if facts.at is None else f"+{compact(facts.at - axis.start)}",
        "note": facts.note,
    }
    return str(values[name])


def _length(milliseconds: int | None) -> str:
    return "" if milliseconds is None else f"{compact(milliseconds):>6}"

"""One row of a JSON document as text with its colours."""

from __future__ import annotations

import json
from typing import NamedTuple

from tui.views.json_values import Number, Value, literal, safe
from tui.views.lines import LONGEST_SHOWN, Line, Mark, cut, more

KEY, TEXT, NUMBER, WORD, FRAME = "primary", "success", "accent", "warning", "muted"
# An escape takes six cells.
_WIDEST = 6


class Shape(NamedTuple):
    """What a row shows.

    Attributes:
        value: The value that it shows, or begins, or ends.
        key: None in a list, and of the document itself.
        depth: How far it is indented.
        state: ``plain``, ``folded``, ``unfolded``, or ``end``.
        is_last: No comma follows.
    """

    value: Value
    key: str | None
    depth: int
    state: str
    is_last: bool


def json_line(shape: Shape, *, ascii_only: bool = False) -> Line:
    """The row; what is long is cut, and says how much more there is."""
    parts = [("  " * shape.depth, ""), (_sign(shape.state, ascii_only), FRAME)]
    if shape.key is not None and shape.state != "end":
        parts += [(_quoted(shape.key), KEY), (": ", FRAME)]
    parts += _value(shape)
    if not shape.is_last and shape.state != "unfolded":
        parts.append((",", FRAME))
    return assembled(parts)


def assembled(parts: list[tuple[str, str]]) -> Line:
    """A line of texts and the tones of each; an empty name is no tone."""
    marks, place = [], 0
    for text, tone in parts:
        if tone and text:
            marks.append(Mark(place, place + len(text), tone))
        place += len(text)
    return Line("".join(text for text, _ in parts), marks)


def most_cells(shape: Shape) -> int:
    """At least as many cells as :func:`json_line` has."""
    value = shape.value
    characters = len(value) if isinstance(value, str) else 30
    if isinstance(value, Number):
        characters = len(value.written)
    elif isinstance(value, int) and not isinstance(value, bool):
        characters = max(30, value.bit_length() // 3)
    shown = min(characters, LONGEST_SHOWN) + min(len(shape.key or ""), LONGEST_SHOWN)
    return 2 * shape.depth + _WIDEST * shown + 80


def is_cut(value: Value) -> bool:
    """Whether a row does not show all of a text."""
    return isinstance(value, str) and len(value) > LONGEST_SHOWN


def _sign(state: str, ascii_only: bool) -> str:
    if state == "folded":
        return "> " if ascii_only else "▸ "
    if state == "unfolded":
        return "v " if ascii_only else "▾ "
    return "  "


def _value(shape: Shape) -> list[tuple[str, str]]:
    value = shape.value
    match value:
        case dict():
            return _container(shape, "{", "}", "key")
        case list():
            return _container(shape, "[", "]", "item")
        case str():
            return [(_quoted(value), TEXT)]
        case bool() | None:
            return [(literal(value), WORD)]
        case _:
            return [(cut(literal(value)), NUMBER)]


def _container(shape: Shape, opening: str, closing: str, member: str) -> list[tuple[str, str]]:
    if shape.state == "unfolded":
        return [(opening, FRAME)]
    if shape.state == "end":
        return [(closing, FRAME)]
    many = len(shape.value)
    if not many:
        return [(opening + closing, FRAME)]
    return [(f"{opening} {many:,} {member}{'s' if many > 1 else ''} {closing}", FRAME)]


def _quoted(text: str) -> str:
    if len(text) <= LONGEST_SHOWN:
        return safe(json.dumps(text, ensure_ascii=False))
    begun = safe(json.dumps(text[:LONGEST_SHOWN], ensure_ascii=False)[:-1])
    return begun + more(len(text) - LONGEST_SHOWN)

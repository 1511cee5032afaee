"""A form's rows as text: label, value, and what is said about the row under the cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich.cells import cell_len

from tui.views.forms.rows import FormRow
from tui.views.forms.texts import wants
from tui.views.pieces import Piece
from tui.views.timecolumns import fitted
from tui.views.visible import in_one_line

INDENT = 2
_LEAST_LABEL, _MOST_LABEL = 12, 36
_LEAST_VALUE = 24
_GAP = 2
_PLAIN = str.maketrans("▸▾✘→…·", ">vx>~.")


def label_cells(rows: Sequence[FormRow], width: int) -> int:
    """How many cells the labels have: as many as the longest needs, where values have room."""
    longest = max((cell_len(_label(row)) for row in rows if row.part != "fault"), default=0)
    room = max(width * 2 // 5, width - _GAP - _LEAST_VALUE)
    return max(1, min(max(longest, _LEAST_LABEL), _MOST_LABEL, room))


def pieces_of(row: FormRow, labels: int, width: int, *, ascii: bool = False) -> Iterator[Piece]:
    """A row in ``width`` cells: its label in ``labels`` of them, then its value."""
    rest = max(1, width - labels - _GAP)
    if row.part == "fault":
        text = " " * (labels + _GAP) + f"✘ {in_one_line(row.value)}"
        yield Piece(_fitted(text, width, ascii), "error")
    elif row.part in ("save", "cancel", "add"):
        button = row.label if row.part == "add" else f"[ {row.label} ]"
        text = " " * (INDENT * (row.depth + 1)) + button
        yield Piece(_fitted(text, width, ascii), "primary", bold=row.part == "save")
    else:
        tone = "muted" if row.fixed else "text"
        missing = row.field.required and not row.given and row.part == "value"
        yield Piece(_fitted(_label(row), labels, ascii), tone, bold=missing)
        yield Piece(" " * _GAP, "text")
        yield Piece(_fitted(_value(row), rest, ascii), _tone(row))


def value_column(labels: int) -> int:
    """Where the values begin."""
    return labels + _GAP


def about(row: FormRow, width: int) -> tuple[str, str]:
    """Two lines about a row: what it means, and what may stand there.

    What it means goes on in the second where it is too long for the first.
    """
    if row.part in ("save", "cancel"):
        return ("Send it" if row.part == "save" else "Leave it as it was"), ""
    said, told = in_one_line(row.field.description), in_one_line(_told(row))
    if cell_len(said) <= width:
        return said, told
    behind = f" · {told}" if told else ""
    first, *more = wrap(said, max(_LEAST_LABEL, width))
    room = width - cell_len(behind)
    if not more or room < _LEAST_LABEL:
        return said, told
    return first, fitted(" ".join(more), room).rstrip() + behind


def _told(row: FormRow) -> str:
    """What may stand there."""
    field = row.field
    parts = [wants(field)]
    if field.refers_to:
        parts.insert(0, f"the name of: {field.refers_to}")
    if field.secret:
        parts.insert(0, "secret")
    if row.fixed:
        parts.insert(0, "cannot be changed")
    elif field.required and row.part == "value":
        parts.insert(0, "required")
    return " · ".join(part for part in parts if part)


def _label(row: FormRow) -> str:
    arrow = ("▾ " if row.open else "▸ ") if row.has_below else "  "
    star = " *" if row.field.required and row.part in ("value", "group", "list") else ""
    return " " * (INDENT * row.depth) + arrow + in_one_line(row.label) + star


def _value(row: FormRow) -> str:
    text = in_one_line(row.value)
    if row.part == "value" and row.field.sort == "boolean":
        text = _truth(row)
    if row.field.refers_to and row.part == "value":
        text = f"{text} → {row.field.refers_to}" if text else f"→ {row.field.refers_to}"
    if row.fixed:
        return f"{text}  (fixed)"
    holds = row.part == "value" and row.value and not row.given
    return f"{text}  (default)" if holds else text


def _truth(row: FormRow) -> str:
    # A text that is neither stays as it was typed.
    return {"true": "[x] yes", "false": "[ ] no", "": "[·]"}.get(row.value, row.value)


def _tone(row: FormRow) -> str:
    return "text" if row.given and not row.fixed else "muted"


def _fitted(text: str, cells: int, ascii: bool) -> str:
    return fitted(text.translate(_PLAIN) if ascii else text, cells, ascii=ascii)


def matching(names: Sequence[str], typed: str, most: int) -> list[str]:
    """The first ``most`` of ``names`` that have ``typed`` in them, those that begin so first."""
    wanted = typed.strip().casefold()
    begin, within = list[str](), list[str]()
    for name in names:
        folded = name.casefold()
        if folded.startswith(wanted):
            begin.append(name)
        elif wanted in folded:
            within.append(name)
        if len(begin) >= most:
            break
    return [*begin, *within][:most]

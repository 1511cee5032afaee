"""The columns of two executions compared."""

from __future__ import annotations

from tui.resources.model import Cell, Column
from tui.views.execution_rows import DiffRow

_TONES = {"-": "error", "+": "success", "~": "warning", " ": "muted"}


def _toned(text: str, row: DiffRow) -> Cell:
    return Cell(text, _TONES[row.sign] if row.is_difference else "text")


COLUMNS: tuple[Column[DiffRow], ...] = (
    Column("sign", "", 1, lambda row, _: Cell(row.sign, _TONES[row.sign]),
           lambda row: row.number, priority=9),
    Column("what", "WHAT", 14, lambda row, _: _toned(row.what, row), lambda row: row.what,
           flex=2, priority=9),
    Column("one", "FIRST -", 14, lambda row, _: Cell(row.one), lambda row: row.one, flex=2,
           priority=8),
    Column("two", "THIS +", 14, lambda row, _: Cell(row.two), lambda row: row.two, flex=2,
           priority=8),
    Column("later", "TOOK", 9, lambda row, _: Cell(row.later, "warning"), lambda row: row.later,
           priority=5, right=True),
    Column("differs", "DIFFERS IN", 14, lambda row, _: Cell(row.differs, "muted"),
           lambda row: row.differs, flex=1, priority=6),
)  # fmt: skip

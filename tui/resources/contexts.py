"""Contexts: the suites that the console's settings name."""

from __future__ import annotations

from tui.live.contexts import NOT_ASKED, ContextRow
from tui.resources.model import Cell, Column, Resource


def _state(row: ContextRow, now: float) -> Cell:
    if row.state == NOT_ASKED:
        return Cell("○ asking", "muted")
    return Cell("● up", "success") if row.state == "up" else Cell(f"✘ {row.state}", "error")


def _care(row: ContextRow) -> str:
    return " ".join(word for word, holds in (
        ("read-only", row.read_only), ("protected", row.protected)
    ) if holds)  # fmt: skip


RESOURCE: Resource[ContextRow] = Resource(
    name="contexts",
    aliases=("ctx", "context"),
    title="Contexts",
    help="""\
## Contexts

The suites that `console.toml` names. `Enter` goes to one; the place stays, where it has it.
`ctrl+r` asks again how they are.
""",
    columns=(
        Column("name", "NAME", 12, lambda row, _: Cell(row.id), lambda row: row.id, flex=1,
               priority=9),
        Column("current", "", 4, lambda row, _: Cell("here" if row.current else "", "accent"),
               priority=9),
        Column("state", "STATE", 12, _state, lambda row: row.state, flex=2, priority=9),
        Column("care", "CARE", 10, lambda row, _: Cell(_care(row), "warning"), _care, priority=7),
        Column("where", "WHERE", 16, lambda row, _: Cell(row.where, "muted"),
               lambda row: row.where, flex=2, priority=5),
    ),
    opens=lambda row: f"@{row.id}",
    text=lambda row: f"{row.id} {row.where} {row.state}",
    sort="name",
)  # fmt: skip

"""Keys: every binding of the console, as a list."""

from __future__ import annotations

from typing import NamedTuple

from tui.resources.model import Cell, Column, Resource


class KeyRow(NamedTuple):
    """One binding.

    Attributes:
        id: What a keymap calls it.
        keys: As a keymap writes them, with commas.
        scope: Which part of the console has it.
    """

    id: str
    keys: str
    scope: str
    does: str


RESOURCE: Resource[KeyRow] = Resource(
    name="keys",
    aliases=("key", "bindings"),
    title="Keys",
    help="""\
## Keys

Every key of the console. `console.toml` gives other keys to an id, in its table `[keys]`.
""",
    columns=(
        Column("keys", "KEYS", 12, lambda row, _: Cell(row.keys, "accent"), lambda row: row.keys,
               flex=1, priority=9),
        Column("id", "ID", 20, lambda row, _: Cell(row.id), lambda row: row.id, flex=1,
               priority=9),
        Column("does", "DOES", 24, lambda row, _: Cell(row.does), lambda row: row.does, flex=3,
               priority=8),
        Column("scope", "WHERE", 12, lambda row, _: Cell(row.scope, "muted"),
               lambda row: row.scope, priority=6),
    ),
    fields={"id": lambda row: row.id, "keys": lambda row: row.keys, "where": lambda row: row.scope},
    text=lambda row: f"{row.id} {row.keys} {row.does} {row.scope}",
    sort="id",
)  # fmt: skip

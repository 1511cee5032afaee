"""Access keys of all applications: whose, who made them, and which still open anything."""

from __future__ import annotations

from tui.resources.credentials import ACCESS_KEYS, COLUMNS, REVOKE_ACCESS_KEY, Key, moment
from tui.resources.model import Cell, Column, Opening, Resource, Tab
from tui.views.addresses import Address


def _owner(row: Key) -> Address:
    return Address("applications", row.owner, "keys")


RESOURCE: Resource[Key] = Resource(
    name="access-keys",
    aliases=("access-key", "accesskeys"),
    title="Access keys",
    empty="No application has an access key that may be seen.",
    help="""\
## Access keys

The keys with which programs and people get tokens, of all applications; secrets are never shown
again. `x` revokes one, once you have confirmed; `o` leads to its application's keys, where one is
made with `n` and rolled with `r`.
""",
    columns=(
        Column("name", "KEY ID", 16, lambda row, _: Cell(row.id), lambda row: row.id, flex=1,
               priority=9),
        Column("application", "APPLICATION", 14, lambda row, _: Cell(row.owner),
               lambda row: row.owner, flex=2, priority=9),
        *(each for each in COLUMNS[1:] if each.name != "as"),
    ),
    source=ACCESS_KEYS,
    fields={
        "application": lambda row: row.owner,
        "by": lambda row: row.created_by,
        "revoked": lambda row: bool(row.revoked_at),
    },
    text=lambda row: f"{row.id} {row.owner} {row.created_by} {moment(row.expires_at)}",
    tabs=(Tab("json", "JSON", "record-json"),),
    actions=(REVOKE_ACCESS_KEY,),
    openings=(
        Opening("access_keys.open", "o", "Its application", "Where it is rolled, and others made.",
                leads=_owner),
    ),
    sort="application",
)  # fmt: skip

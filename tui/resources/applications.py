"""Applications: service accounts: roles, grants and access keys."""

from __future__ import annotations

from collections.abc import Sequence

from tui.resources.catalog import (
    BY,
    FIELDS,
    NAME,
    REVISION,
    TABS,
    UPDATED,
    Definition,
    delete,
    source,
    text_column,
    text_of,
    written,
)
from tui.resources.model import Action, Cell, Column, Danger, Resource, Tab
from tui.resources.services import switch, switched
from tui.views.drafts import command


def _state(row: Definition, now: float) -> Cell:
    return Cell("● active", "success") if row.get("enabled", True) else Cell("⊘ paused", "warning")


def _effect(rows: Sequence[Definition]) -> str:
    off = sum(bool(row.get("enabled", True)) for row in rows)
    return (
        f"{off} will be paused: within a second their tokens are refused, their streams end, and\n"
        f"calls of the gateway in their name are refused; {len(rows) - off} will go on."
    )


SWITCH: Action[Definition] = Action(
    "application.switch", "x", "Pause/go on", "Pause it, so that it may do nothing, or go on.",
    switch, lambda rows, _: " && ".join(command(switched(row)) for row in rows),
    doing="switching", effect=_effect, danger=Danger.ASKS,
)  # fmt: skip

RESOURCE: Resource[Definition] = Resource(
    name="applications",
    aliases=("app", "apps", "application",),
    title="Applications",
    help="""\
## Applications

Service accounts: roles, grants and access keys. `x` pauses one: it may do nothing until it goes on.
""",
    source=source("application"),
    columns=(
        NAME,
        Column("state", "STATE", 9, _state, lambda row: not row.get("enabled", True), priority=8),
        text_column("title", "TITLE", 10, lambda row: row.get("name"), flex=1, priority=4),
        text_column("roles", "ROLES", 10, lambda row: " ".join(row.get("roles", ())), flex=1,
                    priority=7),
        text_column("grants", "GRANTS", 6, lambda row: len(row.get("permissions", ())), priority=6,
                    right=True),
        UPDATED,
        BY,
        REVISION,
    ),
    fields={**FIELDS, "enabled": lambda row: bool(row.get("enabled", True))},
    text=text_of,
    tabs=(
        *TABS,
        Tab("grants", "Grants", "application-grants"),
        Tab("keys", "Keys", "application-keys"),
        Tab("access", "Access", "application-access"),
    ),
    actions=(SWITCH, delete("application")),
    openings=written("application"),
    kind="application",
    sort="name",
)  # fmt: skip

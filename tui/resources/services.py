"""Services: what the gateway serves, each a base path with routes below it."""

from __future__ import annotations

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
from tui.resources.model import Cell, Column, Resource, Tab


def _state(row: Definition, now: float) -> Cell:
    return Cell("● enabled", "success") if row.get("enabled", True) else Cell("○ disabled", "muted")


RESOURCE: Resource[Definition] = Resource(
    name="services",
    aliases=("svc", "service"),
    title="Services",
    help="""\
## Services

What the gateway serves: a base path, who may call, and the routes below it.
""",
    source=source("service"),
    columns=(
        NAME,
        Column("state", "STATE", 10, _state, lambda row: not row.get("enabled", True), priority=8),
        text_column("path", "PATH", 14, lambda row: row.get("path"), flex=2, priority=7),
        text_column("routes", "ROUTES", 6, lambda row: len(row.get("routes", ())), priority=6,
                    right=True),
        text_column("auth", "AUTH", 10, lambda row: row.get("authConfigId"), flex=1, priority=5),
        text_column("title", "TITLE", 10, lambda row: row.get("name"), flex=1, priority=3),
        UPDATED,
        BY,
        REVISION,
    ),
    fields={
        **FIELDS,
        "path": lambda row: row.get("path"),
        "auth": lambda row: row.get("authConfigId"),
        "enabled": lambda row: bool(row.get("enabled", True)),
    },
    text=lambda row: f"{text_of(row)} {row.get('name')} {row.get('path')}",
    tabs=(*TABS, Tab("traffic", "Traffic", "traffic")),
    actions=(delete("service"),),
    openings=written("service"),
    kind="service",
    sort="name",
)  # fmt: skip

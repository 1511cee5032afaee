"""Applications: service accounts: roles, grants and access keys."""

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
from tui.resources.model import Resource, Tab

RESOURCE: Resource[Definition] = Resource(
    name="applications",
    aliases=("app", "apps", "application",),
    title="Applications",
    help="""\
## Applications

Service accounts: roles, grants and access keys.
""",
    source=source("application"),
    columns=(
        NAME,
        text_column("title", "TITLE", 10, lambda row: row.get("name"), flex=1, priority=4),
        text_column("roles", "ROLES", 10, lambda row: " ".join(row.get("roles", ())), flex=1,
                    priority=7),
        text_column("grants", "GRANTS", 6, lambda row: len(row.get("permissions", ())), priority=6,
                    right=True),
        UPDATED,
        BY,
        REVISION,
    ),
    fields=FIELDS,
    text=text_of,
    tabs=(
        *TABS,
        Tab("grants", "Grants", "application-grants"),
        Tab("keys", "Keys", "application-keys"),
    ),
    actions=(delete("application"),),
    openings=written("application"),
    kind="application",
    sort="name",
)  # fmt: skip

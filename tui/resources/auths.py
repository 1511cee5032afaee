"""Auth: how callers of services prove who they are, and as which application."""

from __future__ import annotations

from tui.resources.catalog import (
    ACCESS,
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
    name="auths",
    aliases=("auth", "authconfig",),
    title="Auths",
    help="""\
## Auth

How callers of services prove who they are, and as which application.
""",
    source=source("auth"),
    columns=(
        NAME,
        text_column("type", "TYPE", 8, lambda row: row.get("authenticationType"), priority=8),
        text_column("application", "APPLICATION", 12, lambda row: row.get("applicationId"),
                    flex=1, priority=7),
        text_column("keys", "KEYS", 4, lambda row: len(row.get("knownKeys", ())), priority=6,
                    right=True),
        UPDATED,
        BY,
        REVISION,
    ),
    fields=FIELDS,
    text=text_of,
    tabs=(*TABS, Tab("keys", "Keys", "auth-keys"), ACCESS),
    actions=(delete("auth"),),
    openings=written("auth"),
    kind="auth",
    sort="name",
)  # fmt: skip

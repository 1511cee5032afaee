"""Schemas: JSON Schemas that routes and workflows name."""

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
    name="schemas",
    aliases=("schema",),
    title="Schemas",
    help="""\
## Schemas

JSON Schemas that routes and workflows name.
""",
    source=source("schema"),
    columns=(
        NAME,
        text_column("version", "V", 3, lambda row: row.version, priority=8, right=True),
        text_column("description", "DESCRIPTION", 12, lambda row: row.get("description"), flex=3,
                    priority=3),
        UPDATED,
        BY,
        REVISION,
    ),
    fields=FIELDS,
    text=text_of,
    tabs=(*TABS, Tab("sample", "Sample", "schema-sample"), ACCESS),
    actions=(delete("schema"),),
    openings=written("schema"),
    kind="schema",
    sort="name",
)  # fmt: skip

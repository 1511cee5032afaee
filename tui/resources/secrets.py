"""Secrets: names only; values are written, never read."""

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
    text_of,
    written,
)
from tui.resources.model import Resource

RESOURCE: Resource[Definition] = Resource(
    name="secrets",
    aliases=("secret",),
    title="Secrets",
    help="""\
## Secrets

Names only: values are written, never read.
""",
    source=source("secret"),
    columns=(
        NAME,
        UPDATED,
        BY,
        REVISION,
    ),
    fields=FIELDS,
    text=text_of,
    tabs=(*TABS, ACCESS),
    actions=(delete("secret"),),
    openings=written("secret"),
    kind="secret",
    sort="name",
)  # fmt: skip

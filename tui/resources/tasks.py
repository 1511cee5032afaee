"""Task definitions: how tasks of a name are retried, timed out and limited."""

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
from tui.resources.model import Resource

RESOURCE: Resource[Definition] = Resource(
    name="tasks",
    aliases=("task", "taskdefs"),
    title="Tasks",
    help="""\
## Task definitions

How tasks of a name are retried, timed out and limited, in whichever workflow they are.
""",
    source=source("task"),
    columns=(
        NAME,
        text_column("retries", "RETRY", 5, lambda row: row.get("retryCount", 3), priority=7,
                    right=True),
        text_column("logic", "LOGIC", 12, lambda row: row.get("retryLogic", "FIXED"), priority=5),
        text_column("timeout", "TIMEOUT", 7, lambda row: row.get("timeoutSeconds", 0), priority=6,
                    right=True),
        text_column("response", "RESPONSE", 8, lambda row: row.get("responseTimeoutSeconds", 0),
                    priority=4, right=True),
        text_column("description", "DESCRIPTION", 12, lambda row: row.get("description"), flex=3,
                    priority=3),
        UPDATED,
        BY,
        REVISION,
    ),
    fields=FIELDS,
    text=text_of,
    tabs=(*TABS, ACCESS),
    actions=(delete("task"),),
    openings=written("task"),
    kind="task",
    sort="name",
)  # fmt: skip

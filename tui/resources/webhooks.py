"""Webhooks: URLs of the gateway at which others tell of something."""

from __future__ import annotations

from collections.abc import Mapping

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
from tui.resources.model import Cell, Column, Resource


def is_enabled(row: Definition) -> bool:
    """Whether there is such a URL."""
    return row.get("enabled", True) is not False


def verifier_of(row: Definition) -> str:
    """How senders prove who they are."""
    verifier = row.get("verifier", {})
    return str(verifier.get("type", "")) if isinstance(verifier, Mapping) else ""


def _state(row: Definition, now: float) -> Cell:
    return Cell("on", "success") if is_enabled(row) else Cell("off", "muted")


def _verifier(row: Definition, now: float) -> Cell:
    word = verifier_of(row)
    return Cell(word, "warning" if word == "NONE" else "text")


RESOURCE: Resource[Definition] = Resource(
    name="webhooks",
    aliases=("webhook",),
    title="Webhooks",
    help="""\
## Webhooks

URLs of the gateway, `/-/webhooks/NAME`, at which others tell of something: tasks wait for it, event
handlers listen to it.
""",
    source=source("webhook"),
    columns=(
        NAME,
        text_column("url", "PATH", 20, lambda row: f"/-/webhooks/{row.id}", flex=2, priority=7),
        Column("verifier", "VERIFIED BY", 12, _verifier, verifier_of, flex=1, priority=8),
        Column("state", "STATE", 6, _state, is_enabled, priority=9),
        UPDATED,
        BY,
        REVISION,
    ),
    fields={**FIELDS, "verifier": verifier_of},
    text=lambda row: f"{text_of(row)} {verifier_of(row)}",
    tabs=(*TABS, ACCESS),
    actions=(delete("webhook"),),
    openings=written("webhook"),
    kind="webhook",
    sort="name",
)  # fmt: skip

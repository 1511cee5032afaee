"""Services: what the gateway serves, each a base path with routes below it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from podium.registry.v1 import registry_pb2 as pb
from services.errors import ServiceError
from services.rpc import raising_ours
from tui.resources.catalog import (
    ACCESS,
    BY,
    CALL_SECONDS,
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
from tui.resources.model import Action, Cell, Column, Danger, ItemResult, Resource, Tab
from tui.views.drafts import command

if TYPE_CHECKING:
    from tui.clients import Clients


def _state(row: Definition, now: float) -> Cell:
    return Cell("● enabled", "success") if row.get("enabled", True) else Cell("○ disabled", "muted")


async def switch(
    clients: Clients, rows: Sequence[Definition], answers: Mapping[str, str]
) -> AsyncIterator[ItemResult]:
    """Enable what is disabled, and disable what is enabled."""
    for row in rows:
        document = switched(row)
        put = pb.DocumentPut(document=json.dumps(document, ensure_ascii=False), etag=row.etag)
        request = pb.PutDefinitionsRequest(puts=[put])
        try:
            with raising_ours():
                await clients.registry.PutDefinitions(request, timeout=CALL_SECONDS)
        except ServiceError as error:
            yield ItemResult(row.id, False, error.detail)
        else:
            yield ItemResult(row.id, True, "enabled" if document["enabled"] else "disabled")


def switched(row: Definition) -> dict[str, Any]:
    """Its document, enabled if it is not, and else disabled."""
    return {**row.document, "enabled": not row.get("enabled", True)}


def _effect(rows: Sequence[Definition]) -> str:
    off = sum(bool(row.get("enabled", True)) for row in rows)
    on = len(rows) - off
    return f"{off} will be disabled: all its routes answer 503 then; {on} will be enabled."


SWITCH: Action[Definition] = Action(
    "service.switch", "x", "On/off", "Enable it, or disable it: all its routes answer 503 then.",
    switch,
    lambda rows, _: " && ".join(command(switched(row)) for row in rows),
    doing="switching", effect=_effect, danger=Danger.SEVERAL,
)  # fmt: skip

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
    tabs=(
        Tab("routes", "Routes", "service-routes"),
        *TABS,
        Tab("traffic", "Traffic", "traffic"),
        Tab("openapi", "OpenAPI", "openapi"),
        ACCESS,
    ),
    actions=(SWITCH, delete("service")),
    openings=written("service"),
    kind="service",
    sort="name",
)  # fmt: skip

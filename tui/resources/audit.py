"""The audit log: who changed what, and who was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.registry.v1 import registry_pb2 as pb
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.sources import Source
from tui.resources.model import Cell, Column, Resource, Tab
from tui.views.durations import date_and_clock

if TYPE_CHECKING:
    from tui.clients import Clients

NEWEST = 1_000
MOST = 20_000


class AuditEntry(NamedTuple):
    """One entry; ``number`` rises with time, ``at`` is in epoch seconds."""

    id: str
    number: int
    at: float
    principal: str
    action: str
    kind: str
    name: str
    detail: str

    @property
    def document(self) -> Mapping[str, Any]:
        """The whole of it."""
        return self._asdict()


def entry_of(entry: pb.AuditEntry) -> AuditEntry:
    """The row of an entry."""
    return AuditEntry(
        str(entry.id),
        entry.id,
        entry.at.ToNanoseconds() / 1e9,
        entry.principal,
        entry.action,
        entry.kind,
        entry.name,
        entry.detail,
    )


async def _watch(clients: Clients, query: str, entries: Collection[AuditEntry], line: Line) -> None:
    request = pb.WatchAuditEntriesRequest(newest=NEWEST, resume=entries.place)
    async for message in clients.registry.WatchAuditEntries(request):
        match message.WhichOneof("event"):
            case "snapshot_started":
                entries.begin_snapshot()
            case "entries":
                entries.put(map(entry_of, message.entries.entries))
            case "caught_up":
                entries.end_snapshot()
        entries.place = message.resume if not entries.in_snapshot else None
        if entries.in_snapshot:
            line.syncing(len(entries))
        else:
            line.live()


SOURCE: Source[AuditEntry] = Source("audit", "registry", _watch, most=MOST)

_TONES = {"denied": "error", "delete": "warning", "revoke-key": "warning"}

RESOURCE: Resource[AuditEntry] = Resource(
    name="audit",
    aliases=("aud",),
    title="Audit",
    help="""\
## Audit

Who changed what, and who was refused, newest first, as it happens.
""",
    source=SOURCE,
    columns=(
        Column("at", "AT", 19, lambda row, _: Cell(date_and_clock(row.at), "muted"),
               lambda row: row.number, priority=9),
        Column("action", "ACTION", 10,
               lambda row, _: Cell(row.action, _TONES.get(row.action, "text")),
               lambda row: row.action, priority=9),
        Column("kind", "KIND", 11, lambda row, _: Cell(row.kind), lambda row: row.kind, priority=7),
        Column("name", "NAME", 14, lambda row, _: Cell(row.name), lambda row: row.name, flex=2,
               priority=8),
        Column("principal", "WHO", 14, lambda row, _: Cell(row.principal),
               lambda row: row.principal, flex=1, priority=6),
        Column("detail", "DETAIL", 14, lambda row, _: Cell(row.detail, "muted"),
               lambda row: row.detail, flex=3, priority=4),
    ),
    fields={
        "at": lambda row: row.at,
        "who": lambda row: row.principal,
        "action": lambda row: row.action,
        "kind": lambda row: row.kind,
        "name": lambda row: row.name,
    },
    label=lambda row: f"{row.action} {row.kind} {row.name}",
    text=lambda row: f"{row.principal} {row.action} {row.kind} {row.name} {row.detail}",
    tabs=(Tab("entry", "Entry", "record-json"),),
    sort="at",
    reverse=True,
)  # fmt: skip

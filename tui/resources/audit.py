"""The audit log: who changed what, and who was refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.registry.v1 import registry_pb2 as pb
from services.auditing.wire import outcome_of
from services.query.audit import AUDIT
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.sources import Source
from tui.resources.model import Cell, Column, Resource, Tab
from tui.views.durations import date_and_clock, iso

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
    outcome: str = "allowed"
    key_id: str = ""
    via: str = ""
    method: str = ""
    source: str = ""
    agent: str = ""
    trace: str = ""
    version: int = 0
    revision_before: int = 0
    revision: int = 0
    before: str = ""
    after: str = ""
    times: int = 1

    @property
    def document(self) -> Mapping[str, Any]:
        """What it tells: the moment for people, and nothing that is empty."""
        return entry_data(self)


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
        outcome_of(entry),
        entry.key_id,
        entry.via,
        entry.method,
        entry.source,
        entry.agent,
        entry.trace,
        entry.version,
        entry.revision_before,
        entry.revision,
        entry.before,
        entry.after,
        entry.count,
    )


def entry_data(entry: AuditEntry) -> dict[str, Any]:
    """An entry as commands and the console show it: without what it does not tell."""
    told = {name: value for name, value in entry._asdict().items() if value not in ("", 0)}
    at = iso(datetime.fromtimestamp(entry.at, UTC))
    named = ("id", "number", "at", "times")
    return {
        "id": entry.number,
        "at": at,
        **{name: value for name, value in told.items() if name not in named},
        **({"count": entry.times} if entry.times > 1 else {}),
    }


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

_TONES = {"denied": "error", "failed": "warning", "allowed": "success"}


def _action(entry: AuditEntry) -> str:
    """With a mark where nothing came of it: in little room that is all there is of the outcome."""
    return entry.action if entry.outcome == "allowed" else f"✗ {entry.action}"


def _tone(entry: AuditEntry) -> str:
    return "text" if entry.outcome == "allowed" else _TONES.get(entry.outcome, "text")


RESOURCE: Resource[AuditEntry] = Resource(
    name="audit",
    aliases=("aud",),
    title="Audit",
    help="""\
## Audit

Who changed what, and who was refused, newest first, as it happens. The filter asks by `outcome:`,
`who:`, `action:`, `kind:`, `name:`, `method:`, `source:`, `newer:` and more; **Change** shows what
was made different in a definition.
""",
    source=SOURCE,
    columns=(
        Column("at", "AT", 19, lambda row, _: Cell(date_and_clock(row.at), "muted"),
               lambda row: row.number, priority=9),
        Column("outcome", "OUTCOME", 7,
               lambda row, _: Cell(row.outcome, _TONES.get(row.outcome, "text")),
               lambda row: row.outcome, priority=5),
        Column("action", "ACTION", 10, lambda row, _: Cell(_action(row), _tone(row)),
               lambda row: row.action, priority=9),
        Column("kind", "KIND", 11, lambda row, _: Cell(row.kind), lambda row: row.kind, priority=7),
        Column("name", "NAME", 14, lambda row, _: Cell(row.name), lambda row: row.name, flex=2,
               priority=8),
        Column("principal", "WHO", 17, lambda row, _: Cell(row.principal),
               lambda row: row.principal, flex=1, priority=8),
        Column("source", "FROM", 11, lambda row, _: Cell(row.source, "muted"),
               lambda row: row.source, priority=3),
        Column("detail", "DETAIL", 14, lambda row, _: Cell(row.detail, "muted"),
               lambda row: row.detail, flex=3, priority=4),
    ),
    fields={
        "outcome": lambda row: row.outcome,
        "who": lambda row: row.principal,
        "action": lambda row: row.action,
        "kind": lambda row: row.kind,
        "name": lambda row: row.name,
        "method": lambda row: row.method,
        "source": lambda row: row.source,
        "agent": lambda row: row.agent,
        "key": lambda row: row.key_id,
        "via": lambda row: row.via,
        "trace": lambda row: row.trace,
        "detail": lambda row: row.detail,
        "revision": lambda row: row.revision or None,
        "count": lambda row: row.times,
        "id": lambda row: row.number,
        "at": lambda row: int(row.at * 1e6),
    },
    vocabulary=AUDIT,
    label=lambda row: f"{row.action} {row.kind} {row.name}",
    text=lambda row: f"{row.principal} {row.action} {row.kind} {row.name} {row.detail}",
    tabs=(Tab("entry", "Entry", "record-json"), Tab("change", "Change", "audit-change")),
    sort="at",
    reverse=True,
)  # fmt: skip

"""The revisions of one definition: what it was, and that any of them can be stored again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.common.v1 import page_pb2
from podium.registry.v1 import registry_pb2 as pb
from services.errors import ServiceError
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.sources import Source
from tui.resources.model import Action, Cell, Column, Danger, ItemResult
from tui.views.changes import changes
from tui.views.command_lines import command_line
from tui.views.history import entries

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 30.0
# Pages are small, since what is stored may be large; who wants more has `podium history`.
PAGE = 50
MOST = 500
# Of what differs, before one is stored again.
MOST_TOLD = 8


class Revision(NamedTuple):
    """One stored state.

    Attributes:
        said: What changed with it, in a line.
        before: The document before it, of the same version; None: there was none.
        now: The newest one of the same version; None: that is deleted.
        document: None: the definition was deleted.
    """

    id: str
    kind: str
    name: str
    version: int
    at: str
    by: str
    said: str
    document: Mapping[str, Any] | None
    before: Mapping[str, Any] | None
    now: Mapping[str, Any] | None = None


def source(kind: str) -> Source[Revision]:
    """The revisions of the definition of ``kind`` whose name the query is."""

    async def watch(
        clients: Clients, query: str, collection: Collection[Revision], line: Line
    ) -> None:
        """Read once, and again when the line is asked to."""
        rows = await _read(clients, kind, query)
        collection.replace({row.id: row for row in rows})
        await line.rest()

    return Source(f"revisions of {kind}", "registry", watch)


async def _read(clients: Clients, kind: str, name: str) -> list[Revision]:
    states: list[pb.DefinitionState] = []
    token = ""
    while len(states) < MOST:
        answer = await clients.registry.ListDefinitionHistory(
            pb.ListDefinitionHistoryRequest(
                kind=kind, name=name, page=page_pb2.PageRequest(page_size=PAGE, page_token=token)
            ),
            timeout=CALL_SECONDS,
        )
        states.extend(answer.states)
        token = answer.next_page_token
        if not token:
            break
    return _rows(states, whole=not token)


def _rows(states: Sequence[pb.DefinitionState], *, whole: bool) -> list[Revision]:
    documents: dict[int, Mapping[str, Any] | None] = {}
    rows: list[Revision] = []
    for entry in reversed(entries(states, whole=whole)):
        stored = entry.state.definition
        document = None if entry.state.deleted else json.loads(stored.document)
        rows.append(
            Revision(
                str(stored.revision),
                stored.kind,
                stored.name,
                stored.version,
                f"{stored.updated_at.ToDatetime(UTC):%Y-%m-%d %H:%M:%S}",
                stored.updated_by,
                entry.said,
                document,
                documents.get(stored.version),
            )
        )
        documents[stored.version] = document
    return [row._replace(now=documents[row.version]) for row in rows]


COLUMNS: tuple[Column[Revision], ...] = (
    Column("revision", "REV", 6, lambda row, _: Cell(row.id), lambda row: int(row.id),
           priority=9, right=True),
    Column("version", "V", 3, lambda row, _: Cell(str(row.version or "")),
           lambda row: row.version, priority=7, right=True),
    Column("at", "AT", 19, lambda row, _: Cell(row.at, "muted"), lambda row: row.at, priority=6),
    Column("by", "BY", 18, lambda row, _: Cell(row.by, "muted"), lambda row: row.by, flex=1,
           priority=4),
    Column("said", "CHANGE", 16, lambda row, _: Cell(row.said), lambda row: row.said, flex=4,
           priority=8),
)  # fmt: skip


async def _roll_back(
    clients: Clients, rows: Sequence[Revision], answers: Mapping[str, str]
) -> AsyncIterator[ItemResult]:
    for row in rows:
        request = pb.RollbackDefinitionRequest(kind=row.kind, name=row.name, revision=int(row.id))
        try:
            with raising_ours():
                answer = await clients.registry.RollbackDefinition(request, timeout=CALL_SECONDS)
        except ServiceError as error:
            yield ItemResult(row.id, False, error.detail)
        else:
            yield ItemResult(row.id, True, f"stored as revision {answer.revision}")


def _effect(rows: Sequence[Revision]) -> str:
    row = rows[0]
    told = f"{row.kind} {row.name} becomes what it was at revision {row.id}, as a new revision."
    if row.now is None or row.document is None:
        return f"{told}\nIt is deleted now."
    found = [str(each) for each in changes(dict(row.now), dict(row.document))]
    more = [f"and {len(found) - MOST_TOLD:,} more"] if len(found) > MOST_TOLD else []
    return "\n".join([told, *(found[:MOST_TOLD] or ["It is so now."]), *more])


ROLLBACK: Action[Revision] = Action(
    "history.rollback", "b", "Roll back", "Store this revision again, as a new one.",
    _roll_back,
    lambda rows, _: command_line(["rollback", rows[0].kind], rows[0].name, rows[0].id),
    applies=lambda row: row.document is not None and row.kind != "secret",
    effect=_effect, danger=Danger.ASKS, many=False,
)  # fmt: skip

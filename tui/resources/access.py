"""Who may do what: the holders of each access to a definition, and what an application may."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from podium.registry.v1 import access_pb2 as pb
from services.access import ACCESS
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.sources import Source
from tui.resources.model import Cell, Column
from tui.views.access import ALL, GRANTED, NONE, command_verdicts, grant, verdicts

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
# A fact of a collection: whether there are no holders but those that are told.
COMPLETE = "complete"
HAS = "has"


class Holding(NamedTuple):
    """By one role or grant an application may do this to a definition.

    Attributes:
        access: In the order of :data:`ACCESS`.
        by: ``role ADMIN``, or ``grant on tag team:payments``.
    """

    id: str
    application: str
    name: str
    access: tuple[str, ...]
    by: str


class Allowed(NamedTuple):
    """Whether an application may use a command."""

    id: str
    may: str
    takes: str


def holders(kind: str) -> Source[Holding]:
    """The holders of any access to the definition of ``kind`` whose name the query is."""

    async def watch(
        clients: Clients, query: str, collection: Collection[Holding], line: Line
    ) -> None:
        """Read, and again whenever the line is asked to."""
        while True:
            await _read_holders(clients, kind, query, collection)
            await line.rest()

    return Source(f"holders of {kind}", "registry", watch)


async def _read_holders(
    clients: Clients, kind: str, name: str, collection: Collection[Holding]
) -> None:
    requests = [pb.ListHoldersRequest(access=each, kind=kind, name=name) for each in ACCESS]
    answers = await asyncio.gather(
        *(clients.registry.ListHolders(each, timeout=CALL_SECONDS) for each in requests)
    )
    rows: dict[str, Holding] = {}
    for access, answer in zip(ACCESS, answers, strict=True):
        for row in _holdings(access, answer):
            before = rows.get(row.id)
            rows[row.id] = row._replace(access=before.access + row.access) if before else row
    collection.facts[COMPLETE] = all(answer.complete for answer in answers)
    collection.replace(rows)


def _holdings(access: str, answer: pb.ListHoldersResponse) -> list[Holding]:
    return [
        Holding(f"{each.application_id} {by}", each.application_id, each.name, (access,), by)
        for each in answer.holders
        for by in map(_by, each.grounds)
    ]


def _by(why: pb.Ground) -> str:
    # Which accesses a grant gives stands in a column of its own.
    return f"role {why.role}" if why.role else f"grant on {why.grant.kind} {why.grant.name}"


async def _allowed(
    clients: Clients, query: str, collection: Collection[Allowed], line: Line
) -> None:
    """Read, and again whenever the line is asked to."""
    while True:
        await _read_allowed(clients, query, collection)
        await line.rest()


async def _read_allowed(clients: Clients, query: str, collection: Collection[Allowed]) -> None:
    request = pb.GetAccessRequest(application_id=query)
    access = (await clients.registry.GetAccess(request, timeout=CALL_SECONDS)).access
    told = command_verdicts(verdicts(access))
    roles = ", ".join(access.roles) or "no role"
    paused = ("paused: it may do nothing",) if access.paused else ()
    collection.facts[HAS] = "; ".join((*paused, roles, *map(grant, access.grants)))
    collection.replace({
        words: Allowed(words, verdict.may, verdict.takes) for words, verdict in told.items()
    })  # fmt: skip


ALLOWED: Source[Allowed] = Source("access of an application", "registry", _allowed)
_TONES = {ALL: ("✔ yes", "success"), GRANTED: ("◐ where granted", "warning"),
          NONE: ("✘ no", "muted")}  # fmt: skip

HOLDING_COLUMNS: tuple[Column[Holding], ...] = (
    Column("application", "APPLICATION", 14, lambda row, _: Cell(row.application),
           lambda row: row.application, flex=1, priority=9),
    Column("name", "NAME", 10, lambda row, _: Cell(row.name, "muted"), lambda row: row.name,
           flex=1, priority=4),
    Column("access", "MAY", 18, lambda row, _: Cell(" ".join(row.access), "success"),
           lambda row: row.access, flex=1, priority=8),
    Column("by", "BY", 16, lambda row, _: Cell(row.by, "muted"), lambda row: row.by, flex=2,
           priority=7),
)  # fmt: skip
ALLOWED_COLUMNS: tuple[Column[Allowed], ...] = (
    Column("command", "COMMAND", 18, lambda row, _: Cell(f"podium {row.id}"), lambda row: row.id,
           flex=1, priority=9),
    Column("may", "MAY", 15, lambda row, _: Cell(*_TONES[row.may]), lambda row: row.may,
           priority=9),
    Column("takes", "TAKES", 16, lambda row, _: Cell(row.takes, "muted"), lambda row: row.takes,
           flex=2, priority=6),
)  # fmt: skip

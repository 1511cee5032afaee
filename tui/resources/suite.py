"""The suite: registry, executor and edge, where they are and how."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.edge.v1 import edge_pb2
from podium.executor.v1 import executor_pb2
from podium.registry.v1 import registry_pb2
from services.errors import DeadlineExceeded, ServiceError, Unauthenticated, Unavailable
from services.rpc import raising_ours
from tui.clients import check_serving
from tui.live.collection import Collection
from tui.live.polling import READ_AT, Reading, polled
from tui.live.sources import Source
from tui.resources.model import Cell, Column, Resource, Tab
from tui.views.standing import left

if TYPE_CHECKING:
    from tui.clients import Clients

EVERY_SECONDS = 2.0
ANSWER_SECONDS = 1.5
SERVING, AWAY, REFUSED = "SERVING", "AWAY", "REFUSED"
_LOOKS = {
    SERVING: ("● serving", "success"),
    AWAY: ("✘ away", "error"),
    REFUSED: ("⊘ refused", "warning"),
}


class Member(NamedTuple):
    """One of the three services.

    Attributes:
        state: SERVING, AWAY, or REFUSED: it answers, but not this console.
        revision: Of the definitions that it has; None: it does not tell.
        stale: Whether the registry cannot be reached from it.
        since: From when on this console has seen it in this state, in epoch seconds.
        detail: What else there is to say.
    """

    id: str
    address: str
    state: str
    version: str
    revision: int | None
    behind: int
    stale: bool
    since: float
    detail: str

    @property
    def document(self) -> Mapping[str, Any]:
        """The whole of it."""
        return self._asdict()


class _Told(NamedTuple):
    version: str = ""
    revision: int | None = None
    stale: bool = False
    detail: str = ""


async def _registry(clients: Clients) -> _Told:
    request = registry_pb2.GetRegistryStatusRequest()
    answer = await clients.registry.GetRegistryStatus(request, timeout=ANSWER_SECONDS)
    return _Told(answer.version, answer.revision)


async def _executor(clients: Clients) -> _Told:
    request = executor_pb2.GetExecutorStatusRequest()
    answer = await clients.executor.GetExecutorStatus(request, timeout=ANSWER_SECONDS)
    detail = f"{answer.running:,} running"
    if answer.unwritable:
        detail = f"takes nothing: {answer.unwritable}"
    elif answer.HasField("restored"):
        detail = f"restored, {answer.restored.waiting:,} paused since"
    return _Told(answer.version, answer.revision, answer.definitions_stale, detail)


async def _edge(clients: Clients) -> _Told:
    request = edge_pb2.GetEdgeStatusRequest()
    answer = await clients.edge.GetEdgeStatus(request, timeout=ANSWER_SECONDS)
    detail = "" if answer.executor_connected else "no executor"
    return _Told(answer.version, answer.revision, answer.definitions_stale, detail)


_Ask = Callable[["Clients"], Awaitable[_Told]]
_ASKED: Mapping[str, _Ask] = {"registry": _registry, "executor": _executor, "edge": _edge}


async def _read(clients: Clients, query: str, known: Collection[Member]) -> Reading:
    members = await asyncio.gather(*(_member(clients, name, known.records) for name in _ASKED))
    newest = max((each.revision or 0 for each in members), default=0)
    rows = [each._replace(behind=newest - (each.revision or newest)) for each in members]
    return Reading(rows, {"gateway": clients.suite.gateway})


async def _member(clients: Clients, name: str, before: Mapping[str, Member]) -> Member:
    address = str(getattr(clients.suite, name))
    state, told = await _asked(clients, name, address, before)
    known = before.get(name)
    same = known is not None and known.state == state
    since = known.since if known is not None and same else time.time()
    return Member(
        name, address, state, told.version, told.revision, 0, told.stale, since, told.detail
    )


async def _asked(
    clients: Clients, name: str, address: str, before: Mapping[str, Member]
) -> tuple[str, _Told]:
    try:
        with raising_ours():
            return SERVING, await _ASKED[name](clients)
    except (Unavailable, DeadlineExceeded):
        return AWAY, _Told()
    except Unauthenticated as error:
        if before.get("registry", _NOBODY).state == SERVING:
            # A new token can be had: all is asked again with it.
            raise
        return await _without_token(clients, address, error)
    except ServiceError as error:
        return REFUSED, _Told(detail=error.detail)


async def _without_token(clients: Clients, address: str, error: ServiceError) -> tuple[str, _Told]:
    try:
        await check_serving(address, ANSWER_SECONDS, clients.suite.tls)
    except ServiceError:
        return AWAY, _Told()
    return SERVING, _Told(detail="no token to ask with")


_NOBODY = Member("", "", "", "", None, 0, False, 0.0, "")


def _lost(members: Collection[Member], reason: str) -> None:
    """No suite is there, so that none of the three is asked: all of them are away."""
    before, now = members.records, time.time()
    rows = {
        name: _away(before.get(name, _NOBODY)._replace(id=name, detail=reason), now)
        for name in _ASKED
    }
    members.facts[READ_AT] = now
    members.replace(rows)


def _away(before: Member, now: float) -> Member:
    since = before.since if before.state == AWAY else now
    return before._replace(state=AWAY, revision=None, behind=0, stale=False, since=since)


SOURCE: Source[Member] = replace(
    polled("suite", "suite", _read, EVERY_SECONDS, needs_token=False), lost=_lost
)


def _state(row: Member, now: float) -> Cell:
    return Cell(*_LOOKS[row.state])


def _revision(row: Member, now: float) -> Cell:
    if row.revision is None:
        return Cell("-", "muted")
    behind = f" -{row.behind:,}" if row.behind else ""
    return Cell(f"{row.revision:,}{behind}", "warning" if row.behind else "text")


def _definitions(row: Member, now: float) -> Cell:
    if row.state != SERVING or row.revision is None:
        return Cell("-", "muted")
    return Cell("◌ stale", "warning") if row.stale else Cell("● current", "success")


RESOURCE: Resource[Member] = Resource(
    name="suite",
    aliases=("status", "health"),
    title="Suite",
    help="""\
## Suite

The three services: where they are, whether they answer, which definitions they have. Read every two
seconds; `SINCE` is how long this console has seen it so.
""",
    columns=(
        Column("service", "SERVICE", 9, lambda row, _: Cell(row.id), lambda row: row.id,
               priority=9),
        Column("state", "STATE", 10, _state, lambda row: row.state, priority=9),
        Column("address", "ADDRESS", 21, lambda row, _: Cell(row.address),
               lambda row: row.address, priority=7, flex=1),
        Column("version", "VERSION", 8, lambda row, _: Cell(row.version or "-", "muted"),
               lambda row: row.version, priority=5),
        Column("revision", "REVISION", 9, _revision, lambda row: row.revision, priority=6,
               right=True),
        Column("definitions", "DEFINITIONS", 11, _definitions, lambda row: row.stale, priority=8),
        Column("since", "SINCE", 7, lambda row, now: Cell(left(now - row.since), "muted"),
               lambda row: -row.since, priority=4, right=True, ticks=True),
        Column("detail", "", 12, lambda row, _: Cell(row.detail), lambda row: row.detail or None,
               priority=3, flex=2),
    ),
    source=SOURCE,
    fields={"service": lambda row: row.id, "state": lambda row: row.state.lower()},
    text=lambda row: f"{row.id} {row.address} {row.state} {row.detail}",
    tabs=(Tab("json", "JSON", "record-json"),),
    told=lambda facts: str(facts.get("gateway") or ""),
    sort="service",
)  # fmt: skip

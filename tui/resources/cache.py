"""The cache: what the gateway keeps of answers, route by route, and of how much use it was."""

from __future__ import annotations

import shlex
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.common.v1 import page_pb2
from podium.edge.v1 import edge_pb2 as pb
from services.errors import ServiceError
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.polling import CALL_SECONDS, Reading, polled
from tui.live.sources import Source
from tui.resources.model import Action, Cell, Column, Danger, ItemResult, Resource, Tab
from tui.views.cache import size
from tui.views.standing import left, share

if TYPE_CHECKING:
    from tui.clients import Clients

EVERY_SECONDS = 2.0
PAGE = 500
MOST_ENTRIES = 1_000
# What stands for what is not told of a key: it cannot be purged by what is left.
_CUT, _HIDDEN = "…", "***"


class Kept(NamedTuple):
    """What is kept of one route.

    Attributes:
        everything: How many answers are kept of all routes.
    """

    id: str
    service: str
    method: str
    path: str
    entries: int
    bytes: int
    hits: int
    misses: int
    collapsed: int
    bypassed: int
    everything: int

    @property
    def route(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    @property
    def document(self) -> Mapping[str, Any]:
        """The whole of it."""
        return {name: value for name, value in self._asdict().items() if name != "everything"}


async def _read(clients: Clients, query: str, known: Collection[Any]) -> Reading:
    told = await clients.edge.GetCacheStatus(pb.GetCacheStatusRequest(), timeout=CALL_SECONDS)
    rows = [
        Kept(
            f"{each.service_id} {each.method} {each.path}", each.service_id, each.method,
            each.path, each.entries, each.bytes, each.hits, each.misses, each.collapsed,
            each.bypassed, told.entries,
        )
        for each in told.routes
    ]  # fmt: skip
    return Reading(rows, {"status": told})


SOURCE: Source[Kept] = polled("cache", "edge", _read, EVERY_SECONDS)


# Its entries


class Entry(NamedTuple):
    """One kept answer. ``made_at`` and ``until`` are epoch seconds."""

    id: str
    service: str
    method: str
    path: str
    key: str
    principal: str
    made_at: float
    until: float
    bytes: int
    hits: int
    status: int
    execution_id: str


async def _read_entries(clients: Clients, query: str, known: Collection[Any]) -> Reading:
    """Of the route whose id ``query`` is."""
    service, method, path = query.split(" ", 2)
    request = pb.ListCacheEntriesRequest(
        service_id=service, method=method, path=path, page=page_pb2.PageRequest(page_size=PAGE)
    )
    rows: list[Entry] = []
    while len(rows) < MOST_ENTRIES:
        told = await clients.edge.ListCacheEntries(request, timeout=CALL_SECONDS)
        rows.extend(_entry(each, known.get(each.id)) for each in told.entries)
        request.page.page_token = told.next_page_token
        if not told.next_page_token:
            break
    return Reading(rows, {"more": bool(request.page.page_token)})


def _entry(told: pb.CacheEntry, before: Entry | None) -> Entry:
    """Its row; the moments of one that is known are those that were worked out first.

    Ages are told, not moments: worked out anew each time, they would tremble.
    """
    now = time.time()
    made_at = now - told.age.ToTimedelta().total_seconds()
    if before is not None and abs(before.made_at - made_at) < 1:
        made_at, until = before.made_at, before.until
    else:
        until = now + told.ttl.ToTimedelta().total_seconds()
    return Entry(
        told.id, told.service_id, told.method, told.path, told.key, told.principal, made_at, until,
        told.bytes, told.hits, told.status, told.execution_id,
    )  # fmt: skip


ENTRIES: Source[Entry] = polled("cache entries", "edge", _read_entries, EVERY_SECONDS)

ENTRY_COLUMNS: tuple[Column[Entry], ...] = (
    Column("key", "KEY", 20, lambda row, _: Cell(row.key or "-"), lambda row: row.key, flex=3,
           priority=9),
    Column("for", "FOR", 10, lambda row, _: Cell(row.principal or "all", "muted"),
           lambda row: row.principal, flex=1, priority=5),
    Column("status", "STATUS", 6, lambda row, _: Cell(str(row.status)), lambda row: row.status,
           priority=4, right=True),
    Column("age", "AGE", 6, lambda row, now: Cell(left(now - row.made_at), "muted"),
           lambda row: -row.made_at, priority=8, right=True, ticks=True),
    Column("ttl", "LEFT", 6, lambda row, now: Cell(left(row.until - now)),
           lambda row: row.until, priority=8, right=True, ticks=True),
    Column("size", "SIZE", 9, lambda row, _: Cell(size(row.bytes)), lambda row: row.bytes,
           priority=7, right=True),
    Column("hits", "HITS", 6, lambda row, _: Cell(f"{row.hits:,}"), lambda row: row.hits,
           priority=7, right=True),
    Column("execution", "EXECUTION", 12, lambda row, _: Cell(row.execution_id, "muted"),
           lambda row: row.execution_id, flex=1, priority=2, tail=True),
)  # fmt: skip


# What is done to them

_Wanted = Callable[[Any], pb.PurgeCacheRequest]


def _purge(wanted: _Wanted) -> Any:
    async def perform(
        clients: Clients, rows: Sequence[Any], answers: Mapping[str, str]
    ) -> AsyncIterator[ItemResult]:
        for row in rows:
            try:
                with raising_ours():
                    answer = await clients.edge.PurgeCache(wanted(row), timeout=CALL_SECONDS)
            except ServiceError as error:
                yield ItemResult(row.id, False, error.detail)
            else:
                yield ItemResult(row.id, True, f"{answer.purged:,} purged")

    return perform


def _of_route(row: Kept) -> pb.PurgeCacheRequest:
    return pb.PurgeCacheRequest(service_id=row.service, method=row.method, path=row.path)


def _of_entry(row: Entry) -> pb.PurgeCacheRequest:
    return pb.PurgeCacheRequest(
        service_id=row.service, method=row.method, path=row.path, key=row.key,
        principal=row.principal,
    )  # fmt: skip


def _line(*words: str) -> str:
    return shlex.join(["podium", "cache", "purge", *words])


def _entry_line(row: Entry) -> str:
    alone = ("--principal", row.principal) if row.principal else ()
    return _line(row.service, row.method, row.path, "--key", row.key, *alone)


def _answers(count: int) -> str:
    return "1 kept answer" if count == 1 else f"{count:,} kept answers"


def _dropped(count: int, where: str) -> str:
    answers = f"{_answers(count)} {'is' if count == 1 else 'are'}"
    return f"{answers} dropped{where}: the next calls of the same run their workflow again."


PURGE_ROUTE: Action[Kept] = Action(
    "cache.purge", "d", "Purge", "Drop what is kept of the route.", _purge(_of_route),
    lambda rows, _: " && ".join(_line(row.service, row.method, row.path) for row in rows),
    effect=lambda rows: _dropped(sum(row.entries for row in rows), ""), danger=Danger.ASKS,
)  # fmt: skip

PURGE_ALL: Action[Kept] = Action(
    "cache.purge_all", "X", "Purge all", "Drop every kept answer of every route.",
    _purge(lambda _: pb.PurgeCacheRequest(all=True)), lambda rows, _: _line("--all"),
    effect=lambda rows: _dropped(rows[0].everything, ", of every route"), danger=Danger.ASKS,
    many=False,
)  # fmt: skip

PURGE_ENTRY: Action[Entry] = Action(
    "cache.purge_entry", "x", "Purge answer", "Drop what is kept under this key.",
    _purge(_of_entry), lambda rows, _: " && ".join(map(_entry_line, rows)),
    applies=lambda row: not row.key.endswith(_CUT) and _HIDDEN not in row.key,
    effect=lambda rows: _dropped(len(rows), ""), danger=Danger.ASKS,
)  # fmt: skip


# It has no list of its own: a tab of its route's shows it.
ANSWER: Resource[Entry] = Resource(
    name="kept-answer", aliases=(), title="Kept answer", help="",
    label=lambda row: f"{row.method} {row.path}  {row.key}",
)  # fmt: skip


# How they look


def _hit_share(row: Kept) -> float | None:
    asked = row.hits + row.misses + row.collapsed
    return row.hits / asked if asked else None


def _told(facts: Mapping[str, Any]) -> str:
    status: pb.GetCacheStatusResponse | None = facts.get("status")
    if status is None:
        return ""
    if not status.limit_bytes:
        return "nothing is kept: PODIUM_CACHE_BYTES is 0"
    parts = [_answers(status.entries), f"{size(status.bytes)} of {size(status.limit_bytes)}"]
    if status.let_off:
        parts.append(f"{status.let_off:,} let off to make room")
    if status.under_way:
        parts.append(f"{status.under_way:,} being made")
    return " · ".join(parts)


def _number(name: str, title: str, width: int, priority: int) -> Column[Kept]:
    return Column(
        name, title, width, lambda row, _: Cell(f"{getattr(row, name):,}"),
        lambda row: getattr(row, name), priority=priority, right=True,
    )  # fmt: skip


RESOURCE: Resource[Kept] = Resource(
    name="cache",
    aliases=("caches", "kept"),
    title="Cache",
    help="""\
## Cache

What the gateway keeps of answers, by route. `Enter` lists them, and shows one. `d` drops what is
kept of a route, `X` everything. Read every two seconds; counts begin anew with the edge.
""",
    columns=(
        Column("route", "ROUTE", 20, lambda row, _: Cell(row.route),
               lambda row: (row.path, row.method), flex=3, priority=9),
        Column("service", "SERVICE", 10, lambda row, _: Cell(row.service, "muted"),
               lambda row: row.service, flex=1, priority=2),
        _number("entries", "ENTRIES", 7, 9),
        Column("size", "SIZE", 9, lambda row, _: Cell(size(row.bytes)), lambda row: row.bytes,
               priority=7, right=True),
        _number("hits", "HITS", 7, 8),
        _number("misses", "MISSES", 7, 6),
        Column("share", "HIT %", 6,
               lambda row, _: Cell(share(row.hits, row.hits + row.misses + row.collapsed)),
               _hit_share, priority=8, right=True),
        _number("collapsed", "COLLAPSED", 9, 4),
        _number("bypassed", "BYPASSED", 8, 3),
    ),
    source=SOURCE,
    fields={
        "service": lambda row: row.service,
        "method": lambda row: row.method,
        "path": lambda row: row.path,
    },
    label=lambda row: row.route,
    text=lambda row: row.id,
    tabs=(Tab("entries", "Entries", "cache-entries"), Tab("json", "JSON", "record-json")),
    actions=(PURGE_ROUTE, PURGE_ALL),
    told=_told,
    sort="hits",
    reverse=True,
)  # fmt: skip

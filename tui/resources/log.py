"""The log: what registry, executor and edge have logged of late, in one list, as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.common.v1 import log_pb2 as pb
from services.errors import Unavailable
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.sources import Source
from tui.resources.model import Cell, Column, Resource, Tab
from tui.views.durations import clock
from tui.views.logs import LEVELS, document

if TYPE_CHECKING:
    from tui.clients import Clients

NEWEST = 2_000
MOST = 20_000
SERVICES = ("registry", "executor", "edge")

_LOOKS = {
    "debug": ("·", "muted"),
    "info": ("i", "text"),
    "warning": ("!", "warning"),
    "error": ("✘", "error"),
    "critical": ("✘", "error"),
}


class Entry(NamedTuple):
    """One entry.

    Attributes:
        at: Epoch seconds; ``order`` sorts entries of equal times too.
        told: As the service writes it on stderr, as a value.
    """

    id: str
    at: float
    order: tuple[int, str, int]
    level: str
    service: str
    logger: str
    message: str
    told: Mapping[str, Any]

    @property
    def document(self) -> Mapping[str, Any]:
        """The whole of it."""
        return self.told


def entry_of(entry: pb.LogEntry, process: str) -> Entry:
    """The row of an entry."""
    nanos = entry.time.ToNanoseconds()
    return Entry(
        f"{entry.service}-{process}-{entry.sequence}",
        nanos / 1e9,
        (nanos, entry.service, entry.sequence),
        LEVELS.get(entry.level, ""),
        entry.service,
        entry.logger,
        entry.message,
        document(entry),
    )


async def _watch(clients: Clients, query: str, entries: Collection[Entry], line: Line) -> None:
    """The three logs side by side, each from where it left off, also while some are away."""
    if entries.place is None:
        entries.place = {}

    def over(service: str, error: BaseException) -> bool:
        # Where none is left, the suite may be elsewhere: these clients are of no more use.
        none_left = {service, *line.away} >= set(SERVICES)
        return not isinstance(error, Unavailable) or none_left

    with line.parted(SERVICES) as parts:
        streams = [
            asyncio.create_task(
                part.follow(partial(_one, clients, entries, line, part), partial(over, service))
            )
            for service, part in parts.items()
        ]
        try:
            await _first(streams)
        finally:
            for each in streams:
                each.cancel()
            await asyncio.gather(*streams, return_exceptions=True)


async def _one(clients: Clients, entries: Collection[Entry], line: Line, part: Line) -> None:
    service = part.link.service
    places: dict[str, pb.LogPosition] = entries.place
    request = pb.WatchLogRequest(follow=True, limit=NEWEST, resume=places.get(service))
    with raising_ours():
        async for change in clients.logs[service].WatchLog(request):
            process = change.resume.process
            entries.put(entry_of(each, process) for each in change.entries)
            if change.dropped and service in places:
                entries.facts["missed"] = entries.facts.get("missed", 0) + change.dropped
            places[service] = change.resume
            if change.caught_up or change.entries:
                part.live(quiet=True)
                line.live(quiet=True)


async def _first(streams: list[asyncio.Task[None]]) -> None:
    done, _ = await asyncio.wait(streams, return_when=asyncio.FIRST_COMPLETED)
    for each in done:
        each.result()


def _told(facts: Mapping[str, Any]) -> str:
    return f"{facts['missed']:,} came too fast" if facts.get("missed") else ""


SOURCE: Source[Entry] = Source("log", "executor", _watch, most=MOST)


def _time(row: Entry, now: float) -> Cell:
    return Cell(clock(row.at), "muted")


def _level(row: Entry, now: float) -> Cell:
    glyph, tone = _LOOKS.get(row.level, ("?", "muted"))
    return Cell(f"{glyph} {row.level}", tone)


def _message(row: Entry, now: float) -> Cell:
    return Cell(row.message, _LOOKS.get(row.level, ("", "text"))[1])


def _field(name: str) -> Callable[[Entry], str]:
    return lambda row: str(row.told.get(name, ""))


RESOURCE: Resource[Entry] = Resource(
    name="log",
    aliases=("logs",),
    title="Log",
    help="""\
## Log

What the three services have logged of late, newest first, as it comes. `Enter` shows an entry
whole. While one of the three is away it is named below the list, and the others go on.
""",
    source=SOURCE,
    columns=(
        Column("at", "TIME", 12, _time, lambda row: row.order, priority=9),
        Column("level", "LEVEL", 10, _level, lambda row: row.level, priority=8),
        Column("service", "SERVICE", 8, lambda row, _: Cell(row.service), lambda row: row.service,
               priority=7),
        Column("message", "MESSAGE", 24, _message, lambda row: row.message, flex=4, priority=9),
        Column("execution", "EXECUTION", 8,
               lambda row, _: Cell(_field("execution_id")(row), "muted"), _field("execution_id"),
               flex=1, priority=4, tail=True),
        Column("logger", "LOGGER", 14, lambda row, _: Cell(row.logger, "muted"),
               lambda row: row.logger, flex=1, priority=2),
    ),
    fields={
        "at": lambda row: row.at,
        "level": lambda row: row.level,
        "service": lambda row: row.service,
        "logger": lambda row: row.logger,
        "message": lambda row: row.message,
        "execution": _field("execution_id"),
        "request": _field("request_id"),
    },
    label=lambda row: f"{row.service} {row.level}",
    text=lambda row: f"{row.message} {row.logger} {row.told}",
    tabs=(Tab("entry", "Entry", "record-json"),),
    told=_told,
    sort="at",
    reverse=True,
)  # fmt: skip

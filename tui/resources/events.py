"""What happened to one execution, event by event."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from podium.common.v1 import page_pb2
from podium.executor.v1 import executor_pb2 as pb
from services.errors import NotFound
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.sources import Source
from tui.resources.model import Cell, Column
from tui.views.durations import clock
from tui.views.events import told

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
PAGE = 500
# What goes on for longer is read by `podium events`.
MOST = 5_000


class Event(NamedTuple):
    """One event; ``at`` is in epoch seconds.

    Attributes:
        what: Of one line.
        detail: Why, or how far.
    """

    id: str
    at: float
    ref: str
    attempt: str
    what: str
    tone: str
    detail: str


async def _watch(clients: Clients, query: str, events: Collection[Event], line: Line) -> None:
    """Read what has happened to the execution ``query``, and again when the line is asked to."""
    try:
        with raising_ours():
            events.replace(await _read(clients, query, events))
    except NotFound:
        # The service answers: what its own stream says of the execution is shown instead.
        events.replace({})
    await line.rest()


async def _read(clients: Clients, query: str, events: Collection[Event]) -> dict[str, Event]:
    rows: dict[str, Event] = {}
    request = pb.ListExecutionEventsRequest(
        execution_id=query, page=page_pb2.PageRequest(page_size=PAGE)
    )
    while len(rows) < MOST:
        answer = await clients.executor.ListExecutionEvents(request, timeout=CALL_SECONDS)
        for event in answer.events:
            row = row_of(event, f"{len(rows):06}")
            rows[row.id] = row
        events.facts["compacted"] = answer.compacted
        request.page.page_token = answer.next_page_token
        if not answer.next_page_token:
            break
    return rows


SOURCE: Source[Event] = Source("events", "executor", _watch)


def row_of(event: pb.ExecutionEvent, id_: str) -> Event:
    """The row of an event."""
    at = event.at.ToNanoseconds() / 1e9
    what, tone, detail = told(event)
    # Attempts are counted from 1 where people read them.
    attempt = "" if event.kind == pb.EVENT_KIND_EXECUTION else str(event.attempt + 1)
    return Event(id_, at, event.ref, attempt, what, tone, detail or event.reason)


COLUMNS: tuple[Column[Event], ...] = (
    Column("at", "TIME", 12, lambda row, _: Cell(clock(row.at), "muted"), lambda row: row.id,
           priority=9),
    Column("ref", "TASK", 14, lambda row, _: Cell(row.ref), lambda row: row.ref or None, flex=1,
           priority=8),
    Column("attempt", "TRY", 3, lambda row, _: Cell(row.attempt, "muted"),
           lambda row: row.attempt, priority=4, right=True),
    Column("what", "EVENT", 22, lambda row, _: Cell(row.what, row.tone), lambda row: row.what,
           priority=9),
    Column("detail", "DETAIL", 16, lambda row, _: Cell(row.detail, row.tone),
           lambda row: row.detail or None, flex=3, priority=6),
)  # fmt: skip

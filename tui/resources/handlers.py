"""Event handlers: what is done when something has happened, and what that came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.common.v1 import page_pb2
from podium.executor.v1 import event_runs_pb2 as pb
from tui.live.collection import Collection
from tui.live.polling import CALL_SECONDS, Reading, polled
from tui.live.sources import Source
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
from tui.resources.model import Cell, Column, Resource, Tab
from tui.views.durations import date_and_clock
from tui.views.event_runs import outcome
from tui.views.statuses import look_of_run

if TYPE_CHECKING:
    from tui.clients import Clients

EVERY_SECONDS = 2.0
MOST_RUNS = 500


class Run(NamedTuple):
    """One action of a handler; ``at`` is in epoch seconds."""

    id: str
    at: float
    name: str
    outcome: str
    target: str
    reason: str


async def _read(clients: Clients, query: str, known: Collection[Any]) -> Reading:
    """What the handler did whose name ``query`` is."""
    request = pb.ListEventExecutionsRequest(
        handler=query, page=page_pb2.PageRequest(page_size=MOST_RUNS)
    )
    told = await clients.executor.ListEventExecutions(request, timeout=CALL_SECONDS)
    rows = [
        Run(f"{run.id}", run.at.ToNanoseconds() / 1e9, run.name, outcome(run), run.target,
            run.reason)
        for run in told.executions
    ]  # fmt: skip
    return Reading(rows, {"more": bool(told.next_page_token)})


RUNS: Source[Run] = polled("runs of an event handler", "executor", _read, EVERY_SECONDS)


def _came_to(row: Run, now: float) -> Cell:
    look = look_of_run(row.outcome)
    return Cell(f"{look.glyph} {look.label}", look.tone)


RUN_COLUMNS: tuple[Column[Run], ...] = (
    Column("at", "AT (UTC)", 19, lambda row, _: Cell(date_and_clock(row.at)),
           lambda row: row.at, priority=9),
    Column("action", "ACTION", 14, lambda row, _: Cell(row.name), lambda row: row.name,
           priority=8),
    Column("outcome", "CAME TO", 11, _came_to, lambda row: row.outcome, priority=9),
    Column("target", "TARGET", 14, lambda row, _: Cell(row.target, "muted"),
           lambda row: row.target, flex=2, priority=7),
    Column("reason", "REASON", 12, lambda row, _: Cell(row.reason, "muted"),
           lambda row: row.reason, flex=3, priority=6),
)  # fmt: skip


def is_active(row: Definition) -> bool:
    """Whether it does anything."""
    return row.get("active", False) is True


def actions_of(row: Definition) -> str:
    """What it does, in a line."""
    actions = row.get("actions", [])
    named = (each.get("action", "") for each in actions if isinstance(each, Mapping))
    return ", ".join(map(str, named))


def _state(row: Definition, now: float) -> Cell:
    return Cell("on", "success") if is_active(row) else Cell("off", "muted")


RESOURCE: Resource[Definition] = Resource(
    name="handlers",
    aliases=("handler", "event"),
    title="Event handlers",
    help="""\
## Event handlers

What is done when an EVENT task, or a request to a webhook, tells of something. `Enter` shows what
one did of late.
""",
    source=source("event"),
    columns=(
        NAME,
        text_column("event", "EVENT", 16, lambda row: row.get("event"), flex=3, priority=8),
        text_column("actions", "ACTIONS", 14, actions_of, flex=2, priority=6),
        Column("state", "STATE", 6, _state, is_active, priority=9),
        UPDATED,
        BY,
        REVISION,
    ),
    fields={
        **FIELDS,
        "event": lambda row: str(row.get("event")),
        "active": lambda row: "true" if is_active(row) else "false",
    },
    text=lambda row: f"{text_of(row)} {row.get('event')} {actions_of(row)}",
    tabs=(Tab("runs", "Runs", "handler-runs"), *TABS, ACCESS),
    actions=(delete("event"),),
    openings=written("event"),
    kind="event",
    sort="name",
)  # fmt: skip

"""Schedules: workflows that are started over and over, and what came of it."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.common.v1 import page_pb2
from podium.executor.v1 import schedules_pb2 as pb
from services.errors import NotFound, ServiceError
from services.rpc import raising_ours
from tui.clients.switching import switched
from tui.live.collection import Collection
from tui.live.polling import CALL_SECONDS, Reading, polled
from tui.live.schedule_states import UNKNOWN, with_states
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
from tui.resources.model import Action, Cell, Column, ItemResult, Resource, Tab
from tui.views.durations import date_and_clock, moment_of_day
from tui.views.schedules import outcome
from tui.views.statuses import Look, look_of_execution, look_of_run

if TYPE_CHECKING:
    from tui.clients import Clients

EVERY_SECONDS = 2.0
MOST_RUNS = 500
NEXT_RUNS = 5
DUE = "DUE"


class Run(NamedTuple):
    """A run that was, or will be. Times are epoch seconds.

    Attributes:
        outcome: In a word; ``DUE``: it will be.
    """

    id: str
    at: float
    outcome: str
    execution_id: str = ""
    status: str = ""
    reason: str = ""


async def _read(clients: Clients, query: str, known: Collection[Any]) -> Reading:
    """The runs of the schedule whose name ``query`` is, those that will be among them."""
    states = await clients.executor.ListSchedules(
        pb.ListSchedulesRequest(name=query, next_runs=NEXT_RUNS), timeout=CALL_SECONDS
    )
    if not states.schedules:
        return Reading((), {"unknown": True})
    page = page_pb2.PageRequest(page_size=MOST_RUNS)
    told = await clients.executor.ListScheduleRuns(
        pb.ListScheduleRunsRequest(schedule=query, page=page), timeout=CALL_SECONDS
    )
    due = [at.ToNanoseconds() / 1e9 for at in states.schedules[0].next_runs]
    runs = [Run(f"{at}", at, DUE) for at in due]
    return Reading(
        [*runs, *map(_run, told.runs)], {"unknown": False, "more": bool(told.next_page_token)}
    )


def _run(told: pb.ScheduleRun) -> Run:
    at = told.scheduled_at.ToNanoseconds() / 1e9
    return Run(f"{at}", at, outcome(told), told.execution_id, told.execution_status, told.reason)


RUNS: Source[Run] = polled("runs of a schedule", "executor", _read, EVERY_SECONDS)


def _looking(look: Look) -> Cell:
    return Cell(f"{look.glyph} {look.label}", look.tone)


RUN_COLUMNS: tuple[Column[Run], ...] = (
    Column("at", "DUE (UTC)", 19, lambda row, _: Cell(date_and_clock(row.at)),
           lambda row: row.at, priority=9),
    Column("outcome", "CAME TO", 9, lambda row, _: _looking(look_of_run(row.outcome)),
           lambda row: row.outcome, priority=9),
    Column("execution", "EXECUTION", 14, lambda row, _: Cell(row.execution_id, "muted"),
           lambda row: row.execution_id, flex=2, priority=7, tail=True),
    Column("status", "STATUS", 12,
           lambda row, _: _looking(look_of_execution(row.status)) if row.status else Cell(""),
           lambda row: row.status, priority=8),
    Column("reason", "REASON", 12, lambda row, _: Cell(row.reason, "muted"),
           lambda row: row.reason, flex=3, priority=5),
)  # fmt: skip


def cron_of(row: Definition) -> str:
    """Its expressions, in a line."""
    several = row.get("cronSchedules", None) or [row.document]
    return ", ".join(
        f"{each.get('cronExpression', '')} {each.get('zoneId', '')}".strip()
        for each in several
        if isinstance(each, Mapping)
    )


def workflow_of(row: Definition) -> str:
    """What it starts."""
    request = row.get("startWorkflowRequest", {})
    return str(request.get("name", "")) if isinstance(request, Mapping) else ""


def is_paused(row: Definition) -> bool:
    """Whether it starts nothing for now."""
    return row.get("paused", False) is True


# What is done to them


def _switch(changes: Mapping[str, Any], word: str) -> Any:
    async def perform(
        clients: Clients, rows: Sequence[Definition], answers: Mapping[str, str]
    ) -> AsyncIterator[ItemResult]:
        for row in rows:
            try:
                with raising_ours():
                    await switched(clients, "schedule", row.id, changes)
            except NotFound:
                yield ItemResult(row.id, False, "it is gone")
            except ServiceError as error:
                yield ItemResult(row.id, False, error.detail)
            else:
                yield ItemResult(row.id, True, word)

    return perform


def _line(word: str) -> Any:
    return lambda rows, _: " && ".join(
        shlex.join(["podium", "schedules", word, "--", row.id]) for row in rows
    )


PAUSE: Action[Definition] = Action(
    "schedules.pause", "P", "Pause", "Start nothing until it is resumed.",
    _switch({"paused": True}, "paused"), _line("pause"), applies=lambda row: not is_paused(row),
)  # fmt: skip
RESUME: Action[Definition] = Action(
    "schedules.resume", "u", "Resume", "Go on; what fell in between is not made up for.",
    _switch({"paused": None, "pausedReason": None}, "resumed"), _line("resume"),
    applies=is_paused,
)  # fmt: skip


def _state(row: Definition, now: float) -> Cell:
    return Cell("paused", "warning") if is_paused(row) else Cell("on", "success")


def _next(row: Definition, now: float) -> Cell:
    if is_paused(row) or row.beside is None:
        return Cell("")
    at = row.beside.next_at
    return Cell("never", "muted") if at is None else Cell(moment_of_day(at, now))


def _last(row: Definition, now: float) -> Cell:
    if row.beside is None or row.beside.last_at is None:
        return Cell("")
    look = look_of_run(row.beside.outcome)
    return Cell(f"{look.glyph} {moment_of_day(row.beside.last_at, now)}", look.tone)


_DEFINITIONS = source("schedule")
SOURCE: Source[Definition] = replace(_DEFINITIONS, watch=with_states(_DEFINITIONS.watch, outcome))

RESOURCE: Resource[Definition] = Resource(
    name="schedules",
    aliases=("schedule",),
    title="Schedules",
    help="""\
## Schedules

Workflows that are started over and over: when each comes next, and when it came last. `Enter` shows
the next runs, and what the last ones came to; `P` pauses, `u` resumes. Times are UTC.
""",
    source=SOURCE,
    state=lambda row: row.etag,
    told=lambda facts: f"NEXT and LAST of before: {facts[UNKNOWN]}" if facts.get(UNKNOWN) else "",
    columns=(
        NAME,
        text_column("cron", "CRON", 13, cron_of, flex=3, priority=8),
        text_column("workflow", "WORKFLOW", 10, workflow_of, flex=2, priority=7),
        Column("state", "STATE", 6, _state, is_paused, priority=9),
        Column("next", "NEXT", 11, _next, lambda row: row.beside and row.beside.next_at,
               priority=8, ticks=True),
        Column("last", "LAST", 13, _last, lambda row: row.beside and row.beside.last_at,
               priority=7),
        text_column("overlap", "OVERLAP", 8, lambda row: row.get("overlapPolicy", "ALLOW"),
                    priority=3),
        UPDATED,
        BY,
        REVISION,
    ),
    fields={
        **FIELDS,
        "workflow": workflow_of,
        "paused": lambda row: "true" if is_paused(row) else "false",
    },
    text=lambda row: f"{text_of(row)} {cron_of(row)} {workflow_of(row)}",
    tabs=(Tab("runs", "Runs", "schedule-runs"), *TABS, ACCESS),
    actions=(PAUSE, RESUME, delete("schedule")),
    openings=written("schedule"),
    kind="schedule",
    sort="name",
)  # fmt: skip

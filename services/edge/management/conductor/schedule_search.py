"""Searches of ``/api/scheduler``: of schedules, and of what their runs came to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING

from podium.common.v1 import page_pb2
from podium.executor.v1 import schedules_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, asked, shown
from services.edge.management.conductor.fields import refused
from services.edge.management.conductor.reading import Query
from services.edge.management.conductor.schedule_documents import schedule_shown, workflow_of
from services.edge.management.conductor.schedule_query import (
    RUN_ORDERS,
    SCHEDULE_ORDERS,
    RunQuery,
    ordered,
    read_run_query,
)
from services.edge.management.conductor.schedules import next_times, states
from services.edge.management.conductor.tagging import pairs_of
from services.edge.management.configuration.documents import Document
from services.edge.management.page import Page
from services.errors import NotFound

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_MOST_SCHEDULES = 200
_MOST_RUNS = 20_000
_MOST_SHOWN = 5_000
_PAGE = page_pb2.PageRequest(page_size=1000)
_ABOUT_A_RUN = 400
_BY_NAME = "scheduleName IN (…)"
# Conductor knows runs that were started and runs that failed.
_STATES = {pb.SCHEDULE_OUTCOME_STARTED: "EXECUTED"}


async def schedules(call: Call, management: Management) -> Answer:
    """GET: 200 with ``{"totalHits", "results"}``: schedules that all fields of the query fit.

    ``workflowName`` is the workflow's, ``scheduleName`` and ``freeText`` are within the name,
    ``paused`` is true or false. 400 for a ``sort`` that is not known.
    """
    request = asked(call, management)
    is_meant = meant(request.query)
    found = [kept for kept in await request.registry.all("schedule") if is_meant(kept.document)]
    times = await next_times(request)
    rows = [schedule_shown(each, times.get(each.document["name"])) for each in found]
    by_workflow = [{**row, "workflowName": workflow_of(row)} for row in rows]
    sorted_rows = ordered(by_workflow, request.query.several("sort"), SCHEDULE_ORDERS, "name:ASC")
    for row in sorted_rows:
        del row["workflowName"]
    return await _page(request, sorted_rows, sum(each.size for each in found))


def meant(query: Query) -> Callable[[Document], bool]:
    """Whether a schedule is; the query, which may be long, is read once for all of them.

    Raises:
        InvalidRequest: ``paused`` is neither true nor false.
    """
    workflow = query.text("workflowName")
    words = [query.text(name).strip("*").lower() for name in ("scheduleName", "freeText")]
    wanted = query.flag("paused") if query.text("paused") else None
    return lambda schedule: (
        workflow in ("", workflow_of(schedule))
        and all(word in schedule["name"].lower() for word in words)
        and wanted in (None, schedule.get("paused") is True)
    )


async def by_tag(call: Call, management: Management) -> Answer:
    """GET with ``tag=key:value``: 200 with a list."""
    request = asked(call, management)
    key, _, value = request.query.wanted("tag").partition(":")
    every = await request.registry.all("schedule")
    found = [each for each in every if (key, value) in pairs_of(each.document)]
    return await shown(
        sum(each.size for each in found), lambda: [schedule_shown(each) for each in found]
    )


async def runs(call: Call, management: Management) -> Answer:
    """GET: 200 with ``{"totalHits", "results"}``: what runs came to, the newest first.

    ``query`` is as :func:`read_run_query` has it.

    Raises:
        Problem: 400 for what cannot be read, or where it would look through too many.
    """
    request = asked(call, management)
    query = read_run_query(request.query.text("query"), request.query.text("freeText", "*"))
    wanted = [
        state
        for state in await states(request)
        if query.schedules is None or state.name in query.schedules
    ]
    if len(wanted) > _MOST_SCHEDULES:
        said = f"These are runs of more than {_MOST_SCHEDULES} schedules: name some by {_BY_NAME}"
        raise refused("query", said)
    found = await _found(request, wanted, query)
    sort = request.query.several("sort")
    rows = ordered(found, sort, RUN_ORDERS, "scheduledTime:DESC")
    return await _page(request, rows, len(rows) * _ABOUT_A_RUN)


async def _found(
    request: Asked, schedules: Sequence[pb.ScheduleState], query: RunQuery
) -> list[Document]:
    found: list[Document] = []
    looked_at = 0
    for schedule in schedules:
        async for run in _runs_of(request, schedule.name):
            looked_at += 1
            if looked_at > _MOST_RUNS:
                said = f"These are more than {_MOST_RUNS:,} runs: name schedules by {_BY_NAME}"
                raise refused("query", said)
            if query.holds(told := run_shown(schedule, run)):
                found.append(told)
    return found


async def _runs_of(request: Asked, name: str) -> AsyncIterator[pb.ScheduleRun]:
    asking = pb.ListScheduleRunsRequest(schedule=name, page=_PAGE)
    more = True
    while more:
        try:
            page = await request.ask(request.stubs.executor.ListScheduleRuns, asking)
        except NotFound:
            # The executor has not heard of it yet.
            return
        for run in page.runs:
            yield run
        asking.page.page_token = page.next_page_token
        more = bool(page.next_page_token)


def run_shown(schedule: pb.ScheduleState, run: pb.ScheduleRun) -> Document:
    """What a run came to, as clients read it."""
    scheduled_ms = run.scheduled_at.ToMilliseconds()
    shown = {
        "executionId": run.execution_id or f"{schedule.name}:{scheduled_ms}",
        "scheduleName": schedule.name,
        "scheduledTime": scheduled_ms,
        "executionTime": run.executed_at.ToMilliseconds(),
        "workflowName": schedule.workflow_name,
        "zoneId": schedule.cron_expressions[0].rpartition(" ")[2],
        "state": _STATES.get(run.outcome, "FAILED"),
    }
    if run.execution_id:
        shown["workflowId"] = run.execution_id
    if run.outcome != pb.SCHEDULE_OUTCOME_STARTED:
        shown["reason"] = _reason(run)
    return shown


def _reason(run: pb.ScheduleRun) -> str:
    outcome = pb.ScheduleOutcome.Name(run.outcome).removeprefix("SCHEDULE_OUTCOME_")
    many = f" ({run.missed} runs)" if run.missed > 1 else ""
    return f"{outcome}{many}: {run.reason}"


async def _page(request: Asked, rows: Sequence[Document], size: int) -> Answer:
    start = request.query.whole("start")
    count = request.query.whole("size", 100, _MOST_SHOWN)
    page = rows[start : start + count]
    about = size * len(page) // max(1, len(rows))
    return await shown(about, lambda: {"totalHits": len(rows), "results": page})


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/api/scheduler/schedules/search", schedules),
    ("GET", "/api/scheduler/schedules/tags", by_tag),
    ("GET", "/api/scheduler/search/executions", runs),
)

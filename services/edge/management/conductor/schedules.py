"""``/api/scheduler``: schedules, which are definitions of the kind ``schedule``."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from podium.common.v1 import page_pb2
from podium.executor.v1 import schedules_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, as_json, asked, nothing, shown
from services.edge.management.conductor.fields import refused
from services.edge.management.conductor.jackson import moment_in, name_in
from services.edge.management.conductor.schedule_documents import (
    paused,
    resumed,
    schedule_shown,
    schedule_written,
    workflow_of,
)
from services.edge.management.conductor.tag_pages import tag_pages
from services.edge.management.conductor.wording import reworded
from services.edge.management.configuration.documents import Document, Kept
from services.edge.management.page import Page
from services.edge.management.refusals import refusal
from services.edge.problems import Problem
from services.errors import InvalidRequest, NotFound, ServiceError, Stale

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_KIND = "schedule"
_MOST_TIMES = 100
_MOST_AT_ONCE = 1000
_GONE = Answer(204)


async def save(call: Call, management: Management) -> Answer:
    """POST: 200 with the schedule, new or in the place of the one of its name.

    What Conductor has none of (``overlapPolicy``, ``catchupWindowSeconds``), and tags, stay where
    they are left out.
    """
    request = asked(call, management)
    sent = await request.document("a schedule")
    name = name_in(sent, _KIND)
    kept = await _saved(request, name, lambda before: schedule_written(sent, before))
    return await shown(kept.size, lambda: schedule_shown(kept))


async def _saved(request: Asked, name: str, written: Callable[[Document | None], Document]) -> Kept:
    try:
        return await request.registry.change(_KIND, name, written)
    except NotFound:
        pass
    try:
        return await request.registry.put(written(None), "*")
    except Stale:
        # Somebody else was quicker.
        return await request.registry.change(_KIND, name, written)


async def get(call: Call, management: Management, name: str) -> Answer:
    """GET of one: 200; without a body where there is none, which clients take for its absence.

    ``nextRunTime`` is there where it runs again.
    """
    request = asked(call, management)
    try:
        kept = await request.registry.get(_KIND, name)
    except NotFound:
        return nothing()
    times = await next_times(request, name)
    return await shown(kept.size, lambda: schedule_shown(kept, times.get(name)))


async def list_all(call: Call, management: Management) -> Answer:
    """GET: 200 with those that the caller may read; of ``workflowName`` where it is given."""
    request = asked(call, management)
    workflow = request.query.text("workflowName")
    every = await request.registry.all(_KIND)
    found = [kept for kept in every if workflow in ("", workflow_of(kept.document))]
    times = await next_times(request)
    size = sum(each.size for each in found)
    return await shown(
        size, lambda: [schedule_shown(each, times.get(each.document["name"])) for each in found]
    )


async def states(request: Asked, name: str = "") -> list[pb.ScheduleState]:
    """Schedules that the caller may read, as the executor has them; ``name``: that one alone."""
    asking = pb.ListSchedulesRequest(name=name, page=page_pb2.PageRequest(page_size=1000))
    found: list[pb.ScheduleState] = []
    more = True
    while more:
        page = await request.ask(request.stubs.executor.ListSchedules, asking)
        found += page.schedules
        asking.page.page_token = page.next_page_token
        more = bool(page.next_page_token)
    return found


async def next_times(request: Asked, name: str = "") -> dict[str, int]:
    """When schedules run next, by name: those that do, and that the executor has heard of."""
    return {
        state.name: state.next_runs[0].ToMilliseconds()
        for state in await states(request, name)
        if state.next_runs and not state.paused
    }


async def delete(call: Call, management: Management, name: str) -> Answer:
    """DELETE: 204, whether it was there or not."""
    with suppress(NotFound):
        await asked(call, management).registry.delete(_KIND, name)
    return _GONE


async def pause(call: Call, management: Management, name: str) -> Answer:
    """PUT, or GET as Orkes has it: 200; ``reason`` of the query is kept. 404."""
    request = asked(call, management)
    reason = request.query.text("reason")
    await _changed(request, name, lambda schedule: paused(schedule, reason))
    return nothing()


async def resume(call: Call, management: Management, name: str) -> Answer:
    """PUT, or GET as Orkes has it: 200, of one that is not paused, too. 404."""
    await _changed(asked(call, management), name, resumed)
    return nothing()


async def _changed(request: Asked, name: str, change: Callable[[Document], Document]) -> None:
    try:
        await request.registry.change(_KIND, name, change)
    except NotFound:
        raise missing(name) from None


async def pause_many(call: Call, management: Management) -> Answer:
    """PUT of a list of names: 200 with those that were paused, and why others were not."""
    return await _each(asked(call, management), lambda schedule: paused(schedule, ""))


async def resume_many(call: Call, management: Management) -> Answer:
    """PUT of a list of names: 200 with those that go on, and why others do not."""
    return await _each(asked(call, management), resumed)


async def _each(request: Asked, change: Callable[[Document], Document]) -> Answer:
    done: list[str] = []
    refused: dict[str, str] = {}
    for name in await _names(request):
        try:
            await _changed(request, name, change)
            done.append(name)
        except ServiceError as error:
            if error.status >= 500:
                raise
            refused[name] = reworded(error.detail)
    return as_json({"bulkErrorResults": refused, "bulkSuccessfulResults": done})


async def _names(request: Asked) -> list[str]:
    names = await request.items("names of schedules")
    if not all(isinstance(name, str) and name for name in names):
        raise refused("", "The body must be a JSON list: names of schedules, which are texts")
    if len(names) > _MOST_AT_ONCE:
        said = f"Cannot process more than {_MOST_AT_ONCE} schedules. Please use multiple requests"
        raise refused("", said)
    return list(dict.fromkeys(names))


async def preview(call: Call, management: Management) -> Answer:
    """GET of ``cronExpression``: 200 with its next times, milliseconds since 1970.

    ``limit`` of them (5; at most 100) from ``scheduleStartTime``, or from now, to
    ``scheduleEndTime``, in ``zoneId`` (UTC).
    """
    request = asked(call, management)
    query = request.query
    expression, zone_id = query.wanted("cronExpression"), query.text("zoneId")
    start = moment_in(query.text("scheduleStartTime"), "scheduleStartTime")
    end = moment_in(query.text("scheduleEndTime"), "scheduleEndTime")
    count = min(query.whole("limit", 5), _MOST_TIMES)
    asking = pb.PreviewScheduleRequest(cron_expression=expression, zone_id=zone_id, count=count)
    if start > time.time() * 1000:
        # The time itself is one of them.
        asking.after.FromMilliseconds(start - 1)
    if not count:
        return as_json([])
    times = [each.ToMilliseconds() for each in await _previewed(request, asking)]
    return as_json([each for each in times if not end or each <= end])


async def _previewed(request: Asked, asking: pb.PreviewScheduleRequest) -> list[Timestamp]:
    try:
        response = await request.ask(request.stubs.executor.PreviewSchedule, asking)
    except InvalidRequest as error:
        field = "cronExpression" if error.detail.startswith("The expression ") else "zoneId"
        told = refusal(refused(field, error.detail))
        # Conductor's clients look for the word cron.
        said = f"Invalid cron expression or time zone: {error.detail}"
        raise Problem(told.kind, said, told.errors, told.headers, told.members) from None
    return list(response.runs)


def missing(name: str) -> NotFound:
    """As Conductor says it."""
    return NotFound(f"Schedule '{name}' not found")


_ONE = "/api/scheduler/schedules/{name}"
PAGES: tuple[tuple[str, str, Page], ...] = (
    ("POST", "/api/scheduler/schedules", save),
    ("GET", "/api/scheduler/schedules", list_all),
    ("GET", _ONE, get),
    ("DELETE", _ONE, delete),
    ("PUT", f"{_ONE}/pause", pause),
    ("GET", f"{_ONE}/pause", pause),
    ("PUT", f"{_ONE}/resume", resume),
    ("GET", f"{_ONE}/resume", resume),
    ("PUT", "/api/scheduler/bulk/pause", pause_many),
    ("PUT", "/api/scheduler/bulk/resume", resume_many),
    ("GET", "/api/scheduler/nextFewSchedules", preview),
    *tag_pages(_KIND, f"{_ONE}/tags"),
)

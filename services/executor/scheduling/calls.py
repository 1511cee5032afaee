"""Schedules as they stand, as callers ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from podium.common.v1 import page_pb2
from podium.executor.v1 import executor_pb2_grpc as rpc, schedules_pb2 as pb
from services import cron
from services.access import Sight, current
from services.errors import InvalidRequest, NotFound, PermissionDenied
from services.executor.readers import Readers
from services.executor.rows import micros
from services.executor.scheduling import rows
from services.executor.scheduling.schedule import Schedule
from services.executor.scheduling.scheduler import Entry, Scheduler
from services.executor.timers import now
from services.replica import Sights
from services.zones import zone

Context = grpc.aio.ServicerContext[Any, Any]

_DEFAULT_PAGE = 100
_LARGEST_PAGE = 1_000
_MOST_TIMES = 100
_DEFAULT_TIMES = 5
_LAST = 2**62


class ScheduleCalls(rpc.ExecutorServiceServicer):
    """The calls that are about schedules.

    Attributes:
        _scheduler, _readers, _sights: Set by whoever has them.
    """

    _sights: Sights
    _scheduler: Scheduler
    _readers: Readers

    async def ListSchedules(
        self, request: pb.ListSchedulesRequest, context: Context
    ) -> pb.ListSchedulesResponse:
        times = _count(request.next_runs or 1)
        size = _size(request.page)
        after, sight = request.page.page_token, self._schedules_in_sight()
        entries = [
            entry
            for entry in self._scheduler.entries()
            if entry.schedule.name > after and request.name in ("", entry.schedule.name)
            if entry.schedule.name in sight
        ]
        shown = entries[:size]
        names = [entry.schedule.name for entry in shown]
        last = await self._readers.read(rows.last_runs, names)
        response = pb.ListSchedulesResponse()
        workflows = self._workflows_in_sight()
        for entry in shown:
            run = last.get(entry.schedule.name)
            told = None if run is None else _run(run, workflows)
            response.schedules.append(_state(entry, times, told))
            # Some expressions take milliseconds: the others' turn.
            await asyncio.sleep(0)
        if len(entries) > size:
            response.next_page_token = names[-1]
        return response

    async def PreviewSchedule(
        self, request: pb.PreviewScheduleRequest, context: Context
    ) -> pb.PreviewScheduleResponse:
        count = _count(request.count or _DEFAULT_TIMES)
        after = _after(request.after) if request.HasField("after") else now()
        try:
            parsed, place = cron.parse(request.cron_expression), zone(request.zone_id or "UTC")
        except ValueError as fault:
            what = f"The expression {request.cron_expression[: cron.LONGEST]!r}"
            said = str(fault)
            raise InvalidRequest(
                f"{said[0].upper()}{said[1:]}." if "time zone" in said else f"{what} {said}."
            ) from fault
        response = pb.PreviewScheduleResponse()
        for at in islice(parsed.following(after, place), count):
            response.runs.add().FromDatetime(at)
            await asyncio.sleep(0)
        return response

    async def ListScheduleRuns(
        self, request: pb.ListScheduleRunsRequest, context: Context
    ) -> pb.ListScheduleRunsResponse:
        size = _size(request.page)
        before = _before(request.page.page_token)
        if request.schedule not in self._schedules_in_sight():
            raise _no_schedule(request.schedule)
        found = await self._readers.read(rows.runs, request.schedule, before, size + 1)
        if not found and not request.page.page_token:
            self._check_there(request.schedule)
        token = str(micros(found[size - 1].at)) if len(found) > size else ""
        return pb.ListScheduleRunsResponse(
            runs=[_run(run, self._workflows_in_sight()) for run in found[:size]],
            next_page_token=token,
        )

    def _check_there(self, name: str) -> None:
        if all(entry.schedule.name != name for entry in self._scheduler.entries()):
            raise _no_schedule(name)

    def _schedules_in_sight(self) -> Sight:
        return self._sights.of(current.get(), "READ", "schedule")

    def _workflows_in_sight(self) -> Sight:
        """Those of whose executions it is told how they stand."""
        try:
            return self._sights.of(current.get(), "READ", "workflow")
        except PermissionDenied:
            return _NONE


_NONE = Sight(frozenset())


def _no_schedule(name: str) -> NotFound:
    return NotFound(f"There is no schedule {name!r}.", schedule=name)


def _state(entry: Entry, times: int, last: pb.ScheduleRun | None) -> pb.ScheduleState:
    schedule = entry.schedule
    state = pb.ScheduleState(
        name=schedule.name,
        workflow_name=schedule.workflow,
        workflow_version=schedule.version,
        cron_expressions=_expressions(schedule),
        paused=schedule.paused,
        overlap_policy=schedule.overlap,
        last_run=last,
    )
    for due in islice(schedule.following(entry.since), times):
        state.next_runs.add().FromDatetime(due.at)
    return state


def _expressions(schedule: Schedule) -> Iterator[str]:
    for each in schedule.timetables:
        yield f"{each.cron.text} {each.zone_id}"


def _run(run: rows.Run, sight: Sight) -> pb.ScheduleRun:
    """What is told of a run; how its execution stands only to who may see that."""
    told = pb.ScheduleRun(
        outcome=pb.ScheduleOutcome.Value(f"SCHEDULE_OUTCOME_{run.outcome}"),
        execution_id=run.execution_id,
        execution_status=run.status if run.workflow in sight else "",
        cron_expression=run.expression,
        reason=run.reason,
        missed=run.missed,
    )
    told.scheduled_at.FromDatetime(run.at)
    told.executed_at.FromDatetime(run.executed_at)
    return told


def _size(page: page_pb2.PageRequest) -> int:
    if not 0 <= page.page_size <= _LARGEST_PAGE:
        raise InvalidRequest(f"page_size must be from 0 to {_LARGEST_PAGE:,}.")
    return page.page_size or _DEFAULT_PAGE


def _count(count: int) -> int:
    if not 0 < count <= _MOST_TIMES:
        raise InvalidRequest(f"At most {_MOST_TIMES} times are told at once.")
    return count


def _after(at: Timestamp) -> datetime:
    try:
        return at.ToDatetime(UTC)
    except (ValueError, OverflowError) as fault:
        raise InvalidRequest("after is no time between the years 1 and 9999.") from fault


def _before(token: str) -> int:
    if not token:
        return _LAST
    if not (token.isascii() and token.removeprefix("-").isdigit() and len(token) < 19):
        raise InvalidRequest("page_token is none of this listing.")
    return int(token)

"""What a schedule says, and what is to be done of it by now (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from heapq import merge
from itertools import islice
from typing import Any

from services import cron
from services.executor.core.identity import derived_id
from services.executor.core.model import Json
from services.executor.core.turns import domains_of
from services.zones import zone

# A run that is no later than that was not missed: the executor was started again, say.
GRACE = timedelta(minutes=1)
# What is planned, and then done, before the schedule is looked at again.
MOST_AT_ONCE = 100
# Missed runs are counted up to there.
MOST_COUNTED = 1_000
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Due:
    """One run.

    Attributes:
        at: UTC.
        expression: Of the cron that it comes from.
    """

    at: datetime
    expression: str


@dataclass(frozen=True, slots=True)
class Timetable:
    """A cron expression in a time zone."""

    cron: cron.Cron
    zone: tzinfo
    zone_id: str

    def following(self, after: datetime) -> Iterator[Due]:
        return (Due(at, self.cron.text) for at in self.cron.following(after, self.zone))


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule.

    Attributes:
        etag: Of its definition.
        late: How late a run may be made.
        version: Of the workflow; 0: the latest.
    """

    name: str
    etag: str
    timetables: tuple[Timetable, ...]
    paused: bool
    late: timedelta
    overlap: str
    begins: datetime | None
    ends: datetime | None
    workflow: str
    version: int
    input: Mapping[str, Json]
    correlation_id: str
    priority: int
    task_to_domain: Mapping[str, str]

    @classmethod
    def of(cls, document: Mapping[str, Any], etag: str) -> Schedule:
        """Of a definition. Raises ValueError on what the registry would have refused."""
        request = document["startWorkflowRequest"]
        window = timedelta(seconds=int(document.get("catchupWindowSeconds", 86_400)))
        return cls(
            name=str(document["name"]),
            etag=etag,
            timetables=tuple(_timetables(document)),
            paused=document.get("paused") is True,
            late=window if document.get("runCatchupScheduleInstances") is True else GRACE,
            overlap=str(document.get("overlapPolicy") or "ALLOW"),
            begins=_moment(document.get("scheduleStartTime")),
            ends=_moment(document.get("scheduleEndTime")),
            workflow=str(request["name"]),
            version=int(request.get("version") or 0),
            input=request.get("input") or {},
            correlation_id=str(request.get("correlationId") or ""),
            priority=int(request.get("priority") or 0),
            task_to_domain=domains_of(request.get("taskToDomain")),
        )

    def following(self, after: datetime) -> Iterator[Due]:
        """Its runs after ``after``, rising, of one moment only one; none while it is paused."""
        if self.paused:
            return
        if self.begins is not None:
            after = max(after, self.begins - _MOMENT)
        last = after
        for due in merge(*(t.following(after) for t in self.timetables), key=lambda due: due.at):
            if self.ends is not None and due.at > self.ends:
                return
            if due.at > last:
                last = due.at
                yield due

    def execution_id(self, at: datetime) -> str:
        """Of the run of that time: however often it is made, it is one execution."""
        return derived_id("schedule", self.name, at.isoformat())

    def input_at(self, due: Due, now: datetime) -> dict[str, Json]:
        """The input of a run that is made now, with what Conductor adds."""
        return {
            **self.input,
            "_startedByScheduler": self.name,
            "_scheduledTime": _millis(due.at),
            "_executedTime": _millis(now),
            "_executionId": self.execution_id(due.at),
            "_schedulerCron": due.expression,
        }


@dataclass(frozen=True, slots=True)
class Missed:
    """Runs that are too late to be made.

    Attributes:
        count: How many, up to :data:`MOST_COUNTED`.
    """

    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done by now.

    Attributes:
        missed: What is not made any more.
        runs: What is, the oldest first; of very many the first.
        until: All up to then is in it.
    """

    missed: Missed | None
    runs: tuple[Due, ...]
    until: datetime


def plan(schedule: Schedule, since: datetime, now: datetime) -> Plan:
    """What ``schedule`` asks for, of all that was not done up to and with ``since``."""
    earliest = now - schedule.late
    missed = None
    if earliest > since:
        missed = _missed(schedule, since, earliest)
        since = earliest
    due = schedule.following(since)
    runs = tuple(islice(_up_to(due, now), MOST_AT_ONCE))
    until = runs[-1].at if len(runs) == MOST_AT_ONCE else max(since, now)
    return Plan(missed, runs, until)


def next_after(schedule: Schedule, since: datetime) -> datetime | None:
    """When it next runs; None: never again, or it is paused."""
    due = next(schedule.following(since), None)
    return None if due is None else due.at


def _missed(schedule: Schedule, since: datetime, until: datetime) -> Missed | None:
    found = [due.at for due in islice(_up_to(schedule.following(since), until), MOST_COUNTED)]
    return Missed(len(found), found[0], found[-1]) if found else None


def _up_to(due: Iterator[Due], until: datetime) -> Iterator[Due]:
    for each in due:
        if each.at > until:
            return
        yield each


def _timetables(document: Mapping[str, Any]) -> Iterator[Timetable]:
    for each in document.get("cronSchedules") or [document]:
        zone_id = str(each.get("zoneId") or "UTC")
        yield Timetable(cron.parse(each["cronExpression"]), zone(zone_id), zone_id)


def _moment(millis: object) -> datetime | None:
    if not isinstance(millis, int) or not millis:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)


def _millis(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

"""Makes the runs of schedules as they come due, by the clock on the wall.

A run's execution, its note and how far the schedule is done are one transaction: a crash leaves
all of it or nothing, and its id is derived from the schedule and the time that it was due.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.errors import Conflict, NotFound, Overloaded, ServiceError
from services.executor.core.events import Event, Terminated
from services.executor.launching import Launch, Launching, Note, Prepared
from services.executor.scheduling import rows
from services.executor.scheduling.schedule import Due, Missed, Schedule, next_after, plan
from services.executor.store import Store
from services.executor.timers import now as utc_now
from services.replica import Replica, Stored

logger = logging.getLogger(__name__)

KIND = "schedule"
# The clock on the wall may be set: it is looked at again.
_LONGEST_SLEEP = timedelta(seconds=2)
_AGAIN = timedelta(seconds=10)
# A clock that is set back by less has the schedules wait for it.
_SET_BACK = timedelta(minutes=1)
# There was too much to do: that passes, and a run that is too late is not made.
_SOON = timedelta(seconds=1)

Tell = Callable[[str, Event], Awaitable[object]]
"""Lets something happen to an execution; raises a :class:`ServiceError`."""

Known = dict[str, tuple[str, datetime]]
"""By name, as of which definition a schedule was done, and up to when."""


@dataclass(slots=True, eq=False)
class Entry:
    """One schedule.

    Attributes:
        since: Up to when it is done.
        next_at: When it is looked at next; None: never.
    """

    schedule: Schedule
    since: datetime
    next_at: datetime | None = None
    task: asyncio.Task[None] | None = None


class Scheduler:
    """The schedules of a replica.

    Args:
        known: What :func:`rows.known` gave.
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        store: Store,
        replica: Replica,
        launching: Launching,
        tell: Tell,
        known: Known,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._tasks = tasks
        self._store = store
        self._replica = replica
        self._launching = launching
        self._tell = tell
        self._known = known
        self._now = now
        self._entries: dict[str, Entry] = {}
        self._unnoted: list[Note] = []
        self._wanted = asyncio.Event()
        self._open = True
        self._unsubscribe = replica.subscribe(self._changed)
        for stored in replica.all(KIND):
            self._take(stored)

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self) -> list[Entry]:
        """All of them, by name."""
        return [self._entries[name] for name in sorted(self._entries)]

    def close(self) -> None:
        """Begin nothing more; what is half-done is done, or not at all."""
        self._open = False
        self._unsubscribe()
        self._wanted.set()
        for entry in self._entries.values():
            if entry.task is not None:
                entry.task.cancel()

    def pass_over(self) -> None:
        """What came due until now is not made up for."""
        now = self._now()
        for entry in self._entries.values():
            if entry.since < now:
                self._done(entry, now)
                self._unnoted.append(rows.done_until(entry.schedule, now))
                entry.next_at = next_after(entry.schedule, now)

    async def run(self) -> None:
        """Make runs until :meth:`close`."""
        while self._open:
            self._wanted.clear()
            await self._note()
            for entry in self._due():
                entry.task = self._tasks.create_task(self._advance(entry))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._wanted.wait()

    # What is defined.

    def _changed(self, change: object) -> None:
        match change:
            case Stored(kind="schedule"):
                self._take(change)
            case None:
                self._read_all()
            case _ if getattr(change, "kind", "") == KIND:
                self._forget(getattr(change, "name", ""))
        self._wanted.set()

    def _read_all(self) -> None:
        # Only once the registry has told them all: a copy that was lost begins empty.
        there = {stored.name: stored for stored in self._replica.all(KIND)}
        for name in (self._entries.keys() | self._known.keys()) - there.keys():
            self._forget(name)
        for stored in there.values():
            self._take(stored)

    def _take(self, stored: Stored) -> None:
        entry = self._entries.get(stored.name)
        if entry is not None and entry.schedule.etag == stored.etag:
            return
        try:
            schedule = Schedule.of(stored.document, stored.etag)
        except (KeyError, TypeError, ValueError) as error:
            # The registry is newer than this executor, perhaps.
            logger.error("The schedule %r cannot be read: %s", stored.name, error)
            self._drop(stored.name)
            return
        self._drop(stored.name)
        etag, since = self._known.get(stored.name, ("", self._now()))
        if etag != stored.etag:
            # What another definition said, or none, is not made up for.
            since = self._now()
            self._known[stored.name] = stored.etag, since
            self._unnoted.append(rows.done_until(schedule, since))
        entry = Entry(schedule, since)
        entry.next_at = next_after(schedule, since)
        self._entries[stored.name] = entry

    def _drop(self, name: str) -> None:
        entry = self._entries.pop(name, None)
        if entry is not None and entry.task is not None:
            entry.task.cancel()

    def _forget(self, name: str) -> None:
        self._drop(name)
        self._known.pop(name, None)
        self._unnoted.extend(rows.forgotten(name))

    async def _note(self) -> None:
        """Store what was seen of definitions."""
        notes, self._unnoted = self._unnoted, []
        if not notes:
            return
        try:
            await self._launching.write(notes)
        except ServiceError as error:
            logger.warning("What is known of schedules has to wait: %s", error)
            self._unnoted = [*notes, *self._unnoted]

    # What is due.

    def _due(self) -> Iterator[Entry]:
        now = self._now()
        for entry in self._entries.values():
            if entry.task is not None:
                continue
            if entry.since - now > _SET_BACK:
                self._set_back(entry, now)
            if entry.next_at is not None and entry.next_at <= now:
                yield entry

    def _set_back(self, entry: Entry, now: datetime) -> None:
        """The clock was ahead: the schedule would rest until it is there again, perhaps years."""
        said = "The schedule %r was done up to %s, and it is %s: the clock was set back."
        name, since = entry.schedule.name, entry.since.isoformat()
        logger.warning(said, name, since, now.isoformat())
        self._done(entry, now)
        self._unnoted.append(rows.done_until(entry.schedule, now))
        entry.next_at = next_after(entry.schedule, now)

    def _pause(self) -> float:
        waits = [
            entry.next_at
            for entry in self._entries.values()
            if entry.next_at is not None and entry.task is None
        ]
        longest = _LONGEST_SLEEP if waits or self._unnoted else timedelta(minutes=1)
        if not waits:
            return longest.total_seconds()
        return max(min(min(waits) - self._now(), longest), timedelta()).total_seconds()

    async def _advance(self, entry: Entry) -> None:
        """Do what is due of one schedule."""
        try:
            await self._make(entry)
            entry.next_at = next_after(entry.schedule, entry.since)
        except ServiceError as error:
            logger.warning("The schedule %r has to wait: %s", entry.schedule.name, error)
            entry.next_at = self._now() + (_SOON if isinstance(error, Overloaded) else _AGAIN)
        except Exception:
            # The outermost loop of a schedule: its fault must not end every other one.
            logger.exception("The schedule %r broke.", entry.schedule.name)
            entry.next_at = self._now() + _AGAIN
        finally:
            entry.task = None
            self._wanted.set()

    async def _make(self, entry: Entry) -> None:
        planned = plan(entry.schedule, entry.since, self._now())
        if planned.missed is not None:
            await self._miss(entry, planned.missed)
        for due in planned.runs:
            await self._make_one(entry, due)
            self._done(entry, due.at)
        entry.since = max(entry.since, planned.until)

    def _done(self, entry: Entry, until: datetime) -> None:
        entry.since = until
        self._known[entry.schedule.name] = entry.schedule.etag, until

    async def _miss(self, entry: Entry, missed: Missed) -> None:
        first, last = missed.first.isoformat(), missed.last.isoformat()
        many = f"{missed.count} runs from {first} to {last} were" if missed.count > 1 else (
            f"The run of {last} was"
        )  # fmt: skip
        reason = f"{many} due while nothing ran, and are not made up for."
        logger.warning("The schedule %r: %s", entry.schedule.name, reason)
        await self._launching.write(rows.missed(entry.schedule, missed, self._now(), reason))
        self._done(entry, missed.last)

    async def _make_one(self, entry: Entry, due: Due) -> None:
        schedule = entry.schedule
        if await self._store.loaders.read(rows.is_noted, schedule.name, due.at):
            # Before the clock was set back.
            return
        try:
            refused = await self._make_room(schedule)
            start = None if refused else self._start(schedule, due)
        except NotFound as missing:
            await self._noted(schedule, due, rows.FAILED, missing.detail)
            return
        if start is None:
            await self._noted(schedule, due, rows.SKIPPED, refused)
        else:
            await self._noted(schedule, due, rows.STARTED, "", start)

    def _start(self, schedule: Schedule, due: Due) -> Prepared:
        return self._launching.prepared(
            Launch(
                schedule.execution_id(due.at),
                schedule.workflow,
                schedule.version,
                schedule.input_at(due, self._now()),
                f"schedule:{schedule.name}",
                schedule.correlation_id,
                schedule.priority,
                schedule.task_to_domain,
            )
        )

    async def _make_room(self, schedule: Schedule) -> str:
        """Why a run is left out because of those that go on; empty: it is not."""
        if schedule.overlap == "ALLOW":
            return ""
        others = await self._store.loaders.read(rows.going_on, schedule.name)
        if others and schedule.overlap == "SKIP":
            return f"Execution {others[0]} of an earlier run goes on."
        for each in others:
            # It has ended or is gone meanwhile, perhaps.
            with suppress(Conflict, NotFound):
                reason = f"The schedule {schedule.name!r} starts its next run."
                await self._tell(each, Terminated(reason))
        return ""

    async def _noted(
        self, schedule: Schedule, due: Due, outcome: str, reason: str, *starts: Prepared
    ) -> None:
        notes = rows.run_of(schedule, due, outcome, self._now(), reason)
        await self._launching.write(notes, *starts)
        said = "The run of the schedule %r that was due at %s: %s %s"
        what = schedule.execution_id(due.at) if outcome == rows.STARTED else reason
        level = logging.WARNING if outcome == rows.FAILED else logging.INFO
        logger.log(level, said, schedule.name, due.at.isoformat(), outcome, what)

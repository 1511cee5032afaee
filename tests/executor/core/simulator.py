"""A shell without an outside: it drives decisions on a virtual clock, and can crash at will."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from immutables import Map

from services.executor import judging
from services.executor.core.commands import (
    CancelTimer,
    Compute,
    Count,
    Decision,
    Judge as ToJudge,
    Log,
    Lookup,
    Offer,
    Perform,
    SetTimer,
    StartExecution,
    TellExecution,
)
from services.executor.core.decide import decide, start
from services.executor.core.events import (
    Computed,
    Event,
    Interrupted,
    Judged,
    Performed,
    Started,
    TaskUpdated,
    TimerFired,
    TimerKey,
)
from services.executor.core.http import HttpAnswer, HttpFailure, HttpOutcome, HttpRequest
from services.executor.core.identity import refs_of
from services.executor.core.kind import Kind
from services.executor.core.model import ExecutionStatus, Json, Task, TaskStatus
from services.executor.core.spawning import extra_of
from services.executor.core.workflow import Workflow
from services.executor.kinds import KINDS

EPOCH = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ID = "0b1e6a52-58c1-4f0e-9d4d-0f7f4a1c2d3e"
MOMENT = timedelta(milliseconds=20)

Judge = Callable[[str, Mapping[str, Json]], Json]


def workflow(*tasks: Mapping[str, Json], definitions: Json = None, **more: Json) -> Workflow:
    """A workflow of ``tasks``; ``definitions`` are task definitions by name."""
    document = {"name": "flow", "version": 1, "schemaVersion": 2, "tasks": list(tasks), **more}
    snapshot = {"workflow": document, "tasks": definitions or {}}
    # As from the store: nothing in it is shared with the test.
    return Workflow.of(json.loads(json.dumps(snapshot)))


def task(ref: str, kind: str, inputs: Json = None, **more: Json) -> dict[str, Json]:
    """A task of a definition."""
    return {
        "name": ref, "taskReferenceName": ref, "type": kind, "inputParameters": inputs or {}, **more
    }  # fmt: skip


def http(ref: str, request: Mapping[str, Json] | None = None, **more: Json) -> dict[str, Json]:
    """An HTTP task that posts to somewhere."""
    asked: dict[str, Json] = {"uri": f"http://upstream/{ref}", "method": "POST", **(request or {})}
    return task(ref, "HTTP", {"http_request": asked}, **more)


def answer(body: Json = None, status: int = 200, **headers: str) -> HttpAnswer:
    """An answer with the headers ``headers`` (``retry_after="5"``)."""
    named = {name.replace("_", "-"): (value,) for name, value in headers.items()}
    return HttpAnswer(status, "Said", named, body, MOMENT)


def failure(
    reason: str = "timed out",
    *,
    unknown: bool = True,
    transient: bool = True,
    put_off: timedelta | None = None,
) -> HttpFailure:
    return HttpFailure(
        reason, unknown=unknown, transient=transient, duration=MOMENT, put_off=put_off
    )


class Simulator:
    """One execution, its pending effects and timers, and all its rows."""

    def __init__(
        self,
        flow: Workflow,
        inputs: Mapping[str, Json] | None = None,
        *,
        judge: Judge | None = None,
        kinds: Mapping[str, Kind] = KINDS,
        domains: Mapping[str, str] | None = None,
    ) -> None:
        self.kinds = kinds
        self.now = EPOCH
        self.judge = judge
        self.rows: dict[str, Task] = {}
        self.timers: dict[TimerKey, datetime] = {}
        self.performs: dict[str, Perform] = {}
        self.started: list[StartExecution] = []
        self.told: list[TellExecution] = []
        self.offers: list[Offer] = []
        self.counted: list[Count] = []
        self.logs: list[Log] = []
        # What lookups find: task definitions by name, all workflows but these.
        self.definitions: dict[str, Json] = {}
        self.missing: set[str] = set()
        self.execution = start(
            ID, flow, inputs or {}, self.now, correlation_id="c-1", task_to_domain=domains
        )

    def begin(self) -> Simulator:
        self.happens(Started())
        return self

    def happens(self, event: Event) -> Decision:
        """One unit: ``event`` and the computations that follow from it."""
        pending: list[Event] = [event]
        commands: list[Any] = []
        decision = Decision(self.execution)
        while pending:
            decision = decide(self.execution, pending.pop(0), self.kinds, self.now)
            self.execution = decision.execution
            if decision.dropped:
                self.rows.clear()
            if decision.forgotten:
                gone = set(decision.forgotten)
                self.rows = {id: row for id, row in self.rows.items() if row.ref not in gone}
            for row in decision.changed:
                self.rows[row.id] = row
            for command in decision.commands:
                if isinstance(command, Compute):
                    pending.append(self._computed(command))
                elif isinstance(command, Lookup):
                    pending.append(self._found(command))
                elif isinstance(command, ToJudge):
                    pending.append(self._verdict(command))
                else:
                    commands.append(command)
        for command in commands:
            self._obey(command)
        return decision

    def _verdict(self, command: ToJudge) -> Judged:
        faults = judging.at_once(command)
        assert faults is not None
        return Judged(command.task_id, command.label, faults, command.then)

    def _computed(self, command: Compute) -> Computed:
        json.dumps(command.scope)
        try:
            value = self.judge(command.source, command.scope) if self.judge else None
        except ArithmeticError as error:
            return Computed(command.task_id, command.label, error=str(error))
        return Computed(command.task_id, command.label, value)

    def _found(self, command: Lookup) -> Computed:
        wanted = command.wanted
        if wanted.queues:
            return Computed(command.task_id, command.label, {"queue": wanted.queues[-1]})
        tasks: Json = {name: self.definitions.get(name) for name in wanted.tasks}
        name = wanted.workflow or str((wanted.definition or {}).get("name"))
        if name in self.missing:
            return Computed(command.task_id, command.label, error=f"There is no {name}.")
        found: Json = {"name": name, "version": wanted.version or 1}
        return Computed(command.task_id, command.label, {"tasks": tasks, "workflow": found})

    def _obey(self, command: object) -> None:
        match command:
            case Perform():
                self.performs[command.task_id] = command
            case SetTimer():
                self.timers[command.key] = command.at
            case CancelTimer():
                self.timers.pop(command.key, None)
            case StartExecution():
                self.started.append(command)
            case TellExecution():
                self.told.append(command)
            case Offer():
                self.offers.append(command)
            case Count():
                self.counted.append(command)
            case Log():
                self.logs.append(command)

    def request(self, ref: str) -> HttpRequest:
        """What the latest attempt of ``ref`` asked for and is not yet told of."""
        request = self.performs[self.task(ref).id].request
        assert isinstance(request, HttpRequest)
        return request

    def answers(self, ref: str, outcome: HttpOutcome) -> Decision:
        """The call of ``ref`` ends."""
        perform = self.performs.pop(self.task(ref).id)
        return self.happens(Performed(perform.task_id, perform.number, outcome))

    def says(self, ref: str, status: str, output: Json = None, **more: Any) -> Decision:
        return self.happens(TaskUpdated(TaskStatus(status), output, ref=ref, **more))

    def fires(self) -> TimerKey:
        """Time goes on to the next timer, which comes due."""
        key, at = min(
            self.timers.items(), key=lambda pair: (pair[1], pair[0].task_id, pair[0].name)
        )
        self.now = max(self.now, at)
        del self.timers[key]
        self.happens(TimerFired(key))
        return key

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)

    def reread(self) -> None:
        """The execution leaves memory and is read again."""
        self.rows = {id: _reread(row) for id, row in self.rows.items()}
        rows = sorted(self.rows.values(), key=lambda row: row.sequence)
        latest = {row.ref: row for row in rows}
        refs = refs_of(ID, self.execution.restarts, latest.values())
        extra = extra_of(self.execution.workflow, latest.values())
        self.execution = _reread(self.execution, tasks=Map(latest), refs=refs, extra=extra)

    def crash(self) -> list[Interrupted]:
        """The process dies, and another one reads what was committed; what it tells of that."""
        self.reread()
        self.performs.clear()
        rows = self.execution.tasks.values()
        told = [Interrupted(row.id, row.pending) for row in rows if row.pending]
        for event in told:
            self.happens(event)
        return told

    def task(self, ref: str) -> Task:
        return self.execution.tasks[ref]

    @property
    def status(self) -> ExecutionStatus:
        return self.execution.status

    def until(self, ref: str) -> float:
        """Seconds until the only timer of ``ref``."""
        (at,) = [at for key, at in self.timers.items() if key.task_id == self.task(ref).id]
        return (at - self.now).total_seconds()


def _reread(value: Any, **given: Any) -> Any:
    """``value`` as a store gives it back: through JSON text, but for ``given`` and workflows."""
    read = {}
    for field in fields(value):
        item = getattr(value, field.name)
        if field.name in given:
            read[field.name] = given[field.name]
        elif isinstance(item, Workflow):
            read[field.name] = Workflow.of(json.loads(json.dumps(item.snapshot)))
        else:
            read[field.name] = _decoded(json.loads(json.dumps(_encoded(item))), item)
    return type(value)(**read)


def _encoded(item: Any) -> Any:
    if isinstance(item, datetime):
        return item.isoformat()
    return item.total_seconds() if isinstance(item, timedelta) else item


def _decoded(read: Any, item: Any) -> Any:
    if isinstance(item, datetime):
        return datetime.fromisoformat(read)
    if isinstance(item, timedelta):
        return timedelta(seconds=read)
    if isinstance(item, tuple | TaskStatus | ExecutionStatus):
        return type(item)(read)
    return read

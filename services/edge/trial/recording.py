"""Records of one call: its stages, and what they ask scripts and the executor for.

Nothing of the gateway knows of it. The stages are wrapped, and the call is given a gateway whose
scripts and session are wrapped: what is not tried costs nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from podium.edge.v1 import edge_pb2 as edge
from podium.executor.v1 import executor_pb2 as pb
from services.edge import statuses
from services.edge.call import Answer, Call
from services.edge.endpoint import Stage
from services.edge.exchange import Exchange, Outcome, Waiting
from services.edge.gateway import Gateway, Starts
from services.edge.problems import Problem
from services.edge.scripting import RouteScripts, failed
from services.edge.trial.notes import FAULTS, Notes, Seen, bounded, of_problem
from services.edge.trial.reasons import reason
from services.errors import ServiceError
from services.json_text import Json

EXECUTION = "execution"


@dataclass(slots=True)
class Record:
    """One stage, or a step within one.

    Attributes:
        within: The stage that a step belongs to; empty for a stage.
        began: Seconds, by the recorder's clock; ``took`` too.
    """

    name: str
    within: str
    began: float
    took: float = 0.0
    outcome: edge.StageOutcome.ValueType = edge.STAGE_OUTCOME_PASSED
    notes: Notes = field(default_factory=dict)


class Recorder:
    """Keeps the records of one call, in the order in which they began.

    Args:
        clock: Seconds, going on.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.now = clock
        self._stage = ""
        self.records: list[Record] = []

    def begin(self, name: str) -> Record:
        """A record of what begins now."""
        record = Record(name, self._stage, self.now())
        self.records.append(record)
        return record

    def end(self, record: Record) -> None:
        """It has ended now."""
        record.took = self.now() - record.began

    @contextmanager
    def step(self, name: str) -> Iterator[Record]:
        """A record of the block; an error that ends it is noted, and goes on."""
        record = self.begin(name)
        try:
            yield record
        except Problem as problem:
            record.outcome = edge.STAGE_OUTCOME_REFUSED
            record.notes |= of_problem(problem)
            raise
        except ServiceError as error:
            record.outcome = edge.STAGE_OUTCOME_REFUSED
            record.notes |= {"error": error.reason(), "detail": error.detail}
            raise
        finally:
            self.end(record)

    @contextmanager
    def stage(self, name: str) -> Iterator[Record]:
        """As :meth:`step`; the steps of the block belong to it."""
        with self.step(name) as record:
            self._stage = name
            try:
                yield record
            finally:
                self._stage = ""


def recorded(stages: tuple[Stage[Gateway], ...], recorder: Recorder) -> tuple[Stage[Gateway], ...]:
    """The same stages, with a record of each."""
    return tuple(_recorded(stage, recorder) for stage in stages)


def _recorded(stage: Stage[Gateway], recorder: Recorder) -> Stage[Gateway]:
    name = getattr(stage, "__name__", "")

    async def run(call: Call, gateway: Gateway) -> Answer | None:
        seen = Seen(call)
        with recorder.stage(name) as record:
            try:
                answer = await stage(call, gateway)
            except Problem as problem:
                record.notes |= reason(problem, call, gateway)
                raise
            finally:
                record.notes |= seen.news()
            if answer is not None:
                record.outcome = edge.STAGE_OUTCOME_ANSWERED
                record.notes["status"] = answer.status
            return answer

    return run


def watched(gateway: Gateway, recorder: Recorder) -> Gateway:
    """The same gateway, with a record of each script that is run and each execution begun."""
    return replace(
        gateway,
        scripts=_Scripts(gateway.scripts, recorder),
        session=_Session(gateway.session, recorder),
    )


class _Scripts(RouteScripts):
    """Scripts, with why they fail: whoever tries a route may know what its callers may not."""

    def __init__(self, scripts: RouteScripts, recorder: Recorder) -> None:
        super().__init__(scripts.scripts)
        self._inner = scripts
        self._recorder = recorder

    async def run(self, field: str, source: str, scope: str, *, exposed: bool) -> Json:
        try:
            with self._recorder.step(field) as record:
                record.notes["input"] = bounded(scope)
                value = await self._inner.run(field, source, scope, exposed=True)
                record.notes["result"] = bounded(json.dumps(value))
                return value
        except Problem as problem:
            # The whole error is its detail here.
            record.notes.pop(FAULTS, None)
            if exposed or problem.kind != "script-failed":
                raise
            raise failed(field, "", problem.inside[0][1]) from None


class _Session:
    """The session, with how long each execution was waited for, and what was heard of it."""

    def __init__(self, session: Starts, recorder: Recorder) -> None:
        self._session = session
        self._recorder = recorder

    @property
    def connected(self) -> bool:
        return self._session.connected

    def start(
        self, start: pb.Start, timeout_seconds: float, *, until_accepted: bool = False
    ) -> Exchange:
        record = self._recorder.begin(EXECUTION)
        record.notes = {"executionId": start.execution_id, "workflow": start.workflow_name}
        if record.within != "run":
            # The stage that maps the input was run behind another, on a call of its own.
            record.notes["input"] = bounded(start.input or "{}")
        exchange = self._session.start(start, timeout_seconds, until_accepted=until_accepted)
        exchange.outcome.add_done_callback(lambda outcome: self._ended(record, outcome))
        return exchange

    def withdraw(self, exchange: Exchange) -> None:
        self._session.withdraw(exchange)

    def _ended(self, record: Record, outcome: asyncio.Future[Outcome]) -> None:
        self._recorder.end(record)
        if not outcome.cancelled():
            record.notes |= _heard(outcome.result())


def _heard(outcome: Outcome) -> Notes:
    match outcome:
        case pb.Result():
            status = statuses.of_execution(outcome.status)
            notes: Notes = {"status": status}
            if outcome.awaited_ref:
                awaited = statuses.of_task(outcome.awaited_status)
                notes |= {"task": outcome.awaited_ref, "taskStatus": awaited}
            if outcome.reason:
                notes["reason"] = outcome.reason
            return notes | {"output": bounded(outcome.output or "{}")}
        case Waiting():
            return {"waiting": outcome.value}
    return {"error": outcome.reason(), "detail": outcome.detail}

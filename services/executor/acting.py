"""What operators do to executions, one at a time: from pause to deletion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from podium.executor.v1 import executor_pb2 as pb
from services.errors import Conflict
from services.executor.actors import Told
from services.executor.calls import Calls
from services.executor.core.events import (
    CallbacksReset,
    Event,
    Paused,
    Restarted,
    Resumed,
    Retried,
    Skipped,
    Terminated,
    VariablesSet,
)
from services.executor.core.model import ExecutionStatus, Json, TaskStatus
from services.executor.deleting import Deleting
from services.executor.rerunning import Rerunning
from services.executor.signalling import Signal, Signalling
from services.executor.starting import Starting

RUNNING, PAUSED, COMPLETED, FAILED, TIMED_OUT, TERMINATED = ExecutionStatus
_ENDED_BADLY = frozenset((FAILED, TIMED_OUT, TERMINATED))
_ENDED = _ENDED_BADLY | {COMPLETED}
_OPEN = frozenset((RUNNING, PAUSED))

APPLIES: Mapping[int, frozenset[ExecutionStatus]] = {
    pb.OPERATION_PAUSE: frozenset((RUNNING,)),
    pb.OPERATION_RESUME: frozenset((PAUSED,)),
    pb.OPERATION_TERMINATE: _OPEN,
    pb.OPERATION_RESTART: _ENDED,
    pb.OPERATION_RETRY: _ENDED_BADLY,
    pb.OPERATION_RERUN: _ENDED,
    pb.OPERATION_SKIP_TASK: frozenset((RUNNING,)),
    pb.OPERATION_SIGNAL: _OPEN,
    pb.OPERATION_UPDATE_VARIABLES: _OPEN,
    pb.OPERATION_RESET_CALLBACKS: _OPEN,
    pb.OPERATION_DECIDE: _OPEN,
    pb.OPERATION_DELETE: _ENDED,
}
"""Where executions stand that an operation is meant for."""

_BROUGHT_TO: Mapping[int, ExecutionStatus] = {
    pb.OPERATION_PAUSE: PAUSED,
    pb.OPERATION_RESUME: RUNNING,
    pb.OPERATION_TERMINATE: TERMINATED,
    pb.OPERATION_RESTART: RUNNING,
    pb.OPERATION_RETRY: RUNNING,
    pb.OPERATION_RERUN: RUNNING,
}

Document = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation.

    Attributes:
        operation: One of :data:`APPLIES`.
        reason: Kept with what is terminated, or signalled.
        failure: What is terminated has its ``failureWorkflow`` started.
        latest: What is restarted takes its workflow's newest version.
        resume: What is retried retries its sub-workflows in their place.
        ref: The task that is run again from, or skipped.
        task_id: The task that is run again from, by an attempt.
        input: Of that task, or of the whole; None: what it has.
        correlation_id: Of the whole that is rerun; None: what it has.
        output: Of what is skipped or signalled.
        status: Of what is signalled.
        variables: Those that are set.
        terminate: What is deleted is ended before.
        with_children: What its tasks have started is deleted with it.
    """

    operation: int
    reason: str = ""
    failure: bool = False
    latest: bool = False
    resume: bool = False
    ref: str = ""
    task_id: str = ""
    input: Document | None = None
    correlation_id: str | None = None
    output: Document | None = None
    status: TaskStatus = TaskStatus.COMPLETED
    variables: Document | None = None
    terminate: bool = False
    with_children: bool = False

    def event(self) -> Event | None:
        """What it is to the core, of a restart with what the execution ran; None: a look at it."""
        match self.operation:
            case pb.OPERATION_PAUSE:
                return Paused()
            case pb.OPERATION_RESUME:
                return Resumed()
            case pb.OPERATION_TERMINATE:
                return Terminated(self.reason, tells=self.failure)
            case pb.OPERATION_RESTART:
                return Restarted()
            case pb.OPERATION_RERUN:
                return Restarted(input=self.input, correlation_id=self.correlation_id)
            case pb.OPERATION_SKIP_TASK:
                return Skipped(self.ref, self.input, self.output)
            case pb.OPERATION_UPDATE_VARIABLES:
                return VariablesSet(self.variables or {})
            case pb.OPERATION_RESET_CALLBACKS:
                return CallbacksReset()
            case pb.OPERATION_RETRY:
                return Retried(resume=self.resume)
        return None

    @property
    def applies(self) -> frozenset[ExecutionStatus]:
        """Where those stand that it is meant for."""
        return frozenset(ExecutionStatus) if self.terminate else APPLIES[self.operation]

    def found(self, status: ExecutionStatus) -> bool:
        """Whether one that stands there is where the operation brings it.

        Where more is asked than to stand there, on another input or from a task, that cannot be
        told.
        """
        return status is _BROUGHT_TO.get(self.operation) and not self._asks_more

    @property
    def _asks_more(self) -> bool:
        others = (self.input, self.correlation_id)
        return bool(self.latest or self.ref or self.task_id) or others != (None, None)


class Acting:
    """Does operations, one at a time."""

    def __init__(
        self,
        calls: Calls,
        starting: Starting,
        signalling: Signalling,
        deleting: Deleting,
        rerunning: Rerunning,
    ) -> None:
        self._calls = calls
        self._starting = starting
        self._signalling = signalling
        self._deleting = deleting
        self._rerunning = rerunning

    async def act(self, execution_id: str, asked: Asked) -> Told:
        """What became of it, once that is stored. Raises a :class:`ServiceError`."""
        match asked.operation:
            case pb.OPERATION_RESTART if asked.latest:
                return await self._restart(execution_id)
            case pb.OPERATION_RERUN if asked.ref or asked.task_id:
                return await self._rerunning.rerun(
                    execution_id, asked.ref, asked.task_id, asked.input
                )
            case pb.OPERATION_SIGNAL:
                signal = Signal(asked.status, asked.output, asked.reason)
                await self._signalling.signal(execution_id, signal)
                return await self._calls.tell(execution_id, None)
            case pb.OPERATION_DELETE:
                told = await self._calls.tell(execution_id, None)
                await self._deleting.delete(
                    execution_id,
                    terminate=asked.terminate,
                    with_children=asked.with_children,
                    reason=asked.reason,
                )
                return told
        return await self._calls.tell(execution_id, asked.event())

    async def _restart(self, execution_id: str) -> Told:
        told = await self._calls.tell(execution_id, None)
        workflow = told.after.workflow
        snapshot = self._starting.latest(workflow.name, workflow.masked)
        return await self._calls.tell(execution_id, Restarted(snapshot.workflow), snapshot)

    async def surely(self, execution_id: str, asked: Asked) -> Told:
        """As :meth:`act`, which refuses no execution that is there already.

        ``before`` and ``after`` are the same then.
        """
        try:
            return await self.act(execution_id, asked)
        except Conflict:
            stands = await self._calls.tell(execution_id, None)
            if not asked.found(stands.after.status):
                raise
            return stands

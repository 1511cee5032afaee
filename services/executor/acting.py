"""What operators do to executions: pause, resume, terminate, restart, retry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from podium.executor.v1 import executor_pb2 as pb
from services.errors import Conflict
from services.executor.actors import Told
from services.executor.calls import Calls
from services.executor.core.events import Event, Paused, Restarted, Resumed, Retried, Terminated
from services.executor.core.model import ExecutionStatus
from services.executor.starting import Starting

RUNNING, PAUSED, COMPLETED, FAILED, TIMED_OUT, TERMINATED = ExecutionStatus
_ENDED_BADLY = frozenset((FAILED, TIMED_OUT, TERMINATED))

APPLIES: Mapping[int, frozenset[ExecutionStatus]] = {
    pb.OPERATION_PAUSE: frozenset((RUNNING,)),
    pb.OPERATION_RESUME: frozenset((PAUSED,)),
    pb.OPERATION_TERMINATE: frozenset((RUNNING, PAUSED)),
    pb.OPERATION_RESTART: _ENDED_BADLY | {COMPLETED},
    pb.OPERATION_RETRY: _ENDED_BADLY,
}
"""Where executions stand that an operation is meant for."""

_BROUGHT_TO: Mapping[int, ExecutionStatus] = {
    pb.OPERATION_PAUSE: PAUSED,
    pb.OPERATION_RESUME: RUNNING,
    pb.OPERATION_TERMINATE: TERMINATED,
    pb.OPERATION_RESTART: RUNNING,
    pb.OPERATION_RETRY: RUNNING,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation.

    Attributes:
        operation: One of :data:`APPLIES`.
        reason: Kept with what is terminated.
        latest: What is restarted takes its workflow's newest version.
    """

    operation: int
    reason: str = ""
    latest: bool = False

    def event(self) -> Event:
        """What it is to the core; of a restart with what the execution ran."""
        match self.operation:
            case pb.OPERATION_PAUSE:
                return Paused()
            case pb.OPERATION_RESUME:
                return Resumed()
            case pb.OPERATION_TERMINATE:
                return Terminated(self.reason)
            case pb.OPERATION_RESTART:
                return Restarted()
        return Retried()

    def found(self, status: ExecutionStatus) -> bool:
        """Whether one that stands there is where the operation brings it."""
        return status is _BROUGHT_TO[self.operation]


class Acting:
    """Does operations, one at a time."""

    def __init__(self, calls: Calls, starting: Starting) -> None:
        self._calls = calls
        self._starting = starting

    async def act(self, execution_id: str, asked: Asked) -> Told:
        """What became of it, once that is stored. Raises a :class:`ServiceError`."""
        if asked.operation != pb.OPERATION_RESTART or not asked.latest:
            return await self._calls.tell(execution_id, asked.event())
        told = await self._calls.tell(execution_id, None)
        snapshot = self._starting.latest(told.after.workflow.name)
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

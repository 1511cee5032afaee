"""What is said of tasks one call at a time, by whichever RPC: read, checked and told."""

from __future__ import annotations

from functools import partial
from typing import cast

from google.protobuf.duration_pb2 import Duration

from podium.worker.v1 import worker_pb2 as pb
from services.access import Principal
from services.errors import InvalidRequest, ServiceError
from services.executor.actors import Reply, Told
from services.executor.core.model import Execution, Json
from services.executor.core.turns import kind_of
from services.executor.seeing import EXECUTE, WORKFLOW, Seeing
from services.executor.texts import short
from services.executor.workers.handing import result_event, word_event
from services.executor.workers.working import (
    MOST_NAME_CHARS,
    Working,
    document,
    is_a_workers,
    parsed,
)
from services.rights import WORKER

LONGEST_POLL_SECONDS = 5.0
MOST_POLLED = 1000


def wanted(
    working: Working, request: pb.PollTaskRequest | pb.PollTasksRequest, caller: Principal
) -> tuple[str, str, int, float]:
    """Queue, worker, count and seconds of a poll.

    Raises:
        ServiceError: The caller may not, or it makes no sense.
    """
    count = (request.count or 1) if isinstance(request, pb.PollTasksRequest) else 1
    if not 0 < count <= MOST_POLLED:
        raise InvalidRequest(f"count must be from 0 to {MOST_POLLED:,}.")
    seconds = longest(request.timeout)
    queue = working.queue(caller, request.task_type, request.domain)
    return queue, short(request.worker_id, "worker_id", MOST_NAME_CHARS), count, seconds


def longest(timeout: Duration) -> float:
    """How long a poll waits: as it says, or as long as it may. Raises :class:`InvalidRequest`."""
    if timeout.seconds < 0 or timeout.nanos < 0:
        raise InvalidRequest("timeout must not be negative.")
    return min(timeout.seconds + timeout.nanos / 1e9, LONGEST_POLL_SECONDS)


class Words:
    """Updates of tasks."""

    def __init__(self, working: Working, seeing: Seeing) -> None:
        self._working = working
        self._seeing = seeing

    async def read(self, request: pb.UpdateTaskRequest) -> Json:
        """The output, which may be long. Raises :class:`InvalidRequest`."""
        return None if request.extend_lease else await document(request.result.output)

    def read_now(self, request: pb.UpdateTaskRequest) -> Json:
        """The output, which is short. Raises :class:`InvalidRequest`."""
        return None if request.extend_lease else parsed(request.result.output)

    def place_of(self, request: pb.UpdateTaskRequest, caller: Principal) -> tuple[str, str]:
        """The queue of the task that is spoken of, and the worker; empty: nobody has it.

        Raises:
            PermissionDenied: The caller may not have its tasks.
        """
        held = self._working.queues.held.get(request.result.task_id)
        if held is None:
            return "", ""
        self._working.check_right(caller, kind_of(held.queue))
        return held.queue, request.worker_id or held.worker_id

    def place_after(
        self, request: pb.UpdateTaskRequest, caller: Principal, told: Told
    ) -> tuple[str, str]:
        """The same of the task as it was; empty: it has no queue, or not for the caller."""
        execution = told.before
        task = execution.tasks.get(execution.refs.get(request.result.task_id, ""))
        if task is None or not is_a_workers(task):
            return "", ""
        try:
            self._working.check_right(caller, kind_of(task.queue))
        except ServiceError:
            return "", ""
        return task.queue, request.worker_id or task.worker_id

    def tell(
        self,
        request: pb.UpdateTaskRequest,
        caller: Principal,
        output: object,
        reply: Reply,
        word_id: str = "",
    ) -> None:
        """Have the word told; ``reply`` hears what came of it.

        Args:
            word_id: What it is known by where it may be said again.

        Raises:
            ServiceError: It cannot be told.
        """
        result, worker_id, lenient = request.result, request.worker_id, request.lenient
        short(worker_id, "worker_id", MOST_NAME_CHARS)
        if request.extend_lease:
            result = pb.TaskResult(execution_id=result.execution_id, task_id=result.task_id)
            event = partial(word_event, result, worker_id, lenient=lenient)
        else:
            event = partial(result_event, result, worker_id, lenient=lenient, word_id=word_id)
        self._working.tell(
            caller,
            result.execution_id,
            result.task_id,
            cast("Json", output),
            event,
            reply,
            self._check_acting if lenient else None,
        )

    def log(
        self,
        lines: pb.TaskResult,
        worker_id: str,
        caller: Principal,
        reply: Reply,
        *,
        lenient: bool,
    ) -> None:
        """Have the lines of a log told; as :meth:`tell`."""
        event = partial(word_event, lines, worker_id, lenient=lenient)
        may_act = self._check_acting if lenient else None
        self._working.tell(caller, lines.execution_id, lines.task_id, None, event, reply, may_act)

    def _check_acting(self, caller: Principal, execution: Execution) -> None:
        """Whether ``caller`` may say how tasks stand that no worker does.

        Raises:
            PermissionDenied: It may not.
            NotFound: It may know nothing of the execution.
        """
        if not self._seeing.sights.of(caller, EXECUTE, WORKFLOW, WORKER).whole:
            self._seeing.check(caller, EXECUTE, execution.id, execution.workflow.name)

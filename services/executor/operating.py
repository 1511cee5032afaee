"""What operators and workers say of executions and tasks, over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import grpc

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest, ServiceError
from services.executor.acting import Acting, Asked
from services.executor.actors import Told
from services.executor.bulk import Bulk, rerun_of
from services.executor.calls import Calls
from services.executor.core.events import TaskUpdated
from services.executor.core.model import Execution, Task, TaskStatus
from services.executor.core.updates import named_in
from services.executor.deleting import Deleting
from services.executor.requested import object_of, status_of
from services.executor.rerunning import Rerunning
from services.executor.runtime import Runtime
from services.executor.searches import Searches
from services.executor.seeing import EXECUTE, Seeing
from services.executor.signalling import Signal, Signalling
from services.executor.starting import Starting
from services.executor.states import state_of
from services.executor.testing import Testing
from services.executor.texts import reason, short, task_reason
from services.rights import WORKER

_RUNS_AGAIN = frozenset((pb.OPERATION_RESTART, pb.OPERATION_RETRY, pb.OPERATION_RERUN))

Context = grpc.aio.ServicerContext[Any, Any]


class _Request(Protocol):
    """What names an execution."""

    @property
    def execution_id(self) -> str: ...


_Response = TypeVar(
    "_Response",
    pb.PauseExecutionResponse,
    pb.ResumeExecutionResponse,
    pb.TerminateExecutionResponse,
    pb.RestartExecutionResponse,
    pb.RetryExecutionResponse,
    pb.RerunExecutionResponse,
    pb.SkipTaskResponse,
    pb.UpdateVariablesResponse,
    pb.ResetCallbacksResponse,
    pb.DecideExecutionResponse,
)


class Operating:
    """The part of the service that acts on what is there."""

    def __init__(
        self,
        runtime: Runtime,
        starting: Starting,
        calls: Calls,
        searches: Searches,
        seeing: Seeing,
    ) -> None:
        self._tell = calls.tell
        self._check = seeing.check_one
        self._signalling = Signalling(calls)
        self._deleting = Deleting(calls, runtime, seeing)
        rerunning = Rerunning(calls, runtime.store.readers, seeing)
        self._acting = Acting(calls, starting, self._signalling, self._deleting, rerunning)
        self._testing = Testing(runtime, starting)
        self._bulk = Bulk(searches, self._acting, runtime, seeing)

    async def _act(self, execution_id: str, asked: Asked) -> pb.ExecutionState:
        await self._check(EXECUTE, execution_id)
        told = await self._acting.act(execution_id, asked)
        if asked.operation in _RUNS_AGAIN:
            await self._heard_above(told.after)
        return state_of(told.after, told.origin)

    async def _heard_above(self, again: Execution) -> None:
        """Wait until those that have started it know: who looks at them next sees them run."""
        above = again.parent_id
        # It is done, whatever becomes of them.
        with suppress(ServiceError):
            while above:
                above = (await self._tell(above, None)).after.parent_id

    async def _done(self, request: _Request, asked: Asked, response: type[_Response]) -> _Response:
        """Do it, and answer with how the execution stands."""
        return response(state=await self._act(request.execution_id, asked))

    async def PauseExecution(
        self, request: pb.PauseExecutionRequest, context: Context
    ) -> pb.PauseExecutionResponse:
        return await self._done(request, Asked(pb.OPERATION_PAUSE), pb.PauseExecutionResponse)

    async def ResumeExecution(
        self, request: pb.ResumeExecutionRequest, context: Context
    ) -> pb.ResumeExecutionResponse:
        return await self._done(request, Asked(pb.OPERATION_RESUME), pb.ResumeExecutionResponse)

    async def TerminateExecution(
        self, request: pb.TerminateExecutionRequest, context: Context
    ) -> pb.TerminateExecutionResponse:
        asked = Asked(
            pb.OPERATION_TERMINATE,
            reason=reason(request.reason),
            failure=request.trigger_failure_workflow,
        )
        return await self._done(request, asked, pb.TerminateExecutionResponse)

    async def RestartExecution(
        self, request: pb.RestartExecutionRequest, context: Context
    ) -> pb.RestartExecutionResponse:
        asked = Asked(pb.OPERATION_RESTART, latest=request.use_latest_definitions)
        return await self._done(request, asked, pb.RestartExecutionResponse)

    async def RetryExecution(
        self, request: pb.RetryExecutionRequest, context: Context
    ) -> pb.RetryExecutionResponse:
        asked = Asked(pb.OPERATION_RETRY, resume=request.resume_sub_workflows)
        return await self._done(request, asked, pb.RetryExecutionResponse)

    async def RerunExecution(
        self, request: pb.RerunExecutionRequest, context: Context
    ) -> pb.RerunExecutionResponse:
        of_task = bool(request.ref or request.task_id)
        if of_task and request.workflow_input:
            raise InvalidRequest("workflow_input goes with no task.")
        if request.task_input and not of_task:
            raise InvalidRequest("task_input goes with a ref or a task_id.")
        name = "task_input" if of_task else "workflow_input"
        given = await object_of(request.task_input or request.workflow_input, name)
        named = request.correlation_id if request.HasField("correlation_id") else None
        asked = rerun_of(request.ref, request.task_id, given, named)
        return await self._done(request, asked, pb.RerunExecutionResponse)

    async def SkipTask(self, request: pb.SkipTaskRequest, context: Context) -> pb.SkipTaskResponse:
        asked = Asked(
            pb.OPERATION_SKIP_TASK,
            ref=short(request.ref, "ref"),
            input=await object_of(request.input, "input"),
            output=await object_of(request.output, "output"),
        )
        return await self._done(request, asked, pb.SkipTaskResponse)

    async def SignalExecution(
        self, request: pb.SignalExecutionRequest, context: Context
    ) -> pb.SignalExecutionResponse:
        signal = Signal(
            status_of(request.status) if request.status else TaskStatus.COMPLETED,
            await object_of(request.output, "output"),
            task_reason(request.reason),
        )
        await self._check(EXECUTE, request.execution_id, WORKER)
        meant = await self._signalling.signal(request.execution_id, signal)
        return pb.SignalExecutionResponse(
            execution_id=meant.execution_id, ref=meant.task.ref, task_id=meant.task.id
        )

    async def UpdateVariables(
        self, request: pb.UpdateVariablesRequest, context: Context
    ) -> pb.UpdateVariablesResponse:
        variables = await object_of(request.variables, "variables")
        asked = Asked(pb.OPERATION_UPDATE_VARIABLES, variables=variables)
        return await self._done(request, asked, pb.UpdateVariablesResponse)

    async def ResetCallbacks(
        self, request: pb.ResetCallbacksRequest, context: Context
    ) -> pb.ResetCallbacksResponse:
        return await self._done(
            request, Asked(pb.OPERATION_RESET_CALLBACKS), pb.ResetCallbacksResponse
        )

    async def DecideExecution(
        self, request: pb.DecideExecutionRequest, context: Context
    ) -> pb.DecideExecutionResponse:
        return await self._done(request, Asked(pb.OPERATION_DECIDE), pb.DecideExecutionResponse)

    async def DeleteExecution(
        self, request: pb.DeleteExecutionRequest, context: Context
    ) -> pb.DeleteExecutionResponse:
        await self._check(EXECUTE, request.execution_id)
        gone = await self._deleting.delete(
            request.execution_id,
            terminate=request.terminate,
            with_children=request.with_children,
            reason=reason(request.reason),
        )
        return pb.DeleteExecutionResponse(execution_ids=gone)

    async def TestWorkflow(
        self, request: pb.TestWorkflowRequest, context: Context
    ) -> pb.TestWorkflowResponse:
        return await self._testing.test(request)

    async def OperateExecutions(
        self, request: pb.OperateExecutionsRequest, context: Context
    ) -> AsyncIterator[pb.OperateExecutionsResponse]:
        async for response in self._bulk.operate(request):
            yield response

    async def UpdateTask(
        self, request: pb.UpdateTaskRequest, context: Context
    ) -> pb.UpdateTaskResponse:
        if request.ref and request.task_id:
            raise InvalidRequest("Either ref or task_id names the task.")
        event = TaskUpdated(
            status=status_of(request.status),
            output=await object_of(request.output, "output"),
            ref=request.ref,
            task_id=request.task_id,
            reason=task_reason(request.reason),
            worker_id=short(request.worker_id, "worker_id"),
        )
        await self._check(EXECUTE, request.execution_id, WORKER)
        told = await self._tell(request.execution_id, event)
        meant = _meant(told, request)
        return pb.UpdateTaskResponse(
            task_id=request.task_id or (meant.id if meant else ""), already=_had_ended(meant)
        )


def _meant(told: Told, request: pb.UpdateTaskRequest) -> Task | None:
    """The attempt that an update was about, as it stood; None: another one has taken its place."""
    before = told.before
    if not request.task_id:
        return named_in(before, request.ref)
    task = before.tasks.get(before.refs.get(request.task_id, ""))
    return task if task is not None and task.id == request.task_id else None


def _had_ended(task: Task | None) -> bool:
    """Whether the update that was taken is a repeat."""
    return task is None or task.status.final or task.memory.get("word") is not None

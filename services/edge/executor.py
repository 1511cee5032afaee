"""What the edge asks the executor beside the session: single calls, with patience for a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from google.protobuf import duration_pb2

from podium.executor.v1 import executor_pb2 as pb, webhooks_pb2
from services import origins, rpc
from services.errors import DeadlineExceeded, Unavailable
from services.origins import Origin

if TYPE_CHECKING:
    from podium.executor.v1.executor_pb2_grpc import ExecutorServiceAsyncStub

T = TypeVar("T")

# An executor that was killed serves again after a second or so; a remote that calls back tries
# once, as a rule.
PATIENCE_SECONDS = 8.0
_AGAIN_SECONDS = 0.1
# Who looks at how things stand can do without what is not there.
_LOOK_SECONDS = 3.0


class Executor:
    """The executor's single calls.

    Args:
        stub: Of a channel that carries the edge's token.
        patience_seconds: How long a call is made again while the executor is away.
    """

    def __init__(
        self,
        stub: ExecutorServiceAsyncStub,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._stub = stub
        self._patience_seconds = patience_seconds

    async def attach(
        self, execution_id: str, await_refs: Sequence[str], on_behalf_of: str
    ) -> pb.Result:
        """Where the execution, or the first of ``await_refs`` to end, stands now."""
        request = pb.AttachExecutionRequest(
            attach=pb.Attach(
                execution_id=execution_id, await_refs=await_refs, on_behalf_of=on_behalf_of
            ),
            wait=duration_pb2.Duration(),
        )
        response = await self._patiently(self._stub.AttachExecution, request)
        return response.result

    async def watch(
        self, execution_id: str, resume: pb.ResumeToken | None
    ) -> AsyncGenerator[pb.WatchExecutionResponse]:
        """What happens to it, from ``resume`` on or from the state as it is.

        It is the edge itself that looks; what of it is shown to whom is for its caller to decide.

        Raises:
            ServiceError: NotFound; Unavailable: the executor has gone.
        """
        request = pb.WatchExecutionRequest(execution_id=execution_id, resume=resume)
        call = self._stub.WatchExecution(request, wait_for_ready=True)
        try:
            with rpc.raising_ours():
                async for response in call:
                    yield response
        finally:
            call.cancel()

    async def complete_callback(self, request: pb.CompleteCallbackRequest) -> str:
        """Pass a remote's word on: the id of the task. Saying it twice does no harm."""
        response = await self._patiently(self._stub.CompleteCallback, request)
        return response.task_id

    async def receive_webhook(
        self, request: webhooks_pb2.ReceiveWebhookRequest
    ) -> webhooks_pb2.ReceiveWebhookResponse:
        """Pass a request to a webhook on. Saying it twice does no harm."""
        return await self._patiently(self._stub.ReceiveWebhook, request)

    async def terminate(self, execution_id: str, reason: str, origin: Origin) -> None:
        """End it. Saying it twice does no harm; Conflict: it has ended already.

        Args:
            origin: For whom.
        """
        request = pb.TerminateExecutionRequest(execution_id=execution_id, reason=reason)
        told = origins.metadata(origin)
        await self._patiently(self._stub.TerminateExecution, request, told)

    async def update_task(self, request: pb.UpdateTaskRequest, application_id: str) -> str:
        """Pass an application's word on: the id of the task.

        An executor that is away is waited for, but it is said once: of a loop the same reference
        is another task's, once that one has ended.

        Raises:
            ServiceError: What the executor says; Unavailable: it may have been taken.
        """
        caller, seconds = rpc.on_behalf_of(application_id), self._patience_seconds
        try:
            with rpc.raising_ours():
                response = await self._stub.UpdateTask(
                    request, metadata=caller, timeout=seconds, wait_for_ready=True
                )
        except DeadlineExceeded:
            raise Unavailable("The executor did not answer in time.") from None
        return response.task_id

    async def slots(self, request: pb.ListSlotsRequest) -> pb.ListSlotsResponse:
        """How the slots of executions are used.

        Raises:
            Unavailable: The executor does not answer at once.
        """
        try:
            with rpc.raising_ours():
                return await self._stub.ListSlots(request, timeout=_LOOK_SECONDS)
        except DeadlineExceeded:
            raise Unavailable("The executor did not answer in time.") from None

    async def _patiently(
        self,
        method: Callable[..., Awaitable[T]],
        request: object,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> T:
        """What ``method`` answers, asked again while the executor is away.

        Raises:
            ServiceError: What the executor says, or Unavailable when patience ends.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._patience_seconds
        while True:
            left = max(end - loop.time(), 0.001)
            try:
                with rpc.raising_ours():
                    return await method(
                        request, metadata=metadata, timeout=left, wait_for_ready=True
                    )
            except DeadlineExceeded:
                raise Unavailable("The executor did not answer in time.") from None
            except Unavailable:
                if loop.time() + _AGAIN_SECONDS >= end:
                    raise
            # Told at once that nobody is there: the next try must not follow at once.
            await asyncio.sleep(_AGAIN_SECONDS)

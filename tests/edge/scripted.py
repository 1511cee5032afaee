"""An executor that does what a test says, when it says so: results, errors, breaks, silence.

It speaks the real protocol over a real port, so that what the edge does about a break can be
brought about to the frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc

from podium.executor.v1 import executor_pb2 as pb, executor_pb2_grpc, webhooks_pb2
from services import rpc
from services.errors import InvalidRequest, NotFound, PermissionDenied, Unavailable
from services.json_text import DocumentError, parse_json

Frames = Sequence[pb.ServerFrame]


def accepted(frame: pb.ClientFrame) -> pb.ServerFrame:
    execution_id = frame.start.execution_id or frame.attach.execution_id
    return pb.ServerFrame(
        correlation_id=frame.correlation_id, accepted=pb.Accepted(execution_id=execution_id)
    )


def result(frame: pb.ClientFrame, output: str = '{"ok":true}', **fields: Any) -> pb.ServerFrame:
    execution_id = frame.start.execution_id or frame.attach.execution_id
    told: dict[str, Any] = {"status": pb.EXECUTION_STATUS_COMPLETED} | fields
    ended = pb.Result(execution_id=execution_id, output=output, **told)
    return pb.ServerFrame(correlation_id=frame.correlation_id, result=ended)


def error(frame: pb.ClientFrame, reason: str, detail: str = "No.") -> pb.ServerFrame:
    return pb.ServerFrame(
        correlation_id=frame.correlation_id, error=pb.Error(reason=reason, detail=detail)
    )


def echo(frame: pb.ClientFrame) -> Frames:
    """Every start is accepted, and ends at once with its input as its output."""
    match frame.WhichOneof("body"):
        case "start":
            return accepted(frame), result(frame, frame.start.input)
        case "attach":
            return (result(frame),)
    return ()


def silence(frame: pb.ClientFrame) -> Frames:
    return ()


class ScriptedExecutor(executor_pb2_grpc.ExecutorServiceServicer):
    """Answers each frame with what :attr:`script` makes of it.

    Attributes:
        frames: All that were received on any stream, in order.
        streams: How many were opened.
        started: Requests of StartExecution, which are answered with the ids that they bring.
        executions: What AttachExecution says of them.
        held: Whoever attaches to wait does so until it is set; None: nobody waits.
        waiting: How many do.
        breaks: What the next calls of methods are refused with, by name.
        hangs: Has UpdateTask taken, and never answered.
        shown: What it says first, in order, of whatever is asked for.
        shown_to: The only application that it says it to; empty: every one.
        told: Requests of CompleteCallback and UpdateTask, with who they were made for.
        received: Requests of ReceiveWebhook.
        known: What that says of whether it was there before.
        refusal: What those three raise instead.
        slots: What ListSlots says; None: it does not answer.
        watched: Requests of WatchExecution.
        changes: What the watches say, each to the first that asks: an error is raised, None ends
            the watch.
    """

    def __init__(self) -> None:
        self.script: Callable[[pb.ClientFrame], Frames] = echo
        self.frames: asyncio.Queue[pb.ClientFrame] = asyncio.Queue()
        self.streams = 0
        self.started: list[pb.Start] = []
        self.executions: dict[str, pb.Result] = {}
        self.held: asyncio.Event | None = None
        self.waiting = 0
        self.breaks: dict[str, Exception] = {}
        self.hangs = False
        self.shown: Iterator[pb.Result] = iter(())
        self.shown_to = ""
        self.attaching: list[pb.AttachExecutionRequest] = []
        self.told: list[tuple[Any, str]] = []
        self.refusal: Exception | None = None
        self.received: list[webhooks_pb2.ReceiveWebhookRequest] = []
        self.known = False
        self.slots: list[pb.SlotUse] | None = []
        self.watched: list[pb.WatchExecutionRequest] = []
        self.changes: asyncio.Queue[pb.WatchExecutionResponse | Exception | None] = asyncio.Queue()
        self._outboxes: list[asyncio.Queue[Frames | None]] = []

    @property
    def attached(self) -> list[pb.Attach]:
        """What was attached to."""
        return [each.attach for each in self.attaching]

    # What tests do.

    async def next(self, body: str = "start") -> pb.ClientFrame:
        """The next frame of that kind; others before it are passed over."""
        while True:
            frame = await self.frames.get()
            if frame.WhichOneof("body") == body:
                return frame

    def say(self, *frames: pb.ServerFrame) -> None:
        """On the newest stream."""
        self._outboxes[-1].put_nowait(frames)

    def break_streams(self) -> None:
        """End all of them as a killed process does."""
        for outbox in self._outboxes:
            outbox.put_nowait(None)

    # What the edge calls.

    async def Session(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.SessionRequest], context: rpc.Context
    ) -> AsyncGenerator[pb.SessionResponse]:
        self.streams += 1
        outbox: asyncio.Queue[Frames | None] = asyncio.Queue()
        self._outboxes.append(outbox)
        await context.send_initial_metadata(())
        reading = asyncio.create_task(self._read(request_iterator, outbox))
        reading.add_done_callback(lambda _: outbox.put_nowait(()))
        try:
            while not (reading.done() and outbox.empty()):
                frames = await outbox.get()
                if frames is None:
                    raise Unavailable("Killed.")
                if frames:
                    yield pb.SessionResponse(frames=frames)
        finally:
            self._outboxes.remove(outbox)
            reading.cancel()

    async def _read(
        self, requests: AsyncIterator[pb.SessionRequest], outbox: asyncio.Queue[Frames | None]
    ) -> None:
        async for request in requests:
            answers: list[pb.ServerFrame] = []
            for frame in request.frames:
                self.frames.put_nowait(frame)
                answers.extend(self.script(frame))
            outbox.put_nowait(answers)

    async def StartExecution(  # noqa: N802
        self, request: pb.StartExecutionRequest, context: rpc.Context
    ) -> pb.StartExecutionResponse:
        self.started.append(request.start)
        self._break("StartExecution")
        return pb.StartExecutionResponse(execution_id=request.start.execution_id)

    async def SignalExecution(  # noqa: N802
        self, request: pb.SignalExecutionRequest, context: rpc.Context
    ) -> pb.SignalExecutionResponse:
        self.told.append((request, ""))
        self._break("SignalExecution")
        return pb.SignalExecutionResponse()

    async def AttachExecution(  # noqa: N802
        self, request: pb.AttachExecutionRequest, context: rpc.Context
    ) -> pb.AttachExecutionResponse:
        self.attaching.append(request)
        self._break("AttachExecution")
        if self.held is not None and request.HasField("wait") and request.wait.ToNanoseconds():
            self.waiting += 1
            try:
                await self.held.wait()
            finally:
                self.waiting -= 1
        found = next(self.shown, self.executions.get(request.attach.execution_id))
        if found is None:
            raise NotFound("There is no such execution.")
        if self.shown_to not in ("", request.attach.on_behalf_of):
            raise PermissionDenied("Not for this one.")
        return pb.AttachExecutionResponse(result=found)

    async def WatchExecution(  # noqa: N802
        self, request: pb.WatchExecutionRequest, context: rpc.Context
    ) -> AsyncGenerator[pb.WatchExecutionResponse]:
        self.watched.append(request)
        while (change := await self.changes.get()) is not None:
            if isinstance(change, Exception):
                raise change
            yield change

    async def TerminateExecution(  # noqa: N802
        self, request: pb.TerminateExecutionRequest, context: rpc.Context
    ) -> pb.TerminateExecutionResponse:
        self._tell(request, context)
        self.executions[request.execution_id].status = pb.EXECUTION_STATUS_TERMINATED
        return pb.TerminateExecutionResponse()

    async def CompleteCallback(  # noqa: N802
        self, request: pb.CompleteCallbackRequest, context: rpc.Context
    ) -> pb.CompleteCallbackResponse:
        if self.refusal is None:
            _read(request.body)
        self._tell(request, context)
        return pb.CompleteCallbackResponse(task_id="task-1")

    async def ReceiveWebhook(  # noqa: N802
        self, request: webhooks_pb2.ReceiveWebhookRequest, context: rpc.Context
    ) -> webhooks_pb2.ReceiveWebhookResponse:
        if self.refusal is not None:
            raise self.refusal
        self.received.append(request)
        return webhooks_pb2.ReceiveWebhookResponse(message_id="message-1", known=self.known)

    async def UpdateTask(  # noqa: N802
        self, request: pb.UpdateTaskRequest, context: rpc.Context
    ) -> pb.UpdateTaskResponse:
        self._tell(request, context)
        self._break("UpdateTask")
        if self.hangs:
            await asyncio.Event().wait()
        return pb.UpdateTaskResponse(task_id="task-1")

    async def RestartExecution(  # noqa: N802
        self, request: pb.RestartExecutionRequest, context: rpc.Context
    ) -> pb.RestartExecutionResponse:
        self._tell(request, context)
        self._break("RestartExecution")
        return pb.RestartExecutionResponse()

    async def RetryExecution(  # noqa: N802
        self, request: pb.RetryExecutionRequest, context: rpc.Context
    ) -> pb.RetryExecutionResponse:
        self._tell(request, context)
        self._break("RetryExecution")
        return pb.RetryExecutionResponse()

    async def RerunExecution(  # noqa: N802
        self, request: pb.RerunExecutionRequest, context: rpc.Context
    ) -> pb.RerunExecutionResponse:
        self._tell(request, context)
        self._break("RerunExecution")
        return pb.RerunExecutionResponse()

    async def OperateExecutions(  # noqa: N802
        self, request: pb.OperateExecutionsRequest, context: rpc.Context
    ) -> AsyncGenerator[pb.OperateExecutionsResponse]:
        self._tell(request, context)
        yield pb.OperateExecutionsResponse(preview=pb.OperationPreview())
        self._break("OperateExecutions")

    async def GetExecution(  # noqa: N802
        self, request: pb.GetExecutionRequest, context: rpc.Context
    ) -> pb.GetExecutionResponse:
        if not request.without_tasks:
            self._break("GetExecution")
        return pb.GetExecutionResponse(document=f'{{"workflowId":"{request.execution_id}"}}')

    async def ListSlots(  # noqa: N802
        self, request: pb.ListSlotsRequest, context: rpc.Context
    ) -> pb.ListSlotsResponse:
        if self.slots is None:
            raise Unavailable("Not now.")
        meant = [each for each in self.slots if not request.keys or each.key in request.keys]
        told = [pb.SlotUse(**_slot(each, request.holders)) for each in meant]
        return pb.ListSlotsResponse(slots=told[: request.limit], total=len(meant))

    def _break(self, method: str) -> None:
        if method in self.breaks:
            raise self.breaks.pop(method)

    def _tell(self, request: object, context: rpc.Context) -> None:
        metadata: dict[str, Any] = dict(context.invocation_metadata() or ())
        self.told.append((request, metadata.get("on-behalf-of", "")))
        if self.refusal is not None:
            raise self.refusal


def _slot(use: pb.SlotUse, holders: int) -> dict[str, Any]:
    counts = {"key": use.key, "limit": use.limit, "held": use.held, "waiting": use.waiting}
    return {**counts, "holders": use.holders[:holders]}


def _read(body: str) -> None:
    try:
        parse_json(body)
    except DocumentError as error:
        raise InvalidRequest("It cannot be taken.") from error


@asynccontextmanager
async def serving_executor(
    executor: ScriptedExecutor, address: str = "127.0.0.1:0"
) -> AsyncGenerator[str]:
    def register(server: grpc.aio.Server) -> None:
        executor_pb2_grpc.add_ExecutorServiceServicer_to_server(executor, server)

    async with rpc.serving(register, address=address, grace=0.0) as bound:
        yield bound

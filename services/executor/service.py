"""The executor over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from importlib import metadata
from typing import Any

import grpc

from podium.executor.v1 import crowds_pb2, executor_pb2 as pb, executor_pb2_grpc as rpc
from services.access import current, keep_checking
from services.errors import InvalidRequest, NotFound, PermissionDenied
from services.executor import getting, listing, loading, occupancy, tasklist
from services.executor.breaker_calls import BreakerCalls
from services.executor.calls import Calls
from services.executor.core.events import TaskUpdated
from services.executor.core.model import TaskStatus
from services.executor.crowding import Crowding
from services.executor.effects.callbacks import CallbackTokens
from services.executor.eventing.calls import EventCalls
from services.executor.eventlist import EventList
from services.executor.gauges import Gauges
from services.executor.inbound.calls import WebhookCalls
from services.executor.livelist import LiveList, Wanted
from services.executor.operating import Operating
from services.executor.requested import document, status_of
from services.executor.runtime import Runtime
from services.executor.scheduling.calls import ScheduleCalls
from services.executor.searches import Searches
from services.executor.seeing import READ, Seeing, not_there
from services.executor.session import Session
from services.executor.showing import Showing
from services.executor.standstills import Standstills
from services.executor.starting import Starting
from services.executor.timers import now
from services.executor.watching import Watching
from services.replica import Replica, Sights

Context = grpc.aio.ServicerContext[Any, Any]

_MARGIN_SECONDS = 0.2


class Executor(
    Operating,
    ScheduleCalls,
    EventCalls,
    WebhookCalls,
    BreakerCalls,
    rpc.ExecutorServiceServicer,
):
    """Answers each call from the runtime."""

    def __init__(self, runtime: Runtime, replica: Replica, tokens: CallbackTokens) -> None:
        self._runtime = runtime
        self._replica = replica
        self._tokens = tokens
        self._starting = Starting(runtime, replica)
        self._sights = Sights(replica)
        self._seeing = Seeing(self._sights, runtime.store.readers)
        self._calls = Calls(runtime, self._starting, self._seeing)
        self._readers = runtime.store.readers
        self._scheduler = runtime.scheduler
        self._breakers = runtime.breakers
        self._writer = runtime.store.writer
        self._searches = Searches(self._readers, runtime.store.words)
        self._events = EventList(self._searches)
        self._watching = Watching(runtime.feed, self._readers, runtime.snapshots)
        self._gauges = Gauges(runtime)
        self._crowding = Crowding(runtime.engine.crowds, self._readers, runtime.snapshots)
        super().__init__(runtime, self._starting, self._calls, self._searches, self._seeing)
        self._standstills = Standstills(runtime.waiters, self._calls, self._signalling)
        self._showing = Showing(self._seeing, self._readers, runtime.snapshots)
        self._sessions: set[Session] = set()
        self._others: list[Callable[[], None]] = []

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve on ``server``."""
        rpc.add_ExecutorServiceServicer_to_server(self, server)

    def end_sessions(self) -> None:
        """End every session, so that their peers go elsewhere or come again."""
        for session in self._sessions:
            session.end()
        for end in self._others:
            end()

    def ends_with(self, end: Callable[[], None]) -> None:
        """Have ``end`` called with :meth:`end_sessions`."""
        self._others.append(end)

    async def Session(  # type: ignore[override]
        self, requests: AsyncIterator[pb.SessionRequest], context: Context
    ) -> None:
        # At once, so that the peer knows of an open stream before there is anything to say.
        await context.send_initial_metadata(())
        session = Session(self._runtime, self._starting, self._calls, current.get())
        self._sessions.add(session)
        try:
            if not self._runtime.draining:
                await session.converse(requests, context.write)
        finally:
            self._sessions.discard(session)

    async def StartExecution(
        self, request: pb.StartExecutionRequest, context: Context
    ) -> pb.StartExecutionResponse:
        told = await self._calls.start(request.start, current.get())
        return pb.StartExecutionResponse(execution_id=told.after.id, existing=told.existing)

    async def RunExecution(
        self, request: pb.RunExecutionRequest, context: Context
    ) -> pb.RunExecutionResponse:
        wait = _duration(request)
        waiting = self._standstills.wait if request.until_blocked else None
        result = await self._calls.run(request.start, current.get(), wait, waiting)
        response = pb.RunExecutionResponse(result=result)
        return await self._showing.beside(response) if request.show else response

    async def AttachExecution(
        self, request: pb.AttachExecutionRequest, context: Context
    ) -> pb.AttachExecutionResponse:
        wait = _duration(request)
        waiting = self._standstills.wait if request.until_blocked else None
        result = await self._calls.attached(request.attach, current.get(), wait, waiting)
        response = pb.AttachExecutionResponse(result=result)
        return await self._showing.beside(response) if request.show else response

    async def GetExecution(
        self, request: pb.GetExecutionRequest, context: Context
    ) -> pb.GetExecutionResponse:
        await self._seeing.check_one(READ, request.execution_id)
        return await getting.got(self._readers, self._runtime.snapshots, request)

    async def ListExecutions(
        self, request: pb.ListExecutionsRequest, context: Context
    ) -> pb.ListExecutionsResponse:
        return await listing.page(
            self._searches,
            request,
            now(),
            tally=self._runtime.tally,
            sight=self._seeing.sight(),
            snapshots=self._runtime.snapshots,
        )

    async def SearchTasks(
        self, request: pb.SearchTasksRequest, context: Context
    ) -> pb.SearchTasksResponse:
        sight, snapshots = self._seeing.sight(), self._runtime.snapshots
        return await tasklist.page(self._searches, request, now(), sight=sight, snapshots=snapshots)

    async def ListExecutionEvents(
        self, request: pb.ListExecutionEventsRequest, context: Context
    ) -> pb.ListExecutionEventsResponse:
        loaded = await self._readable(request.execution_id)
        return await self._events.page(loaded, request)

    async def WatchExecution(
        self, request: pb.WatchExecutionRequest, context: Context
    ) -> AsyncIterator[pb.WatchExecutionResponse]:
        workflow = await self._seeing.check_one(READ, request.execution_id)
        principal = current.get()

        def check() -> None:
            self._seeing.check(principal, READ, request.execution_id, workflow)

        # Grants come and go while it runs.
        keep_checking(check)
        resume = request.resume if request.HasField("resume") else None
        async for response in self._watching.one(request.execution_id, resume):
            workflow = response.execution.workflow_name
            check()
            yield response

    async def WatchExecutions(
        self, request: pb.WatchExecutionsRequest, context: Context
    ) -> AsyncIterator[pb.WatchExecutionsResponse]:
        resume = request.resume if request.HasField("resume") else None
        live = LiveList(
            self._runtime.feed,
            self._searches,
            self._runtime.tally,
            Wanted.of(request),
            self._seeing.looking(),
        )
        async for response in live.follow(resume):
            yield response

    async def CompleteCallback(
        self, request: pb.CompleteCallbackRequest, context: Context
    ) -> pb.CompleteCallbackResponse:
        claim = self._tokens.read(request.token, now())
        if claim is None:
            raise NotFound("There is no such callback, or its time is over.")
        status = status_of(request.status) if request.status else TaskStatus.COMPLETED
        output = await document(request.body)
        event = TaskUpdated(status=status, output=output, task_id=claim.task_id, exact=True)
        await self._calls.tell(claim.execution_id, event)
        return pb.CompleteCallbackResponse(task_id=claim.task_id)

    async def ListSlots(
        self, request: pb.ListSlotsRequest, context: Context
    ) -> pb.ListSlotsResponse:
        sight = self._seeing.sight()
        return await occupancy.of(self._runtime.slots, self._readers, request, sight)

    async def ListWorkflowLimits(
        self, request: crowds_pb2.ListWorkflowLimitsRequest, context: Context
    ) -> crowds_pb2.ListWorkflowLimitsResponse:
        return await self._crowding.page(request, self._seeing.sight())

    async def GetEngineMetrics(
        self, request: pb.GetEngineMetricsRequest, context: Context
    ) -> pb.GetEngineMetricsResponse:
        return await self._gauges.read(request)

    async def WatchEngineMetrics(
        self, request: pb.WatchEngineMetricsRequest, context: Context
    ) -> AsyncIterator[pb.WatchEngineMetricsResponse]:
        async for response in self._gauges.watch(request):
            yield response

    async def GetExecutorStatus(
        self, request: pb.GetExecutorStatusRequest, context: Context
    ) -> pb.GetExecutorStatusResponse:
        if request.wait_for_revision > self._replica.revision:
            left = context.time_remaining()
            seconds = max((left or 0.0) - _MARGIN_SECONDS, 0.0) if left is not None else 5.0
            await self._replica.reached(request.wait_for_revision, timedelta(seconds=seconds))
        return pb.GetExecutorStatusResponse(
            version=metadata.version("podium"),
            revision=self._replica.revision,
            definitions_stale=self._replica.stale,
            running=self._running(),
            restored=self._restored(),
            unwritable=self._runtime.store.writer.trouble,
        )

    async def _readable(self, execution_id: str) -> loading.Loaded:
        """The execution, if the caller may read its workflow."""
        await self._seeing.check_one(READ, execution_id)
        snapshots = self._runtime.snapshots
        loaded = await self._readers.read(loading.load_whole, execution_id, snapshots)
        if loaded is None:
            raise not_there(execution_id)
        return loaded

    def _restored(self) -> pb.Restored | None:
        """Since when executions wait, if any do; how many, for who may know of all of them."""
        holding = self._runtime.holding
        if holding.is_released:
            return None
        since = holding.restoration
        waiting = holding.running if self._knows_all() else 0
        told = pb.Restored(waiting=waiting)
        told.made_at.FromMicroseconds(since.made_at)
        told.restored_at.FromMicroseconds(since.at)
        return told

    def _running(self) -> int:
        """How many run, for who may know of all of them."""
        return self._runtime.tally.running if self._knows_all() else 0

    def _knows_all(self) -> bool:
        """Whether the caller may read all workflows."""
        try:
            return self._seeing.sight().whole
        except PermissionDenied:
            return False


def _duration(request: pb.RunExecutionRequest | pb.AttachExecutionRequest) -> timedelta:
    wait = request.wait
    if wait.seconds < 0 or wait.nanos < 0:
        raise InvalidRequest("wait must not be negative.")
    return timedelta(seconds=min(wait.seconds, 1_000_000), microseconds=wait.nanos // 1000)

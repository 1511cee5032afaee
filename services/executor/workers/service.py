"""Work over gRPC: for workers, and for those who look after them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc

from podium.worker.v1 import worker_pb2 as pb, worker_pb2_grpc as rpc
from services.access import Sight, current
from services.errors import (
    AlreadyExists,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ServiceError,
)  # fmt: skip
from services.executor import loading, task_ids, turn_rows
from services.executor.answers import Answer
from services.executor.core.conductor import sentences, task_json
from services.executor.core.model import Task
from services.executor.core.turns import domain_of, kind_of, queue_of
from services.executor.documents import plain, text_of
from services.executor.entries import Held, Standing
from services.executor.runtime import Runtime
from services.executor.seeing import EXECUTE, READ, Seeing, not_there
from services.executor.workers.polled import polled
from services.executor.workers.relaying import RelaySession
from services.executor.workers.session import WorkSession
from services.executor.workers.words import Words, wanted
from services.executor.workers.working import Working, is_a_workers
from services.replica import Replica, Sights
from services.rights import WORKER

Context = grpc.aio.ServicerContext[Any, Any]

NAME = "podium.worker.v1.WorkerService"

TASK = "task"


class Workers(rpc.WorkerServiceServicer):
    """Answers workers from the runtime."""

    def __init__(self, runtime: Runtime, replica: Replica) -> None:
        self._runtime = runtime
        self._replica = replica
        self._sights = Sights(replica)
        self._seeing = Seeing(self._sights, runtime.store.readers)
        self._working = Working(runtime, replica)
        self._words = Words(self._working, self._seeing)
        self._sessions: set[WorkSession] = set()
        self._relays: set[RelaySession] = set()

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve on ``server``."""
        rpc.add_WorkerServiceServicer_to_server(self, server)

    def end_sessions(self) -> None:
        """End every stream, so that workers come again."""
        for session in list(self._sessions):
            session.end()
        for relay in list(self._relays):
            relay.end()

    async def Work(  # type: ignore[override]
        self, requests: AsyncIterator[pb.WorkRequest], context: Context
    ) -> None:
        first = await anext(aiter(requests), None)
        if first is None:
            return
        if not first.HasField("hello"):
            raise InvalidRequest("The first message must have a hello.")
        self._runtime.check_serving()
        session = WorkSession(self._working, current.get())
        session.greet(first.hello)
        self._replace(session)
        self._sessions.add(session)
        try:
            session.begin(first.hello.holds)
            await session.converse(requests, context.write)
        finally:
            session.end()
            self._sessions.discard(session)

    async def Relay(  # type: ignore[override]
        self, requests: AsyncIterator[pb.RelayRequest], context: Context
    ) -> None:
        runtime = self._runtime
        session = RelaySession(self._working, self._words, self._replica, runtime.check_serving)
        self._relays.add(session)
        try:
            if not runtime.draining:
                await session.converse(requests, context.write)
        finally:
            self._relays.discard(session)

    def _replace(self, session: WorkSession) -> None:
        """End the older stream of the same worker.

        Raises:
            AlreadyExists: It is another application's.
        """
        for other in list(self._sessions):
            if other.worker_id != session.worker_id:
                continue
            if other.caller.application_id != session.caller.application_id:
                raise AlreadyExists(
                    f"Another application has a worker {session.worker_id!r}; take another id."
                )
            if session.exclusive:
                other.end()

    async def PollTask(self, request: pb.PollTaskRequest, context: Context) -> pb.PollTaskResponse:
        tasks = await self._poll(request)
        return pb.PollTaskResponse(task=tasks[0] if tasks else None)

    async def PollTasks(
        self, request: pb.PollTasksRequest, context: Context
    ) -> pb.PollTasksResponse:
        return pb.PollTasksResponse(tasks=await self._poll(request))

    async def _poll(self, request: pb.PollTaskRequest | pb.PollTasksRequest) -> list[pb.Task]:
        queue, worker_id, count, seconds = wanted(self._working, request, current.get())
        self._runtime.check_serving()
        return await polled(self._working, worker_id, queue, count, seconds)

    async def UpdateTask(
        self, request: pb.UpdateTaskRequest, context: Context
    ) -> pb.UpdateTaskResponse:
        output, answer = await self._words.read(request), Answer()
        self._words.tell(request, current.get(), output, answer)
        await answer.told()
        return pb.UpdateTaskResponse()

    async def AddTaskLog(
        self, request: pb.AddTaskLogRequest, context: Context
    ) -> pb.AddTaskLogResponse:
        execution_id = request.execution_id or await self._execution_of(request.task_id)
        result = pb.TaskResult(
            execution_id=execution_id,
            task_id=request.task_id,
            status=pb.RESULT_STATUS_IN_PROGRESS,
            logs=request.lines,
        )
        answer = Answer()
        self._words.log(result, request.worker_id, current.get(), answer, lenient=request.lenient)
        await answer.told()
        return pb.AddTaskLogResponse()

    async def ListTaskLogs(
        self, request: pb.ListTaskLogsRequest, context: Context
    ) -> pb.ListTaskLogsResponse:
        snapshots, readers = self._runtime.snapshots, self._runtime.store.readers
        execution_id = request.execution_id or await self._execution_of(request.task_id)
        await self._seeing.check_one(READ, execution_id)
        loaded = await readers.read(loading.load_whole, execution_id, snapshots)
        if loaded is None:
            raise not_there(execution_id)
        execution = loaded.execution
        task_id = request.task_id
        if not task_id:
            task = execution.tasks.get(request.ref)
            if task is None:
                raise NotFound(f"There is no task {request.ref!r}.")
            task_id = task.id
        rows = await readers.read(turn_rows.task_logs, execution.id, task_id)
        said = sentences(execution, loaded.attempts)
        response = pb.ListTaskLogsResponse(task_id=task_id)
        for at, line in rows:
            response.lines.add(line=said.text(line)).at.FromMicroseconds(at)
        return response

    async def GetTask(self, request: pb.GetTaskRequest, context: Context) -> pb.GetTaskResponse:
        task_id, readers = request.task_id, self._runtime.store.readers
        execution_id = await self._execution_of(task_id)
        loaded = await readers.read(loading.load_whole, execution_id, self._runtime.snapshots)
        attempts = loaded.attempts if loaded is not None else ()
        task = next((each for each in attempts if each.id == task_id), None)
        if loaded is None or task is None:
            raise task_ids.not_there(task_id)
        self._check_reading(task, loaded.execution.id, loaded.execution.workflow.name)
        document = await asyncio.to_thread(_document, loaded, task)
        return pb.GetTaskResponse(execution_id=execution_id, document=document)

    def _check_reading(self, task: Task, execution_id: str, workflow: str) -> None:
        """Whether the caller may READ the workflow, or do the task.

        Raises:
            NotFound: It may not: nothing is said of a task that it knows the id of.
        """
        caller = current.get()
        try:
            self._seeing.check(caller, READ, execution_id, workflow)
        except ServiceError:
            try:
                if not is_a_workers(task):
                    raise
                self._working.check_right(caller, kind_of(task.queue))
            except ServiceError:
                raise task_ids.not_there(task.id) from None

    async def _execution_of(self, task_id: str) -> str:
        """Whose attempt it is. Raises :class:`NotFound`."""
        readers = self._runtime.store.readers
        return await task_ids.execution_of(task_id, self._working.queues, readers)

    async def ListQueues(
        self, request: pb.ListQueuesRequest, context: Context
    ) -> pb.ListQueuesResponse:
        response = pb.ListQueuesResponse()
        sight = self._tasks_in_sight()
        queues = self._working.queues
        busy = Counter((held.queue, held.worker_id) for held in queues.held.values())
        standings = sorted(queues.standings(), key=lambda each: (kind_of(each.queue), each.queue))
        if not sight.whole:
            named = self._working.defined
            standings = [each for each in standings if named(kind_of(each.queue)) in sight]
        for number, standing in enumerate(standings):
            response.queues.append(_queue(standing, busy))
            if number % 100 == 99:
                # The others' turn.
                await asyncio.sleep(0)
        return response

    async def RequeueTasks(
        self, request: pb.RequeueTasksRequest, context: Context
    ) -> pb.RequeueTasksResponse:
        if not request.task_type:
            raise InvalidRequest("task_type must say which queue.")
        task = self._working.defined(request.task_type)
        if task not in self._sights.of(current.get(), EXECUTE, TASK):
            raise PermissionDenied(f"You have no EXECUTE on the task {task!r}.", access=EXECUTE)
        queues = self._working.queues
        connected = {session.worker_id for session in self._sessions}
        count = 0
        for task_id, held in queues.held.of(queue_of(request.domain, request.task_type)):
            if _is_meant(held, request.worker_id, connected):
                queues.let_go(task_id, held.worker_id)
                count += 1
        return pb.RequeueTasksResponse(count=count)

    def _tasks_in_sight(self) -> Sight:
        """The tasks that the caller may READ or EXECUTE.

        Raises:
            PermissionDenied: There could be none.
        """
        caller, sights = current.get(), list[Sight]()
        for access in (READ, EXECUTE):
            try:
                sights.append(self._sights.of(caller, access, TASK, WORKER))
            except PermissionDenied:
                if access == EXECUTE and not sights:
                    raise
        return sights[0].beside(sights[-1])


def _document(loaded: loading.Loaded, task: Task) -> str:
    """JSON text of an attempt, as Conductor's API has it."""
    retried = any(each.retried_id == task.id for each in loaded.attempts)
    said = sentences(loaded.execution, loaded.attempts)
    return text_of(task_json(loaded.execution, task, said, retried=retried))


def _is_meant(held: Held, worker_id: str, connected: set[str]) -> bool:
    return held.worker_id == worker_id if worker_id else held.worker_id not in connected


def _queue(standing: Standing, busy: Counter[tuple[str, str]]) -> pb.Queue:
    name = standing.queue
    queue = pb.Queue(
        task_type=plain(kind_of(name)),
        domain=plain(domain_of(name)),
        size=standing.size,
        running=standing.running,
    )
    if standing.oldest is not None:
        queue.oldest_at.FromMicroseconds(standing.oldest)
    for seen in standing.workers:
        worker = queue.workers.add(
            worker_id=seen.worker_id,
            connected=seen.connected,
            active=seen.active,
            running=busy[name, seen.worker_id],
        )
        worker.last_seen_at.FromMicroseconds(int(seen.at * 1e6))
    return queue

"""A worker in a test: a stream that a test speaks over by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc

from podium.worker.v1 import worker_pb2 as pb
from services.rpc import on_behalf_of
from tests.executor.rig import ADMIN, Rig, wait

DONE = pb.RESULT_STATUS_COMPLETED
FAILED = pb.RESULT_STATUS_FAILED
BACK = pb.RESULT_STATUS_IN_PROGRESS
CANCELED = pb.RESULT_STATUS_CANCELED


class Stream:
    """One stream of work."""

    def __init__(self, rig: Rig, first: pb.WorkRequest, metadata: Any) -> None:
        self._said: asyncio.Queue[pb.WorkRequest | None] = asyncio.Queue()
        self._said.put_nowait(first)
        self._call: Any = rig.workers.Work(metadata=metadata)
        self.tasks: asyncio.Queue[pb.Task] = asyncio.Queue()
        self.answers: asyncio.Queue[pb.Answer] = asyncio.Queue()
        self.ended: asyncio.Queue[str] = asyncio.Queue()
        self.over = asyncio.Event()
        self.error: BaseException | None = None
        self.welcome = asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        with suppress(grpc.RpcError, asyncio.InvalidStateError):
            while (request := await self._said.get()) is not None:
                await self._call.write(request)
            await self._call.done_writing()

    async def _read(self) -> None:
        try:
            async for response in self._call:
                self.welcome.set()
                for task in response.tasks:
                    self.tasks.put_nowait(task)
                for answer in response.answers:
                    self.answers.put_nowait(answer)
                for task_id in response.ended:
                    self.ended.put_nowait(task_id)
        except (grpc.RpcError, asyncio.CancelledError) as error:
            self.error = error
        finally:
            self.welcome.set()
            self.over.set()

    async def task(self) -> pb.Task:
        """The next task that is pushed."""
        async with asyncio.timeout(5):
            return await self.tasks.get()

    async def answer(self) -> pb.Answer:
        async with asyncio.timeout(5):
            return await self.answers.get()

    def say(self, **fields: Any) -> None:
        self._said.put_nowait(pb.WorkRequest(**fields))

    def result(self, task: pb.Task, status: Any = DONE, output: Any = None, **more: Any) -> None:
        self.say(results=[result(task, status, output, **more)])

    def close(self) -> None:
        self._said.put_nowait(None)

    async def broken(self) -> None:
        """The worker is gone without a word."""
        self._call.cancel()
        await self.over.wait()
        self._reading.cancel()
        self._writing.cancel()


def result(task: pb.Task, status: Any = DONE, output: Any = None, **more: Any) -> pb.TaskResult:
    return pb.TaskResult(
        task_id=task.task_id,
        execution_id=task.execution_id,
        status=status,
        output="" if output is None else json.dumps(output),
        **more,
    )


@asynccontextmanager
async def working(
    rig: Rig,
    *types: str,
    worker: str = "w1",
    slots: int = 1,
    domain: str = "",
    holds: Sequence[str] = (),
    at_work: Sequence[str] = (),
    exclusive: bool = False,
    application: str = "admin",
) -> AsyncGenerator[Stream]:
    """A worker that is connected, and has been taken."""
    hello = pb.Hello(
        worker_id=worker,
        offers=[
            pb.Offer(task_type=each, domain=domain, slots=slots, at_work=at_work) for each in types
        ],
        holds=holds,
        exclusive=exclusive,
    )
    stream = Stream(rig, pb.WorkRequest(hello=hello), on_behalf_of(application))
    await stream.welcome.wait()
    try:
        yield stream
    finally:
        await stream.broken()


async def poll(
    rig: Rig, kind: str, seconds: float = 0, worker: str = "w1", count: int = 1, domain: str = ""
) -> list[pb.Task]:
    """Tasks by a poll."""
    response = await rig.workers.PollTasks(
        pb.PollTasksRequest(
            task_type=kind, worker_id=worker, domain=domain, count=count, timeout=wait(seconds)
        ),
        metadata=ADMIN,
    )
    return list(response.tasks)


async def update(
    rig: Rig, said: pb.TaskResult, worker: str = "w1", *, extend: bool = False
) -> None:
    await rig.workers.UpdateTask(
        pb.UpdateTaskRequest(result=said, worker_id=worker, extend_lease=extend), metadata=ADMIN
    )


async def queue(rig: Rig, kind: str) -> pb.Queue:
    """How the queue of a type stands."""
    response = await rig.workers.ListQueues(pb.ListQueuesRequest(), metadata=ADMIN)
    return next((each for each in response.queues if each.task_type == kind), pb.Queue())


async def has_workers(rig: Rig, kind: str) -> None:
    """Wait until somebody waits for tasks of a type."""
    async with asyncio.timeout(5):
        while not (await queue(rig, kind)).workers:  # noqa: ASYNC110
            await asyncio.sleep(0)

"""The conversation with the executor: one stream, and another one whenever it breaks."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc

from podium.worker.v1 import worker_pb2 as pb
from podium_worker.jobs import Jobs
from podium_worker.tasks import Worker

logger = logging.getLogger("podium_worker")

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_TICK_SECONDS = 0.1
# A loop that is busy is late by less.
LATE_SECONDS = 2.0
_STOOD_STILL = (
    "The loop stood still for %.1f s, and told the executor nothing of any task meanwhile: what "
    "takes so long without await belongs into a function without async, which runs in a thread."
)
_MOST_RESULTS_A_MESSAGE = 500
_MOST_CHARS_A_MESSAGE = 8 << 20
_AGAIN = frozenset(
    (grpc.StatusCode.UNAVAILABLE.value[0], grpc.StatusCode.RESOURCE_EXHAUSTED.value[0])
)
# Coming again is of no use.
_FOR_GOOD = frozenset(
    (
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.UNIMPLEMENTED,
    )
)


class Conversation:
    """With one executor, for as long as the worker lives.

    Args:
        stub: A ``WorkerServiceStub``.
        renew: Gets another token where the one before is refused; False: there is none to be had.
    """

    def __init__(
        self,
        stub: Any,
        workers: Sequence[Worker],
        worker_id: str,
        renew: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._stub = stub
        self._renew = renew
        self._renewed = False
        self._workers = workers
        self._worker_id = worker_id
        self._wake = asyncio.Event()
        self._told_stopping = False
        self.stopping = False
        self.jobs = Jobs(workers, self._wake.set)

    def stop(self) -> None:
        """Take no more tasks; end when those that are here are done."""
        self.stopping = True
        self._wake.set()

    @property
    def busy(self) -> bool:
        """Whether there is something to do, or to say."""
        return bool(len(self.jobs) or self.jobs.let_go)

    @property
    def done(self) -> bool:
        return self.stopping and not self.busy

    async def run(self) -> None:
        """Work until :meth:`stop`, and all that is here is done.

        Raises:
            grpc.aio.AioRpcError: The executor will not have this worker.
        """
        pause = _FIRST_PAUSE_SECONDS
        while not self.done:
            began = asyncio.get_running_loop().time()
            try:
                await self._stream()
            except grpc.aio.AioRpcError as error:
                another = await self._has_another_token(error)
                if error.code() in _FOR_GOOD and not another and not len(self.jobs):
                    raise
                logger.warning("The stream broke: %s %s", error.code().name, error.details())
            if asyncio.get_running_loop().time() - began > _LONGEST_PAUSE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            if not self.done:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _has_another_token(self, error: grpc.aio.AioRpcError) -> bool:
        """Whether the stream ended with its token, and there is another one, not tried yet."""
        if error.code() is not grpc.StatusCode.UNAUTHENTICATED or self._renew is None:
            return False
        if self._renewed:
            self._renewed = False
            return False
        self._renewed = await self._renew()
        return self._renewed

    async def _stream(self) -> None:
        call = self._stub.Work(wait_for_ready=True)
        offers = [
            pb.Offer(
                task_type=each.type,
                domain=each.domain,
                slots=each.slots,
                at_work=self.jobs.at_work(each),
            )
            for each in self._workers
        ]
        hello = pb.Hello(
            worker_id=self._worker_id, offers=offers, holds=self.jobs.held, exclusive=True
        )
        self._told_stopping = False
        self.jobs.come_again()
        await call.write(pb.WorkRequest(hello=hello, stopping=self.stopping))
        writing = asyncio.create_task(self._write(call))
        ticking = asyncio.create_task(self._tick())
        try:
            while (response := await call.read()) is not grpc.aio.EOF:
                self._renewed = False
                self._take(response)
            await self._raise_status(call)
        finally:
            writing.cancel()
            ticking.cancel()
            call.cancel()
            await asyncio.gather(writing, ticking, return_exceptions=True)

    async def _raise_status(self, call: Any) -> None:
        if await call.code() is not grpc.StatusCode.OK:
            raise grpc.aio.AioRpcError(
                await call.code(),
                await call.initial_metadata(),
                await call.trailing_metadata(),
                await call.details(),
            )

    def _take(self, response: pb.WorkResponse) -> None:
        for task in response.tasks:
            self.jobs.begin(task)
        for answer in response.answers:
            if answer.code in _AGAIN:
                loop = asyncio.get_running_loop()
                loop.call_later(_LONGEST_PAUSE_SECONDS / 10, self.jobs.try_again, answer.task_id)
            else:
                self.jobs.answered(answer)
        for task_id in response.ended:
            self.jobs.end(task_id)
        if self.stopping:
            self._wake.set()

    async def _write(self, call: Any) -> None:
        self._wake.set()
        while not self.done or not self._told_stopping:
            await self._wake.wait()
            self._wake.clear()
            # Whatever else ends in this tick goes with the same message.
            await asyncio.sleep(0)
            while (request := self._next_request()) is not None:
                await call.write(request)
        await call.done_writing()

    def _next_request(self) -> pb.WorkRequest | None:
        jobs = self.jobs
        request, chars = pb.WorkRequest(), 0
        while jobs.to_send and chars < _MOST_CHARS_A_MESSAGE:
            task_id = next(iter(jobs.to_send))
            result = jobs.to_send.pop(task_id)
            chars += len(result.output)
            request.results.append(result)
            if len(request.results) >= _MOST_RESULTS_A_MESSAGE:
                break
        request.words.extend(jobs.words)
        request.let_go.extend(jobs.let_go)
        jobs.words.clear()
        jobs.let_go.clear()
        if self.stopping and not self._told_stopping:
            self._told_stopping = request.stopping = True
        something = request.results or request.words or request.let_go or request.stopping
        return request if something else None

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _TICK_SECONDS
            await asyncio.sleep(_TICK_SECONDS)
            if (late := loop.time() - due) > LATE_SECONDS:
                logger.warning(_STOOD_STILL, late)
            self.jobs.keep_leases()

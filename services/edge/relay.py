"""The edge's end of the stream that carries what workers ask and say over HTTP to the executor.

What is asked within one tick of the loop goes out as one message. When the stream breaks, whoever
polls hears that there is nothing, and words are said again on the next one: they are taken once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from uuid import uuid4

import grpc

from podium.worker.v1 import worker_pb2 as pb
from services.edge.call import Exchanged, Gone
from services.edge.handed import Handed
from services.errors import BY_REASON, Overloaded, ServiceError, TooLarge, Unavailable
from services.pacing import Pace

if TYPE_CHECKING:
    from podium.worker.v1.worker_pb2_grpc import WorkerServiceAsyncStub

logger = logging.getLogger(__name__)

MOST_POLLS = 10_000
MOST_POLLS_OF_ONE = 5_000
_MOST_BYTES_A_MESSAGE = 8 << 20
_FRAME_BYTES = 256
# That a worker has its tasks can wait for the next message, if there is one before long.
_LATEST_TAKEN_SECONDS = 0.02
_FIRST_DELAY_SECONDS = 0.02
_LONGEST_DELAY_SECONDS = 1.0
# How long after a poll's time the executor may take to say so, and to a word in all.
_GRACE_SECONDS = 1.0
_WORD_SECONDS = 20.0
_CLOSING_SECONDS = 2.0
# With what is before it in its message, less than gRPC takes: a text may be longer here than sent.
_MOST_ASK_BYTES = 20 << 20

Tasks = list[pb.Task]


class Given(NamedTuple):
    """What a worker has been given by the ask of that number, on the stream of that one."""

    number: int
    tasks: Tasks
    stream: int = 0


class _Asked:
    """One poll, or one word, until it is answered."""

    __slots__ = ("answer", "message", "polls", "size", "stream", "timer")

    def __init__(self, message: pb.RelayAsk, answer: asyncio.Future[Tasks]) -> None:
        self.message = message
        self.answer = answer
        self.polls = message.HasField("poll")
        self.size = message.ByteSize() + _FRAME_BYTES
        self.timer: asyncio.TimerHandle | None = None
        # On which it was answered.
        self.stream = 0


class Relay:
    """Asks the executor while it is :func:`kept_open`.

    Args:
        stub: Of a channel that carries the edge's token.
        most: Polls at once, and as many words; beyond, they are refused.
        most_of_one: Polls of one application: others' have room.
        most_bytes: Of what is not answered.
    """

    def __init__(
        self,
        stub: WorkerServiceAsyncStub,
        *,
        most: int = MOST_POLLS,
        most_of_one: int = MOST_POLLS_OF_ONE,
        most_bytes: int = 256 << 20,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._stub = stub
        self._most, self._most_of_one, self._most_bytes = most, most_of_one, most_bytes
        self._numbers = count(1)
        self._open: dict[int, _Asked] = {}
        # Of applications, and of all.
        self._polls: Counter[str] = Counter()
        self._polling = 0
        self._outbox: deque[pb.RelayAsk] = deque()
        self._wake = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None
        self._bytes = 0
        self._closing = self._draining = False
        # Whether the executor has answered on the stream that is open, and which that is.
        self._heard = False
        self._stream = 0
        self._handed = Handed(str(uuid4()))

    async def poll(
        self, request: pb.PollTasksRequest, application_id: str, cycle: Exchanged
    ) -> Given:
        """Tasks, to be told :meth:`handing` them over; none where the executor is away.

        Raises:
            ServiceError: The executor says no, or too much is asked at once.
            Gone: The client has left; nothing was given to it.
        """
        if self._draining:
            return Given(0, [])
        timeout = request.timeout
        seconds = timeout.seconds + timeout.nanos / 1e9
        ask = pb.RelayAsk(number=next(self._numbers), on_behalf_of=application_id, poll=request)
        return await self._answered(ask, min(seconds, 60.0) + _GRACE_SECONDS, cycle)

    async def update(self, request: pb.RelayUpdate, application_id: str, cycle: Exchanged) -> Given:
        """Have a word told; the next task, where that is asked for, as by :meth:`poll`.

        Raises:
            ServiceError: As :meth:`poll`; Unavailable: the executor is away.
            Gone: The client has left; the word is told all the same.
        """
        ask = pb.RelayAsk(number=next(self._numbers), on_behalf_of=application_id, update=request)
        return await self._answered(ask, _WORD_SECONDS, cycle)

    @contextmanager
    def handing(self, given: Given, cycle: Exchanged) -> Generator[None]:
        """Inside, the answer with the tasks is made; they are the worker's then.

        Raises:
            Gone: The client has left meanwhile. They go back, as when there is no answer.
        """
        if not given.tasks:
            yield
            return
        taken = False
        try:
            yield
            # Whoever has left would have them for as long as their time lasts; and with the stream
            # that they came on they have gone back.
            taken = not cycle.disconnected and self._heard and given.stream == self._stream
        finally:
            if taken:
                self._taken(given)
            else:
                self._end(given.number, pb.RELAY_END_LEFT)
        if not taken:
            raise Gone

    async def _answered(self, ask: pb.RelayAsk, seconds: float, cycle: Exchanged) -> Given:
        number = ask.number
        asked = self._asked(ask, seconds)
        cycle.on_gone = lambda: self._left(number)
        if cycle.disconnected:
            self._left(number)
        try:
            return Given(number, await asked.answer, asked.stream)
        except asyncio.CancelledError:
            self._end(number, pb.RELAY_END_LEFT)
            raise
        finally:
            cycle.on_gone = None
            self._forget(number)

    def _asked(self, ask: pb.RelayAsk, seconds: float) -> _Asked:
        asked = _Asked(ask, self._loop.create_future())
        self._check_room(asked)
        self._open[ask.number] = asked
        if asked.polls:
            self._polling += 1
            self._polls[ask.on_behalf_of] += 1
        self._bytes += asked.size
        asked.timer = self._loop.call_later(seconds, self._time_is_up, ask.number)
        if self._heard:
            self._post(ask)
        return asked

    def _check_room(self, asked: _Asked) -> None:
        if asked.size > _MOST_ASK_BYTES:
            raise TooLarge("The task's result is too large.")
        if asked.polls:
            own = self._polls[asked.message.on_behalf_of]
            full = self._polling >= self._most or own >= self._most_of_one
        else:
            full = len(self._open) - self._polling >= self._most
        if full or self._bytes > self._most_bytes:
            raise Overloaded("Too many workers ask at once.")

    def _time_is_up(self, number: int) -> None:
        asked = self._open.get(number)
        if asked is None or asked.answer.done():
            return
        self._end(number, pb.RELAY_END_LEFT)
        if asked.polls:
            asked.answer.set_result([])
        else:
            asked.answer.set_exception(Unavailable("The executor did not answer in time."))

    def _left(self, number: int) -> None:
        """The client has: what it would be given goes back."""
        asked = self._open.get(number)
        if asked is None or asked.answer.done():
            return
        # A word is told all the same: it may not be on its way yet.
        if asked.polls:
            self._end(number, pb.RELAY_END_LEFT)
            asked.answer.set_exception(Gone())

    def drain(self) -> None:
        """Let nobody poll any more; what is said of tasks is told."""
        self._draining = True
        self.end_polls()

    def end_polls(self) -> None:
        """Tell whoever polls that there is nothing."""
        for number, asked in list(self._open.items()):
            if asked.polls and not asked.answer.done():
                self._end(number, pb.RELAY_END_LEFT)
                asked.answer.set_result([])

    def _forget(self, number: int) -> None:
        asked = self._open.pop(number, None)
        if asked is not None:
            self._bytes -= asked.size
            if asked.polls:
                self._polled(asked.message.on_behalf_of)
            if asked.timer is not None:
                asked.timer.cancel()

    def _polled(self, application_id: str) -> None:
        self._polling -= 1
        self._polls[application_id] -= 1
        if not self._polls[application_id]:
            del self._polls[application_id]

    def _end(self, number: int, end: pb.RelayEnd.ValueType) -> None:
        if self._heard:
            self._post(pb.RelayAsk(number=number, end=end))

    def _taken(self, given: Given) -> None:
        self._handed.note(given.tasks, self._loop.time())
        self._outbox.append(pb.RelayAsk(number=given.number, end=pb.RELAY_END_TAKEN))
        if self._later is None and not self._wake.is_set():
            self._later = self._loop.call_later(_LATEST_TAKEN_SECONDS, self._wake.set)

    def _post(self, ask: pb.RelayAsk) -> None:
        self._outbox.append(ask)
        if not self._wake.is_set():
            self._wake.set()

    # The stream.

    async def run(self) -> None:
        """Keep a stream open until :meth:`close`."""
        delay = _FIRST_DELAY_SECONDS
        while not self._closing:
            heard = False
            try:
                heard = await self._converse()
            except grpc.aio.AioRpcError as error:
                known = error.code() is grpc.StatusCode.UNAVAILABLE
                logger.log(
                    logging.INFO if known else logging.WARNING,
                    "The stream of HTTP workers broke: %s %s",
                    error.code().name,
                    error.details(),
                )
            delay = _FIRST_DELAY_SECONDS if heard else min(delay * 2, _LONGEST_DELAY_SECONDS)
            if not self._closing:
                await asyncio.sleep(delay)

    async def _converse(self) -> bool:
        """Whether the executor has answered at all."""
        call = self._stub.Relay(wait_for_ready=True)
        writing: asyncio.Task[None] | None = None
        heard = False
        try:
            async for response in call:
                if writing is None:
                    heard = True
                    writing = asyncio.create_task(self._write(call, self._handed.hello()))
                    writing.add_done_callback(partial(_broke_off, call))
                    self._begin()
                for answer in response.answers:
                    self._receive(answer)
        except asyncio.CancelledError:
            # Of the call, where it was broken off; else this task is to end.
            if cast("asyncio.Task[None]", asyncio.current_task()).cancelling():
                raise
            heard = False
        finally:
            self._broken()
            call.cancel()
            if writing is not None:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
        return heard

    def _begin(self) -> None:
        """The stream is open: all that is not answered is asked on it."""
        self._heard = True
        self._stream += 1
        for asked in self._open.values():
            if not asked.answer.done():
                self._post(asked.message)

    def _broken(self) -> None:
        was_open, self._heard = self._heard, False
        self._outbox.clear()
        if was_open:
            self.end_polls()

    async def _write(self, call: Any, hello: pb.RelayHello) -> None:
        pace = Pace()
        await call.write(pb.RelayRequest(hello=hello))
        while not self._closing:
            await self._wake.wait()
            await pace.turn()
            self._wake.clear()
            if self._later is not None:
                self._later.cancel()
                self._later = None
            while self._outbox:
                await call.write(self._next_message())
        await call.done_writing()

    def _next_message(self) -> pb.RelayRequest:
        message, size = pb.RelayRequest(), 0
        while self._outbox and size < _MOST_BYTES_A_MESSAGE:
            ask = self._outbox.popleft()
            size += ask.ByteSize() + _FRAME_BYTES
            message.asks.append(ask)
        return message

    def _receive(self, answer: pb.RelayAnswer) -> None:
        asked = self._open.get(answer.number)
        if asked is None or asked.answer.done():
            # Nobody asks any more; it was told so, and takes back what it gave.
            return
        if answer.code:
            self._refuse(asked, answer)
        else:
            asked.stream = self._stream
            asked.answer.set_result(list(answer.tasks))

    def _refuse(self, asked: _Asked, answer: pb.RelayAnswer) -> None:
        error = BY_REASON.get(answer.reason, ServiceError)(answer.detail)
        if isinstance(error, Unavailable) and asked.polls:
            asked.answer.set_result([])
        else:
            asked.answer.set_exception(error)

    def close(self) -> bool:
        """End the stream once all is said; whether there is one."""
        self._closing = True
        self.drain()
        self._wake.set()
        return self._heard


def _broke_off(call: Any, writing: asyncio.Task[None]) -> None:
    """What breaks in writing alone ends the stream: else nobody would say anything any more."""
    if writing.cancelled() or call.done():
        return
    if (error := writing.exception()) is not None:
        logger.error("The stream of HTTP workers cannot be written to.", exc_info=error)
        call.cancel()


@asynccontextmanager
async def kept_open(relay: Relay) -> AsyncGenerator[None]:
    """Within, ``relay`` keeps a stream open."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(relay.run())
        try:
            yield
        finally:
            if relay.close():
                # Whose tasks are not said to be taken, has not got them.
                await asyncio.wait([running], timeout=_CLOSING_SECONDS)
            running.cancel()

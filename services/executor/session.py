"""The executor's end of a session: frames in, frames out, written once a loop tick."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from podium.executor.v1 import executor_pb2 as pb
from services.access import Principal
from services.errors import Overloaded, ServiceError
from services.executor.actors import Told
from services.executor.calls import Calls
from services.executor.core.model import Execution
from services.executor.documents import LARGE_CHARS, plain
from services.executor.entrance import Leave
from services.executor.orders import Order
from services.executor.outbox import Outbox
from services.executor.results import Waiter, result_of, sendable
from services.executor.runtime import Runtime
from services.executor.slots import no_room
from services.executor.starting import Starting
from services.pacing import Pace

logger = logging.getLogger(__name__)

Write = Callable[[pb.SessionResponse], Awaitable[None]]

# Whoever does not read for so long is gone, or as good as.
_MOST_UNREAD_BYTES = 256 << 20
_MOST_OPEN = 100_000
_MOST_DETAIL_CHARS = 4096
# Most executions are done by then, and a result says that they were accepted.
_ACCEPTED_AFTER_SECONDS = 0.05


class Session:
    """One stream of frames.

    Args:
        caller: Who opened it; its rights are checked frame by frame.
    """

    def __init__(
        self, runtime: Runtime, starting: Starting, calls: Calls, caller: Principal
    ) -> None:
        self._runtime = runtime
        self._starting = starting
        self._calls = calls
        self._caller = caller
        self.loop = asyncio.get_running_loop()
        self._open: dict[int, _Exchange] = {}
        self._out = Outbox()
        # The last who asked for a result: of which execution, of what in it, and what it was.
        self._asked: tuple[Execution, tuple[str, ...], pb.Result | None] | None = None
        self._wake = asyncio.Event()
        self._ended = False

    def end(self) -> None:
        """End the stream; the executions go on."""
        self._ended = True
        self._wake.set()

    async def converse(self, requests: AsyncIterator[pb.SessionRequest], write: Write) -> None:
        """Answer ``requests`` until they end or :meth:`end` is called."""
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read(requests, tasks))
            pace = Pace()
            try:
                while not self._ended or self._out:
                    await self._wake.wait()
                    await pace.turn()
                    self._wake.clear()
                    self._asked = None
                    while self._out:
                        await write(self._out.next_message())
            finally:
                reading.cancel()
                for exchange in list(self._open.values()):
                    exchange.leave()

    async def _read(
        self, requests: AsyncIterator[pb.SessionRequest], tasks: asyncio.TaskGroup
    ) -> None:
        try:
            async for request in requests:
                for frame in request.frames:
                    self._take(frame, tasks)
        finally:
            self.end()

    def _take(self, frame: pb.ClientFrame, tasks: asyncio.TaskGroup) -> None:
        number = frame.correlation_id
        starts = frame.HasField("start")
        if not starts and frame.HasField("cancel"):
            if number in self._open:
                self._open[number].leave()
            return
        if frame.HasField("withdraw"):
            if number in self._open:
                self._open[number].withdraw()
            return
        if number in self._open:
            # The same said again: its answer is on the way.
            return
        if len(self._open) >= _MOST_OPEN:
            error = Overloaded("The session has too many frames open.")
            self.post(_error(number, error))
            return
        exchange = self._open[number] = _Exchange(self, number)
        try:
            if starts:
                self._start(frame.start, exchange, tasks)
            else:
                exchange.refs = tuple(frame.attach.await_refs)
                self._calls.attach(frame.attach, self._caller, exchange.attached)
        except ServiceError as error:
            exchange.refuse(error)

    def _start(self, request: pb.Start, exchange: _Exchange, tasks: asyncio.TaskGroup) -> None:
        exchange.refs = tuple(request.await_refs)
        exchange.prompt = request.acknowledge
        if self._starting.is_slow(request):
            tasks.create_task(self._start_later(request, exchange))
        else:
            self._begin(request, exchange)

    async def _start_later(self, request: pb.Start, exchange: _Exchange) -> None:
        try:
            if len(request.input) < LARGE_CHARS:
                await self._starting.prepared(request)
                self._begin(request, exchange)
            else:
                await self._start_large(request, exchange)
        except ServiceError as error:
            exchange.refuse(error)

    def _begin(self, request: pb.Start, exchange: _Exchange) -> None:
        order = self._starting.order(request, self._caller)
        exchange.enter(self._runtime.entrance.start(order, exchange.started))

    async def _start_large(self, request: pb.Start, exchange: _Exchange) -> None:
        """Begin it in its turn, which ends when it is known what became of it."""
        chars, large = len(request.input), self._runtime.large_starts
        whose = request.on_behalf_of or self._caller.application_id
        with large.holding(chars, whose):
            async with large.working(chars):
                if exchange.is_left:
                    return
                given = await self._starting.prepared(request)
                order = self._starting.order(request, self._caller, given)
                await self._enter(order, exchange)

    async def _enter(self, order: Order, exchange: _Exchange) -> None:
        """Have it begin; returns when it is known what became of it, or it waits for a slot."""
        settled = asyncio.Event()

        def started(told: Told | ServiceError) -> None:
            exchange.started(told)
            settled.set()

        def leave() -> bool:
            is_out = take_out()
            if is_out:
                # Nothing will be told of it.
                settled.set()
            return is_out

        take_out = self._runtime.entrance.start(order, started)
        exchange.enter(leave)
        if order.slot is None:
            # Else it may wait for long, and what does so is bounded there.
            await settled.wait()

    def post(self, frame: pb.ServerFrame) -> None:
        """Have ``frame``, which is small, sent with all others of this tick."""
        self._out.put(frame)
        self._posted()

    def post_result(self, number: int, result: pb.Result, *, replayed: bool) -> None:
        """As :meth:`post`, a frame with ``result``, which nobody changes any more."""
        told = sendable(result, self._out.size_of(result))
        self._out.put_result(number, told, replayed=replayed)
        self._posted()

    def _posted(self) -> None:
        if self._out.unread > _MOST_UNREAD_BYTES:
            logger.warning("A session is ended: its peer does not read.")
            self._out.clear()
            self.end()
        elif not self._wake.is_set():
            self._wake.set()

    def result_of(self, told: Told, refs: tuple[str, ...]) -> pb.Result | None:
        """As the function of that name; those in a row who ask for the same share it."""
        asked = self._asked
        if asked is None or asked[0] is not told.after or asked[1] != refs:
            result = result_of(told.after, told.origin, refs)
            asked = self._asked = told.after, refs, result
        return asked[2]

    def forget(self, number: int) -> None:
        self._open.pop(number, None)

    @property
    def runtime(self) -> Runtime:
        return self._runtime


def _error(number: int, error: ServiceError) -> pb.ServerFrame:
    detail = plain(error.detail)[:_MOST_DETAIL_CHARS]
    told = pb.Error(code=error.code.value[0], reason=error.reason(), detail=detail)
    for fault in error.faults:
        told.faults.add(pointer=plain(fault.path), detail=plain(fault.detail))
    return pb.ServerFrame(correlation_id=number, error=told)


class _Exchange:
    """What one frame asked for, until it has its result."""

    __slots__ = (
        "_joined", "_leave_entrance", "_left", "_number", "_replayed", "_saying", "_session",
        "_waiter", "_withdrawn", "execution_id", "prompt", "refs",
    )  # fmt: skip

    def __init__(self, session: Session, number: int) -> None:
        self._session = session
        self._number = number
        self._left = False
        self._waiter: Waiter | None = None
        self._saying: asyncio.TimerHandle | None = None
        self._leave_entrance: Leave | None = None
        self._replayed = False
        self._joined = False
        self._withdrawn = False
        self.execution_id = ""
        self.prompt = False
        self.refs: tuple[str, ...] = ()

    def enter(self, leave: Leave) -> None:
        """It may wait for a slot; ``leave`` takes it out."""
        self._leave_entrance = leave
        if self._left:
            leave()
        elif self._withdrawn:
            self.withdraw()

    @property
    def is_left(self) -> bool:
        """Whether nobody waits any more."""
        return self._left

    def withdraw(self) -> None:
        """It is refused, if it still waits for a slot."""
        self._withdrawn = True
        if not self._left and self._leave_entrance is not None and self._leave_entrance():
            self.refuse(no_room())

    def started(self, told: Told | ServiceError) -> None:
        """What became of the start."""
        if isinstance(told, Told) and not self._left:
            self.execution_id = told.after.id
            if told.refs is not None:
                self.refs, self._joined = told.refs, True
                self._replayed = self._session.result_of(told, told.refs) is not None
            if self.prompt:
                self._say_accepted()
        self.attached(told)
        if self._waiter is not None and not self.prompt:
            self._saying = self._session.loop.call_later(
                _ACCEPTED_AFTER_SECONDS, self._say_accepted
            )

    def _say_accepted(self) -> None:
        accepted = pb.Accepted(execution_id=self.execution_id, replayed=self._replayed)
        if self._joined:
            accepted.await_refs.extend(self.refs)
        frame = pb.ServerFrame(correlation_id=self._number, accepted=accepted)
        self._session.post(frame)

    def _hush(self) -> None:
        if self._saying is not None:
            self._saying.cancel()
            self._saying = None

    def attached(self, told: Told | ServiceError) -> None:
        """How the execution stands."""
        if self._left:
            return
        if not isinstance(told, Told):
            self.refuse(told)
            return
        self.execution_id = told.after.id
        result = self._session.result_of(told, self.refs)
        if result is not None:
            self._deliver(result)
        else:
            self._waiter = Waiter(self.refs, self._deliver)
            self._session.runtime.waiters.wait(self.execution_id, self._waiter)

    def _deliver(self, result: pb.Result) -> None:
        self._waiter = None
        self._hush()
        self._session.forget(self._number)
        self._session.post_result(self._number, result, replayed=self._replayed)

    def refuse(self, error: ServiceError) -> None:
        if self._left:
            # Its number may be another frame's by now.
            return
        self._session.forget(self._number)
        self._session.post(_error(self._number, error))

    def leave(self) -> None:
        """Nobody waits any more."""
        self._left = True
        self._hush()
        if self._leave_entrance is not None:
            self._leave_entrance()
        self._session.forget(self._number)
        if self._waiter is not None:
            self._session.runtime.waiters.leave(self.execution_id, self._waiter)
            self._waiter = None

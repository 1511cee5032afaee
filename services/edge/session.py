"""The edge's end of the session with the executor: one stream for all executions.

What is asked within one tick of the loop goes out as one message. When the stream breaks, all
that is unanswered is asked again on the next one: a start that nobody has confirmed as the same
start, which the executor knows by its id, the others as a wait for what is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any

import grpc

from podium.executor.v1 import executor_pb2 as pb
from services.edge.exchange import Exchange, Outcome, Waiting
from services.errors import BY_REASON, Fault, Overloaded, ServiceError, Unavailable, Unwritable
from services.pacing import Pace

if TYPE_CHECKING:
    from podium.executor.v1.executor_pb2_grpc import ExecutorServiceAsyncStub

logger = logging.getLogger(__name__)

# A message holds 32 MiB at most, and one input is smaller than half of that.
_MOST_BYTES_A_MESSAGE = 8 * 1024 * 1024
_FRAME_BYTES = 1024
_FIRST_DELAY_SECONDS = 0.02
_LONGEST_DELAY_SECONDS = 1.0
_FAREWELL_SECONDS = 0.5
# How long the executor may take to say what became of a start that was to be withdrawn.
_LAST_WORD_SECONDS = 1.0


class Session:
    """Starts executions and hands out their results while it is :func:`kept_open`.

    Args:
        stub: Of a channel that carries the edge's token.
        most_exchanges: Unanswered at once; beyond, :meth:`start` refuses.
        most_bytes: Of inputs that nobody has confirmed.
    """

    def __init__(
        self,
        stub: ExecutorServiceAsyncStub,
        *,
        most_exchanges: int = 10_000,
        most_bytes: int = 256 * 1024 * 1024,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._stub = stub
        self._most_exchanges = most_exchanges
        self._most_bytes = most_bytes
        self._numbers = count(1)
        self._exchanges: dict[int, Exchange] = {}
        # By correlation id, in order, what is to be sent: None is a cancel.
        self._outbox: OrderedDict[int, Exchange | None] = OrderedDict()
        self._wake = asyncio.Event()
        self._bytes = 0
        self._call: grpc.aio.StreamStreamCall[pb.SessionRequest, pb.SessionResponse] | None = None
        self._closing = False
        self._heard = False

    @property
    def connected(self) -> bool:
        """Whether the executor has answered on the stream that is open."""
        return self._heard and self._call is not None and not self._call.done()

    def start(
        self, start: pb.Start, timeout_seconds: float, *, until_accepted: bool = False
    ) -> Exchange:
        """Ask for an execution.

        Args:
            start: What is asked; it is the session's from now on.
            timeout_seconds: Until the outcome is :class:`Waiting`, whatever happens.
            until_accepted: Wait for no result.

        Raises:
            Overloaded: Too much is unanswered.
        """
        if len(self._exchanges) >= self._most_exchanges or self._bytes > self._most_bytes:
            raise Overloaded("Too many executions wait for the executor.")
        start.acknowledge = until_accepted
        exchange = Exchange(next(self._numbers), start, until_accepted, self.end)
        exchange.timer = self._loop.call_later(timeout_seconds, self._time_is_up, exchange)
        self._exchanges[exchange.correlation_id] = exchange
        self._bytes += exchange.size
        self._send(exchange)
        return exchange

    def _time_is_up(self, exchange: Exchange) -> None:
        if not exchange.may_be_in_line:
            exchange.give_up()
            return
        # Only the executor knows whether it has begun.
        exchange.timer = self._loop.call_later(_LAST_WORD_SECONDS, exchange.give_up)
        self.withdraw(exchange)

    def withdraw(self, exchange: Exchange) -> None:
        """Have it begin no more if it waits for a slot; if it has begun, that is the outcome."""
        exchange.withdrawn = exchange.may_wait
        exchange.only_start()
        if exchange.correlation_id in self._exchanges and exchange.may_be_in_line:
            self._send(exchange)

    def give_up_all(self) -> None:
        """Answer everybody with what is known so far."""
        for exchange in list(self._exchanges.values()):
            exchange.give_up()

    def end(self, exchange: Exchange, outcome: Outcome) -> None:
        """Be done with ``exchange``; a second time changes nothing.

        What its asker has left before it was sent is sent all the same, if its time lasts.
        """
        if exchange.correlation_id not in self._exchanges:
            return
        if not exchange.outcome.done():
            exchange.outcome.set_result(outcome)
        if outcome is not Waiting.LEFT or exchange.on_stream or exchange.accepted:
            self._forget(exchange, cancelled=isinstance(outcome, Waiting))

    def _forget(self, exchange: Exchange, *, cancelled: bool) -> None:
        del self._exchanges[exchange.correlation_id]
        # An executor that does not come must not let those pile up who have given up.
        self._outbox.pop(exchange.correlation_id, None)
        if not exchange.accepted:
            self._bytes -= exchange.size
        exchange.stop()
        if cancelled and exchange.on_stream:
            self._post(exchange.correlation_id, None)

    def _send(self, exchange: Exchange) -> None:
        self._post(exchange.correlation_id, exchange)

    def _post(self, correlation_id: int, what: Exchange | None) -> None:
        self._outbox[correlation_id] = what
        self._wake.set()

    # The stream.

    async def run(self) -> None:
        """Keep a stream open until :meth:`close`."""
        delay = _FIRST_DELAY_SECONDS
        while not self._closing:
            try:
                await self._converse()
            except grpc.aio.AioRpcError as error:
                logger.log(
                    logging.INFO
                    if error.code() is grpc.StatusCode.UNAVAILABLE
                    else logging.WARNING,
                    "The session with the executor broke: %s %s",
                    error.code().name,
                    error.details(),
                )
            delay = _FIRST_DELAY_SECONDS if self._heard else min(delay * 2, _LONGEST_DELAY_SECONDS)
            self._heard = False
            if not self._closing:
                await asyncio.sleep(delay)

    async def close(self) -> None:
        """End the stream; the executor's own end follows, or is not waited for any longer."""
        self._closing = True
        self.give_up_all()
        if self._call is None:
            return
        if self.connected:
            with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError, TimeoutError):
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await self._call.done_writing()
                    await self._call.code()
        self._call.cancel()

    async def _converse(self) -> None:
        self._send_all()
        call = self._stub.Session(wait_for_ready=True)
        self._call = call
        try:
            # The executor sends it at once, so that a stream without traffic is known to be open.
            # Nothing is handed over before: who gives up until then is asked for nothing.
            await call.initial_metadata()
            self._heard = not call.done()
            await self._listen(call)
        finally:
            call.cancel()

    def _send_all(self) -> None:
        self._outbox.clear()
        for exchange in self._exchanges.values():
            exchange.on_new_stream()
            self._send(exchange)

    async def _listen(self, call: Any) -> None:
        writing = asyncio.create_task(self._write(call))
        try:
            async for response in call:
                for frame in response.frames:
                    self._receive(frame)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _write(self, call: Any) -> None:
        pace = Pace()
        while True:
            await self._wake.wait()
            await pace.turn()
            self._wake.clear()
            while self._outbox:
                message = self._next_message()
                if message.frames:
                    await call.write(message)

    def _next_message(self) -> pb.SessionRequest:
        message = pb.SessionRequest()
        size = 0
        while self._outbox and size < _MOST_BYTES_A_MESSAGE:
            correlation_id, exchange = self._outbox.popitem(last=False)
            if exchange is None:
                message.frames.add(correlation_id=correlation_id).cancel.SetInParent()
                continue
            size += _FRAME_BYTES + exchange.send_into(message)
            if exchange.outcome.done():
                # Its asker has left; now the executor has it.
                self._forget(exchange, cancelled=True)
        return message

    def _receive(self, frame: pb.ServerFrame) -> None:
        exchange = self._exchanges.get(frame.correlation_id)
        if exchange is None:
            return
        match frame.WhichOneof("body"):
            case "accepted":
                accepted = frame.accepted
                exchange.heard(accepted.execution_id, replayed=accepted.replayed)
                exchange.awaits_with_the_first(accepted.await_refs)
                self._accept(exchange)
            case "result":
                result = frame.result
                exchange.heard(result.execution_id, replayed=result.replayed)
                self.end(exchange, frame.result)
            case "error":
                self._refuse(exchange, error_of(frame.error))

    def _accept(self, exchange: Exchange) -> None:
        if not exchange.accepted:
            exchange.accepted = True
            self._bytes -= exchange.size
            # It is stored there: to wait for it, no input is needed.
            exchange.let_go()
        if exchange.until_accepted:
            self.end(exchange, Waiting.ACCEPTED)

    def _refuse(self, exchange: Exchange, error: ServiceError) -> None:
        if isinstance(error, Unavailable) and not isinstance(error, Unwritable):
            exchange.refused(self._send)
        else:
            self.end(exchange, error)


def error_of(error: pb.Error) -> ServiceError:
    """What an error frame says, as the error that the executor raised."""
    faults = [Fault(each.pointer, each.detail) for each in error.faults]
    return BY_REASON.get(error.reason, ServiceError)(error.detail, faults)


@asynccontextmanager
async def kept_open(session: Session) -> AsyncGenerator[None]:
    """Within, ``session`` keeps a stream open; at the end it is closed, within a second."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(session.run())
        try:
            yield
        finally:
            await session.close()
            running.cancel()

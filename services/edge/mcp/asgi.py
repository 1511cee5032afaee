"""An ASGI application's answer as one of the gateway's: whole, or as it comes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping
from typing import Any

from services.edge.accepts import EVENTS
from services.edge.call import Answer, Call, Gone, Headers, Message, Stream
from services.edge.problems import Problem

logger = logging.getLogger(__name__)

App = Callable[..., Coroutine[Any, Any, None]]

IDLE = b":\n\n"
# The connection's, which is the gateway's to speak of.
_NOT_PASSED_ON = frozenset({b"connection", b"content-length", b"date", b"server"})


class Exchange:
    """One request that ``app`` answers, in a task of its own.

    Args:
        seconds: How long an answer may go on.
        end: Has an answer that goes on end soon.
    """

    def __init__(self, call: Call, body: bytes, seconds: float, end: Callable[[], None]) -> None:
        self._call = call
        self._body: bytes | None = body
        self._seconds = seconds
        self._end = end
        self._status = 0
        self._headers: Headers = ()
        # None is the end.
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def answer(self, app: App, extra: Mapping[str, Any]) -> Answer:
        """What ``app`` says; ``extra`` is added to its scope.

        Raises:
            Gone: The client has left before there was anything.
        """
        self._task = asyncio.create_task(app(self._scope(extra), self._receive, self._send))
        # Also when it fails: nobody is to wait for what does not come.
        self._task.add_done_callback(lambda _: self._pieces.put_nowait(None))
        self._call.cycle.on_gone = self._leave
        if self._call.cycle.disconnected:
            # It left while its body was read: of that nobody will be told again.
            self._leave()
        try:
            first = await self._next()
        except asyncio.CancelledError:
            await self._close()
            raise
        finally:
            self._call.cycle.on_gone = None
        return await self._first(first)

    async def _first(self, first: bytes | None) -> Answer:
        if self._call.cycle.disconnected:
            await self._close()
            raise Gone
        if first is not None and self._goes_on():
            stream = Stream(self._chunks(first), IDLE, self._seconds, self._close, self._end)
            return Answer(self._status, headers=self._headers, stream=stream)
        pieces = []
        while first is not None:
            pieces.append(first)
            first = await self._next()
        await self._close()
        if not pieces:
            raise Problem("internal")
        return Answer(self._status, b"".join(pieces), self._headers)

    def _goes_on(self) -> bool:
        return any(
            name == b"content-type" and value.startswith(EVENTS) for name, value in self._headers
        )

    async def _chunks(self, first: bytes) -> AsyncGenerator[bytes]:
        piece: bytes | None = first
        while piece is not None:
            if piece:
                yield piece
            piece = await self._next()

    async def _next(self) -> bytes | None:
        piece = await self._pieces.get()
        self._pieces.task_done()
        return piece

    async def _close(self) -> None:
        assert self._task is not None, "it was begun"
        self._task.cancel()
        await asyncio.wait((self._task,))
        if not self._task.cancelled() and (error := self._task.exception()) is not None:
            logger.error("An application failed.", exc_info=error)

    def _leave(self) -> None:
        if self._task is not None:
            self._task.cancel()

    # What ASGI wants.

    def _scope(self, extra: Mapping[str, Any]) -> dict[str, Any]:
        call = self._call
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": call.method,
            "scheme": "http",
            "path": call.raw_path.decode("ascii", "replace"),
            "raw_path": call.raw_path,
            "query_string": call.query,
            "root_path": "",
            "headers": [*_without_type(call.headers), (b"content-type", b"application/json")],
            "client": None,
            "server": None,
            **extra,
        }

    async def _receive(self) -> Message:
        body, self._body = self._body, None
        if body is None:
            # That the client leaves cancels the application.
            await asyncio.get_running_loop().create_future()
        return {"type": "http.request", "body": body, "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = tuple(
                (name.lower(), value)
                for name, value in message["headers"]
                if name.lower() not in _NOT_PASSED_ON
            )
        elif message["type"] == "http.response.body":
            self._pieces.put_nowait(message.get("body", b""))
            # One at a time: a client that does not read must not fill the memory.
            await self._pieces.join()


def _without_type(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    return (each for each in headers if each[0] not in (b"content-type", b"content-length"))

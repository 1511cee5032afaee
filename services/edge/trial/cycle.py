"""In place of a connection: it has the whole request, and keeps the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress

from services.edge.call import Headers, Message, Stream

# Of the answer that is handed out, and of one that goes on.
LONGEST_BODY = 1024 * 1024
# Of an answer that goes on: as long as a route may wait, so that who tries it still waits too.
LONGEST_STREAM_SECONDS = 300.0


class Kept:
    """As :class:`services.edge.cycle.Cycle` is to the endpoint.

    Args:
        request: The body of the request.
        head: The answer has no body, as to HEAD.

    Attributes:
        status: 0 before there is an answer.
        body: Of the answer; of one that goes on, what came until it was long enough.
    """

    def __init__(self, request: bytes, *, head: bool = False) -> None:
        self.on_gone: Callable[[], None] | None = None
        self.disconnected = False
        self.status = 0
        self.headers: Headers = ()
        self.body = bytearray()
        self._request = request
        self._head = head
        self._limit: asyncio.Timeout | None = None

    @property
    def body_is_here(self) -> bool:
        return True

    async def receive(self) -> Message:
        """ASGI's, of a body that has come."""
        return {"type": "http.request", "body": self._request, "more_body": False}

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        self.status, self.headers = status, headers
        if not self._head:
            self.body += body

    async def stream(self, status: int, headers: Headers, stream: Stream) -> None:
        self.status, self.headers = status, headers
        seconds = min(stream.seconds, LONGEST_STREAM_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.0 if self.disconnected else seconds) as self._limit:
                async with aclosing(stream.chunks) as chunks:
                    async for chunk in chunks:
                        self.body += chunk
                        if len(self.body) > LONGEST_BODY:
                            break
        self._limit = None

    def break_off(self) -> None:
        self.status = 0

    def gone(self) -> None:
        """Tell whoever waits that the client has left."""
        self.disconnected = True
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())
        if self.on_gone is not None:
            self.on_gone()
            self.on_gone = None

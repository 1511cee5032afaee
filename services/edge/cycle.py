"""One request on a connection, from its headers to its answer: what the endpoint holds of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from services.edge.call import Headers, Stream

# Proxies take a connection on which nothing is said for a minute, or half of one, for dead.
IDLE_SECONDS = 15.0
# A right that is taken counts within a second, the way of the news included.
LOOK_SECONDS = 0.5

_CLOSE = (b"connection", b"close")
_CHUNKED = (b"transfer-encoding", b"chunked")


class Cycle(RequestResponseCycle):
    """uvicorn's, with an answer that is written at once: two writes are two calls of the system.

    Attributes:
        on_gone: Called once when the client leaves before it has its answer; set by the endpoint
            while it waits.
        disconnected: The client has left; :attr:`on_gone` is called no more.
        draining: This edge ends: a stream is not to go on.
        idle_seconds: How long a stream may say nothing.
        look_seconds: A right that is taken ends its streams within that time.
        began: When its headers were complete: seconds, monotonic.
    """

    idle_seconds = IDLE_SECONDS
    look_seconds = LOOK_SECONDS

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_gone: Callable[[], None] | None = None
        self.draining = False
        self._limit: asyncio.Timeout | None = None
        self._end: Callable[[], None] | None = None
        self.began = time.monotonic()

    @property
    def body_is_here(self) -> bool:
        """Whether to receive it is not to wait."""
        return not self.more_body

    def gone(self) -> None:
        """Tell whoever waits that the client has left."""
        self.disconnected = True
        self.message_event.set()
        self._end_stream()
        if self.on_gone is not None:
            self.on_gone()
            self.on_gone = None

    def drain(self) -> None:
        """End a stream, now or as soon as it begins; its client comes again."""
        self.draining = True
        if self._end is not None:
            self._end()
        else:
            self._end_stream()

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Write the whole answer; ``headers`` hold nothing that a client has made up.

        ``Date`` is added, and ``Connection: close`` where this was the last answer: it is where
        the body is not all there, for the client need not send the rest (RFC 9110 §10.1.1).
        """
        if not await self._may_write():
            return
        lines = self._head(status, headers)
        if self.scope["method"] != "HEAD":
            lines.append(body)
        self.write(b"".join(lines))
        self._complete()

    async def stream(self, status: int, headers: Headers, stream: Stream) -> None:
        """Write an answer that goes on, until it ends, its client leaves or this edge ends.

        Nothing is written before the client has taken what was: a slow one fills no memory, and
        one that takes nothing is cut off as with any answer. HTTP/1.0 knows no chunks: there, the
        end of the connection is the end.
        """
        if not await self._may_write():
            return
        chunked = self.scope["http_version"] != "1.0"
        self.keep_alive = self.keep_alive and chunked
        head = self._head(status, (*headers, _CHUNKED) if chunked else headers)
        self.response_started = True
        self.write(b"".join(head))
        if self.scope["method"] == "HEAD":
            self._complete()
            return
        # With 0, an encrypted transport would hold up its writer while nothing is left.
        self.transport.set_write_buffer_limits(high=1, low=0)
        await self._write_all(stream, chunked)
        if self._ended:
            return
        self.transport.set_write_buffer_limits()
        if chunked:
            self.write(b"0\r\n\r\n")
        self._complete()

    def write(self, said: bytes) -> None:
        """Write, unless the connection is closed or about to be: TLS breaks on what comes then."""
        if not self._ended:
            self.transport.write(said)

    def break_off(self) -> None:
        """Close, so that the client sees that the answer is not whole."""
        self.transport.abort()

    async def _write_all(self, stream: Stream, chunked: bool) -> None:
        idle = _Idle(self, _framed(stream.idle, chunked))
        look = _Look(stream.still, self._end_stream, self.look_seconds) if stream.still else None
        at_once = self.draining and stream.end is None
        self._limit = limit = asyncio.timeout(0.0 if at_once else stream.seconds)
        self._end = stream.end
        if self.draining and stream.end is not None:
            stream.end()
        try:
            async with limit, aclosing(stream.chunks) as chunks:
                await self._write_each(chunks, chunked, idle)
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            self._limit = self._end = None
            idle.stop()
            if look is not None:
                look.stop()

    async def _write_each(self, chunks: AsyncGenerator[bytes], chunked: bool, idle: _Idle) -> None:
        async for chunk in chunks:
            await self.flow.drain()
            if self._ended:
                return
            self.write(_framed(chunk, chunked))
            idle.postpone()

    @property
    def _ended(self) -> bool:
        return self.disconnected or self.transport.is_closing()

    def _end_stream(self) -> None:
        limit, self._limit = self._limit, None
        if limit is not None and not limit.expired():
            limit.reschedule(asyncio.get_running_loop().time())

    async def _may_write(self) -> bool:
        if self.flow.write_paused and not self.disconnected:
            # A client that asks on without reading must not fill the memory.
            await self.flow.drain()
        return not self._ended

    def _head(self, status: int, headers: Headers) -> list[bytes]:
        self.keep_alive = self.keep_alive and not self.more_body and _CLOSE not in headers
        if not self.keep_alive and _CLOSE not in headers:
            headers = (*headers, _CLOSE)
        lines = [STATUS_LINE[status]]
        lines += [b"%b: %b\r\n" % header for header in (*self.default_headers, *headers)]
        lines.append(b"\r\n")
        return lines

    def _complete(self) -> None:
        self.response_started = self.response_complete = True
        self.message_event.set()
        if not self.keep_alive and not self.more_body:
            self.transport.close()
        self.on_response()


class _Idle:
    """Says something on a stream on which nothing was said for a while."""

    def __init__(self, cycle: Cycle, said: bytes) -> None:
        self._cycle = cycle
        self._said = said
        self._loop = asyncio.get_running_loop()
        self.postpone()
        self._timer = self._loop.call_at(self._at, self._due)

    def postpone(self) -> None:
        """Something was said just now."""
        self._at = self._loop.time() + self._cycle.idle_seconds

    def _due(self) -> None:
        if self._loop.time() >= self._at:
            # More on top would look as if a client that takes nothing had taken something.
            if not self._cycle.flow.write_paused:
                self._cycle.write(self._said)
            self.postpone()
        self._timer = self._loop.call_at(self._at, self._due)

    def stop(self) -> None:
        self._timer.cancel()


class _Look:
    """Asks again and again whether a stream may go on, and ends it once it may not."""

    def __init__(self, still: Callable[[], bool], end: Callable[[], None], seconds: float) -> None:
        self._still = still
        self._end = end
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(seconds, self._due)

    def _due(self) -> None:
        if self._still():
            self._timer = self._loop.call_later(self._seconds, self._due)
        else:
            self._end()

    def stop(self) -> None:
        self._timer.cancel()


def _framed(chunk: bytes, chunked: bool) -> bytes:
    """A chunk as HTTP/1.1 sends it (RFC 9112 §7.1)."""
    return b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk

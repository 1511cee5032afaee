"""One request on a connection, from its headers to its answer: what the endpoint holds of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from services.edge.call import Headers

_CLOSE = (b"connection", b"close")


class Cycle(RequestResponseCycle):
    """uvicorn's, with an answer that is written at once: two writes are two calls of the system.

    Attributes:
        on_gone: Called once when the client leaves before it has its answer; set by the endpoint
            while it waits.
        disconnected: The client has left; :attr:`on_gone` is called no more.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_gone: Callable[[], None] | None = None

    @property
    def body_is_here(self) -> bool:
        """Whether to receive it is not to wait."""
        return not self.more_body

    def gone(self) -> None:
        """Tell whoever waits that the client has left."""
        self.disconnected = True
        self.message_event.set()
        if self.on_gone is not None:
            self.on_gone()
            self.on_gone = None

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Write the whole answer; ``headers`` hold nothing that a client has made up.

        ``Date`` is added, and ``Connection: close`` where this was the last answer: it is where
        the body is not all there, for the client need not send the rest (RFC 9110 §10.1.1).
        """
        if self.flow.write_paused and not self.disconnected:
            # A client that asks on without reading must not fill the memory.
            await self.flow.drain()
        if self.disconnected:
            return
        self.keep_alive = self.keep_alive and not self.more_body and _CLOSE not in headers
        if not self.keep_alive and _CLOSE not in headers:
            headers = (*headers, _CLOSE)
        lines = [STATUS_LINE[status]]
        lines += [b"%b: %b\r\n" % header for header in (*self.default_headers, *headers)]
        lines.append(b"\r\n")
        if self.scope["method"] != "HEAD":
            lines.append(body)
        self.transport.write(b"".join(lines))
        self._complete()

    def _complete(self) -> None:
        self.response_started = self.response_complete = True
        self.message_event.set()
        if not self.keep_alive and not self.more_body:
            self.transport.close()
        self.on_response()

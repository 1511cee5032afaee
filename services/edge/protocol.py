"""HTTP/1.1 on one connection: uvicorn's protocol, with the limits that it has not.

Ten seconds for a request's headers and 64 KiB for their size, a problem document in place of
plain text for what is no HTTP, an end for whoever does not read, and word for the endpoint when
the client leaves.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from services.edge.cycle import Cycle
from services.edge.handshakes import certificate_of
from services.edge.problems import CONTENT_TYPE, Problem, body_of
from services.edge.unread import NOTHING, left_in
from services.json_text import Json

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

# What a host and its port may be written with (RFC 3986 §3.2.2); it may be empty.
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*\Z")
# A loop that was late fires its timers before it reads: what came in time is looked for once more.
_LAST_LOOK_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may take of time and memory.

    Attributes:
        header_seconds: For a request's line and headers to arrive.
        header_bytes: Of them.
        request_bytes: Of all that follows the headers, as it is sent: a body in small chunks is
            larger then, and what stands after the last chunk has no limit of its own.
        answer_seconds: Of taking nothing of an answer.
        farewell_seconds: For a client to answer to the end of TLS; some never do.
    """

    header_seconds: float = 10.0
    header_bytes: int = 64 * 1024
    request_bytes: int = 96 * 1024 * 1024
    answer_seconds: float = 30.0
    farewell_seconds: float = 2.0


class Connections(ServerState):
    """The open connections of a listener.

    Args:
        on_refused: Told the problem of what could not be read as a request.
        on_drain: Called when it begins to end.

    Attributes:
        none_left: Set when the last one closes while :attr:`draining`.
        handshakes: Those that are not encrypted yet, where they are to be.
    """

    def __init__(
        self,
        on_refused: Callable[[str], None] = lambda problem: None,
        on_drain: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self.on_refused = on_refused
        self.on_drain = on_drain
        self.draining = False
        self.none_left = asyncio.Event()
        self.handshakes: Collection[object] = ()

    def drain(self) -> None:
        """Close those on which nothing was asked, let the others answer once more."""
        self.draining = True
        for connection in list(self.connections):
            connection.shutdown()
        self.on_drain()
        self.closed()

    def end_unread(self, now: float) -> None:
        """Cut off those whose clients have not read for too long."""
        for connection in list(self.connections):
            cast("LimitedProtocol", connection).end_if_unread(now)

    def closed(self) -> None:
        """Take note that one has closed."""
        if self.draining and not self.connections:
            self.none_left.set()


class LimitedProtocol(HttpToolsProtocol):
    """One connection; its limits are set by :func:`with_limits`.

    Args:
        below: The transport that its encrypted one writes to; None: it speaks plain text.
    """

    limits = Limits()
    server_state: Connections

    def __init__(self, *args: Any, below: asyncio.Transport | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._below = below
        # Requests that came before their predecessors were answered wait; one is under way.
        self._running: Cycle | None = None
        self._awaits_headers = True
        # Some of a request's line or headers is there, and not all.
        self._begun = False
        # The last answer is written, and the rest of its request's body comes.
        self._lingers = False
        # Since the headers, or the body, of the last request were complete.
        self._received_bytes = 0
        self._problem = "malformed-request"
        self._timer: asyncio.TimerHandle | None = None
        self._unread = NOTHING
        self._all_said_at: float | None = None
        self._certificate: dict[str, Json] | None = None

    # The connection.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._certificate = certificate_of(transport)
        self._arm()
        if self.server_state.draining:
            self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        # The class above leaves it to fire where the connection has broken.
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        if self._running is not None and not self._running.response_complete:
            self._running.gone()
        self.server_state.closed()

    def data_received(self, data: bytes) -> None:
        self._received_bytes += len(data)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(self._problem)
            return
        except httptools.HttpParserUpgrade:
            # Nothing is upgraded here: the request is answered, and what follows it on this
            # connection can no longer be read.
            if self.cycle is not None:
                self.cycle.keep_alive = False
        self._check_received()

    def _check_received(self) -> None:
        if self._awaits_headers and self._received_bytes > self.limits.header_bytes:
            self._refuse("headers-too-large")
        elif self._received_bytes > self.limits.request_bytes:
            self._refuse("body-too-large")
        elif not self._answering():
            self._arm()

    # The parser's calls.

    def on_message_begin(self) -> None:
        self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._check_headers()
        self._check_host()
        url = httptools.parse_url(self.url)
        if not url.path:
            raise ValueError("The target has no path.")
        self.scope["method"] = self.parser.get_method().decode()
        self.scope["http_version"] = version = self.parser.get_http_version()
        self.scope["raw_path"] = url.path
        self.scope["path"] = url.path.decode()
        self.scope["query_string"] = url.query or b""
        cycle = self._cycle(keep_alive=version != "1.0" and self.parser.should_keep_alive())
        self.scope["podium.cycle"] = cycle  # type: ignore[typeddict-unknown-key]
        self.scope["podium.certificate"] = self._certificate  # type: ignore[typeddict-unknown-key]
        waits, self.cycle = self._answering(), cycle
        if waits:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))
        else:
            self._start_asgi_task(cycle, self.app)
        # What stands after a chunked body is no header of the request.
        self.headers = []

    def _check_headers(self) -> None:
        # What arrived with them may be the body's: only a suspicion is looked into.
        most = self.limits.header_bytes
        if self._received_bytes > most and self._header_bytes() > most:
            self._problem = "headers-too-large"
            raise ValueError(self._problem)
        if self._lingers:
            raise ValueError("After Connection: close nothing more is asked (RFC 9112 §9.6).")
        self._awaits_headers = self._begun = False
        self._received_bytes = 0
        self._disarm()

    def _check_host(self) -> None:
        """RFC 9112 §3.2; HTTP/1.0 knew none."""
        hosts = [value for name, value in self.headers if name == b"host"]
        if not hosts and self.parser.get_http_version() == "1.0":
            return
        if len(hosts) != 1 or not _HOST.match(hosts[0]):
            raise ValueError("The request must name one host.")

    def _cycle(self, *, keep_alive: bool) -> Cycle:
        draining = self.server_state.draining
        cycle = Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=keep_alive and not draining,
            on_response=self.on_response_complete,
        )
        cycle.draining = draining
        return cycle

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cast("Cycle", cycle)
        super()._start_asgi_task(cycle, app)

    def _header_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def on_message_complete(self) -> None:
        self._awaits_headers = True
        self._received_bytes = 0
        super().on_message_complete()
        if self._lingers:
            self.transport.close()
        elif self.cycle is self._running and not self.cycle.response_complete:
            # Held up by a large body, it would not be heard that the client leaves.
            self.flow.resume_reading()

    def shutdown(self) -> None:
        """Close where nothing is asked, nor on its way; else the next answer is the last."""
        if self._answering():
            self.cycle.keep_alive = False
        elif self._lingers:
            self.transport.close()
        elif not self._begun:
            self.timeout_keep_alive_handler()
        waiting = (cast("Cycle", cycle) for cycle, _ in self.pipeline)
        for cycle in (self._running, *waiting):
            if cycle is not None and not cycle.response_complete:
                cycle.drain()

    def on_response_complete(self) -> None:
        answered = self._running
        super().on_response_complete()
        # More is written: the time to take it begins.
        self._unread = NOTHING
        if answered is not None and answered.more_body:
            self._linger()
        elif self._begun and not self._answering():
            # The next request began while this one was pending: its time runs from now.
            self._arm()

    def _linger(self) -> None:
        # With the connection closed at once, what still comes of the body would be answered by a
        # reset, which takes the answer with it (RFC 9112 §9.6).
        if self.transport.is_closing():
            return
        self._lingers = True
        if self.transport.can_write_eof():
            # Its client may have gone, and nobody has heard of it yet.
            with suppress(OSError):
                self.transport.write_eof()
        self._arm()

    # What is late.

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.limits.header_seconds, self.headers_are_late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def timeout_keep_alive_handler(self) -> None:
        """Nothing was asked for long: close, unless a request is here that was not read yet."""
        self._unset_keepalive_if_required()
        look = self.loop.call_later(_LAST_LOOK_SECONDS, self.transport.close)
        self.timeout_keep_alive_task = look

    def headers_are_late(self) -> None:
        """Their time is up: refuse, unless the rest is here that was not read yet."""
        self._timer = self.loop.call_later(_LAST_LOOK_SECONDS, self._late)

    def _late(self) -> None:
        self._timer = None
        if self._awaits_headers and (self._received_bytes or self._begun):
            self._refuse("request-timeout")
        else:
            # Nothing was asked, or the rest of a body comes that was refused long ago.
            self.transport.close()

    def end_if_unread(self, now: float) -> None:
        """Cut the connection off if nothing was taken of its answers for too long."""
        # An encrypted transport hands on all that it is given, and knows of nothing that is left.
        wire = self._below or self.transport
        left = left_in(wire)
        self._unread = self._unread.seen_again(left, now)
        unread = self._unread.for_too_long(self.limits.answer_seconds, now)
        if unread or (not left and self._farewell_is_late(now)):
            wire.abort()

    def _farewell_is_late(self, now: float) -> bool:
        if self._below is None or not self.transport.is_closing():
            return False
        if self._all_said_at is None:
            self._all_said_at = now
        return now - self._all_said_at >= self.limits.farewell_seconds

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._problem)

    def _refuse(self, problem: str) -> None:
        """Answer ``problem`` and close; where another answer is under way, only close."""
        self._disarm()
        if self.transport.is_closing():
            return
        if not self._lingers and not (self._answering() and self.cycle.response_started):
            self.transport.write(_written(Problem(problem)))
            self.server_state.on_refused(problem)
        self.transport.close()


def _written(problem: Problem) -> bytes:
    request_id = str(uuid4())
    body = body_of(problem, request_id)
    headers = (
        (b"content-type", CONTENT_TYPE),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
    )
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    return STATUS_LINE[problem.status] + lines + b"\r\n" + body


def told_in_plain_text(connections: Connections) -> bytes:
    """What is answered to whoever speaks HTTP without TLS where TLS is spoken."""
    connections.on_refused("tls-required")
    return _written(Problem("tls-required"))


def with_limits(limits: Limits) -> type[LimitedProtocol]:
    """The protocol with other limits than its own."""
    return type("LimitedProtocol", (LimitedProtocol,), {"limits": limits})

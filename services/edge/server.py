"""An HTTP listener: uvicorn's protocol on a socket that is bound already.

uvicorn's own server takes SIGTERM for itself and raises it again when it has drained: two of them
in one process would end it undrained. Here a listener ends with its block.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from email.utils import formatdate
from typing import Any

from uvicorn import Config

from services.edge.handshakes import Handshakes
from services.edge.protocol import Connections, Limits, told_in_plain_text, with_limits
from services.process import StartupError
from services.tls.files import ServerFiles

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
DRAIN_SECONDS = 9.0
# Of the drain: for those who are then told what is known.
LAST_SECONDS = 1.0
_PARTING_SECONDS = 0.5
_SHORTEST_LOOK_SECONDS = 0.01

logger = logging.getLogger(__name__)

Making = Callable[[asyncio.Transport | None], asyncio.Protocol]
"""Makes the protocol of a connection, above a transport where it has one already."""


def bound(address: str) -> socket.socket:
    """A socket on ``host:port``; port 0 takes a free one.

    Raises:
        StartupError: The port is taken, or the address is not this machine's.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, int(port)), family=family, backlog=BACKLOG)
    except OSError as error:
        raise StartupError(f"{address} cannot be served on: {error.strerror or error}.") from error
    listening.setblocking(False)
    return listening


def address_of(listening: socket.socket) -> str:
    """``host:port`` of a bound socket."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@asynccontextmanager
async def serving_http(
    app: Any,
    listening: socket.socket,
    limits: Limits,
    *,
    connections: Connections | None = None,
    tls: ServerFiles | None = None,
    drain_seconds: float = DRAIN_SECONDS,
    on_last_second: Callable[[], None] = lambda: None,
) -> AsyncGenerator[None]:
    """Serve ``app`` within the block; at its end accept nothing new and answer what is under way.

    Args:
        app: An ASGI application.
        listening: As :func:`bound` makes it; it is closed with the block.
        limits: Of each connection.
        connections: Where they are known to others, too.
        tls: The certificates, which are read again when they change; None: plain text.
        drain_seconds: For what is under way; what is not answered then is cut off.
        on_last_second: Called when they are nearly over, so that whoever waits can be answered
            with what is known.
    """
    connections = connections or Connections()
    made = _making(app, limits, connections)
    loop = asyncio.get_running_loop()
    async with _encrypting(made, tls, connections, limits) as factory:
        server = await loop.create_server(factory, sock=listening, backlog=BACKLOG)
        with _looked_after(connections, limits, encrypted=bool(tls)):
            try:
                yield
            finally:
                server.close()
                if isinstance(factory, Handshakes):
                    # Nothing was asked there yet; later, nobody would tell them of the end.
                    factory.close()
                await _drain(connections, drain_seconds, on_last_second)


def _making(app: Any, limits: Limits, connections: Connections) -> Making:
    """What makes the protocol of each connection."""
    config = _config(app, limits)
    protocol = config.http_protocol_class

    def made(below: asyncio.Transport | None) -> asyncio.Protocol:
        return protocol(  # type: ignore[call-arg]
            config=config, server_state=connections, app_state={}, below=below
        )

    return made


@contextmanager
def _looked_after(connections: Connections, limits: Limits, *, encrypted: bool) -> Generator[None]:
    """Within the block the date is right, and who does not read is cut off."""
    date, readers = _Date(connections), _Readers(connections, limits, encrypted=encrypted)
    try:
        yield
    finally:
        date.stop()
        readers.stop()


@asynccontextmanager
async def _encrypting(
    made: Making,
    tls: ServerFiles | None,
    connections: Connections,
    limits: Limits,
) -> AsyncGenerator[Callable[[], asyncio.Protocol]]:
    """What makes the protocols of a listener: ``made`` itself where it speaks plain text."""
    if tls is None:
        yield lambda: made(None)
        return
    # Late: reading certificates is a library of its own, which most do without.
    from services.tls import following, servers

    certificates = servers.followed(tls)
    handshakes = Handshakes(
        certificates, made, lambda: told_in_plain_text(connections), limits.header_seconds
    )
    connections.handshakes = handshakes.under_way
    async with following.looking(certificates):
        yield handshakes


@asynccontextmanager
async def together(*listeners: AbstractAsyncContextManager[None]) -> AsyncGenerator[None]:
    """Have ``listeners`` serve within the block, and drain at its end all at the same time."""
    ending = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        try:
            for listener in listeners:
                serves = asyncio.Event()
                tasks.create_task(_serve(listener, serves, ending))
                await serves.wait()
            yield
        finally:
            ending.set()


async def _serve(
    listener: AbstractAsyncContextManager[None], serves: asyncio.Event, ending: asyncio.Event
) -> None:
    async with listener:
        serves.set()
        await ending.wait()


def _config(app: Any, limits: Limits) -> Config:
    config = Config(
        app,
        http=with_limits(limits),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    config.load()
    return config


class _Date:
    """Keeps the ``Date`` header, which every answer of the listener has, right to the second."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._tick()

    def _tick(self) -> None:
        now = time.time()
        self._connections.default_headers = [(b"date", formatdate(now, usegmt=True).encode())]
        self._timer = self._loop.call_later(1.0 - now % 1.0, self._tick)

    def stop(self) -> None:
        self._timer.cancel()


class _Readers:
    """Has an eye on whether clients read: a timer for every answer would cost every request."""

    def __init__(self, connections: Connections, limits: Limits, *, encrypted: bool) -> None:
        self._connections = connections
        seconds = limits.answer_seconds
        if encrypted:
            seconds = min(seconds, limits.farewell_seconds)
        self._interval_seconds = max(seconds / 4, _SHORTEST_LOOK_SECONDS)
        self._loop = asyncio.get_running_loop()
        self._look()

    def _look(self) -> None:
        self._connections.end_unread(self._loop.time())
        self._timer = self._loop.call_later(self._interval_seconds, self._look)

    def stop(self) -> None:
        self._timer.cancel()


async def _drain(
    connections: Connections, seconds: float, on_last_second: Callable[[], None]
) -> None:
    loop = asyncio.get_running_loop()
    last = loop.call_later(max(seconds - LAST_SECONDS, 0.0), on_last_second)
    connections.drain()
    try:
        async with asyncio.timeout(seconds):
            await connections.none_left.wait()
    except TimeoutError:
        logger.warning("%d connections were cut off undrained.", len(connections.connections))
    finally:
        last.cancel()
        await _cut_off(connections)


async def _cut_off(connections: Connections) -> None:
    for connection in list(connections.connections):
        connection.transport.abort()
    if tasks := list(connections.tasks):
        # To them it is as if their client had left.
        _, undone = await asyncio.wait(tasks, timeout=_PARTING_SECONDS)
        for task in undone:
            task.cancel()

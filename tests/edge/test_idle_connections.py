"""When a connection on which nothing is asked ends: never under a request that is there."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from typing import cast

import pytest

from services.edge.protocol import Connections, LimitedProtocol, Limits
from tests.edge.listeners import GET, listening, status
from tests.edge.raw import Raw, connected

PATIENT = Limits(header_seconds=3600)


class Watched(Connections):
    """Connections of which the end of each is told."""

    def __init__(self) -> None:
        super().__init__()
        self.one_ended = asyncio.Event()

    def closed(self) -> None:
        self.one_ended.set()
        super().closed()

    @property
    def only(self) -> LimitedProtocol:
        (protocol,) = self.connections
        return cast("LimitedProtocol", protocol)


@pytest.fixture
async def connections() -> Watched:
    return Watched()


@pytest.fixture
async def address(connections: Watched) -> AsyncGenerator[str]:
    async with listening(PATIENT, connections=connections) as address:
        yield address


@pytest.fixture
async def idle(address: str) -> AsyncGenerator[Raw]:
    """A connection on which one request was answered."""
    async with connected(address) as raw:
        await raw.ask(GET)
        yield raw


async def test_a_request_that_is_there_when_the_time_of_an_idle_connection_is_up_is_answered(
    idle: Raw, connections: Watched
) -> None:
    # As in a loop that was late: it has not read yet.
    idle.writer.write(GET)
    connections.only.timeout_keep_alive_handler()

    reply = await idle.reply()

    assert (reply.status, reply.headers.get("connection")) == (200, None)
    assert (await idle.ask(GET)).status == 200


async def test_an_idle_connection_ends_when_its_time_is_up(idle: Raw, connections: Watched) -> None:
    connections.only.timeout_keep_alive_handler()

    assert await idle.ended()


async def test_headers_that_are_there_when_their_time_is_up_are_not_too_late(
    idle: Raw, connections: Watched
) -> None:
    await idle.send(GET[:10])
    idle.writer.write(GET[10:])
    connections.only.headers_are_late()

    assert (await idle.reply()).status == 200


async def test_headers_that_are_not_there_when_their_time_is_up_are_too_late(
    idle: Raw, connections: Watched
) -> None:
    idle.writer.write(GET[:10])
    connections.only.headers_are_late()

    assert status(await idle.reply()) == (408, "request-timeout")


async def test_a_request_that_is_there_when_the_listener_ends_is_answered_as_the_last(
    idle: Raw, connections: Watched
) -> None:
    idle.writer.write(GET)
    connections.drain()

    reply = await idle.reply()

    assert (reply.status, reply.headers["connection"]) == (200, "close")
    assert await idle.ended()


async def test_a_request_that_has_begun_when_the_listener_ends_is_answered_as_the_last(
    address: str, connections: Watched
) -> None:
    async with connected(address) as raw:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
        assert (await raw.ask(head)).status == 100
        # Read together, so that some of the next request is known to be there.
        await raw.send(b"x" + GET[:10])
        assert (await raw.reply()).status == 200
        connections.drain()
        await raw.send(GET[10:])

        reply = await raw.reply()

        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert await raw.ended()


async def test_who_comes_while_the_listener_ends_and_asks_nothing_is_let_go(
    address: str, connections: Watched
) -> None:
    connections.drain()
    async with connected(address) as raw:
        assert await raw.ended()


async def test_of_a_connection_that_has_broken_no_timer_is_left(
    idle: Raw, connections: Watched
) -> None:
    protocol = connections.only
    assert protocol.timeout_keep_alive_task is not None
    client: socket.socket = idle.writer.get_extra_info("socket")
    # Closed so, it ends with a reset.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    idle.writer.transport.abort()
    await connections.one_ended.wait()

    assert protocol.timeout_keep_alive_task is None

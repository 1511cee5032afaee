"""Answers over TLS: to slow readers, to those who take nothing, and at the end of a connection."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import pytest

from services.edge.call import Answer, Stream
from services.edge.cycle import Cycle
from services.edge.protocol import Connections, Limits
from tests.certificates import Certificates
from tests.edge.listeners import GET, listening
from tests.edge.raw import connected

LIMIT_SECONDS = 20.0
# A handshake takes long where the machine does much else.
PATIENT = Limits(header_seconds=20)


async def until(said: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while not await said():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.02)


async def test_it_drains_at_once_though_a_handshake_is_completed_meanwhile(
    made: Certificates, trusting: ssl.SSLContext
) -> None:
    connections = Connections()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")
    ask = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
    async with AsyncExitStack() as stack:
        listens = AsyncExitStack()
        address = await listens.enter_async_context(
            listening(PATIENT, 60.0, tls=made.server(), connections=connections)
        )
        busy = await stack.enter_async_context(connected(address, trusting))
        await busy.send(ask)
        late = await stack.enter_async_context(connected(address))
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        await late.send(outgoing.read())
        incoming.write(await late.reader.read(1 << 16))
        client.do_handshake()
        ends = asyncio.create_task(listens.aclose())
        while not connections.draining:  # noqa: ASYNC110 - nobody tells when it begins
            await asyncio.sleep(0.01)

        with suppress(ConnectionError):
            await late.send(outgoing.read())
        await busy.send(b"{}")
        async with asyncio.timeout(LIMIT_SECONDS):
            await ends


async def test_a_slow_reader_gets_all_of_a_last_answer(
    made: Certificates, trusting: ssl.SSLContext
) -> None:
    limits = Limits(answer_seconds=60, farewell_seconds=0.2)
    size = 6 << 20
    async with listening(
        limits, tls=made.server(), answers=lambda: Answer(200, b"x" * size)
    ) as address:
        host, _, port = address.rpartition(":")

        def read() -> int:
            with (
                _small(host, int(port)) as plain,
                trusting.wrap_socket(plain, server_hostname="localhost") as client,
            ):
                client.sendall(GET[:-2] + b"Connection: close\r\n\r\n")
                taken = 0
                while data := client.recv(1 << 14):
                    taken += len(data)
                    # Slower than it is sent: what the test is about.
                    time.sleep(0.001)
                return taken

        assert await asyncio.to_thread(read) > size


async def test_who_takes_nothing_of_one_large_answer_is_cut_off(
    made: Certificates, trusting: ssl.SSLContext
) -> None:
    connections = Connections()
    limits = Limits(answer_seconds=0.3)
    async with listening(
        limits,
        tls=made.server(),
        connections=connections,
        answers=lambda: Answer(200, b"x" * (16 << 20)),
    ) as address:
        host, _, port = address.rpartition(":")

        def ask() -> ssl.SSLSocket:
            client = trusting.wrap_socket(_small(host, int(port)), server_hostname="localhost")
            client.sendall(GET)
            return client

        async def is_cut_off() -> bool:
            return not connections.connections

        with await asyncio.to_thread(ask):
            await until(_open(connections))
            await until(is_cut_off)


async def test_who_says_no_farewell_is_cut_off(
    made: Certificates, trusting: ssl.SSLContext
) -> None:
    connections = Connections()
    limits = Limits(answer_seconds=60, farewell_seconds=0.2)
    async with listening(limits, tls=made.server(), connections=connections) as address:
        host, _, port = address.rpartition(":")

        def ask() -> ssl.SSLSocket:
            client = trusting.wrap_socket(_small(host, int(port)), server_hostname="localhost")
            client.sendall(GET[:-2] + b"Connection: close\r\n\r\n")
            return client

        async def is_cut_off() -> bool:
            return not connections.connections

        with await asyncio.to_thread(ask):
            await until(_open(connections))
            await until(is_cut_off)


async def _chunks(count: int) -> AsyncGenerator[bytes]:
    for _ in range(count):
        yield b"x" * 1000


def _streamed(count: int) -> Callable[[], Answer]:
    async def closed() -> None:
        return None

    return lambda: Answer(200, b"", stream=Stream(_chunks(count), b":", 60.0, closed))


async def test_a_stream_is_read_to_its_end(made: Certificates, trusting: ssl.SSLContext) -> None:
    async with (
        listening(PATIENT, tls=made.server(), answers=_streamed(50)) as address,
        connected(address, trusting) as raw,
    ):
        await raw.send(GET)
        async with asyncio.timeout(LIMIT_SECONDS):
            answer = await raw.reader.readuntil(b"\r\n0\r\n\r\n")
        assert answer.count(b"x" * 1000) == 50
        # It goes on as before.
        await raw.send(GET)
        async with asyncio.timeout(LIMIT_SECONDS):
            assert await raw.reader.readuntil(b"\r\n0\r\n\r\n")


async def test_a_stream_that_is_not_taken_is_held_up_and_cut_off(
    made: Certificates, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is said meanwhile, as often as can be, must not look as if something had been taken, nor
    # be said when the connection has just been cut off.
    monkeypatch.setattr(Cycle, "idle_seconds", 0.0)
    connections, heard = Connections(), list[str]()
    limits = Limits(answer_seconds=0.5)
    async with listening(
        limits,
        heard=heard,
        tls=made.server(),
        connections=connections,
        answers=_streamed(1 << 30),
    ) as address:
        host, _, port = address.rpartition(":")

        def ask() -> ssl.SSLSocket:
            client = trusting.wrap_socket(_small(host, int(port)), server_hostname="localhost")
            client.sendall(GET)
            return client

        async def is_cut_off() -> bool:
            return bool(heard) and not connections.connections

        with await asyncio.to_thread(ask):
            await until(is_cut_off)


def _small(host: str, port: int) -> socket.socket:
    # Little of an answer is on the way.
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
    plain.connect((host, port))
    return plain


def _open(connections: Connections) -> Callable[[], Awaitable[bool]]:
    async def is_open() -> bool:
        return connections.total_requests > 0

    return is_open

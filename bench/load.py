"""A closed-loop HTTP client that costs little: each connection sends, waits, sends again."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer and when it was asked for and came (seconds, monotonic)."""

    status: int
    body: bytes
    sent: float
    received: float


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request in flight."""

    def __init__(self) -> None:
        self.received = b""
        self.waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0 or self.waiting is None:
            return
        head = self.received[:end].lower()
        at = head.find(b"content-length:")
        size = int(head[at + 15 : (head + b"\r\n").find(b"\r\n", at)]) if at >= 0 else 0
        if len(self.received) >= end + 4 + size:
            body, self.received = self.received[end + 4 : end + 4 + size], b""
            waiting, self.waiting = self.waiting, None
            # Whoever asked may have been cancelled in this turn of the loop.
            if not waiting.done():
                waiting.set_result((int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(ConnectionResetError("the gateway closed the connection"))

    async def ask(self, request: bytes) -> Answer:
        """Send ``request`` and wait for its answer."""
        sent = time.monotonic()
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        status, body = await self.waiting
        return Answer(status, body, sent, time.monotonic())


async def connect(url: str) -> Connection:
    """A connection to the server of ``url``."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, parts.hostname, parts.port)
    return connection


def post(url: str, path: str, key: str, body: bytes) -> bytes:
    """A POST as bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nX-API-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def closed_loop(url: str, request: bytes, clients: int, seconds: float) -> list[Answer]:
    """Every answer that ``clients`` connections got within ``seconds``."""
    until = time.monotonic() + seconds
    answers: list[Answer] = []

    async def client() -> None:
        connection = await connect(url)
        while time.monotonic() < until:
            answers.append(await connection.ask(request))
        connection.transport.close()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(clients):
            tasks.create_task(client())
    return answers


async def at_once(url: str, request: bytes, count: int) -> list[Answer]:
    """The answers to ``count`` requests sent side by side."""
    connections = [await connect(url) for _ in range(count)]
    answers = await asyncio.gather(*(connection.ask(request) for connection in connections))
    for connection in connections:
        connection.transport.close()
    return list(answers)


async def paced(url: str, request: bytes, count: int, seconds: float) -> list[Answer]:
    """The answers to ``count`` requests spread evenly over ``seconds``, on few connections."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    answers: list[Answer] = []
    free = [await connect(url) for _ in range(64)]

    async def one(number: int) -> None:
        await asyncio.sleep(begin + number * seconds / count - loop.time())
        while free and free[-1].transport.is_closing():
            free.pop()
        connection = free.pop() if free else await connect(url)
        answers.append(await connection.ask(request))
        free.append(connection)

    await asyncio.gather(*(one(number) for number in range(count)))
    for connection in free:
        connection.transport.close()
    return answers

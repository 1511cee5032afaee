"""A server that answers byte for byte as a test says, also as no server should."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Asked:
    """One request that came in.

    Attributes:
        target: Path and query as they stood in the request line.
        headers: Names in lower case.
        left: Set when the client has gone.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int
    left: asyncio.Event = field(default_factory=asyncio.Event)


Answer = Callable[[Asked, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Upstream:
    """Attributes: ``answers`` by path without query; bytes are written as they are."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | Answer] = {}
        self.asked: list[Asked] = []
        self.arrived = asyncio.Event()
        self.connections = 0
        self.port = 0
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = writer
        self.connections += 1
        connection = self.connections
        try:
            while (asked := await _request(reader, connection)) is not None:
                await self._answer(asked, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()
            del self._serving[task]

    async def _answer(
        self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.asked.append(asked)
        self.arrived.set()
        answer = self.answers.get(asked.target.partition("?")[0], plain(b"not found", 404))
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
        else:
            await answer(asked, reader, writer)

    async def stopped(self) -> None:
        for writer in self._serving.values():
            writer.transport.abort()
        await asyncio.gather(*self._serving)


async def _request(reader: asyncio.StreamReader, connection: int) -> Asked | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body, connection)


def plain(
    body: bytes, status: int = 200, content_type: str | None = "application/json", more: str = ""
) -> bytes:
    """An answer as it should be; ``more`` holds header lines, each with its CRLF."""
    kind = f"content-type: {content_type}\r\n" if content_type else ""
    head = f"HTTP/1.1 {status} Said\r\n{kind}content-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


async def hang(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says nothing until the client goes."""
    await reader.read()
    asked.left.set()


def hang_after(sent: bytes) -> Answer:
    async def answer(
        asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(sent)
        await hang(asked, reader, writer)

    return answer


def close_after(sent: bytes) -> Answer:
    async def answer(
        asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(sent)
        writer.close()

    return answer


@asynccontextmanager
async def upstream(tls: ssl.SSLContext | None = None) -> AsyncGenerator[Upstream]:
    serving = Upstream()
    server = await asyncio.start_server(serving.serve, "127.0.0.1", 0, ssl=tls, backlog=512)
    serving.port = server.sockets[0].getsockname()[1]
    try:
        yield serving
    finally:
        server.close()
        await serving.stopped()
        await server.wait_closed()

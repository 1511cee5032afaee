"""HTTP by hand, for what no client library would send."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Raw:
    """A connection of a client's."""

    reader: Reader
    writer: Writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self, *, body: bool = True) -> Reply:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        length = int(headers.get("content-length", "0")) if body else 0
        return Reply(int(head[0].split()[1]), headers, await self.reader.readexactly(length))

    async def ask(self, data: bytes) -> Reply:
        await self.send(data)
        return await self.reply()

    async def ended(self) -> bool:
        """Waits until the server closes: whether nothing came before that."""
        return await self.reader.read() == b""

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


@asynccontextmanager
async def connected(
    address: str, tls: ssl.SSLContext | None = None, name: str = "localhost"
) -> AsyncGenerator[Raw]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(
        host, int(port), ssl=tls, server_hostname=name if tls else None
    )
    try:
        yield Raw(reader, writer)
    finally:
        writer.close()

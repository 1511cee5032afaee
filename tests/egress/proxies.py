"""A forwarding proxy as companies have them: absolute request lines, and CONNECT."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class ForwardProxy:
    """Attributes: ``asked`` has the request lines; what came with each ``credentials``, ``hosts``.

    ``names`` says where hosts are that only the proxy knows.
    """

    def __init__(self, wanted: str | None = None) -> None:
        self.port = 0
        self.asked: list[str] = []
        self.credentials: list[str | None] = []
        self.hosts: list[list[str]] = []
        self.names: dict[str, str] = {}
        self._wanted = wanted
        self._serving: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self._serving.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        given = [line.partition(":")[2].strip() for line in head if _is_ours(line)]
        self.asked.append(head[0])
        self.credentials.append(given[0] if given else None)
        self.hosts.append([line[5:].strip() for line in head if line.lower().startswith("host:")])
        if self._wanted is not None and given != [self._wanted]:
            writer.write(b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
            return
        url = urlsplit(target if method != "CONNECT" else f"//{target}")
        host = self.names.get(url.hostname or "", url.hostname)
        there, out = await asyncio.open_connection(host, url.port or 80)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Open\r\n\r\n")
        else:
            path = url.path + (f"?{url.query}" if url.query else "")
            passed_on = [each for each in head[1:] if not _is_ours(each)]
            out.write("\r\n".join([f"{method} {path} HTTP/1.1", *passed_on]).encode("latin-1"))
        await asyncio.gather(_piped(reader, out), _piped(there, writer))

    async def stopped(self) -> None:
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)


def _is_ours(line: str) -> bool:
    return line.lower().startswith("proxy-authorization:")


async def _piped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def forward_proxy(wanted: str | None = None) -> AsyncGenerator[ForwardProxy]:
    """One on loopback that asks for ``Proxy-Authorization`` to be ``wanted``; None: for nothing."""
    proxy = ForwardProxy(wanted)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.stopped()
        await server.wait_closed()

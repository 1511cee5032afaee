"""The client that the benchmarks ask by."""

from __future__ import annotations

import asyncio
from typing import Any

from bench.load import Connection


async def test_an_answer_to_whoever_was_cancelled_in_the_same_turn_is_let_be() -> None:
    broken: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: broken.append(context))
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
        writer.close()
        await writer.wait_closed()
        ended.set()

    class Cancelled(Connection):
        """One whose asker is cancelled just before the answer is read."""

        def data_received(self, data: bytes) -> None:
            asking.cancel()
            super().data_received(data)

    try:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            _, connection = await loop.create_connection(Cancelled, "127.0.0.1", port)
            asking = asyncio.ensure_future(connection.ask(b"GET / HTTP/1.1\r\n\r\n"))
            await asyncio.wait((asking,))
            await ended.wait()
            connection.transport.close()
    finally:
        loop.set_exception_handler(None)

    assert asking.cancelled()
    assert broken == []

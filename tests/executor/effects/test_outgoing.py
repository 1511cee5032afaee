"""A request is sent once, whole, and again only where that does no harm."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.executor.effects.performing import Perform, answered, failed
from tests.executor.effects.upstream import Asked, Upstream, plain

LARGE = "x" * (900 << 10)


@pytest.mark.parametrize("size", [0, 1, (32 << 10) - 1, 32 << 10, (32 << 10) + 1, 900 << 10])
async def test_a_body_of_any_size_arrives_whole(
    perform: Perform, server: Upstream, size: int
) -> None:
    server.answers["/"] = plain(b"{}")

    for method in ("POST", "GET"):
        answered(await perform(server.url, method, body="x" * size, content_type="text/plain"))

        asked = server.asked[-1]
        assert asked.headers["content-length"] == str(size)
        assert asked.body == b"x" * size
    assert server.connections == 1


@pytest.mark.parametrize("body", ["small", LARGE])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_what_may_be_sent_twice_goes_once_more_with_its_body(
    perform: Perform, server: Upstream, method: str, body: str
) -> None:
    async def close_the_first(_: Asked, __: object, writer: asyncio.StreamWriter) -> None:
        if len(server.asked) == 1:
            writer.close()
        else:
            writer.write(plain(b"{}"))

    server.answers["/"] = close_the_first

    assert answered(await perform(server.url, method, body=body)).status == 200
    assert [asked.body for asked in server.asked] == [body.encode()] * 2


async def test_it_goes_once_more_and_no_more(perform: Perform, server: Upstream) -> None:
    async def close(_: object, __: object, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server.answers["/"] = close

    assert failed(await perform(server.url)).unknown
    assert len(server.asked) == 2


async def test_a_server_that_answers_before_it_has_read_is_heard(perform: Perform) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(plain(b'"too much"', 413))
        await writer.drain()
        await gone.wait()
        writer.close()

    gone = asyncio.Event()
    listening = await asyncio.start_server(refuse, "127.0.0.1", 0, limit=1024)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        answer = answered(await perform(f"http://127.0.0.1:{port}/", "POST", body="x" * (8 << 20)))
        gone.set()

    assert (answer.status, answer.body) == (413, "too much")


async def test_a_server_that_reads_nothing_is_given_up(perform: Perform) -> None:
    async def ignore(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    gone = asyncio.Event()
    listening = await asyncio.start_server(ignore, "127.0.0.1", 0, limit=1024)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        outcome = failed(
            await perform(
                f"http://127.0.0.1:{port}/",
                "POST",
                body="x" * (8 << 20),
                connect_timeout=timedelta(seconds=0.3),
                read_timeout=timedelta(milliseconds=10),
            )
        )
        gone.set()

    assert "had not answered in full after 0.4 s" in outcome.reason
    assert outcome.unknown

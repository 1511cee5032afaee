"""Answers that go on: how they are framed, and what ends them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from services.edge.call import Answer, Call, Stream
from services.edge.cycle import Cycle
from services.edge.endpoint import Endpoint
from services.edge.problems import Problem
from services.edge.protocol import Limits
from services.edge.server import address_of, bound, serving_http
from services.edge.streams import Streams
from tests.edge.raw import Raw, connected

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Source:
    """A stream's chunks, and what became of it."""

    chunks: asyncio.Queue[bytes | Exception | None] = field(default_factory=asyncio.Queue)
    left: list[bool] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    seconds: float = 60.0
    written: int = 0
    may: bool = True

    async def read(self) -> AsyncGenerator[bytes]:
        while (chunk := await self.chunks.get()) is not None:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk
            self.written += 1

    def say(self, *chunks: bytes | Exception | None) -> None:
        for chunk in chunks:
            self.chunks.put_nowait(chunk)


async def answer(call: Call, source: Source) -> Answer:
    call.request_id = "r"
    if call.raw_path == b"/plain":
        return Answer(200, b"plain")

    async def closed() -> None:
        source.left.append(call.cycle.disconnected)
        source.ended.set()

    stream = Stream(source.read(), b":\n\n", source.seconds, closed, still=lambda: source.may)
    return Answer(200, stream=stream)


@asynccontextmanager
async def streaming(
    source: Source, limits: Limits | None = None, drain_seconds: float = 5.0
) -> AsyncGenerator[str]:
    sock = bound("127.0.0.1:0")
    app = Endpoint((answer,), source)
    async with serving_http(app, sock, limits or Limits(), drain_seconds=drain_seconds):
        yield address_of(sock)


async def head(raw: Raw, request: bytes = GET) -> str:
    await raw.send(request)
    return (await raw.reader.readuntil(b"\r\n\r\n")).decode().lower()


async def test_each_chunk_is_sent_when_it_is_there_and_the_connection_goes_on() -> None:
    source = Source()
    async with streaming(source) as address, connected(address) as raw:
        told = await head(raw)
        source.say(b"one")
        first = await raw.reader.readexactly(8)
        source.say(b"two", None)
        rest = await raw.reader.readexactly(13)
        plain = await raw.ask(b"GET /plain HTTP/1.1\r\nHost: x\r\n\r\n")

    assert "transfer-encoding: chunked" in told
    assert "content-length" not in told
    assert "connection: close" not in told
    assert (first, rest) == (b"3\r\none\r\n", b"3\r\ntwo\r\n0\r\n\r\n")
    assert plain.body == b"plain"
    assert source.left == [False]


async def test_http_1_0_has_no_chunks() -> None:
    source = Source()
    source.say(b"one", b"two", None)
    async with streaming(source) as address, connected(address) as raw:
        told = await head(raw, b"GET / HTTP/1.0\r\n\r\n")
        body = await raw.reader.read()

    assert "transfer-encoding" not in told
    assert "connection: close" in told
    assert body == b"onetwo"


async def test_head_has_no_body() -> None:
    source = Source()
    async with streaming(source) as address, connected(address) as raw:
        told = await head(raw, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        plain = await raw.ask(b"GET /plain HTTP/1.1\r\nHost: x\r\n\r\n")

    assert "transfer-encoding: chunked" in told
    assert plain.body == b"plain"
    assert source.ended.is_set()


async def test_something_is_said_where_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cycle, "idle_seconds", 0.01)
    source = Source()
    async with streaming(source) as address, connected(address) as raw:
        await head(raw)
        assert await raw.reader.readexactly(16) == b"3\r\n:\n\n\r\n" * 2
        source.say(None)


async def test_a_client_that_leaves_ends_the_stream() -> None:
    source = Source()
    async with streaming(source) as address:
        async with connected(address) as raw:
            await head(raw)
        await asyncio.wait_for(source.ended.wait(), 5)

    assert source.left == [True]


async def test_streams_that_wait_behind_another_end_with_the_listener_too() -> None:
    source = Source()
    stack = AsyncExitStack()
    address = await stack.enter_async_context(streaming(source, drain_seconds=60.0))
    async with connected(address) as raw:
        await head(raw, GET * 3)
        await asyncio.wait_for(stack.aclose(), 30)
        rest = await raw.reader.read()

    assert rest.count(b"HTTP/1.1 200") == 2
    assert rest.endswith(b"0\r\n\r\n")
    assert source.left == [False, False, False]


async def test_its_time_ends_a_stream_as_a_whole_one() -> None:
    source = Source(seconds=0.01)
    async with streaming(source) as address, connected(address) as raw:
        await head(raw)
        assert await raw.reader.readexactly(5) == b"0\r\n\r\n"

    assert source.left == [False]


async def test_one_that_fails_breaks_off() -> None:
    source = Source()
    async with streaming(source) as address, connected(address) as raw:
        await head(raw)
        source.say(b"one", ValueError("unforeseen"))
        try:
            told = await raw.reader.read()
        except ConnectionResetError:
            told = b""

    assert b"0\r\n\r\n" not in told
    assert source.ended.is_set()


async def test_streams_end_at_once_when_the_listener_does() -> None:
    source = Source()
    async with AsyncExitStack() as client:
        async with asyncio.timeout(4), streaming(source, drain_seconds=60.0) as address:
            raw = await client.enter_async_context(connected(address))
            await head(raw)
        told = await raw.reader.read()

    assert told == b"0\r\n\r\n"
    assert source.left == [False]


async def test_who_takes_nothing_is_cut_off_and_fills_no_memory() -> None:
    source = Source()
    chunk = b"x" * 1_000_000
    source.say(*[chunk] * 100)
    async with streaming(source, Limits(answer_seconds=0.2)) as address:
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(GET)
            await asyncio.wait_for(source.ended.wait(), 20)

    assert source.left == [True]
    # What systems hold of a connection is some megabytes.
    assert source.written < 50


def test_there_is_room_for_so_many_and_each_is_given_back_once() -> None:
    streams = Streams(2, 1.0, most_each=2)
    first, _ = streams.take("key:a/1"), streams.take("key:a/2")

    with pytest.raises(Problem):
        streams.take("key:a/3")
    first.release()
    first.release()
    streams.take("key:a/3")
    with pytest.raises(Problem):
        streams.take("key:a/1")


def test_one_caller_leaves_room_to_others() -> None:
    streams = Streams(10, 1.0, most_each=2)
    first, _ = streams.take("key:a/1"), streams.take("key:a/1")

    with pytest.raises(Problem) as caught:
        streams.take("key:a/1")
    assert "2 calls already" in caught.value.detail
    streams.take("key:a/2")
    first.release()
    streams.take("key:a/1")
    assert streams.open == 3


async def test_who_may_no_more_have_a_stream_has_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cycle, "look_seconds", 0.01)
    source = Source()
    async with streaming(source) as address, connected(address) as raw:
        await head(raw)
        source.say(b"a")
        assert await raw.reader.readuntil(b"a\r\n") == b"1\r\na\r\n"
        source.may = False

        assert await raw.reader.readuntil(b"0\r\n\r\n") == b"0\r\n\r\n"
        await source.ended.wait()
    assert source.left == [False]

"""Whatever a server does, the task is told which, in a sentence, and nothing hangs or swells."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import tracemalloc
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from tests.executor.effects.performing import Perform, answered, failed
from tests.executor.effects.upstream import (
    Answer,
    Asked,
    Upstream,
    close_after,
    hang,
    hang_after,
    plain,
)

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
SOON = timedelta(milliseconds=40)


@pytest.fixture
def refusing_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def test_a_refused_connection_is_known_not_to_have_acted(
    perform: Perform, refusing_port: int
) -> None:
    outcome = failed(await perform(f"http://127.0.0.1:{refusing_port}/", "POST", body={}))

    assert outcome.reason == f"127.0.0.1:{refusing_port} refused the connection."
    assert (outcome.unknown, outcome.transient, outcome.status) == (False, True, 0)


async def test_a_host_that_does_not_exist_is_named(perform: Perform) -> None:
    for host in ("no-such-host.invalid", "a" * 64 + ".invalid", "two..dots"):
        outcome = failed(await perform(f"http://{host}/", connect_timeout=timedelta(seconds=20)))

        assert f"'{host}'" in outcome.reason or f"address of {host}" in outcome.reason
        assert not outcome.unknown


async def test_a_server_that_does_not_take_connections_is_given_up_in_time(
    perform: Perform,
) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        # Linux completes backlog + 1 handshakes by itself; the next waits for its SYN to be taken.
        with socket.create_connection(("127.0.0.1", port)):
            outcome = failed(await perform(f"http://127.0.0.1:{port}/", connect_timeout=SOON))

    assert outcome.reason == f"127.0.0.1:{port} did not accept a connection within 0.04 s."
    assert (outcome.unknown, outcome.transient) == (False, True)


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\ncontent-le"])
async def test_a_server_that_says_nothing_is_an_unknown_outcome(
    perform: Perform, server: Upstream, head: bytes
) -> None:
    server.answers["/"] = hang_after(head)

    outcome = failed(await perform(server.url, "POST", body={}, read_timeout=SOON))

    assert outcome.reason == f"127.0.0.1:{server.port} gave no answer within 0.04 s."
    assert (outcome.unknown, outcome.transient, outcome.status) == (True, True, 0)


@pytest.mark.parametrize(
    "begun",
    [OK + b"content-length: 9\r\n\r\n{", CHUNKED + b"5\r\nab", OK + b"\r\nno length"],
    ids=["length", "chunked", "neither"],
)
async def test_a_server_that_stops_in_its_answer_is_not_waited_for(
    perform: Perform, server: Upstream, begun: bytes
) -> None:
    server.answers["/"] = hang_after(begun)

    outcome = failed(await perform(server.url, "POST", body={}, read_timeout=SOON))

    assert "stopped in the middle of its answer: nothing came for 0.04 s." in outcome.reason
    assert (outcome.unknown, outcome.transient, outcome.status) == (True, True, 200)


async def test_a_chunk_that_is_none_after_good_ones_is_not_waited_for(
    perform: Perform, server: Upstream
) -> None:
    async def garble(
        asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(CHUNKED + b"2\r\nab\r\n")
        await writer.drain()
        await reading.wait()
        writer.write(b"zz\r\nno chunk\r\n")
        await hang(asked, reader, writer)

    reading = asyncio.Event()
    server.answers["/"] = garble

    async with asyncio.TaskGroup() as group:
        performed = group.create_task(perform(server.url, read_timeout=2 * SOON))
        await server.arrived.wait()
        asyncio.get_running_loop().call_later(0.02, reading.set)

    assert failed(performed.result()).status in (0, 200)


async def test_a_dripping_server_is_given_up_in_the_end(perform: Perform, server: Upstream) -> None:
    """Each byte comes in time; ten times the read limit, and the connect limit, are all it has.

    Takes three seconds: shorter limits would be missed on a busy machine.
    """

    async def drip(
        asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(OK + b"\r\n")
        with pytest.raises(ConnectionError):
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.002)

    server.answers["/"] = drip
    read, connect = timedelta(milliseconds=200), timedelta(seconds=1)

    outcome = failed(await perform(server.url, read_timeout=read, connect_timeout=connect))

    assert "had not answered in full after 3 s." in outcome.reason
    assert outcome.unknown


@pytest.mark.parametrize(
    "begun",
    [OK + b"content-length: 100\r\n\r\nabc", CHUNKED + b"5\r\nab", CHUNKED + b"2\r\nab\r\n"],
)
async def test_an_answer_cut_short_is_no_answer(
    perform: Perform, server: Upstream, begun: bytes
) -> None:
    server.answers["/"] = close_after(begun)

    outcome = failed(await perform(server.url, "POST", body={}))

    assert outcome.reason.endswith("closed the connection half-way through its answer.")
    assert (outcome.unknown, outcome.transient, outcome.status) == (True, True, 200)


async def test_a_connection_closed_without_a_word_leaves_a_post_unknown_and_unrepeated(
    perform: Perform, server: Upstream
) -> None:
    server.answers["/"] = close_after(b"")

    outcome = failed(await perform(server.url, "POST", body={}))

    assert outcome.reason.endswith("closed the connection without an answer.")
    assert (outcome.unknown, outcome.transient, len(server.asked)) == (True, True, 1)


@pytest.fixture
async def memory() -> AsyncGenerator[None]:
    """Fails where more than four times the limit was in memory at once."""
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20


BOMB = gzip.compress(bytes(40 << 20), 1)


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    "answer",
    [
        hang_after(OK + b"content-length: 20971520\r\n\r\n"),
        plain(BOMB, more="content-encoding: gzip\r\n"),
        plain(gzip.compress(BOMB), more="content-encoding: gzip, gzip\r\n"),
        close_after(OK + b"\r\n" + b"x" * (2 << 20)),
    ],
    ids=["it says so", "it unpacks to that", "packed twice", "it does not say"],
)
async def test_an_answer_beyond_its_limit_is_refused_and_not_held(
    perform: Perform, server: Upstream, answer: bytes | Answer
) -> None:
    server.answers["/"] = answer

    outcome = failed(await perform(server.url, max_response_bytes=1 << 20))

    assert outcome.reason == "The response is larger than 1 MiB."
    assert (outcome.unknown, outcome.transient, outcome.status) == (False, False, 200)


@pytest.mark.parametrize(
    ("packed", "coding", "said"),
    [
        (b"hello", "gzip", "sent a body that is not packed as it says."),
        (gzip.compress(b"hello" * 9)[:-9], "gzip", "sent a packed body without its end."),
        (b"hello", "br", "sent a body packed as br, which it was not asked for."),
        (gzip.compress(b"") * 50_000, "gzip", "sent a body packed in more than 10,000 pieces."),
        (b"hello", "gzip" + ", gzip" * 1_000, "sent a body packed more than 4 times over."),
    ],
    ids=["not packed", "cut off", "not asked for", "in crumbs", "over and over"],
)
async def test_a_body_that_cannot_be_unpacked_is_told(
    perform: Perform, server: Upstream, packed: bytes, coding: str, said: str
) -> None:
    server.answers["/"] = plain(packed, more=f"content-encoding: {coding}\r\n")

    assert failed(await perform(server.url)).reason == f"127.0.0.1:{server.port} {said}"


async def test_a_call_that_waits_for_its_body_to_be_unpacked_is_given_up_in_time(
    perform: Perform, server: Upstream
) -> None:
    """Ten times the read limit, and the connect limit, are all it has: takes a second."""
    loop, over = asyncio.get_running_loop(), threading.Event()
    server.answers["/"] = plain(gzip.compress(b"{}"), more="content-encoding: gzip\r\n")
    limit = timedelta(milliseconds=100)
    # More than there are threads: no body is unpacked meanwhile.
    others = [loop.run_in_executor(None, over.wait, 5) for _ in range(64)]

    try:
        outcome = failed(await perform(server.url, read_timeout=limit, connect_timeout=limit))
    finally:
        over.set()
        await asyncio.gather(*others)

    assert "had not answered in full after 1.1 s" in outcome.reason
    assert outcome.transient


@pytest.mark.parametrize(
    "nonsense",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x50",
        OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        OK + b"content-length: -2\r\n\r\n{}",
        OK + b"x: a\0b\r\n\r\n",
        CHUNKED + b"zz\r\nab\r\n",
        plain(b"{}", more="x-many: headers\r\n" * 5000),
        plain(b"{}", more=f"x-long: {'b' * 100_000}\r\n"),
        b"HTTP/1.1 200 " + b"b" * 100_000 + b"\r\n\r\n",
    ],
    ids=lambda nonsense: repr(nonsense[:40]),
)
async def test_what_is_not_http_is_said_so_without_quoting_it(
    perform: Perform, server: Upstream, nonsense: bytes
) -> None:
    server.answers["/"] = hang_after(nonsense)

    outcome = failed(await perform(server.url, "POST", body={}))

    assert outcome.reason.startswith(f"127.0.0.1:{server.port} did not answer in HTTP: ")
    assert len(outcome.reason) < 200
    assert (outcome.unknown, outcome.transient) == (True, True)


async def test_html_is_text_whatever_its_status(perform: Perform, server: Upstream) -> None:
    page = "<html><body>Bad Gatewäy</body></html>"
    for status in (200, 500):
        server.answers["/"] = plain(page.encode(), status, "text/html; charset=utf-8")

        answer = answered(await perform(server.url))

        assert (answer.status, answer.body) == (status, page)


async def test_an_answer_without_a_body_has_none(perform: Perform, server: Upstream) -> None:
    for bare in (b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Same\r\n\r\n", plain(b"")):
        server.answers["/"] = bare

        assert answered(await perform(server.url)).body is None


async def test_an_http_1_0_answer_ends_with_its_connection(
    perform: Perform, server: Upstream
) -> None:
    server.answers["/"] = close_after(b'HTTP/1.0 200 OK\r\n\r\n{"v": 1}')

    assert answered(await perform(server.url)).body == {"v": 1}


async def test_interim_answers_are_passed_over(perform: Perform, server: Upstream) -> None:
    server.answers["/"] = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3 + plain(b"[1]")

    assert answered(await perform(server.url)).body == [1]


async def test_a_head_request_is_not_judged_by_the_length_of_what_it_does_not_bring(
    perform: Perform, server: Upstream
) -> None:
    server.answers["/"] = OK + b"content-length: 20971520\r\n\r\n"

    assert answered(await perform(server.url, "HEAD")).body is None


async def test_cancelling_closes_the_connection(perform: Perform, server: Upstream) -> None:
    server.answers["/"] = hang
    async with asyncio.timeout(5):
        task = asyncio.create_task(perform(server.url))
        await server.arrived.wait()

        task.cancel()

        await server.asked[0].left.wait()
    with pytest.raises(asyncio.CancelledError):
        await task

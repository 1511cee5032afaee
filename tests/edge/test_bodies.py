"""A request's body on its way: too large, too late, or after its answer."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from services.edge.bodies import PARSED_ASIDE_BYTES, aside
from tests.edge.listeners import GET, listening, status
from tests.edge.raw import Raw, connected


async def test_a_body_that_comes_with_its_headers_is_not_taken_for_them(listener: str) -> None:
    async with connected(listener) as raw:
        reply = await raw.ask(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000\r\n\r\n" + b"x" * 8000
        )

        assert status(reply) == (413, "body-too-large")
        assert json.loads(reply.body)["detail"] == "A body here holds 1000 bytes at most."
        # What was refused has been read: the connection goes on.
        assert (await raw.ask(GET)).status == 200


async def test_an_answer_before_the_body_is_the_last_and_arrives_though_the_body_comes(
    raw: Raw,
) -> None:
    await raw.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n")
    reply = await raw.reply()
    assert reply.status == 413
    assert reply.headers["connection"] == "close"

    await raw.send(b"x" * 50_000)

    assert await raw.ended()


async def test_who_is_refused_in_place_of_being_told_to_continue_is_told_of_the_end(
    raw: Raw,
) -> None:
    reply = await raw.ask(
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n"
    )

    assert status(reply) == (413, "body-too-large")
    assert reply.headers["connection"] == "close"
    assert await raw.ended()


async def test_what_is_asked_after_the_last_answer_is_not_heard() -> None:
    heard: list[str] = []
    async with listening(heard=heard) as listener, connected(listener) as raw:
        await raw.send(b"POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n")
        assert (await raw.reply()).status == 413

        await raw.send(b"x" * 2000 + b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")

        assert await raw.ended()
    assert heard == ["/1"]


async def test_a_chunked_body_is_put_together(raw: Raw) -> None:
    reply = await raw.ask(
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: z\r\n\r\n"
    )

    assert json.loads(reply.body)["body"] == "abcde"
    assert json.loads(reply.body)["headers"] == 2


async def test_a_chunked_body_over_the_limit_is_refused_where_it_passes_it(raw: Raw) -> None:
    await raw.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"1f4\r\n" + b"x" * 500 + b"\r\n"

    await raw.send(chunk * 3)

    assert status(await raw.reply()) == (413, "body-too-large")


@pytest.mark.parametrize(("more", "here"), [(0, True), (1, False)])
async def test_a_large_body_is_parsed_in_a_thread_of_its_own(more: int, here: bool) -> None:
    thread = await aside(PARSED_ASIDE_BYTES + more, threading.get_ident)

    assert (thread == threading.get_ident()) == here


async def test_a_body_that_stops_coming_is_too_late(raw: Raw) -> None:
    await raw.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")

    assert status(await raw.reply()) == (408, "request-timeout")
    assert await raw.ended()


async def test_what_stands_after_the_last_chunk_has_an_end_too(raw: Raw) -> None:
    await raw.send(
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: "
    )
    await raw.send(b"x" * 1_000_000)

    assert status(await raw.reply()) == (413, "body-too-large")


async def test_a_body_that_was_refused_cannot_come_for_ever(raw: Raw) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99000\r\n\r\n"
    assert (await raw.ask(head + b"x" * 50)).status == 413

    assert await raw.ended()
    with pytest.raises(ConnectionError):
        while True:
            await raw.send(b"x")
            await asyncio.sleep(0.01)


async def test_a_client_that_leaves_in_its_body_harms_nobody(listener: str) -> None:
    async with connected(listener) as leaving:
        await leaving.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
        await leaving.close()
    async with connected(listener) as raw:
        assert (await raw.ask(GET)).status == 200

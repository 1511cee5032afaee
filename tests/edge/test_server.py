"""The listener against clients that mean no good, or have no luck."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack

import pytest

from services.edge.protocol import Limits
from services.edge.server import address_of, bound
from services.process import StartupError
from tests.edge.listeners import GET, listening, status
from tests.edge.raw import Raw, connected


async def test_a_connection_serves_request_after_request(raw: Raw) -> None:
    for n in range(3):
        reply = await raw.ask(b"GET /a%%2Fb?n=%d HTTP/1.1\r\nHost: x\r\n\r\n" % n)
        seen = json.loads(reply.body)

        assert (seen["path"], seen["query"]) == ("/a%2Fb", f"n={n}")
        assert "date" in reply.headers


async def test_pipelined_requests_are_answered_in_order(raw: Raw) -> None:
    await raw.send(
        b"POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
        b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n"
    )

    assert [json.loads((await raw.reply()).body)["path"] for _ in range(3)] == ["/1", "/2", "/3"]


async def test_who_asks_on_without_reading_is_waited_for(raw: Raw) -> None:
    # 8 MB of answers do not fit into what lies between; about half a second.
    count = 8000
    body = b"x" * 1000
    one = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    asking = asyncio.create_task(raw.send(one * count))

    for _ in range(count):
        assert (await raw.reply()).status == 200
    await asking


async def test_head_gets_the_length_and_no_body(raw: Raw) -> None:
    await raw.send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    reply = await raw.reply(body=False)

    assert int(reply.headers["content-length"]) > 0
    assert (await raw.ask(GET)).status == 200


async def test_headers_that_do_not_end_are_too_late(raw: Raw) -> None:
    await raw.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")

    assert status(await raw.reply()) == (408, "request-timeout")
    assert await raw.ended()


async def test_headers_that_trickle_are_too_late(raw: Raw) -> None:
    async def trickle() -> None:
        for byte in b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"y" * 100:
            await raw.send(bytes((byte,)))
            await asyncio.sleep(0.005)

    trickling = asyncio.create_task(trickle())
    try:
        assert status(await raw.reply()) == (408, "request-timeout")
    finally:
        trickling.cancel()


async def test_who_says_nothing_is_closed(raw: Raw) -> None:
    assert await raw.ended()


async def test_who_sends_empty_lines_only_is_closed(raw: Raw) -> None:
    await raw.send(b"\r\n\r\n\r\n")

    assert (await raw.reader.read()).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("begun", [b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
@pytest.mark.parametrize("apart", [False, True])
async def test_a_request_that_begins_while_another_is_pending_has_its_own_time(
    raw: Raw, begun: bytes, apart: bool
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    assert (await raw.ask(head)).status == 100
    if apart:
        await raw.send(b"x")
        await raw.send(begun)
    else:
        await raw.send(b"x" + begun)
    assert (await raw.reply()).status == 200

    assert status(await raw.reply()) == (408, "request-timeout")
    assert await raw.ended()


async def test_a_pipelined_body_has_the_time_of_bodies(raw: Raw) -> None:
    # Longer than headers may take.
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n"
    await raw.send(GET + post)
    assert (await raw.reply()).status == 200
    for _ in range(8):
        await asyncio.sleep(0.05)
        await raw.send(b"x")

    assert json.loads((await raw.reply()).body)["body"] == "x" * 8


async def test_a_second_request_has_its_own_time(raw: Raw) -> None:
    await raw.ask(GET)
    await raw.send(b"GET / HTTP/1.1\r\n")

    assert status(await raw.reply()) == (408, "request-timeout")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX-Large: " + b"x" * 5000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-Large: " + b"x" * 5000,
        b"GET /" + b"x" * 5000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"\r\n" * 5000,
    ],
)
async def test_headers_that_are_too_large_are_refused(raw: Raw, head: bytes) -> None:
    assert status(await raw.ask(head)) == (431, "headers-too-large")
    assert await raw.ended()


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "GET /café HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        b"GET http://x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\x00y\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_no_http_is_told_so(raw: Raw, data: bytes) -> None:
    assert status(await raw.ask(data)) == (400, "malformed-request")
    assert await raw.ended()


@pytest.mark.parametrize(
    "hosts",
    [b"", b"Host: x\r\nHost: x\r\n", b"Host: x\r\nhost: y\r\n", b"Host: x y\r\n", b"Host: x/y\r\n"],
)
async def test_a_request_must_name_one_host(raw: Raw, hosts: bytes) -> None:
    assert status(await raw.ask(b"GET / HTTP/1.1\r\n" + hosts + b"\r\n")) == (
        400,
        "malformed-request",
    )
    assert await raw.ended()


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET / HTTP/1.0\r\n",
        b"GET / HTTP/1.0\r\nHost: x\r\n",
        b"GET / HTTP/1.1\r\nHost:\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n",
        b"GET / HTTP/1.1\r\nHost: my_service.example:8080\r\n",
    ],
)
async def test_a_host_that_may_be_is_served(raw: Raw, request_head: bytes) -> None:
    assert (await raw.ask(request_head + b"\r\n")).status == 200


async def test_a_request_for_an_upgrade_is_answered_as_any_other(raw: Raw) -> None:
    reply = await raw.ask(
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
    )

    assert reply.status == 200
    assert await raw.ended()


async def test_a_port_that_is_taken_is_told_in_a_line() -> None:
    with bound("127.0.0.1:0") as first:
        taken = address_of(first)
        with pytest.raises(StartupError) as caught:
            bound(taken)

    assert taken in str(caught.value)
    assert "in use" in str(caught.value)


async def test_the_end_waits_for_what_is_under_way_and_for_nobody_idle() -> None:
    async with AsyncExitStack() as clients:
        async with listening() as address:
            idle = await clients.enter_async_context(connected(address))
            busy = await clients.enter_async_context(connected(address))
            await idle.ask(GET)
            await busy.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
            await idle.ask(GET)
            ending = asyncio.create_task(finish(idle, busy))
        assert await ending == "ab"
        with pytest.raises(ConnectionRefusedError):
            await clients.enter_async_context(connected(address))


async def finish(idle: Raw, busy: Raw) -> str:
    """What ``busy`` gets that sends its last byte when ``idle`` has been closed."""
    assert await idle.ended()
    await busy.send(b"b")
    reply = await busy.reply()
    assert reply.headers["connection"] == "close"
    body: str = json.loads(reply.body)["body"]
    return body


async def test_what_is_not_answered_at_the_end_is_cut_off() -> None:
    async with AsyncExitStack() as clients:
        async with listening(Limits(), drain_seconds=0.05) as address:
            busy = await clients.enter_async_context(connected(address))
            await busy.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
            await (await clients.enter_async_context(connected(address))).ask(GET)

        assert await busy.ended()

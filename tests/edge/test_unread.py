"""Answers that nobody takes."""

from __future__ import annotations

import asyncio
import socket

import pytest

from services.edge.call import Answer, Call
from services.edge.endpoint import Endpoint
from services.edge.protocol import Limits
from services.edge.server import address_of, bound, serving_http
from services.edge.unread import NOTHING, Unread
from tests.edge.listeners import GET
from tests.edge.raw import Raw

# More than the system takes off a server's hands.
LARGE = 16_000_000


async def much(call: Call, context: None) -> Answer:
    return Answer(200, b"x" * LARGE)


def test_what_is_not_taken_is_so_since_it_was_first_seen() -> None:
    unread = NOTHING.seen_again(100, 1.0).seen_again(100, 5.0)

    assert unread == Unread(100, since=1.0)
    assert not unread.for_too_long(10, now=10.9)
    assert unread.for_too_long(10, now=11.0)


@pytest.mark.parametrize("left", [99, 101])
def test_time_begins_anew_when_something_is_taken_or_written(left: int) -> None:
    unread = Unread(100, since=1.0).seen_again(left, 9.0)

    assert not unread.for_too_long(10, now=18.9)


def test_where_nothing_is_left_nothing_is_late() -> None:
    assert not NOTHING.seen_again(0, 1.0).for_too_long(10, now=1000.0)


@pytest.mark.parametrize("ending", [b"", b"Connection: close\r\n"])
async def test_a_client_that_does_not_read_is_cut_off(ending: bytes) -> None:
    sock = bound("127.0.0.1:0")
    app = Endpoint((much,), None)
    async with serving_http(app, sock, Limits(answer_seconds=0.05)):
        raw = await reading_little(address_of(sock))
        await raw.send(GET.removesuffix(b"\r\n") + ending + b"\r\n")

        # Empty lines before a request are nothing; who is cut off cannot send them.
        with pytest.raises(ConnectionError):
            while True:
                await raw.send(b"\r\n")
                await asyncio.sleep(0.01)
        raw.writer.close()


async def reading_little(address: str) -> Raw:
    """A connection whose client's system keeps next to nothing for it."""
    host, _, port = address.rpartition(":")
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, (host, int(port)))
    return Raw(*await asyncio.open_connection(sock=client, limit=1024))

"""Handshakes that do not come in one piece."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import pytest

from services.edge.protocol import Limits
from tests.certificates import Certificates
from tests.edge.listeners import GET, listening
from tests.edge.raw import connected

LIMIT_SECONDS = 20.0
# A handshake takes long where the machine does much else.
PATIENT = Limits(header_seconds=20)


async def test_what_comes_with_the_end_of_the_handshake_is_read(
    made: Certificates, trusting: ssl.SSLContext
) -> None:
    """The last flight of TLS 1.3 and the request in one piece, as slow links put them together."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")
    async with listening(PATIENT, tls=made.server()) as address, connected(address) as raw:
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        await raw.send(outgoing.read())
        async with asyncio.timeout(LIMIT_SECONDS):
            while True:
                incoming.write(await raw.reader.read(1 << 16))
                try:
                    client.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    continue
            client.write(GET)
            await raw.send(outgoing.read())
            answer = b""
            while b"\r\n\r\n" not in answer:
                incoming.write(await raw.reader.read(1 << 16))
                try:
                    answer += client.read(1 << 16)
                except ssl.SSLWantReadError:
                    continue

    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_handshake_may_come_byte_by_byte_from_many_at_once(
    made: Certificates, trusting: ssl.SSLContext
) -> None:
    async def ask(address: str, piece: int) -> bytes:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")
        async with connected(address) as raw:

            async def send() -> None:
                while data := outgoing.read(piece):
                    await raw.send(data)
                    await asyncio.sleep(0)

            async def until_done(step: Callable[[], object]) -> object:
                while True:
                    try:
                        return step()
                    except ssl.SSLWantReadError:
                        await send()
                        incoming.write(await raw.reader.read(1 << 16))

            await until_done(client.do_handshake)
            client.write(GET)
            await send()
            answer = await until_done(lambda: client.read(1 << 16))
        assert isinstance(answer, bytes)
        return answer

    async with listening(PATIENT, tls=made.server()) as address:
        answers = await asyncio.gather(*(ask(address, 1 + n % 40 * 9) for n in range(80)))

    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)

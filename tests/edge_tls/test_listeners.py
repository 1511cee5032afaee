"""The listeners for HTTP over TLS, on both loops: the services' own and that of the tests."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from services.edge.handshakes import Handshakes
from services.edge.protocol import Connections, Limits
from services.tls import clients, servers
from services.tls.files import ClientFiles
from tests.certificates import Certificates, authority, certificates
from tests.edge.listeners import GET, LIMITS, listening, status
from tests.edge.raw import connected

LIMIT_SECONDS = 20.0
# A handshake takes long where the machine does much else.
PATIENT = Limits(header_seconds=20)


async def until(said: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while not await said():  # noqa: ASYNC110 - nobody tells when a file was read
            await asyncio.sleep(0.02)


async def test_requests_are_answered_one_after_another(
    made: Certificates, trusting: ssl.SSLContext
) -> None:
    async with (
        listening(PATIENT, tls=made.server()) as address,
        connected(address, trusting) as raw,
    ):
        encrypted = raw.writer.get_extra_info("ssl_object")
        assert encrypted.version() == "TLSv1.3"
        for _ in range(3):
            assert (await raw.ask(GET)).status == 200
        body = b"x" * 1000
        large = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        assert json.loads((await raw.ask(large)).body)["body"] == body.decode()


async def test_http_1_1_is_agreed_on(made: Certificates, trusting: ssl.SSLContext) -> None:
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    async with (
        listening(PATIENT, tls=made.server()) as address,
        connected(address, trusting) as raw,
    ):
        assert raw.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_old_versions_of_tls_are_refused(
    made: Certificates, trusting: ssl.SSLContext
) -> None:
    trusting.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    trusting.maximum_version = ssl.TLSVersion.TLSv1_1
    trusting.set_ciphers("ALL:@SECLEVEL=0")
    async with listening(PATIENT, tls=made.server()) as address:
        with pytest.raises(OSError):  # noqa: PT011 - a reset, or an alert
            async with connected(address, trusting):
                pass
        trusting.maximum_version = ssl.TLSVersion.TLSv1_2
        async with connected(address, trusting) as raw:
            assert (await raw.ask(GET)).status == 200


async def test_plain_http_is_told_to_speak_tls(made: Certificates) -> None:
    async with listening(PATIENT, tls=made.server()) as address, connected(address) as raw:
        assert status(await raw.ask(GET)) == (400, "tls-required")
        assert await raw.ended()


async def test_another_name_or_authority_is_the_client_s_to_refuse(
    made: Certificates, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    other = clients.context_of(certificates(tmp_path / "other").client())
    async with listening(PATIENT, tls=made.server()) as address:
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            async with connected(address, trusting, "elsewhere"):
                pass
        with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
            async with connected(address, other):
                pass
        async with connected(address, trusting) as raw:
            assert (await raw.ask(GET)).status == 200


async def test_a_client_is_known_by_its_certificate_and_by_nothing_that_it_says(
    made: Certificates,
) -> None:
    made.put("client", ("till-7.example",))
    known = clients.context_of(made.client("client"))
    async with (
        listening(PATIENT, tls=made.server(mutual=True)) as address,
        connected(address, known) as raw,
    ):
        lie = GET[:-2] + b"Podium.Certificate: x\r\nX-Client-Cert: y\r\n\r\n"
        told = json.loads((await raw.ask(lie)).body)["certificate"]

    assert (told["subject"], told["names"]) == ("CN=client", ["DNS:till-7.example"])
    assert len(told["fingerprint"]) == 64


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("till 7,O=Acme", "CN=till 7\\,O=Acme"),
        (' #\\+<>;"= ', 'CN=\\ #\\\\\\+\\<\\>\\;\\"=\\ '),
        ("#1", "CN=\\#1"),
        ("Jürgen", "CN=Jürgen"),
    ],
)
async def test_no_name_is_read_as_several(made: Certificates, name: str, told: str) -> None:
    pair = made.put("odd", (), subject=name)
    known = clients.context_of(ClientFiles(made.ca, pair))
    async with (
        listening(PATIENT, tls=made.server(mutual=True)) as address,
        connected(address, known) as raw,
    ):
        assert json.loads((await raw.ask(GET)).body)["certificate"]["subject"] == told


async def test_a_client_without_a_certificate_of_the_authority_is_refused(
    made: Certificates, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    other = certificates(tmp_path / "other")
    stranger = clients.context_of(ClientFiles(made.ca, other.pair("client")))
    async with listening(PATIENT, tls=made.server(mutual=True)) as address:
        for context in (trusting, stranger):
            # With TLS 1.3 a client hears of it when it reads.
            with pytest.raises((OSError, asyncio.IncompleteReadError)):
                async with connected(address, context) as raw:
                    await raw.ask(GET)


async def test_who_asks_for_no_certificate_sees_none(
    made: Certificates,
) -> None:
    known = clients.context_of(made.client("client"))
    async with listening(PATIENT, tls=made.server()) as address, connected(address, known) as raw:
        assert "certificate" not in json.loads((await raw.ask(GET)).body)


async def test_no_request_fails_while_certificates_are_switched(
    made: Certificates, trusting: ssl.SSLContext
) -> None:
    serials: list[str] = []
    stop = asyncio.Event()

    async def call(address: str) -> None:
        while not stop.is_set():
            async with connected(address, trusting) as raw:
                for _ in range(3):
                    assert (await raw.ask(GET)).status == 200
                serials.append(raw.writer.get_extra_info("peercert")["serialNumber"])

    async with listening(PATIENT, tls=made.server()) as address:
        callers = [asyncio.create_task(call(address)) for _ in range(32)]
        for number in range(1, 5):
            if number > 1:
                made.put("server")

            async def is_seen(number: int = number) -> bool:
                return len(set(serials)) >= number or any(each.done() for each in callers)

            await until(is_seen)
        stop.set()
        await asyncio.gather(*callers)

    assert len(set(serials)) == 4


async def test_clients_of_the_old_authority_are_refused_after_the_switch(
    made: Certificates, trusting: ssl.SSLContext
) -> None:
    old = clients.context_of(made.client("client"))
    new = authority("New")
    async with (
        listening(PATIENT, tls=made.server(mutual=True)) as address,
        connected(address, old) as kept,
    ):
        assert (await kept.ask(GET)).status == 200

        made.trust(new)

        async def is_refused() -> bool:
            try:
                async with connected(address, old) as raw:
                    await raw.ask(GET)
            except (OSError, asyncio.IncompleteReadError):
                return True
            return False

        await until(is_refused)
        # Who is in stays in.
        assert (await kept.ask(GET)).status == 200


async def test_a_session_of_before_the_switch_is_not_resumed(made: Certificates) -> None:
    known = clients.context_of(made.client("client"))
    known.maximum_version = ssl.TLSVersion.TLSv1_2
    async with listening(PATIENT, tls=made.server(mutual=True)) as address:
        host, _, port = address.rpartition(":")

        def resumed(session: ssl.SSLSession | None) -> tuple[bool, ssl.SSLSession | None]:
            with (
                socket.create_connection((host, int(port))) as plain,
                known.wrap_socket(plain, server_hostname="localhost", session=session) as client,
            ):
                return bool(client.session_reused), client.session

        _, session = await asyncio.to_thread(resumed, None)
        assert (await asyncio.to_thread(resumed, session))[0]
        made.trust(made.authority, authority("New"))

        async def is_forgotten() -> bool:
            return not (await asyncio.to_thread(resumed, session))[0]

        await until(is_forgotten)


async def test_handshakes_that_never_end_are_cut_off(made: Certificates) -> None:
    connections = Connections()
    async with listening(LIMITS, tls=made.server(), connections=connections) as address:
        async with connected(address) as silent, connected(address) as half:
            await half.send(b"\x16\x03\x01\x02\x00\x01")
            await until(_has(connections, 2))
            for raw in (silent, half):
                with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                    await raw.reader.readexactly(1)
        assert not connections.handshakes
        assert not connections.connections


def _has(connections: Connections, count: int) -> Callable[[], Awaitable[bool]]:
    async def has() -> bool:
        return len(connections.handshakes) == count

    return has


async def test_of_too_many_handshakes_the_oldest_are_cut_off(
    made: Certificates, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.edge.handshakes.MOST", 50)
    connections = Connections()
    async with listening(
        Limits(header_seconds=60), tls=made.server(), connections=connections
    ) as address:
        host, _, port = address.rpartition(":")
        silent = [socket.create_connection((host, int(port))) for _ in range(120)]
        try:
            await until(_has(connections, 50))
            async with connected(address, trusting) as raw:
                assert (await raw.ask(GET)).status == 200
            assert len(connections.handshakes) == 49
        finally:
            for each in silent:
                each.close()


async def test_it_ends_while_handshakes_are_under_way(made: Certificates) -> None:
    async with listening(PATIENT, tls=made.server()) as address, connected(address) as half:
        await half.send(b"\x16\x03\x01")
    assert await half.ended()


async def test_a_handshake_that_is_cut_off_half_way_leaves_no_connection(
    made: Certificates, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.edge.handshakes.MOST", 10)
    connections = Connections()
    hello, _ = _hello(trusting)
    async with (
        listening(Limits(header_seconds=60), tls=made.server(), connections=connections) as address,
        AsyncExitStack() as stack,
    ):
        half = [await stack.enter_async_context(connected(address)) for _ in range(10)]
        for raw in half:
            await raw.send(hello)
            # The certificate: its handshake is under way.
            assert await raw.reader.read(1)
        more = [await stack.enter_async_context(connected(address)) for _ in range(10)]
        await until(_has(connections, 10))
        for raw in half:
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await raw.reader.readexactly(1 << 20)
        async with connected(address, trusting) as raw:
            assert (await raw.ask(GET)).status == 200
            assert len(connections.connections) == 1
        assert len(more) == 10


def _hello(context: ssl.SSLContext) -> tuple[bytes, ssl.SSLObject]:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read(), client


async def test_who_leaves_right_behind_the_handshake_harms_nobody(
    made: Certificates, trusting: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(PATIENT, tls=made.server()) as address:
        for _ in range(30):
            async with connected(address, trusting):
                pass
        async with connected(address, trusting) as raw:
            assert (await raw.ask(GET)).status == 200
    assert not [each for each in caplog.records if each.levelname in ("WARNING", "ERROR")]


async def test_an_answer_that_is_not_taken_is_cut_off(
    made: Certificates, trusting: ssl.SSLContext
) -> None:
    limits = Limits(header_seconds=5, answer_seconds=0.3, request_bytes=1 << 30)
    connections = Connections()
    async with (
        listening(limits, tls=made.server(), connections=connections) as address,
        connected(address, trusting) as raw,
    ):
        body = b"x" * 1000
        one = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (1000, body)
        asking = asyncio.create_task(raw.send(one * 20_000))

        async def is_cut_off() -> bool:
            return not connections.connections

        await until(is_cut_off)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


def test_the_bound_is_the_one_that_is_documented(made: Certificates) -> None:
    handshakes = Handshakes(
        servers.followed(made.server()), lambda below: asyncio.Protocol(), bytes, seconds=10.0
    )
    assert handshakes.most == 1000

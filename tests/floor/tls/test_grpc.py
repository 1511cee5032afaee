"""gRPC over TLS: who is let in, and certificates that are switched while calls go on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from services.errors import Unavailable
from services.rpc import channel, raising_ours, serving
from services.tls import following
from services.tls.files import ClientFiles, ServerFiles
from tests.certificates import Certificates, authority, certificates

LIMIT_SECONDS = 20.0


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.02)
    return certificates(tmp_path)


class Echo(grpc.GenericRpcHandler):
    """Says who calls, by their certificate; and counts, as long as it is let."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    def service(self, details: Any) -> Any:
        if details.method == "/echo/Who":
            return grpc.unary_unary_rpc_method_handler(self._who)
        return grpc.unary_stream_rpc_method_handler(self._count)

    async def _who(self, _request: bytes, context: Any) -> bytes:
        return b" ".join(context.auth_context().get("x509_common_name", [b"nobody"]))

    async def _count(self, _request: bytes, _context: Any) -> AsyncIterator[bytes]:
        yield b"1"
        await self.go_on.wait()
        yield b"2"

    def add_to(self, server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers((self,))


@asynccontextmanager
async def echoing(tls: ServerFiles | None, echo: Echo | None = None) -> AsyncGenerator[str]:
    async with serving((echo or Echo()).add_to, tls=tls, grace=0) as address:
        yield address


def _untyped(dialled: grpc.aio.Channel) -> Any:
    return dialled


async def who(address: str, tls: ClientFiles | None) -> str:
    """Whom the service at ``address`` takes its caller for."""
    async with channel(address, tls=tls) as dialled:
        return await asked(dialled)


async def asked(dialled: Any) -> str:
    with raising_ours():
        answer: bytes = await dialled.unary_unary("/echo/Who")(b"", timeout=LIMIT_SECONDS)
    return answer.decode()


async def until(said: Any) -> None:
    """Return once ``said()`` is so."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while not await said():  # noqa: ASYNC110 - nobody tells when a file was read
            await asyncio.sleep(0.02)


async def test_calls_are_encrypted_and_tokens_go_with_them(made: Certificates) -> None:
    async with echoing(made.server()) as address:
        assert await who(address, made.client()) == "nobody"
        async with channel(address, lambda: "t", tls=made.client()) as dialled:
            assert await asked(dialled) == "nobody"


async def test_a_client_is_known_by_its_certificate(made: Certificates) -> None:
    async with echoing(made.server(mutual=True)) as address:
        assert await who(address, made.client("client")) == "client"
        with pytest.raises(Unavailable):
            await who(address, made.client())


async def test_a_client_of_another_authority_is_refused(made: Certificates, tmp_path: Path) -> None:
    other = certificates(tmp_path / "other")
    async with echoing(made.server(mutual=True)) as address:
        with pytest.raises(Unavailable):
            await who(address, ClientFiles(made.ca, other.pair("client")))


async def test_a_server_of_another_authority_is_not_spoken_to(
    made: Certificates, tmp_path: Path
) -> None:
    other = certificates(tmp_path / "other")
    async with echoing(made.server()) as address:
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            await who(address, other.client())


async def test_a_server_must_have_the_name_that_it_was_called_by(made: Certificates) -> None:
    made.put("server", ("registry",))
    async with echoing(made.server()) as address:
        with pytest.raises(Unavailable, match="Hostname Verification"):
            await who(address, made.client())
        assert await who(address, made.client(server_name="registry")) == "nobody"


async def test_plain_text_and_tls_do_not_mix(made: Certificates) -> None:
    async with echoing(made.server()) as encrypted, echoing(None) as plain:
        with pytest.raises(Unavailable):
            await who(encrypted, None)
        with pytest.raises(Unavailable, match="WRONG_VERSION_NUMBER"):
            await who(plain, made.client())


async def test_a_new_authority_shuts_out_clients_of_the_old_one(made: Certificates) -> None:
    old = Certificates(made.folder / "old", made.authority)
    old.folder.mkdir()
    old.put("client", ())
    new = authority("New")
    async with echoing(made.server(mutual=True)) as address:
        assert await who(address, ClientFiles(made.ca, old.pair("client"))) == "client"

        made.put("server", authority=new)
        made.put("client", (), authority=new)
        made.trust(new)

        async def is_new() -> bool:
            try:
                return await who(address, made.client("client")) == "client"
            except Unavailable:
                return False

        await until(is_new)
        with pytest.raises(Unavailable):
            await who(address, ClientFiles(made.ca, old.pair("client")))


async def test_no_call_fails_while_certificates_are_switched(made: Certificates) -> None:
    answers: list[str] = []
    stop = asyncio.Event()

    async def call(dialled: grpc.aio.Channel) -> None:
        while not stop.is_set():
            answers.append(await asked(dialled))

    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(echoing(made.server(mutual=True)))
        tls = made.client("client")
        channels = [
            await stack.enter_async_context(channel(address, lambda: "t", tls=tls))
            for _ in range(4)
        ]
        callers = [asyncio.create_task(call(channels[n % 4])) for n in range(32)]
        for _ in range(5):
            made.put("server")
            made.put("client", ())
            seen = len(answers)

            async def has_answered(seen: int = seen) -> bool:
                return len(answers) > seen + 200 or any(each.done() for each in callers)

            await until(has_answered)
        stop.set()
        await asyncio.gather(*callers)

    assert set(answers) == {"client"}


async def test_a_channel_calls_with_its_newest_certificate_and_keeps_its_streams(
    made: Certificates,
) -> None:
    echo = Echo()
    async with (
        echoing(made.server(mutual=True), echo) as address,
        channel(address, tls=made.client("client")) as dialled,
    ):
        stream = _untyped(dialled).unary_stream("/echo/Count")(b"", wait_for_ready=True)
        assert await stream.read() == b"1"
        ask = _untyped(dialled).unary_unary("/echo/Who")
        assert await ask(b"") == b"client"

        renamed = made.put("renamed", ())
        for ending in ("key", "crt"):
            new = (made.folder / f"renamed.{ending}").read_bytes()
            (made.folder / f"client.{ending}").write_bytes(new)

        async def is_renamed() -> bool:
            return bool(await ask(b"") == b"renamed")

        await until(is_renamed)
        assert renamed.certificate.path.exists()
        echo.go_on.set()
        assert await stream.read() == b"2"
        assert await stream.read() is grpc.aio.EOF


async def test_who_waits_for_a_service_of_an_unknown_authority_goes_on_with_the_new_one(
    made: Certificates,
) -> None:
    new = authority("New")
    made.put("server", authority=new)
    async with (
        echoing(made.server()) as address,
        channel(address, tls=made.client()) as dialled,
    ):
        stream = _untyped(dialled).unary_stream("/echo/Count")(b"", wait_for_ready=True)
        waiting = asyncio.create_task(stream.read())
        await asyncio.sleep(0.1)
        assert not waiting.done()

        made.trust(new)

        async with asyncio.timeout(LIMIT_SECONDS):
            with pytest.raises(Unavailable, match="certificates have changed"), raising_ours():
                await waiting
        assert await stream.code() is grpc.StatusCode.UNAVAILABLE
        assert await asked(dialled) == "nobody"


async def test_a_call_that_its_caller_cancels_is_cancelled(made: Certificates) -> None:
    async with (
        echoing(made.server()) as address,
        channel(address, tls=made.client()) as dialled,
    ):
        stream = _untyped(dialled).unary_stream("/echo/Count")(b"", wait_for_ready=True)
        responses = aiter(stream)
        assert await anext(responses) == b"1"
        reading = asyncio.ensure_future(anext(responses))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading


async def test_handshakes_that_never_end_are_given_up(
    made: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services import rpc

    options = [
        (name, 200 if name == "grpc.server_handshake_timeout_ms" else value)
        for name, value in rpc.SERVER_OPTIONS
    ]
    monkeypatch.setattr(rpc, "SERVER_OPTIONS", options)
    async with echoing(made.server()) as address:
        host, _, port = address.rpartition(":")
        half = [socket.create_connection((host, int(port))) for _ in range(20)]
        for each in half:
            each.setblocking(False)
            each.send(b"\x16\x03\x01\x02\x00\x01")
        assert await who(address, made.client()) == "nobody"
        async with asyncio.timeout(LIMIT_SECONDS):
            loop = asyncio.get_running_loop()
            for each in half:
                with each:
                    assert await loop.sock_recv(each, 1) == b""

"""What is told of a service that cannot be spoken to."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from services.rpc import serving
from services.tls import diagnosis
from services.tls.diagnosis import why_not
from services.tls.files import ClientFiles
from tests.certificates import Certificates, certificates


@pytest.fixture
def made(tmp_path: Path) -> Certificates:
    return certificates(tmp_path)


async def test_what_does_not_fit_is_named(made: Certificates, tmp_path: Path) -> None:
    other = certificates(tmp_path / "other")
    async with serving(tls=made.server(mutual=True), grace=0) as address:
        assert "it speaks TLS, and was spoken to in plain text" in await why_not(address, None)
        assert "it asks for a certificate" in await why_not(address, made.client())
        stranger = ClientFiles(made.ca, other.pair("client"))
        assert "it refuses the certificate" in await why_not(address, stranger)
        assert "unable to get local issuer" in await why_not(address, other.client("client"))
        elsewhere = made.client("client", "elsewhere")
        assert "Hostname mismatch" in await why_not(address, elsewhere)
        assert await why_not(address, made.client("client")) == ""


async def test_tls_to_plain_text_is_named(made: Certificates) -> None:
    async with serving(grace=0) as address:
        assert await why_not(address, made.client()) == (
            "it speaks no TLS, and was spoken to in TLS"
        )
        assert await why_not(address, None) == ""


async def test_nothing_is_made_up_of_who_is_away_or_says_nothing(
    made: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "LIMIT_SECONDS", 0.1)
    assert await why_not("127.0.0.1:1", made.client()) == ""
    assert await why_not("nonsense", made.client()) == ""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert await why_not(f"127.0.0.1:{port}", made.client()) == ""

"""Certificates of a listener, on both loops: the services' own and that of the tests."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from services.tls import clients, following
from tests.certificates import Certificates, certificates


@pytest.fixture(scope="module", params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.02)
    return certificates(tmp_path)


@pytest.fixture
def trusting(made: Certificates) -> ssl.SSLContext:
    return clients.context_of(made.client())

"""The probe that containers are asked by."""

from __future__ import annotations

import asyncio
import socket

import pytest

from services import health, rpc

pytestmark = pytest.mark.anyio


async def test_no_proxy_of_the_environment_stands_between(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        for name in ("grpc_proxy", "https_proxy", "http_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        for name in ("no_grpc_proxy", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        async with rpc.serving(grace=0) as address:
            assert await asyncio.to_thread(health.serving, address)

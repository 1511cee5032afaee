"""One connection for as long as a console is open: its token, and channels that are closed."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from podium.executor.v1 import executor_pb2
from services.errors import Unavailable
from tests.tui.services import Services
from tui.clients import Connection, connection as connections
from tui.clients.tokens import HeldToken, Token, renewing


async def test_a_token_is_renewed_before_it_ends_for_who_asks_for_no_clients_again(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "RENEWAL_SECONDS", 0.01)
    connection = Connection(lambda: services.suite)
    try:
        clients = await connection.clients()
        connection._token = Token("it has ended", time.time())
        async with asyncio.timeout(20.0):
            while connection._token.text == "it has ended":  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        await clients.executor.GetExecutorStatus(executor_pb2.GetExecutorStatusRequest())
    finally:
        await connection.aclose()


async def test_a_command_that_goes_on_for_longer_than_its_token_renews_it(
    services: Services,
) -> None:
    held = HeldToken(Token("it has ended", time.time()))

    async with renewing(services.suite, held, 0.01), asyncio.timeout(20.0):
        while held.text == "it has ended":  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert held.token.ends_at > time.time()


async def test_a_channel_that_is_closed_between_two_calls_is_a_service_that_is_away(
    services: Services,
) -> None:
    suites = [services.suite]
    connection = Connection(lambda: suites[0])
    try:
        clients = await connection.clients()
        # As where the suite is started again at other ports.
        suites[0] = replace(services.suite, gateway="http://elsewhere")
        await connection.clients()

        with pytest.raises(Unavailable, match="another place"), connection.calling():
            await clients.executor.GetExecutorStatus(executor_pb2.GetExecutorStatusRequest())
    finally:
        await connection.aclose()


async def test_who_can_do_without_a_token_does_not_wait_for_those_who_cannot(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "TOKEN_SECONDS", 0.01)
    nowhere = replace(services.suite, registry="127.0.0.1:9")
    connection = Connection(lambda: nowhere)
    waiting = asyncio.create_task(connection.clients())
    try:
        await asyncio.sleep(0)
        async with asyncio.timeout(5.0):
            clients = await connection.clients(needs_token=False)

        assert clients.suite == nowhere
        assert not waiting.done()
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await connection.aclose()

"""The list of circuit breakers, and what is done to them."""

from __future__ import annotations

from podium.executor.v1 import breakers_pb2 as pb
from tests.tui.console.conftest import console_on
from tests.tui.screen import until_shown
from tests.tui.services import Services
from tui.clients import connected


async def test_a_breaker_is_opened_and_reset(services: Services) -> None:
    host = "breakers.example:443"
    async with connected(services.suite) as clients:
        request = pb.SetBreakerRequest(host=host, mode=pb.BREAKER_MODE_CLOSED)
        await clients.executor.SetBreaker(request)
        async with console_on(services, "breakers host:breakers*", size=(100, 24)) as pilot:
            await until_shown(pilot, host, "CLOSED")
            await pilot.press("o", "y")
            await until_shown(pilot, "✗ OPEN")
            await pilot.press("r", "y")
            await until_shown(pilot, "● CLOSED")
        told = await clients.executor.ListBreakers(pb.ListBreakersRequest(host=host))
        assert [each.mode for each in told.breakers] == [pb.BREAKER_MODE_AUTOMATIC]

"""The lists of circuit breakers and of limits of workflows, and what is done to them."""

from __future__ import annotations

from podium.executor.v1 import breakers_pb2 as pb
from tests.tui.console.conftest import console_on
from tests.tui.screen import until_shown
from tests.tui.services import Services, put, start
from tui.clients import connected


async def test_a_breaker_is_opened_and_reset(services: Services) -> None:
    host = "breakers.example:443"
    async with connected(services.suite) as clients:
        request = pb.SetBreakerRequest(host=host, mode=pb.BREAKER_MODE_CLOSED)
        await clients.executor.SetBreaker(request)
        async with console_on(services, "breakers host:breakers*", size=(100, 24)) as pilot:
            await until_shown(pilot, host, "CLOSED", "⏎ Open ", "o Open breaker")
            await pilot.press("o", "y")
            await until_shown(pilot, "✗ OPEN")
            await pilot.press("r", "y")
            await until_shown(pilot, "● CLOSED")
        told = await clients.executor.ListBreakers(pb.ListBreakersRequest(host=host))
        assert [each.mode for each in told.breakers] == [pb.BREAKER_MODE_AUTOMATIC]


async def test_limits_of_workflows_stand_beside_those_of_routes(services: Services) -> None:
    task = {"name": "w", "taskReferenceName": "w", "type": "HUMAN"}
    config = {"rateLimitKey": "${workflow.input.k}", "concurrentExecLimit": 1}
    await put(
        services,
        {"kind": "workflow", "name": "crowd", "version": 1, "tasks": [task],
         "rateLimitConfig": config},
    )  # fmt: skip
    ids = [await start(services, "crowd", input='{"k": "eu"}') for _ in range(2)]
    async with console_on(services, "limits workflow:crowd", size=(140, 24)) as pilot:
        await until_shown(pilot, "workflow crowd", "1 at once", "eu")
        await pilot.press("enter")
        await until_shown(pilot, "Held by", ids[0], "1 wait")

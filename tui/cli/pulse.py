"""`podium pulse`: how the suite does, in a few figures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from podium.common.v1 import page_pb2
from podium.edge.v1 import edge_pb2
from podium.executor.v1 import executor_pb2
from podium.registry.v1 import registry_pb2
from services.errors import DeadlineExceeded, PermissionDenied, Unavailable
from services.rpc import raising_ours
from tui.cli.interrupts import while_read
from tui.cli.live import Screen
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.writing import OUTPUT_OPTION, Stream, echo_data, echo_lines, examples
from tui.clients import persistently
from tui.views.pulse import Failing
from tui.views.pulse_report import Known, data, failing, lines

if TYPE_CHECKING:
    from tui.clients import Clients

T = TypeVar("T")

CALL_SECONDS = 5.0
WATCH_SECONDS = 2.0
GATEWAY_PERIOD = timedelta(minutes=5)
# Of those that fail: enough to say which.
MOST_LOOKED_AT = 1_000
PAGE = 200
_BAD = "status:failed,timed_out newer:1h"


@click.command(
    epilog=examples("podium pulse", "podium pulse --watch", "podium pulse --output json")
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option(
    "--watch", "-w", is_flag=True, help="Go on: each two seconds a line of JSON, or anew."
)
def pulse(home: Path | None, output: str, watch: bool) -> None:
    """Show what runs and fails, what the gateway answered in five minutes, and who is away.

    Ends with 1 if a service does not answer; with --watch it goes on while one of them does.
    """

    async def work(clients: Clients) -> int:
        if watch:
            await _watched(clients, output)
        known = await _known(clients)
        if output == "text":
            echo_lines(lines(known))
        else:
            echo_data(data(known), output)
        return int(bool(known.away))

    call(home, work)


async def _watched(clients: Clients, output: str) -> None:
    """Show it again and again, for ever: no stream tells all of it."""
    stream, screen = Stream(output), Screen()
    async with while_read():
        while True:
            known = await persistently(partial(_known, clients))
            if output == "text":
                screen.show(list(lines(known)))
            else:
                stream.echo(data(known))
            await asyncio.sleep(WATCH_SECONDS)


async def _known(clients: Clients) -> Known:
    """All that is told.

    Raises:
        Unavailable: Nobody answers.
        PermissionDenied: The caller may know nothing of it.
    """
    away: set[str] = set()
    refused: list[PermissionDenied] = []

    async def asked(service: str, question: Callable[[Clients], Awaitable[T]]) -> T | None:
        try:
            with raising_ours():
                return await question(clients)
        except PermissionDenied as error:
            refused.append(error)
            return None
        except (Unavailable, DeadlineExceeded) as error:
            away.add(service)
            if len(away) == len(_ASKED):
                raise Unavailable("Nobody answers") from error.__cause__
            return None

    engine, bad, gateway, _ = await asyncio.gather(
        asked("executor", _engine), asked("executor", _failing), asked("edge", _gateway),
        asked("registry", _registry),
    )  # fmt: skip
    if refused and not away and engine is None and gateway is None and bad is None:
        raise refused[0]
    return Known(engine, gateway, bad, sorted(away))


async def _registry(clients: Clients) -> object:
    request = registry_pb2.GetRegistryStatusRequest()
    return await clients.registry.GetRegistryStatus(request, timeout=CALL_SECONDS)


async def _engine(clients: Clients) -> executor_pb2.GetEngineMetricsResponse:
    request = executor_pb2.GetEngineMetricsRequest()
    return await clients.executor.GetEngineMetrics(request, timeout=CALL_SECONDS)


async def _gateway(clients: Clients) -> edge_pb2.GatewayMetricsReport:
    request = edge_pb2.GetGatewayMetricsRequest()
    request.start_time.FromDatetime(datetime.now(UTC) - GATEWAY_PERIOD)
    return (await clients.edge.GetGatewayMetrics(request, timeout=CALL_SECONDS)).report


async def _failing(clients: Clients) -> list[Failing]:
    request = executor_pb2.ListExecutionsRequest(
        query=_BAD, page=page_pb2.PageRequest(page_size=PAGE)
    )
    found: list[executor_pb2.ExecutionState] = []
    while len(found) < MOST_LOOKED_AT:
        answer = await clients.executor.ListExecutions(request, timeout=CALL_SECONDS)
        found.extend(answer.executions)
        request.page.page_token = answer.next_page_token
        if not answer.next_page_token:
            break
    return failing(found)


_ASKED = ("registry", "executor", "edge")

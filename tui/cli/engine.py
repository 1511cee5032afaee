"""`podium engine`: how much the executor does, and how it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.executor.v1 import executor_pb2 as pb
from tui.cli.interrupts import while_read
from tui.cli.live import Screen
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.writing import OUTPUT_OPTION, Stream, echo_data, echo_lines, examples
from tui.clients import engine_changing
from tui.views import engine_report as views

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
_HISTORIES = {"10m": pb.ENGINE_HISTORY_TEN_MINUTES, "24h": pb.ENGINE_HISTORY_DAY}


@click.command(
    epilog=examples(
        "podium engine", "podium engine --watch", "podium engine --history 24h --output json"
    )
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--watch", "-w", is_flag=True, help="Go on: each second a line of JSON, or anew.")
@click.option(
    "--history", type=click.Choice([*_HISTORIES]), help="What was before: by 5 seconds, or minutes."
)
def engine(home: Path | None, output: str, watch: bool, history: str | None) -> None:
    """Show what the executor does: executions by status, rates, commit times, calls, scripts.

    Rates and times are of the last 10 seconds; with --watch of the last second.
    """
    if watch and history:
        raise click.UsageError("--watch shows what is to come, --history what was.")

    async def work(clients: Clients) -> None:
        if watch:
            await _watched(clients, output)
            return
        request = pb.GetEngineMetricsRequest()
        if history:
            request.history = _HISTORIES[history]
        answer = await clients.executor.GetEngineMetrics(request, timeout=CALL_SECONDS)
        if output == "text":
            echo_lines(map(views.history_line, answer.history))
            echo_lines(views.lines(answer.state, answer.recent))
            return
        before = {"history": list(map(views.span_data, answer.history))} if history else {}
        echo_data(views.data(answer.state, answer.recent) | before, output)

    call(home, work)


async def _watched(clients: Clients, output: str) -> None:
    stream, screen = Stream(output), Screen()
    async with while_read():
        async for told in engine_changing(clients, pb.WatchEngineMetricsRequest()):
            if output == "text":
                screen.show(list(views.lines(told.state, told.last)))
            else:
                stream.echo(views.data(told.state, told.last))

"""`podium event-runs`: what event handlers did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.common.v1 import page_pb2
from podium.executor.v1 import event_runs_pb2 as pb
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.writing import OUTPUT_OPTION, echo_all, echo_more, echo_rows, examples
from tui.views import event_runs as views

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
MOST = 1_000


@click.command(
    "event-runs",
    epilog=examples(
        "podium event-runs",
        "podium event-runs ship-paid-orders --limit 500",
        "podium event-runs --event webhook:shop --output json",
    ),
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--event", default="", help="Only of this event, e.g. conductor:order:paid.")
@click.option("--limit", type=click.IntRange(1, MOST), default=20, show_default=True,
              help="How many.")  # fmt: skip
@click.argument("handler", default="")
def event_runs(home: Path | None, output: str, event: str, limit: int, handler: str) -> None:
    """Show what event handlers, or HANDLER alone, did of late, the newest first."""
    page = page_pb2.PageRequest(page_size=limit)
    request = pb.ListEventExecutionsRequest(handler=handler, event=event, page=page)

    async def work(clients: Clients) -> None:
        told = await clients.executor.ListEventExecutions(request, timeout=CALL_SECONDS)
        if output != "text":
            echo_all(map(views.document, told.executions), output)
        elif told.executions:
            echo_rows([views.HEAD, *map(views.row, told.executions)])
        else:
            click.echo(views.none_of(handler, event))
        if told.next_page_token:
            echo_more(limit, MOST)

    call(home, work)

"""`podium schedules`: when workflows are started, what came of it, and an end to it for now."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podium.common.v1 import page_pb2
from podium.executor.v1 import schedules_pb2 as pb
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.writing import (
    OUTPUT_OPTION,
    echo_all,
    echo_data,
    echo_lines,
    echo_more,
    echo_rows,
    examples,
    output_option,
)
from tui.clients.switching import switched
from tui.views import schedules as views

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
PAGE = 500
MOST_RUNS = 1_000
_OUTPUT = output_option("Default: text, or as said before the command.", None)


@click.group(
    invoke_without_command=True,
    epilog=examples(
        "podium schedules",
        "podium schedules next '0 30 9 ? * MON-FRI' --zone Europe/Berlin",
        "podium schedules runs nightly",
    ),
)
@HOME_OPTION
@OUTPUT_OPTION
@click.pass_context
def schedules(context: click.Context, home: Path | None, output: str) -> None:
    """Show every schedule: when it runs next, and what its last run came to."""
    context.obj = home, output
    if context.invoked_subcommand is not None:
        return

    async def work(clients: Clients) -> None:
        states: list[pb.ScheduleState] = []
        token = ""
        while True:
            page = page_pb2.PageRequest(page_size=PAGE, page_token=token)
            request = pb.ListSchedulesRequest(page=page)
            told = await clients.executor.ListSchedules(request, timeout=CALL_SECONDS)
            states.extend(told.schedules)
            if not (token := told.next_page_token):
                break
        if output != "text":
            echo_data([views.document(each) for each in states], output)
        elif states:
            echo_rows([views.HEAD, *map(views.row, states)])
        else:
            click.echo("There are no schedules.")

    call(home, work)


@schedules.command(
    "next",
    epilog=examples("podium schedules next '0 0 2 * * *' --zone America/New_York --count 10"),
)
@HOME_OPTION
@_OUTPUT
@click.option("--zone", default="UTC", show_default=True, help="The time zone that it is read in.")
@click.option("--after", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"]),
              help="Default: now.")  # fmt: skip
@click.option("--count", type=click.IntRange(1, 100), default=5, show_default=True,
              help="How many times.")  # fmt: skip
@click.argument("expression")
@click.pass_obj
def next_runs(
    above: tuple[Path | None, str],
    home: Path | None,
    output: str | None,
    zone: str,
    after: datetime | None,
    count: int,
    expression: str,
) -> None:
    """Show when the cron EXPRESSION comes next, in UTC."""
    shape = output or above[1]
    request = pb.PreviewScheduleRequest(cron_expression=expression, zone_id=zone, count=count)
    if after is not None:
        request.after.FromDatetime(after)

    async def work(clients: Clients) -> None:
        told = await clients.executor.PreviewSchedule(request, timeout=CALL_SECONDS)
        times = list(views.moments(told.runs))
        if shape != "text":
            echo_data(times, shape)
        else:
            echo_lines(times)

    call(home or above[0], work)


@schedules.command(epilog=examples("podium schedules runs nightly --limit 500"))
@HOME_OPTION
@_OUTPUT
@click.option("--limit", type=click.IntRange(1, MOST_RUNS), default=20, show_default=True,
              help="How many runs.")  # fmt: skip
@click.argument("name")
@click.pass_obj
def runs(
    above: tuple[Path | None, str], home: Path | None, output: str | None, limit: int, name: str
) -> None:
    """Show what the latest runs of a schedule came to, the newest first."""
    shape = output or above[1]
    page = page_pb2.PageRequest(page_size=limit)
    request = pb.ListScheduleRunsRequest(schedule=name, page=page)

    async def work(clients: Clients) -> None:
        told = await clients.executor.ListScheduleRuns(request, timeout=CALL_SECONDS)
        if shape != "text":
            echo_all(map(views.run_document, told.runs), shape)
        elif told.runs:
            echo_rows([views.RUN_HEAD, *map(views.run_row, told.runs)])
        else:
            click.echo("It has not run yet.")
        if told.next_page_token:
            echo_more(limit, MOST_RUNS)

    call(home or above[0], work)


@schedules.command(epilog=examples("podium schedules pause nightly --reason 'moving the database'"))
@HOME_OPTION
@_OUTPUT
@click.option("--reason", default="", help="Why, for people.")
@click.argument("name")
@click.pass_obj
def pause(
    above: tuple[Path | None, str], home: Path | None, output: str | None, reason: str, name: str
) -> None:
    """Have a schedule start nothing until it is resumed: `paused` in its definition."""
    changes = {"paused": True, "pausedReason": reason or None}
    _switch(home or above[0], output or above[1], name, changes, "paused")


@schedules.command(epilog=examples("podium schedules resume nightly"))
@HOME_OPTION
@_OUTPUT
@click.argument("name")
@click.pass_obj
def resume(
    above: tuple[Path | None, str], home: Path | None, output: str | None, name: str
) -> None:
    """Have a schedule go on; what fell in between is not made up for."""
    changes = {"paused": None, "pausedReason": None}
    _switch(home or above[0], output or above[1], name, changes, "resumed")


def _switch(home: Path | None, output: str, name: str, changes: dict[str, Any], word: str) -> None:
    async def work(clients: Clients) -> None:
        document, already = await switched(clients, "schedule", name, changes)
        if output != "text":
            echo_data(document, output)
        else:
            click.echo(f"{word} {name}{'  (already)' if already else ''}")

    call(home, work)

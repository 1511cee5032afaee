"""`podium breakers`: which hosts tasks call just now, which they leave alone, and a word on it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.executor.v1 import breakers_pb2 as pb
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_lines, examples, output_option
from tui.views import breakers as views

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
MOST = 1_000
_OUTPUT = output_option("Default: text, or as said before the command.", None)

Above = tuple[Path | None, str]


@click.group(
    invoke_without_command=True,
    epilog=examples("podium breakers", "podium breakers open shop.example:443"),
)
@HOME_OPTION
@OUTPUT_OPTION
@click.pass_context
def breakers(context: click.Context, home: Path | None, output: str) -> None:
    """Show the circuit breakers of the hosts that tasks call; those that are not closed first."""
    context.obj = home, output
    if context.invoked_subcommand is None:
        _list(home, output, "")


@breakers.command("list", epilog=examples("podium breakers list shop.example:443 --output json"))
@HOME_OPTION
@_OUTPUT
@click.argument("host", default="")
@click.pass_obj
def listed(above: Above, home: Path | None, output: str | None, host: str) -> None:
    """Show all of them, or that of HOST, which is written HOST:PORT."""
    _list(home or above[0], output or above[1], host)


@breakers.command("open", epilog=examples("podium breakers open shop.example:443"))
@HOME_OPTION
@_OUTPUT
@click.argument("host")
@click.pass_obj
def open_(above: Above, home: Path | None, output: str | None, host: str) -> None:
    """Have no call go out to HOST (HOST:PORT) until it is closed or reset, over restarts too."""
    _set(home or above[0], output or above[1], host, pb.BREAKER_MODE_OPEN)


@breakers.command(epilog=examples("podium breakers close shop.example:443"))
@HOME_OPTION
@_OUTPUT
@click.argument("host")
@click.pass_obj
def close(above: Above, home: Path | None, output: str | None, host: str) -> None:
    """Have all calls go out to HOST (HOST:PORT), however many fail, until it is opened or reset."""
    _set(home or above[0], output or above[1], host, pb.BREAKER_MODE_CLOSED)


@breakers.command(epilog=examples("podium breakers reset shop.example:443"))
@HOME_OPTION
@_OUTPUT
@click.argument("host")
@click.pass_obj
def reset(above: Above, home: Path | None, output: str | None, host: str) -> None:
    """Have the breaker of HOST (HOST:PORT) begin anew, closed, and go by itself."""
    _set(home or above[0], output or above[1], host, pb.BREAKER_MODE_AUTOMATIC)


def _list(home: Path | None, output: str, host: str) -> None:
    async def work(clients: Clients) -> None:
        request = pb.ListBreakersRequest(host=host, limit=MOST)
        told = await clients.executor.ListBreakers(request, timeout=CALL_SECONDS)
        rows = views.breakers(told)
        if output != "text":
            echo_data([row.document for row in rows], output)
        elif rows:
            echo_lines(views.lines(rows, time.time()))
        else:
            click.echo(views.none_of(host))
        if told.total > len(rows):
            click.echo(f"podium: {told.total - len(rows):,} more are not shown.", err=True)

    call(home, work)


def _set(home: Path | None, output: str, host: str, mode: pb.BreakerMode.ValueType) -> None:
    async def work(clients: Clients) -> None:
        request = pb.SetBreakerRequest(host=host, mode=mode)
        told = await clients.executor.SetBreaker(request, timeout=CALL_SECONDS)
        if output != "text":
            echo_data(views.document(told.breaker), output)
        else:
            echo_lines(views.lines([views.row(told.breaker)], time.time()))

    call(home, work)

"""`podium tui`, which `podium` alone is too: the console."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from tui.cli.main import HOME_OPTION


@click.command()
@HOME_OPTION
@click.option(
    "--open",
    "place",
    default="executions",
    metavar="PLACE",
    show_default=True,
    help="Where to begin: what is typed after ':' in the console.",
)
@click.option("--read-only", is_flag=True, help="Leave out all that changes something.")
def tui(home: Path | None, place: str, read_only: bool) -> None:
    """Open the console."""
    open_console(home, place, read_only)


def open_console(home: Path | None, place: str = "executions", read_only: bool = False) -> None:
    """Run the console on this terminal until it is left."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        click.echo(
            "podium: The console needs a terminal; podium --help lists the commands.", err=True
        )
        sys.exit(1)
    # Late, since other commands need none of it.
    from tui.app import Console
    from tui.clients import Connection
    from tui.live.session import Session
    from tui.suite import find

    session = Session(Connection(lambda: find(home, os.environ)))
    console = Console(session, place, read_only=read_only)
    console.run()
    sys.exit(console.return_code or 0)

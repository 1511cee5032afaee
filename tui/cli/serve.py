"""`podium serve`: one service in the foreground, as the supervisor and containers run it."""

from __future__ import annotations

import os
import sys

import click

from tui.cli.writing import examples


@click.command(epilog=examples("podium serve executor"))
@click.argument("service", type=click.Choice(["registry", "executor", "edge"]))
def serve(service: str) -> None:
    """Run SERVICE; every setting is a PODIUM_* variable (docs/settings.md)."""
    # The service's own process: its signals, its exit code and nothing of the console's.
    os.execv(sys.executable, [sys.executable, "-m", f"services.{service}"])

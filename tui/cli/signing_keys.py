"""`podium signing-keys`: the keys that the registry signs tokens with, shown and rotated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.registry.v1 import registry_pb2 as pb
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_lines, examples, output_option
from tui.views import signing_keys as views

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 10.0
_OUTPUT = output_option("Default: text, or as said before the command.", None)

Above = tuple[Path | None, str]


@click.group(
    invoke_without_command=True,
    epilog=examples("podium signing-keys", "podium signing-keys rotate"),
)
@HOME_OPTION
@OUTPUT_OPTION
@click.pass_context
def signing_keys(context: click.Context, home: Path | None, output: str) -> None:
    """Show the keys that tokens are signed with: which signs, and how long each verifies."""
    context.obj = home, output
    if context.invoked_subcommand is None:
        _list(home, output)


@signing_keys.command("list", epilog=examples("podium signing-keys list --output json"))
@HOME_OPTION
@_OUTPUT
@click.pass_obj
def listed(above: Above, home: Path | None, output: str | None) -> None:
    """Show them all; private halves are never shown."""
    _list(home or above[0], output or above[1])


@signing_keys.command(
    epilog=examples("podium signing-keys rotate", "podium signing-keys rotate --revoke --yes")
)
@HOME_OPTION
@_OUTPUT
@click.option(
    "--revoke",
    is_flag=True,
    help="End all others at once, their tokens and what those opened: when one was stolen.",
)
@click.option("--yes", is_flag=True, help="Revoke without asking.")
@click.pass_obj
def rotate(above: Above, home: Path | None, output: str | None, revoke: bool, yes: bool) -> None:
    """Sign tokens with a new key, once all services know it.

    The key before it verifies until its last token has ended, so that no token that holds is ever
    refused. With --revoke everybody has to ask for a new token at once, which programs and the
    console do by themselves.
    """
    told = output or above[1]
    if revoke and not yes:
        click.confirm("End every token and every stream?", abort=True, err=True)

    async def work(clients: Clients) -> None:
        request = pb.RotateSigningKeysRequest(revoke=revoke)
        answer = await clients.registry.RotateSigningKeys(request, timeout=CALL_SECONDS)
        rows = views.keys(answer.signing_keys)
        if told != "text":
            echo_data([row.document for row in rows], told)
        else:
            echo_lines(views.lines(rows))

    call(home or above[0], work)


def _list(home: Path | None, output: str) -> None:
    async def work(clients: Clients) -> None:
        request = pb.ListSigningKeysRequest()
        answer = await clients.registry.ListSigningKeys(request, timeout=CALL_SECONDS)
        rows = views.keys(answer.signing_keys)
        if output != "text":
            echo_data([row.document for row in rows], output)
            return
        echo_lines(views.lines(rows))
        click.echo(views.rotation(answer))

    call(home, work)

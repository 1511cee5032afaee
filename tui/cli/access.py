"""`podium access`: who may do what, and by what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.registry.v1 import access_pb2
from services.access import ACCESS
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_lines, examples
from tui.views.access import access_fields, access_lines, holder_fields, holder_lines
from tui.views.kinds import kind_of

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 10.0
METHODS = click.option("--methods", is_flag=True, help="Show RPCs instead of commands.")


@click.group(
    epilog=examples(
        "podium access me",
        "podium access may reports",
        "podium access who-can EXECUTE workflow checkout",
    )
)
def access() -> None:
    """Show who may do what, and by which role or grant."""


@access.command(
    "who-can",
    epilog=examples(
        "podium access who-can EXECUTE workflow checkout",
        "podium access who-can UPDATE service shop --output json",
    ),
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--version", type=click.IntRange(1), help="Whose tags count; default: the latest.")
@click.argument("wanted", metavar="ACCESS", type=click.Choice(ACCESS, case_sensitive=False))
@click.argument("kind")
@click.argument("name")
def who_can(
    home: Path | None, output: str, version: int | None, wanted: str, kind: str, name: str
) -> None:
    """Tell which applications have ACCESS to the definition NAME, and by what.

    ACCESS is READ, CREATE, UPDATE, DELETE or EXECUTE. It takes READ on the definition; told are the
    applications that you may read.
    """
    request = access_pb2.ListHoldersRequest(
        access=wanted.upper(), kind=kind_of(kind), name=name, version=version or 0
    )

    async def work(clients: Clients) -> None:
        answer = await clients.registry.ListHolders(request, timeout=CALL_SECONDS)
        if output != "text":
            echo_data(holder_fields(answer), output)
        else:
            echo_lines(holder_lines(answer, request.access, f"{request.kind} {name}"))

    call(home, work)


@access.command(epilog=examples("podium access may reports", "podium access may reports --methods"))
@HOME_OPTION
@OUTPUT_OPTION
@METHODS
@click.argument("application")
def may(home: Path | None, output: str, methods: bool, application: str) -> None:
    """Tell what APPLICATION may: its roles and grants, and which commands they are enough for."""
    request = access_pb2.GetAccessRequest(application_id=application)

    async def work(clients: Clients) -> None:
        answer = await clients.registry.GetAccess(request, timeout=CALL_SECONDS)
        _show(answer.access, output, methods)

    call(home, work)


@access.command(epilog=examples("podium access me", "podium access me --output json"))
@HOME_OPTION
@OUTPUT_OPTION
@METHODS
def me(home: Path | None, output: str, methods: bool) -> None:
    """Tell who you are here: your application, its roles and grants, and what you may call."""

    async def work(clients: Clients) -> None:
        request = access_pb2.GetOwnAccessRequest()
        answer = await clients.registry.GetOwnAccess(request, timeout=CALL_SECONDS)
        _show(answer.access, output, methods)

    call(home, work)


def _show(told: access_pb2.Access, output: str, methods: bool) -> None:
    if output != "text":
        echo_data(access_fields(told), output)
    else:
        echo_lines(access_lines(told, methods=methods))

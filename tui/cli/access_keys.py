"""`podium access-keys`: the keys with which programs and people act as an application."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click
from google.protobuf.duration_pb2 import Duration

from podium.registry.v1 import registry_pb2
from services.home import Credentials
from tui.cli.keys import EXPIRES, Listing, stamp
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.types import LENGTH
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_lines, examples
from tui.clients import persistently
from tui.views.access_keys import fields, lines, until

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 10.0


class _ListingAll(Listing):
    all_of_them = True


@click.group(
    "access-keys",
    cls=_ListingAll,
    epilog=examples("podium access-keys reports", "podium access-keys roll KEY_ID --overlap 1h"),
)
def access_keys() -> None:
    """List the access keys of APPLICATION, or make, roll and revoke one.

    `podium access-keys APPLICATION` is short for `podium access-keys list APPLICATION`; without
    APPLICATION all are listed. A key's secret is shown once, when it is made.
    """


@access_keys.command(
    "list", epilog=examples("podium access-keys list", "podium access-keys list reports")
)
@HOME_OPTION
@OUTPUT_OPTION
@click.argument("application", default="")
def list_keys(home: Path | None, output: str, application: str) -> None:
    """List the access keys of APPLICATION, or all: who made them, times, last uses, no secrets."""

    async def work(clients: Clients) -> None:
        answer = await clients.registry.ListAccessKeys(
            registry_pb2.ListAccessKeysRequest(application_id=application), timeout=CALL_SECONDS
        )
        if output != "text":
            echo_data([fields(key) for key in answer.access_keys], output)
            return
        echo_lines(lines(answer.access_keys, datetime.now(UTC)))

    call(home, work)


@access_keys.command(
    epilog=examples(
        "podium access-keys create reports",
        "podium access-keys create reports --expires 90d --output json",
    )
)
@HOME_OPTION
@OUTPUT_OPTION
@EXPIRES
@click.argument("application")
def create(home: Path | None, output: str, expires: datetime | None, application: str) -> None:
    """Add an access key to APPLICATION and print it, this once."""
    request = registry_pb2.CreateAccessKeyRequest(
        application_id=application,
        expires_at=stamp(expires),
        # Chosen here, so that asking again for an answer that is lost makes no second key.
        request_id=str(uuid4()),
    )

    async def work(clients: Clients) -> None:
        answer = await persistently(
            lambda: clients.registry.CreateAccessKey(request, timeout=CALL_SECONDS)
        )
        if output != "text":
            echo_data(fields(answer.access_key) | {"keySecret": answer.key_secret}, output)
            return
        click.echo(f"key id  {answer.access_key.key_id}")
        click.echo(f"secret  {answer.key_secret}  (shown this once)")

    call(home, work)


@access_keys.command(
    epilog=examples(
        "podium access-keys roll KEY_ID",
        "podium access-keys roll KEY_ID --overlap 1h --expires 90d",
    )
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option(
    "--overlap",
    type=LENGTH,
    default=timedelta(hours=1),
    show_default="1h",
    help="For how long the old key goes on; 0: it is revoked.",
)
@EXPIRES
@click.argument("key_id")
def roll(
    home: Path | None, output: str, overlap: timedelta, expires: datetime | None, key_id: str
) -> None:
    """Make a key in the place of the access key KEY_ID, and print it, this once.

    The new one has no end of its own unless `--expires` gives it one, whatever the old one had.
    Where KEY_ID is the key of the home itself, the new one is kept there in its place.
    """
    long = Duration()
    long.FromTimedelta(overlap)
    request = registry_pb2.RollAccessKeyRequest(
        key_id=key_id, overlap=long, expires_at=stamp(expires), request_id=str(uuid4())
    )

    async def work(clients: Clients) -> None:
        answer = await persistently(
            lambda: clients.registry.RollAccessKey(request, timeout=CALL_SECONDS)
        )
        kept = _keep(clients, key_id, answer)
        if output != "text":
            made = fields(answer.access_key) | {"keySecret": answer.key_secret}
            echo_data(made | {"replaced": fields(answer.replaced)}, output)
            return
        click.echo(f"key id  {answer.access_key.key_id}")
        click.echo(f"secret  {answer.key_secret}  (shown this once)")
        click.echo(f"access key {key_id}  {until(answer.replaced)}")
        if kept:
            click.echo(f"kept in {kept}")

    call(home, work)


def _keep(clients: Clients, key_id: str, answer: registry_pb2.RollAccessKeyResponse) -> str:
    """Keep the new key where the old one was the home's own; the file, or empty."""
    suite = clients.suite
    if suite.home is None or suite.home.credentials().key_id != key_id:
        return ""
    suite.home.keep_credentials(Credentials(answer.access_key.key_id, answer.key_secret))
    return str(suite.home.credentials_path)


@access_keys.command(epilog=examples("podium access-keys revoke KEY_ID"))
@HOME_OPTION
@OUTPUT_OPTION
@click.argument("key_id")
def revoke(home: Path | None, output: str, key_id: str) -> None:
    """End the access key KEY_ID, and every token that was issued for it."""

    async def work(clients: Clients) -> None:
        request = registry_pb2.RevokeAccessKeyRequest(key_id=key_id)
        await clients.registry.RevokeAccessKey(request, timeout=CALL_SECONDS)
        if output != "text":
            echo_data({"keyId": key_id, "outcome": "revoked"}, output)
        else:
            click.echo(f"access key {key_id}  revoked")

    call(home, work)

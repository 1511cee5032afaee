"""`podium keys`: the gateway keys of an auth definition, made, rolled and revoked one by one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from podium.edge.v1 import edge_pb2
from podium.registry.v1 import registry_pb2
from services.errors import NotFound, PermissionDenied, Unavailable
from services.rpc import raising_ours
from tui.cli.main import HOME_OPTION
from tui.cli.serving import live
from tui.cli.session import call
from tui.cli.types import LENGTH
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_lines, examples
from tui.clients import persistently
from tui.views import durations
from tui.views.keys import Uses, ending, fields, lines

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 10.0


class Listing(click.Group):
    """A group whose first word, where it is no command, is what to list.

    Attributes:
        all_of_them: Without a word all are listed; else the help is shown.
    """

    all_of_them = False

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and self.all_of_them:
            args = ["list"]
        if args and args[0] not in (*self.commands, "--help"):
            args = ["list", *args]
        return super().parse_args(ctx, args)


class _End(click.ParamType[datetime]):
    """A moment, or a length of time from now."""

    name = "90d|MOMENT"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        try:
            return durations.end(value, datetime.now(UTC))
        except ValueError as error:
            self.fail(f"{value!r}: {error}.", param, ctx)


EXPIRES = click.option("--expires", type=_End(), help="When the key ends; default: never.")


@click.group(
    cls=Listing,
    epilog=examples("podium keys partners", "podium keys roll partners mobile --overlap 7d"),
)
def keys() -> None:
    """List the keys of AUTH, or make, roll and revoke one.

    `podium keys AUTH` is short for `podium keys list AUTH`. Keys themselves are shown once, when
    they are made.
    """


@keys.command("list", epilog=examples("podium keys list partners --output json"))
@HOME_OPTION
@OUTPUT_OPTION
@click.argument("auth")
def list_keys(home: Path | None, output: str, auth: str) -> None:
    """List the keys of AUTH: names, times and last uses, never the keys."""

    async def work(clients: Clients) -> None:
        answer = await clients.registry.ListApiKeys(
            registry_pb2.ListApiKeysRequest(auth_id=auth), timeout=CALL_SECONDS
        )
        used = await _last_used(clients, auth)
        if output != "text":
            echo_data([fields(key, used) for key in answer.api_keys], output)
            return
        if not answer.api_keys:
            click.echo(await _without_keys(clients, auth))
            return
        echo_lines(lines(answer.api_keys, datetime.now(UTC), used))

    call(home, work)


async def _without_keys(clients: Clients, auth: str) -> str:
    """What it means that ``auth`` has no key."""
    request = registry_pb2.GetDefinitionRequest(kind="auth", name=auth)
    found = await clients.registry.GetDefinition(request, timeout=CALL_SECONDS)
    type_ = json.loads(found.definition.document).get("authenticationType")
    if type_ == "API_KEY":
        return f"auth {auth} has no keys, so every call is refused: podium keys create {auth}"
    if type_ == "JWT":
        return f"auth {auth} has no keys of its own: it takes tokens that its issuer signs"
    return f"auth {auth} has no keys: its authenticationType is {type_}, so anybody may call"


async def _last_used(clients: Clients, auth: str) -> Uses | None:
    """By name; None: the gateway is away, or does not know the auth yet."""
    request = edge_pb2.ListKeyUseRequest(auth_id=auth)
    try:
        with raising_ours():
            answer = await clients.edge.ListKeyUse(request, timeout=CALL_SECONDS)
    except (NotFound, PermissionDenied, Unavailable):
        return None
    return {use.name: use.last_used_at for use in answer.keys if use.HasField("last_used_at")}


@keys.command(
    epilog=examples(
        "podium keys create partners --name mobile",
        "podium keys create partners --expires 2027-01-31T00:00:00Z",
    )
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--name", default="", help="What to call it; default: key-N.")
@EXPIRES
@click.argument("auth")
def create(home: Path | None, output: str, name: str, expires: datetime | None, auth: str) -> None:
    """Add a key to AUTH and print it, this once; the keys that it has stay."""
    request = registry_pb2.CreateApiKeyRequest(
        auth_id=auth,
        name=name,
        expires_at=stamp(expires),
        # Chosen here, so that asking again for an answer that is lost makes no second key.
        request_id=str(uuid4()),
    )

    async def work(clients: Clients) -> None:
        answer = await persistently(
            lambda: clients.registry.CreateApiKey(request, timeout=CALL_SECONDS)
        )
        _print_made(answer.api_key, answer.key, (), output)
        await live(clients, answer.revision)

    call(home, work)


@keys.command(
    epilog=examples("podium keys roll partners", "podium keys roll partners mobile --overlap 0")
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option(
    "--overlap",
    type=LENGTH,
    default=timedelta(hours=24),
    show_default="24h",
    help="For how long the old key goes on; 0: it ends at once.",
)
@EXPIRES
@click.argument("auth")
@click.argument("name", default="")
def roll(
    home: Path | None,
    output: str,
    overlap: timedelta,
    expires: datetime | None,
    auth: str,
    name: str,
) -> None:
    """Make a key in the place of the key NAME of AUTH, and print it, this once.

    Calls with the new key are known as the old one's, so that quotas and results stay the
    caller's. NAME may be left out where all keys are one caller's.
    """
    long = Duration()
    long.FromTimedelta(overlap)
    request = registry_pb2.RollApiKeyRequest(
        auth_id=auth,
        name=name,
        overlap=long,
        expires_at=stamp(expires),
        # As of a key that is created.
        request_id=str(uuid4()),
    )

    async def work(clients: Clients) -> None:
        answer = await persistently(
            lambda: clients.registry.RollApiKey(request, timeout=CALL_SECONDS)
        )
        _print_made(answer.api_key, answer.key, answer.replaced, output)
        await live(clients, answer.revision)

    call(home, work)


@keys.command(epilog=examples("podium keys revoke partners mobile"))
@HOME_OPTION
@OUTPUT_OPTION
@click.option(
    "--even-last", is_flag=True, help="The last live key too: every call is refused then."
)
@click.argument("auth")
@click.argument("name")
def revoke(home: Path | None, output: str, even_last: bool, auth: str, name: str) -> None:
    """End the key NAME of AUTH; returns when the gateway refuses it."""

    async def work(clients: Clients) -> None:
        answer = await clients.registry.RevokeApiKey(
            registry_pb2.RevokeApiKeyRequest(auth_id=auth, name=name, even_last=even_last),
            timeout=CALL_SECONDS,
        )
        if output != "text":
            echo_data({"auth": auth, "name": name, "outcome": "revoked"}, output)
        else:
            click.echo(f"key {name} of auth {auth}  revoked")
        await live(clients, answer.revision)

    call(home, work)


def stamp(moment: datetime | None) -> Timestamp | None:
    """A moment as messages have it; none is none."""
    if moment is None:
        return None
    told = Timestamp()
    told.FromDatetime(moment)
    return told


def _print_made(made: registry_pb2.ApiKey, key: str, replaced: Any, output: str) -> None:
    if output != "text":
        old = {"replaced": [fields(each) for each in replaced]} if replaced else {}
        echo_data(fields(made) | {"key": key} | old, output)
        return
    click.echo(f"key {made.name}: {key}  (shown this once)")
    until = f", {ending(made)}" if made.HasField("expires_at") else ""
    click.echo(f"  calls as {made.principal}{until}")
    for each in replaced:
        click.echo(f"  in the place of {each.name}, which {ending(each)}")

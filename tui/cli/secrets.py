"""`podium secrets`: their names, never their values; and the keys that they are sealed with."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from podium.common.v1 import page_pb2, sealing_pb2
from podium.registry.v1 import registry_pb2 as pb
from services import key_files
from services.errors import NotFound, PermissionDenied
from services.key_files import KeyFileUnusable
from services.locks import Locked
from services.process import StartupError
from services.rpc import raising_ours
from tui.cli.main import HOME_OPTION
from tui.cli.serving import live
from tui.cli.session import call, fail
from tui.cli.types import LENGTH
from tui.cli.writing import OUTPUT_OPTION, echo_data, echo_lines, echo_rows, examples, output_option
from tui.views import sealing as views
from tui.views.secrets import cells, rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import timedelta

    from tui.clients import Clients

CALL_SECONDS = 30.0
# A value has 65,536 characters at most.
MOST_BYTES = 1 << 20
_PAGE = 500
_AT_ONCE = 16
_LOOK_SECONDS = 0.2
_OUTPUT = output_option("Default: text, or as said before the command.", None)

Above = tuple[Path | None, str]
T = TypeVar("T")


@click.group(
    invoke_without_command=True,
    epilog=examples("podium secrets", "podium secrets set PARTNER_TOKEN --file token.txt"),
)
@HOME_OPTION
@OUTPUT_OPTION
@click.pass_context
def secrets(context: click.Context, home: Path | None, output: str) -> None:
    """List the secrets: names, when each was changed, by which key it is sealed, who uses it."""
    context.obj = home, output
    if context.invoked_subcommand is None:
        _list(home, output)


@secrets.command("list", epilog=examples("podium secrets list --output json"))
@HOME_OPTION
@_OUTPUT
@click.pass_obj
def listed(above: Above, home: Path | None, output: str | None) -> None:
    """List the secrets; values are never shown."""
    _list(home or above[0], output or above[1])


def _list(home: Path | None, output: str) -> None:
    async def work(clients: Clients) -> None:
        known = [each async for each in _secrets(clients)]
        turn = asyncio.Semaphore(_AT_ONCE)
        users = await asyncio.gather(*(_users(clients, turn, each.name) for each in known))
        # Who may read definitions may not know of keys.
        sealed = {} if not known else await _by_key(clients)
        found = rows(known, users, sealed)
        if output != "text":
            echo_data([row.document for row in found], output)
        elif found:
            echo_rows(map(cells, found))
        else:
            click.echo("There are no secrets.")

    call(home, work)


@secrets.command(
    "set",
    epilog=examples(
        "podium secrets set PARTNER_TOKEN --file token.txt",
        'printf %s "$TOKEN" | podium secrets set PARTNER_TOKEN',
    ),
)
@HOME_OPTION
@_OUTPUT
@click.option(
    "--file",
    "source",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Read the value from a file; else it is read from standard input, or asked for unseen.",
)
@click.option("--description", help="For people. Left out: as it was.")
@click.option("--exact", is_flag=True, help="Keep a line end at the end of the value.")
@click.argument("name")
@click.pass_obj
def set_(
    above: Above,
    home: Path | None,
    output: str | None,
    source: Path | None,
    description: str | None,
    exact: bool,
    name: str,
) -> None:
    """Give the secret NAME a value, which is never an argument: shells keep those.

    A line end at its end is dropped. Calls that begin from now on have the new value; the old one
    is masked for 30 days more in what comes back.
    """
    value = _read(source, exact=exact)
    told = output or above[1]

    async def work(clients: Clients) -> None:
        before = await _document(clients, name)
        document = {**before, "kind": "secret", "name": name, "value": value}
        if description is not None:
            document["description"] = description
        put = pb.DocumentPut(document=json.dumps(document))
        answer = await clients.registry.PutDefinitions(
            pb.PutDefinitionsRequest(puts=[put]), timeout=CALL_SECONDS
        )
        (result,) = answer.results
        outcome = pb.Outcome.Name(result.outcome).removeprefix("OUTCOME_").lower()
        for warning in result.warnings:
            click.echo(f"warning: {warning}", err=True)
        if told != "text":
            echo_data({"name": name, "outcome": outcome}, told)
        else:
            click.echo(f"secret {name}  {outcome}")
        await live(clients, answer.revision)

    call(home or above[0], work)


@secrets.command(epilog=examples("podium secrets delete PARTNER_TOKEN"))
@HOME_OPTION
@_OUTPUT
@click.argument("name")
@click.pass_obj
def delete(above: Above, home: Path | None, output: str | None, name: str) -> None:
    """Delete the secret NAME; refused while a definition uses it."""

    async def work(clients: Clients) -> None:
        request = pb.DeleteDefinitionRequest(kind="secret", name=name)
        answer = await clients.registry.DeleteDefinition(request, timeout=CALL_SECONDS)
        if (output or above[1]) != "text":
            echo_data({"name": name, "outcome": "deleted"}, output or above[1])
        else:
            click.echo(f"secret {name}  deleted")
        await live(clients, answer.revision)

    call(home or above[0], work)


@secrets.command(epilog=examples("podium secrets variables"))
@HOME_OPTION
@_OUTPUT
@click.pass_obj
def variables(above: Above, home: Path | None, output: str | None) -> None:
    """List, by name, the variables of the executor's environment that workflows may read."""

    async def work(clients: Clients) -> None:
        told = await clients.secrets["executor"].ListVariables(
            sealing_pb2.ListVariablesRequest(), timeout=CALL_SECONDS
        )
        if (output or above[1]) != "text":
            found = {"names": list(told.names), "allowed": list(told.allowed)}
            echo_data(found, output or above[1])
        elif told.allowed:
            echo_lines(told.names)
            click.echo(f"PODIUM_WORKFLOW_ENVIRONMENT: {', '.join(told.allowed)}", err=True)
        else:
            click.echo("None: PODIUM_WORKFLOW_ENVIRONMENT names none.")

    call(home or above[0], work)


@secrets.command(epilog=examples("podium secrets keys", "podium secrets keys --output json"))
@HOME_OPTION
@_OUTPUT
@click.pass_obj
def keys(above: Above, home: Path | None, output: str | None) -> None:
    """Show the keys that seal secrets, what each has sealed, and which may be removed."""

    async def work(clients: Clients) -> None:
        told = await _sealing(clients)
        if (output or above[1]) != "text":
            echo_data(views.document(told), output or above[1])
        else:
            echo_lines(views.lines(told))

    call(home or above[0], work)


@secrets.command("rotate-key", epilog=examples("podium secrets rotate-key", "podium secrets keys"))
@HOME_OPTION
@_OUTPUT
@click.option(
    "--wait", type=LENGTH, default="60s", show_default=True, help="How long to wait for all."
)
@click.pass_obj
def rotate_key(above: Above, home: Path | None, output: str | None, wait: timedelta) -> None:
    """Put a new key into the key file, and wait until everything is sealed by it.

    It is done on the machine of the home, while the suite runs. The old key stays in the file
    until `podium secrets drop-keys`.
    """
    place, told = home or above[0], output or above[1]

    async def work(clients: Clients) -> int:
        # All must be there: one that is not would not take the key.
        await _sealing(clients)
        path = _key_file(clients)
        new = _changed(lambda: key_files.put_new(path))
        try:
            async with asyncio.timeout(wait.total_seconds()):
                found = await _settled(clients, new)
        except TimeoutError:
            said = f"key {new} is in {path}, but not all is sealed by it yet"
            click.echo(f"podium: {said}; podium secrets keys shows what is left.", err=True)
            return 1
        _show(found, told)
        return 0

    call(place, work)


@secrets.command("drop-keys", epilog=examples("podium secrets drop-keys"))
@HOME_OPTION
@_OUTPUT
@click.pass_obj
def drop_keys(above: Above, home: Path | None, output: str | None) -> None:
    """Take all keys out of the key file but the one that seals; refused while one is needed.

    What is in older backups is opened by the keys of their time: keep those as long as these.
    """

    async def work(clients: Clients) -> int:
        path = _key_file(clients)
        found = await _sealing(clients)
        first, *_ = _changed(lambda: key_files.ids_in(path))
        if not views.is_settled(found, first):
            echo_lines(views.lines(found))
            fail("A key is still needed; nothing was removed.")
        gone = _changed(lambda: key_files.keep_first(path, first))
        if (output or above[1]) != "text":
            echo_data({"removed": gone, "seals": first}, output or above[1])
        else:
            echo_lines(f"key {each}  removed" for each in gone)
            click.echo(f"key {first}  seals")
        return 0

    call(home or above[0], work)


def _show(told: Mapping[str, sealing_pb2.Sealing], output: str) -> None:
    if output != "text":
        echo_data(views.document(told), output)
    else:
        echo_lines(views.lines(told))


def _changed(change: Callable[[], T]) -> T:
    """What ``change`` of the key file gives; the end, where it cannot be."""
    try:
        return change()
    except (KeyFileUnusable, StartupError, Locked) as error:
        fail(str(error))
    except OSError as error:
        fail(f"The key file cannot be changed: {error.strerror or error}.")


def _key_file(clients: Clients) -> Path:
    """Of the suite, where this machine has it."""
    if named := os.environ.get("PODIUM_SECRET_KEY_FILE"):
        return Path(named)
    if clients.suite.home is None:
        fail("The key file is not known here: PODIUM_SECRET_KEY_FILE or --home says where it is.")
    return clients.suite.home.path / "secret.key"


async def _sealing(clients: Clients) -> dict[str, sealing_pb2.Sealing]:
    request = sealing_pb2.GetSealingRequest()
    first, *rest = clients.secrets
    # Whom one refuses is refused by all, and is in the audit log once.
    told = [await clients.secrets[first].GetSealing(request, timeout=CALL_SECONDS)]
    told += await asyncio.gather(
        *(clients.secrets[name].GetSealing(request, timeout=CALL_SECONDS) for name in rest)
    )
    return {name: each.sealing for name, each in zip((first, *rest), told, strict=True)}


async def _settled(clients: Clients, key_id: str) -> dict[str, sealing_pb2.Sealing]:
    while True:
        found = await _sealing(clients)
        if views.is_settled(found, key_id):
            return found
        # Nobody tells of it: services look at the file once a second.
        await asyncio.sleep(_LOOK_SECONDS)


async def _by_key(clients: Clients) -> dict[str, str]:
    request = sealing_pb2.GetSealingRequest()
    try:
        with raising_ours():
            told = await clients.secrets["registry"].GetSealing(request, timeout=CALL_SECONDS)
    except PermissionDenied:
        return {}
    return views.by_name(told.sealing)


async def _secrets(clients: Clients) -> AsyncIterator[pb.Definition]:
    page = page_pb2.PageRequest(page_size=_PAGE)
    while True:
        answer = await clients.registry.ListDefinitions(
            pb.ListDefinitionsRequest(kind="secret", page=page), timeout=CALL_SECONDS
        )
        for each in answer.definitions:
            yield each
        if not answer.next_page_token:
            return
        page.page_token = answer.next_page_token


async def _users(clients: Clients, turn: asyncio.Semaphore, name: str) -> list[str]:
    request = pb.ListReferencesRequest(
        kind="secret",
        name=name,
        direction=pb.REFERENCE_DIRECTION_USED_BY,
        page=page_pb2.PageRequest(page_size=_PAGE),
    )
    async with turn:
        answer = await clients.registry.ListReferences(request, timeout=CALL_SECONDS)
    return sorted({f"{each.kind} {each.name}" for each in answer.references})


async def _document(clients: Clients, name: str) -> dict[str, Any]:
    """The secret as it may be read; empty where there is none, or the caller may not."""
    try:
        with raising_ours():
            answer = await clients.registry.GetDefinition(
                pb.GetDefinitionRequest(kind="secret", name=name), timeout=CALL_SECONDS
            )
    except (NotFound, PermissionDenied):
        return {}
    found: dict[str, Any] = json.loads(answer.definition.document)
    return found


def _read(source: Path | None, *, exact: bool) -> str:
    """The value, from a file, from standard input, or from somebody who types it unseen."""
    if source is None and sys.stdin.isatty():
        value: str = click.prompt("Value", hide_input=True, confirmation_prompt=True, err=True)
        return value
    try:
        with source.open("rb") if source else nullcontext(sys.stdin.buffer) as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        fail(f"{source} cannot be read: {error.strerror or error}.")
    if len(raw) > MOST_BYTES:
        fail(f"The value is longer than {MOST_BYTES:,} bytes.")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        # Without what it quotes: the value.
        fail("The value is no UTF-8 text.")
    if not exact:
        text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        fail("The value is empty.")
    return text

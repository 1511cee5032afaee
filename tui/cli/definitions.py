"""`podium get` and `podium delete`: definitions as they are, and gone."""

from __future__ import annotations

import json
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.common.v1 import page_pb2
from podium.registry.v1 import registry_pb2
from services.errors import InvalidRequest, NotFound
from services.rpc import raising_ours
from tui.cli.main import HOME_OPTION
from tui.cli.serving import live
from tui.cli.session import call, echo_json, fail
from tui.cli.types import REVISION, VERSION
from tui.views.differences import title
from tui.views.yaml_text import yaml_text

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 30.0
PAGE = 500


@click.command()
@HOME_OPTION
@click.option("--version", type=VERSION, default=0, help="Default: the latest.")
@click.option(
    "--output",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    help="json and yaml print what `podium apply` takes back.",
)
@click.option("--revision", type=REVISION, help="As it was at that revision.")
@click.argument("kind")
@click.argument("name", required=False)
def get(
    home: Path | None,
    version: int,
    output: str,
    revision: int | None,
    kind: str,
    name: str | None,
) -> None:
    """Print the definition NAME of KIND, or list the KIND."""
    if revision is not None and not name:
        raise click.UsageError("--revision goes with the NAME of a definition.")

    async def one(clients: Clients) -> None:
        answer = await clients.registry.GetDefinition(
            registry_pb2.GetDefinitionRequest(
                kind=kind, name=name or "", version=version, revision=revision or 0
            ),
            timeout=CALL_SECONDS,
        )
        document = json.loads(answer.definition.document)
        click.echo(
            json.dumps(document, indent=2, ensure_ascii=False)
            if output == "json"
            else yaml_text(document).rstrip()
        )

    async def every(clients: Clients) -> None:
        found = [definition async for definition in pages(clients, kind)]
        if output == "text":
            for definition in found:
                when = definition.updated_at.ToDatetime().strftime("%Y-%m-%d %H:%M:%S")
                click.echo(f"{title(definition)}  {when}Z  {definition.updated_by}")
        elif output == "json":
            echo_json([json.loads(definition.document) for definition in found])
        else:
            documents = [yaml_text(json.loads(each.document)) for each in found]
            click.echo("---\n".join(documents).rstrip())

    call(home, of_known_kind(one if name else every))


async def pages(clients: Clients, kind: str) -> AsyncIterator[registry_pb2.Definition]:
    """Every definition of a kind, or of all where it is empty, in order."""
    token = ""
    while True:
        answer = await clients.registry.ListDefinitions(
            registry_pb2.ListDefinitionsRequest(
                kind=kind, page=page_pb2.PageRequest(page_size=PAGE, page_token=token)
            ),
            timeout=CALL_SECONDS,
        )
        for definition in answer.definitions:
            yield definition
        token = answer.next_page_token
        if not token:
            return


@click.command()
@HOME_OPTION
@click.option("--version", type=VERSION, default=0, help="Default: every version.")
@click.argument("kind")
@click.argument("name")
def delete(home: Path | None, version: int, kind: str, name: str) -> None:
    """Delete the definition NAME of KIND; refused while another definition uses it."""

    async def work(clients: Clients) -> None:
        answer = await clients.registry.DeleteDefinition(
            registry_pb2.DeleteDefinitionRequest(kind=kind, name=name, version=version),
            timeout=CALL_SECONDS,
        )
        deleted = registry_pb2.Definition(kind=kind, name=name, version=version)
        click.echo(f"{title(deleted)}  deleted")
        await live(clients, answer.revision)

    call(home, of_known_kind(work))


def of_known_kind(
    work: Callable[[Clients], Awaitable[int | None]],
) -> Callable[[Clients], Awaitable[int | None]]:
    """``work``, where a kind that the registry does not know is wrong usage.

    Who names a revision that is not there is told where to read which there are.
    """

    async def checked(clients: Clients) -> int | None:
        try:
            with raising_ours():
                return await work(clients)
        except InvalidRequest as error:
            if "kind" not in error.metadata:
                raise
            raise click.BadArgumentUsage(error.detail) from error
        except NotFound as error:
            if "revision" not in error.metadata:
                raise
            words = shlex.join((error.metadata["kind"], error.metadata["name"]))
            fail(f"{error.detail} podium history {words} lists them.")

    return checked

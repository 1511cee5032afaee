"""`podium apply`, `get` and `delete`: definitions from files, and back."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.common.v1 import page_pb2
from podium.registry.v1 import registry_pb2
from services.errors import Fault, InvalidDefinition, InvalidRequest
from services.json_text import DocumentError
from services.rpc import raising_ours
from services.yaml_documents import read_documents
from tui.cli.main import HOME_OPTION
from tui.cli.serving import live
from tui.cli.session import OUTPUT_OPTION, call, echo_json
from tui.views.faults import PlacedFault, placed
from tui.views.yaml_text import yaml_text

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 30.0
PAGE = 500

OUTCOMES = {
    registry_pb2.OUTCOME_CREATED: "created",
    registry_pb2.OUTCOME_CHANGED: "changed",
    registry_pb2.OUTCOME_UNCHANGED: "unchanged",
}


@click.command()
@HOME_OPTION
@click.option("--dry-run", is_flag=True, help="Check everything and store nothing.")
@OUTPUT_OPTION
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
def apply(home: Path | None, dry_run: bool, output: str, files: Sequence[Path]) -> None:
    """Put the definitions in FILES (JSON or YAML, several documents a file): all or none."""
    puts, unread = _puts(files)
    if unread:
        sys.exit(_refused(unread, output))

    async def work(clients: Clients) -> int:
        try:
            with raising_ours():
                answer = await clients.registry.PutDefinitions(
                    registry_pb2.PutDefinitionsRequest(puts=puts, dry_run=dry_run),
                    timeout=CALL_SECONDS,
                )
        except InvalidDefinition as error:
            origins = [put.origin for put in puts]
            faults = error.faults or (Fault("", error.detail),)
            return _refused([placed(fault, origins) for fault in faults], output)
        if output == "json":
            echo_json([_result(result) for result in answer.results])
        else:
            for result in answer.results:
                _print(result, dry_run)
        if not dry_run:
            await live(clients, answer.revision)
        return 0

    call(home, work)


def _refused(faults: Sequence[PlacedFault], output: str) -> int:
    """Say every fault and that nothing was put; the exit code."""
    if output == "json":
        echo_json({"faults": [asdict(fault) for fault in faults]})
    else:
        for fault in faults:
            click.echo(str(fault), err=True)
    click.echo("podium: nothing was put.", err=True)
    return 1


def _puts(files: Sequence[Path]) -> tuple[list[registry_pb2.DocumentPut], list[PlacedFault]]:
    """The documents of ``files``, and why some of these cannot be read."""
    puts: list[registry_pb2.DocumentPut] = []
    faults: list[PlacedFault] = []
    for file in files:
        try:
            found = _documents(file)
        except DocumentError as error:
            faults.append(PlacedFault(f"{file}:{error.line}", "", error.detail))
        except UnicodeDecodeError:
            faults.append(PlacedFault(str(file), "", "is no UTF-8 text"))
        except OSError as error:
            faults.append(PlacedFault(str(file), "", f"cannot be read: {error.strerror or error}"))
        else:
            puts.extend(found)
            if not found:
                faults.append(PlacedFault(str(file), "", "holds no document"))
    return puts, faults


def _documents(file: Path) -> list[registry_pb2.DocumentPut]:
    said = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    return [
        registry_pb2.DocumentPut(
            document=json.dumps(each.document, ensure_ascii=False), origin=f"{file}:{each.line}"
        )
        for each in read_documents(said.decode("utf-8"))
    ]


def _title(definition: registry_pb2.Definition) -> str:
    version = f" v{definition.version}" if definition.version else ""
    return f"{definition.kind} {definition.name}{version}"


def _print(result: registry_pb2.PutResult, dry_run: bool) -> None:
    tail = " (dry run)" if dry_run else ""
    click.echo(f"{_title(result.definition)}  {OUTCOMES[result.outcome]}{tail}")
    for warning in result.warnings:
        click.echo(f"  warning: {warning}", err=True)
    for key in result.generated_keys:
        click.echo(f"  key {key.name}: {key.key}  (shown this once)")


def _result(result: registry_pb2.PutResult) -> dict[str, object]:
    return {
        "kind": result.definition.kind,
        "name": result.definition.name,
        "version": result.definition.version,
        "outcome": OUTCOMES[result.outcome],
        "etag": result.definition.etag,
        "revision": result.definition.revision,
        "warnings": list(result.warnings),
        "generatedKeys": [{"name": key.name, "key": key.key} for key in result.generated_keys],
    }


@click.command()
@HOME_OPTION
@click.option("--version", type=click.IntRange(0), default=0, help="Default: the latest.")
@click.option(
    "--output",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    help="json and yaml print what `podium apply` takes back.",
)
@click.argument("kind")
@click.argument("name", required=False)
def get(home: Path | None, version: int, output: str, kind: str, name: str | None) -> None:
    """Print the definition NAME of KIND, or list the KIND."""

    async def one(clients: Clients) -> None:
        answer = await clients.registry.GetDefinition(
            registry_pb2.GetDefinitionRequest(kind=kind, name=name or "", version=version),
            timeout=CALL_SECONDS,
        )
        document = json.loads(answer.definition.document)
        click.echo(
            json.dumps(document, indent=2, ensure_ascii=False)
            if output == "json"
            else yaml_text(document).rstrip()
        )

    async def every(clients: Clients) -> None:
        found = [definition async for definition in _pages(clients, kind)]
        if output == "text":
            for definition in found:
                when = definition.updated_at.ToDatetime().strftime("%Y-%m-%d %H:%M:%S")
                click.echo(f"{_title(definition)}  {when}Z  {definition.updated_by}")
        elif output == "json":
            echo_json([json.loads(definition.document) for definition in found])
        else:
            documents = [yaml_text(json.loads(each.document)) for each in found]
            click.echo("---\n".join(documents).rstrip())

    call(home, _of_known_kind(one if name else every))


async def _pages(clients: Clients, kind: str) -> AsyncIterator[registry_pb2.Definition]:
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
@click.option("--version", type=click.IntRange(0), default=0, help="Default: every version.")
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
        click.echo(f"{_title(deleted)}  deleted")
        await live(clients, answer.revision)

    call(home, _of_known_kind(work))


def _of_known_kind(
    work: Callable[[Clients], Awaitable[None]],
) -> Callable[[Clients], Awaitable[None]]:
    """``work``, where a kind that the registry does not know is wrong usage."""

    async def checked(clients: Clients) -> None:
        try:
            with raising_ours():
                await work(clients)
        except InvalidRequest as error:
            if "kind" not in error.metadata:
                raise
            raise click.BadArgumentUsage(error.detail) from error

    return checked

"""`podium export`: every definition as a file, so that a folder says what the suite is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from podium.registry.v1 import registry_pb2 as pb
from services.errors import Conflict
from services.rpc import raising_ours
from tui.cli.definitions import CALL_SECONDS, pages
from tui.cli.main import HOME_OPTION
from tui.cli.session import call
from tui.cli.sources import SCOPE, SUFFIXES
from tui.cli.writing import OUTPUT_OPTION, echo_data, examples
from tui.views.files import KINDS, Key, paths, text

if TYPE_CHECKING:
    from tui.clients import Clients

_TRIES = 5


@click.command(epilog=examples("podium export definitions"))
@HOME_OPTION
@OUTPUT_OPTION
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(home: Path | None, output: str, folder: Path) -> None:
    """Write every definition to FOLDER, as `podium apply FOLDER` takes it back.

    Keys and values of secrets are never written. A file that says the same already is left
    alone.
    """

    async def work(clients: Clients) -> None:
        found = await at_once(clients)
        files = paths(found)
        written = {files[key]: write(folder / files[key], each) for key, each in found.items()}
        _write_scope(folder / SCOPE)
        left = left_over(folder, set(written))
        if output != "text":
            echo_data({"written": written, "leftOver": left}, output)
            return
        for file, new in sorted(written.items()):
            if new:
                click.echo(folder / file)
        for file in left:
            click.echo(f"warning: {folder / file} is of nothing that is there.", err=True)
        click.echo(f"{sum(written.values())} written, {len(written)} definitions", err=True)

    call(home, work)


async def at_once(clients: Clients) -> dict[Key, pb.Definition]:
    """Every definition as it was at one moment, so that all that one names is there.

    Raises:
        Conflict: They changed each time while they were read.
    """
    with raising_ours():
        for _ in range(_TRIES):
            revision = await _revision(clients)
            found = {_key(each): each async for each in pages(clients, "")}
            if await _revision(clients) == revision:
                return found
    raise Conflict("Definitions change faster than they can be read: export again.")


async def _revision(clients: Clients) -> int:
    request = pb.GetRegistryStatusRequest()
    return (await clients.registry.GetRegistryStatus(request, timeout=CALL_SECONDS)).revision


def _key(definition: pb.Definition) -> Key:
    return definition.kind, definition.name, definition.version


def write(path: Path, definition: pb.Definition) -> bool:
    """Whether the file said something else before."""
    content = text(json.loads(definition.document)).encode()
    # To open a pipe is to wait for who writes to it; what is no file is replaced by one.
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # By rename: whoever reads it has one or the other, and an end in between harms nothing.
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_bytes(content)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return True


def _write_scope(file: Path) -> None:
    """Say that the folder has all there is, unless it says something already."""
    if not file.exists():
        file.write_text('{"manages": ["*"]}\n')


def left_over(folder: Path, written: set[str]) -> list[str]:
    """Files beside those that were written: applied again, they would bring back what is gone."""
    kinds = (folder / kind for kind in KINDS)
    beside = (path for kind in kinds if kind.is_dir() for path in kind.iterdir())
    names = (path.relative_to(folder).as_posix() for path in beside if path.suffix in SUFFIXES)
    return sorted(name for name in names if name not in written and "/." not in name)

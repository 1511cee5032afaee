"""`podium export`: every definition as a file, so that a folder says what the suite is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.definitions import pages
from tui.cli.main import HOME_OPTION
from tui.cli.session import OUTPUT_OPTION, call, echo_json
from tui.cli.sources import SCOPE, SUFFIXES
from tui.views.files import Key, paths, text

if TYPE_CHECKING:
    from podium.registry.v1 import registry_pb2
    from tui.clients import Clients


@click.command()
@HOME_OPTION
@OUTPUT_OPTION
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(home: Path | None, output: str, folder: Path) -> None:
    """Write every definition to FOLDER, as `podium apply FOLDER` takes it back.

    Keys and values of secrets are never written. A file that says the same already is left
    alone.
    """

    async def work(clients: Clients) -> None:
        found = {_key(each): each async for each in pages(clients, "")}
        files = paths(found)
        written = {files[key]: _write(folder / files[key], each) for key, each in found.items()}
        _write_scope(folder / SCOPE)
        left = _left_over(folder, set(written))
        if output == "json":
            echo_json({"written": written, "leftOver": left})
            return
        for file, new in sorted(written.items()):
            if new:
                click.echo(folder / file)
        for file in left:
            click.echo(f"warning: {folder / file} is of nothing that is there.", err=True)
        click.echo(f"{sum(written.values())} written, {len(written)} definitions", err=True)

    call(home, work)


def _key(definition: registry_pb2.Definition) -> Key:
    return definition.kind, definition.name, definition.version


def _write(path: Path, definition: registry_pb2.Definition) -> bool:
    """Whether the file said something else before."""
    content = text(json.loads(definition.document)).encode()
    try:
        if path.read_bytes() == content:
            return False
    except FileNotFoundError:
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


def _left_over(folder: Path, written: set[str]) -> list[str]:
    """Files beside those that were written: applied again, they would bring back what is gone."""
    kinds = {Path(file).parent for file in written}
    beside = (path for kind in kinds for path in (folder / kind).iterdir())
    names = (path.relative_to(folder).as_posix() for path in beside if path.suffix in SUFFIXES)
    return sorted(name for name in names if name not in written and "/." not in name)

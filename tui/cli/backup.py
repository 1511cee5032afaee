"""`podium backup`: the suite in one file, while it runs or not."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from services.home import default_home
from tui.cli.main import HOME_OPTION
from tui.cli.session import fail
from tui.cli.writing import OUTPUT_OPTION, echo_data, examples

if TYPE_CHECKING:
    from services.backups.manifest import Manifest
    from services.backups.parts import Places

T = TypeVar("T")

_NICE = 10


def _database(name: str) -> click.Option:
    return click.Option(
        [f"--{name}-database"],
        type=click.Path(path_type=Path),
        envvar=f"PODIUM_{name.upper()}_DATABASE",
        show_envvar=True,
        help=f"The {name}'s database, where it is not in the home.",
    )


def place_options(command: click.Command) -> click.Command:
    """``command`` with the options that say where databases and key are, if in no home."""
    command.params.extend(map(_database, ("registry", "executor")))
    key = click.Option(
        ["--secret-key-file"],
        type=click.Path(path_type=Path),
        envvar="PODIUM_SECRET_KEY_FILE",
        show_envvar=True,
        help="The key that secrets are sealed with, where it is not in the home.",
    )
    command.params.append(key)
    return command


def places_of(home: Path | None, given: Mapping[str, Path | None]) -> Places:
    """Where they are. Raises BackupError: they are not there."""
    from services.backups.parts import places

    databases = {name: given[f"{name}_database"] for name in ("registry", "executor")}
    return places(home or default_home(os.environ), databases, given["secret_key_file"])


@place_options
@click.command(
    epilog=examples(
        "podium backup podium.backup",
        "podium backup --with-keys /mnt/safe/podium.backup",
        "podium backup - --home /srv/podium",
    )
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--with-keys", is_flag=True, help="The keys, too: whoever has the file has all.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
def backup(
    home: Path | None, output: str, with_keys: bool, file: Path, **given: Path | None
) -> None:
    """Copy databases of a suite into FILE (- for standard output), while it runs or not.

    It reads the files of the suite, so it runs on the suite's machine. Keys are not in it unless
    asked for: keep them elsewhere, for without secret.key what is restored cannot be read.
    """
    from services.backups import making
    from services.backups.parts import BackupError

    try:
        wanted = making.Wanted(places_of(home, given), with_keys, lambda: datetime.now(UTC))
        if str(file) == "-":
            if sys.stdout.isatty():
                raise click.UsageError("A backup is no text: have standard output go to a file.")
            quietly(lambda: making.to_stream(wanted, sys.stdout.buffer))
            return
        _tell(quietly(lambda: making.to_file(wanted, file)), file, output)
    except BackupError as error:
        fail(str(error))


def quietly(work: Callable[[], T]) -> T:
    """What ``work`` returns, done when nobody else wants the processor.

    Ctrl-C ends it at once: SQLite is not waited for, and what is left is cleared away next time.
    """
    done: Future[T] = Future()

    def low() -> None:
        try:
            # Where a thread has no priority of its own, or may not have another one, it goes on.
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001
            # It is the caller's.
            done.set_exception(error)

    threading.Thread(target=low, name="backup", daemon=True).start()
    return done.result()


def _tell(manifest: Manifest, file: Path, output: str) -> None:
    from services.home import KEYS

    held = [entry.name for entry in manifest.entries if entry.name in KEYS]
    if output != "text":
        told: dict[str, Any] = {"file": str(file), "withKeys": bool(held), **manifest.document()}
        echo_data(told, output)
        return
    for entry in manifest.entries:
        click.echo(f"{entry.name:<17} {entry.bytes:>14,} bytes  as of {entry.taken_at}")
    click.echo(f"{file}  {file.stat().st_size:,} bytes, readable by its owner only (0600)")
    if held:
        click.echo(f"It holds keys ({', '.join(held)}): whoever reads it can act as you.", err=True)
    elif manifest.keys:
        ids = ", ".join(manifest.keys)
        click.echo(f"Its secrets are read with secret.key ({ids}), not in it.", err=True)

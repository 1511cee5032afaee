"""`podium restore`: a home of a backup."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.home import default_home
from tui.cli.main import HOME_OPTION
from tui.cli.session import fail
from tui.cli.writing import OUTPUT_OPTION, echo_data, examples

if TYPE_CHECKING:
    from services.backups.restoring import Done


@click.command(
    epilog=examples(
        "podium restore podium.backup --home /srv/podium",
        "podium restore podium.backup --replace",
    )
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--replace", is_flag=True, help="What the home has goes aside; it is said where to.")
@click.option("--resume", is_flag=True, help="Executions that were under way go on at once.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(home: Path | None, output: str, replace: bool, resume: bool, file: Path) -> None:
    """Make of the backup FILE a home that `podium up` starts.

    Executions that were under way are paused, for what they did after the backup was made would
    be done again: look at them, then `podium resume`. Keys of a home without databases, or of one
    that is replaced, stay, where the backup has none.
    """
    from services.backups.parts import BackupError
    from services.backups.restoring import Order, restore as restored
    from tui.cli.backup import quietly

    place = (home or default_home(os.environ)).resolve()
    order = Order(file, place, replace, resume, datetime.now(UTC))
    try:
        done = quietly(lambda: restored(order))
    except BackupError as error:
        fail(str(error))
    if output != "text":
        echo_data(_document(order.home, done, resume=resume), output)
    else:
        _tell(order.home, done, resume=resume)


def _document(home: Path, done: Done, *, resume: bool) -> dict[str, object]:
    return {
        "home": str(home),
        "movedTo": str(done.aside) if done.aside else None,
        "madeAt": done.manifest.made_at.isoformat(),
        "underWay": done.under_way,
        "paused": 0 if resume else done.under_way,
        "keysMissing": list(done.key_missing),
    }


def _tell(home: Path, done: Done, *, resume: bool) -> None:
    if done.aside:
        click.echo(f"What was in {home} is in {done.aside}.")
    click.echo(f"{home} is as the suite was at {done.manifest.made_at.isoformat()}.")
    if done.under_way and not resume:
        many = "execution was" if done.under_way == 1 else "executions were"
        click.echo(
            f"{done.under_way:,} {many} under way and wait, PAUSED; after podium up:\n"
            "  podium executions status:paused\n  podium resume --query status:paused"
        )
    if done.key_missing:
        click.echo(
            f"Put the key {', '.join(done.key_missing)} into {home / 'secret.key'} before "
            "podium up: secrets are sealed with it.",
            err=True,
        )

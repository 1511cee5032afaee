"""`podium check`: what is wrong in the databases of a suite, or in a backup."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.home import default_home
from tui.cli.backup import place_options, places_of, quietly
from tui.cli.main import HOME_OPTION
from tui.cli.session import fail
from tui.cli.writing import OUTPUT_OPTION, echo_data, examples

if TYPE_CHECKING:
    from services.backups.checking import Report


@place_options
@click.command(
    epilog=examples(
        "podium check", "podium check podium.backup", "podium check --thorough --output json"
    )
)
@HOME_OPTION
@OUTPUT_OPTION
@click.option("--thorough", is_flag=True, help="Compare every index with its table: takes longer.")
@click.argument("file", required=False, type=click.Path(exists=True, path_type=Path))
def check(
    home: Path | None, output: str, thorough: bool, file: Path | None, **given: Path | None
) -> None:
    """Look through the databases of a suite, running or not, or through the backup FILE.

    Nothing is changed. The exit status is 1 if something is wrong.
    """
    from services.backups import checking
    from services.backups.parts import BackupError

    def looked() -> Report:
        if file is None:
            return checking.suite(places_of(home, given), thorough=thorough)
        own = (home or default_home(os.environ)) / "secret.key"
        key = given["secret_key_file"] or (own if home and own.is_file() else None)
        return checking.backup(file, key, thorough=thorough)

    try:
        report = quietly(looked)
    except BackupError as error:
        fail(str(error))
    _tell(report, output)
    sys.exit(int(bool(report.findings)))


def _tell(report: Report, output: str) -> None:
    if output != "text":
        found = [asdict(each) for each in report.findings]
        echo_data(
            {"lookedAt": report.looked_at, "findings": found, "sealedUntried": report.unsealed},
            output,
        )
        return
    for each in report.findings:
        click.echo(f"{each.where}: {each.what} {each.way_out}")
    if report.unsealed:
        click.echo(f"Sealed texts were not tried. {report.unsealed}", err=True)
    wrong = {each.where for each in report.findings}
    for name in report.looked_at:
        if name not in wrong:
            click.echo(f"{name}: nothing is wrong.")

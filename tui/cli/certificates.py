"""`podium certificates`: a private authority and certificates for one suite, made and renewed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.session import fail
from tui.cli.writing import OUTPUT_OPTION, echo_data, examples

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

DAYS = 365
# Apple's clients refuse what is valid for longer.
MOST_DAYS = 825

_FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
_HOST = click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A name or address that the suite is called by, besides this machine; may be repeated.",
)
_DAYS = click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    default=DAYS,
    show_default=True,
    help="How long they are valid.",
)


@click.group(epilog=examples("podium certificates make /etc/podium/tls --host podium.internal"))
def certificates() -> None:
    """Make and renew the certificates of a private suite.

    FOLDER holds the authority, ca.crt and ca.key, and two certificates of its: server.crt for the
    services, and client.crt for all who call them. Who has ca.key can make more: keep it apart.
    """


@certificates.command(
    epilog=examples(
        "podium certificates make /etc/podium/tls --host podium.internal --host 10.0.0.7",
    )
)
@_FOLDER
@_HOST
@_DAYS
def make(folder: Path, hosts: tuple[str, ...], days: int) -> None:
    """Make an authority, and what it signs, in FOLDER; the settings that use them are printed."""
    # Late: reading certificates is a library of its own, which most do without.
    from services.tls.folder import Folder, settings_of

    with _told():
        Folder(folder).make(_checked(hosts), datetime.now(UTC), timedelta(days=days))
    click.echo(f"Made in {folder}. The settings of the services that use them:", err=True)
    for variable, text in settings_of(folder.absolute(), "gateway", "management").items():
        click.echo(f"{variable}={text}")


@certificates.command(
    epilog=examples(
        "podium certificates renew /etc/podium/tls",
        "podium certificates renew /etc/podium/tls --authority",
    )
)
@_FOLDER
@_HOST
@_DAYS
@click.option(
    "--authority",
    is_flag=True,
    help="Make a new authority, trusted beside the old one; renewing once more has it sign.",
)
def renew(folder: Path, hosts: tuple[str, ...], days: int, authority: bool) -> None:
    """Replace the certificates in FOLDER; what runs takes the new ones within seconds.

    They keep the hosts that they are for. To replace the authority as well, take three steps:
    --authority, and once ca.crt is everywhere, renew, and renew again to trust the old one no more.
    """
    from services.tls.folder import Folder

    with _told():
        if authority:
            Folder(folder).replace_authority(datetime.now(UTC))
        else:
            Folder(folder).renew(_checked(hosts), datetime.now(UTC), timedelta(days=days))
    click.echo(f"Renewed in {folder}.", err=True)


@certificates.command(epilog=examples("podium certificates show /etc/podium/tls"))
@_FOLDER
@OUTPUT_OPTION
def show(folder: Path, output: str) -> None:
    """Show the certificates in FOLDER; ends with 1 if one has expired."""
    from services.tls.folder import Folder

    with _told():
        found = [_data(name, each) for name, each in Folder(folder).certificates()]
    if output != "text":
        echo_data(found, output)
    else:
        for each in found:
            click.echo(_line(each))
    now = datetime.now(UTC).isoformat()
    sys.exit(int(any(each["endsAt"] < now for each in found)))


def _checked(hosts: tuple[str, ...]) -> tuple[str, ...]:
    for host in hosts:
        if not host or not host.isascii() or any(sign in host for sign in "/ \t\n@"):
            raise click.BadParameter(f"{host!r} is no name and no address.", param_hint="--host")
    return hosts


@contextmanager
def _told() -> Iterator[None]:
    from services.tls.files import BadCertificates

    try:
        yield
    except BadCertificates as error:
        fail(str(error))


def _data(name: str, certificate: Certificate) -> dict[str, Any]:
    from services.tls.checking import names_of

    return {
        "file": name,
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "hosts": names_of(certificate),
        "endsAt": certificate.not_valid_after_utc.isoformat(),
    }


def _line(data: dict[str, Any]) -> str:
    hosts = f"  for {', '.join(data['hosts'])}" if data["hosts"] else ""
    return f"{data['file']:<10}  until {data['endsAt'][:10]}  {data['subject']}{hosts}"

"""`podium up`: the whole suite in the foreground."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from services.egress.configured import EgressSettings
from services.home import DEFAULT_ADDRESSES, Home, HomeUnusable, default_home, split_address, url
from services.locks import Locked, held
from services.process import StartupError
from services.sealing import read_key
from services.settings import Common, read
from services.supervisor import Suite
from tui.cli.main import HOME_OPTION
from tui.cli.up_tls import called_with, certificates_of, check_certificates, dialled, encrypted_in
from tui.cli.writing import examples


def _address(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """``value``, refused as wrong usage where it is no address."""
    try:
        if value:
            split_address(value)
    except HomeUnusable as error:
        raise click.BadParameter(str(error), context, option) from error
    return value


def address_option(name: str) -> click.Option:
    """``--gateway`` and its like; where it is left out, the service's own setting counts."""
    return click.Option(
        [f"--{name}"],
        callback=_address,
        metavar="HOST:PORT",
        envvar=f"PODIUM_{name.upper()}_LISTEN",
        show_envvar=True,
        help=f"Where the {name} listens. [default: {DEFAULT_ADDRESSES[name]}]",
    )


_GRPC = ("PODIUM_REGISTRY_LISTEN", "PODIUM_EXECUTOR_LISTEN", "PODIUM_EDGE_LISTEN")


@click.command(
    epilog=examples("podium up", "podium up --home /srv/podium --tls --gateway 0.0.0.0:8443")
)
@HOME_OPTION
@click.option(
    "--tls",
    is_flag=True,
    help="Encrypt all connections with certificates of the home's own, made when they are missing.",
)
def up(home: Path | None, tls: bool, **wanted: str | None) -> None:
    """Start registry, executor and edge as three processes; stop them with Ctrl-C.

    Port 0 takes the port of the home's last run if it is free, else a free one.

    With --tls commands on this machine find the certificates in the home; others are given ca.crt,
    client.crt and client.key of its folder tls.
    """
    place = Home(home or default_home(os.environ))
    try:
        place.make()
        with held(place.lock_path):
            place.make_keys()
            if loss := place.loss():
                click.echo(f"podium up: warning: {loss}", err=True)
            place.forget_endpoints()
            addresses = place.addresses({k: v for k, v in wanted.items() if v})
            told = environment(place, addresses, certificates_of(place, addresses) if tls else {})
            check(told)
            # What is refused leaves the ports of the last run.
            place.keep_addresses(addresses)
            try:
                code = asyncio.run(_supervise(place, addresses, told))
            finally:
                place.forget_endpoints()
    except (HomeUnusable, Locked, StartupError, OSError) as error:
        click.echo(f"podium up: {error}", err=True)
        sys.exit(1)
    sys.exit(code)


up.params.extend(address_option(name) for name in DEFAULT_ADDRESSES)


async def _supervise(home: Home, addresses: Mapping[str, str], told: Mapping[str, str]) -> int:
    ready = False
    files, encrypted = called_with(told), encrypted_in(told)
    where = {
        name: dialled(address) if files or name in encrypted else address
        for name, address in addresses.items()
    }

    def announce(pids: Mapping[str, int]) -> None:
        nonlocal ready
        home.write_endpoints(where, {"supervisor": os.getpid(), **pids}, encrypted, files)
        if not ready:
            ready = True
            gateway, management = (
                url(name, where[name], encrypted) for name in ("gateway", "management")
            )
            click.echo(f"ready  gateway {gateway}  management {management}  home {home.path}")
            sys.stdout.flush()

    suite = Suite(told, announce)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, suite.stop)
    return await suite.run()


def environment(
    home: Home, addresses: Mapping[str, str], certificates: Mapping[str, str]
) -> dict[str, str]:
    """The settings of the three services of one home.

    Args:
        certificates: Those of :func:`tui.cli.up_tls.certificates_of`; none: the environment's.
    """
    path = home.path.resolve()
    encrypted = encrypted_in(certificates)
    named = dialled if called_with(certificates) else str
    return {
        **certificates,
        # What is embedded calls job servers on its own machine; the operator may say otherwise.
        "PODIUM_EGRESS_ALLOW": os.environ.get("PODIUM_EGRESS_ALLOW", "loopback"),
        "PODIUM_EGRESS_OWN": ",".join(
            [addresses[name] for name in ("registry", "executor", "edge", "management")]
            + [each for each in (os.environ.get("PODIUM_EGRESS_OWN"),) if each]
        ),
        "PODIUM_PUBLIC_URL": os.environ.get(
            "PODIUM_PUBLIC_URL", url("gateway", addresses["gateway"], encrypted)
        ),
        "PODIUM_LOG_LEVEL": os.environ.get("PODIUM_LOG_LEVEL", "warning"),
        "PODIUM_HOME": str(path),
        "PODIUM_CLUSTER_KEY_FILE": str(path / "cluster.key"),
        "PODIUM_SECRET_KEY_FILE": str(path / "secret.key"),
        "PODIUM_ADMIN_KEY_ID": home.credentials().key_id,
        "PODIUM_ADMIN_KEY_SECRET_FILE": str(path / "admin.secret"),
        "PODIUM_REGISTRY_DATABASE": str(path / "registry.db"),
        "PODIUM_EXECUTOR_DATABASE": str(path / "executor.db"),
        "PODIUM_EDGE_DATABASE": str(path / "edge.db"),
        "PODIUM_REGISTRY_LISTEN": addresses["registry"],
        "PODIUM_EXECUTOR_LISTEN": addresses["executor"],
        "PODIUM_EDGE_LISTEN": addresses["edge"],
        "PODIUM_GATEWAY_LISTEN": addresses["gateway"],
        "PODIUM_MANAGEMENT_LISTEN": addresses["management"],
        "PODIUM_REGISTRY": named(addresses["registry"]),
        "PODIUM_EXECUTOR": named(addresses["executor"]),
    }


def check(told: Mapping[str, str]) -> None:
    """Refuse, in one line, what several services would refuse in a line each.

    Raises:
        StartupError: A setting or a key that they share makes no sense.
    """
    shared = read(Common, {**os.environ, **told})
    for variable in _GRPC:
        shared.check_grpc(told[variable])
    check_certificates(shared)
    # Two services call out, by the same settings.
    read(EgressSettings, {**os.environ, **told}).egress()
    for variable in ("PODIUM_CLUSTER_KEY_FILE", "PODIUM_SECRET_KEY_FILE"):
        read_key(Path(told[variable]))

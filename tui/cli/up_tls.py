"""What `podium up` knows of certificates: the home's own, or those of the environment."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.home import CERTIFICATES, Home, split_address
from services.settings import Common

_LISTENERS = ("gateway", "management")
_FILES = {
    "caFile": "PODIUM_TLS_CA_FILE",
    "certFile": "PODIUM_TLS_CLIENT_CERT_FILE",
    "keyFile": "PODIUM_TLS_CLIENT_KEY_FILE",
    "serverName": "PODIUM_TLS_SERVER_NAME",
}
# Of those that are made here; renewed at a start when less is left than this.
LIFETIME = timedelta(days=365)
LEAST = timedelta(days=60)


def certificates_of(home: Home, addresses: Mapping[str, str]) -> dict[str, str]:
    """The settings of the home's own certificates, which are made or renewed where that is needed.

    What the environment sets of a listener stays, as a gateway's certificate that the world trusts.

    Raises:
        BadCertificates: They cannot be made.
    """
    # Late: reading certificates is a library of its own, which most do without.
    from services.tls.folder import Folder, settings_of

    folder, now = Folder(home.path.resolve() / CERTIFICATES), datetime.now(UTC)
    listening = (split_address(each)[0].strip("[]") for each in addresses.values())
    hosts = [host for host in dict.fromkeys((socket.gethostname(), *listening)) if _is_name(host)]
    if not folder.exists:
        folder.make(hosts, now, LIFETIME)
    elif (
        not folder.fits
        or folder.missing(hosts)
        or any(each.not_valid_after_utc - now < LEAST for _, each in folder.certificates())
    ):
        folder.renew(hosts, now, LIFETIME)
    free = [name for name in _LISTENERS if not os.environ.get(_setting(name))]
    return settings_of(folder.path, *free)


def _is_name(host: str) -> bool:
    return host.isascii() and host not in ("0.0.0.0", "::") and not any(map(str.isspace, host))


def _setting(listener: str) -> str:
    return f"PODIUM_{listener.upper()}_TLS_CERT_FILE"


def check_certificates(shared: Common) -> None:
    """Refuse those that all three services would refuse. Raises BadCertificates."""
    served, called = shared.grpc_tls(), shared.call_tls()
    if served is None and called is None:
        return
    # Late, as above.
    from services.tls.checking import client_material, server_material

    if served is not None:
        server_material(served)
    if called is not None:
        client_material(called)


def called_with(told: Mapping[str, str]) -> dict[str, str]:
    """The files that services are called with, as endpoints.json has them; empty: plain text."""
    found = {name: _told(told, variable) for name, variable in _FILES.items()}
    # Commands are called elsewhere.
    return {
        name: str(Path(text).absolute()) if name != "serverName" else text
        for name, text in found.items()
        if text and found["caFile"]
    }


def encrypted_in(told: Mapping[str, str]) -> frozenset[str]:
    """Which of gateway and management speak TLS."""
    return frozenset(name for name in _LISTENERS if _told(told, _setting(name)))


def dialled(address: str) -> str:
    """Where a listener is called on this machine: no certificate is for all of its addresses."""
    host, port = split_address(address)
    return f"{ {'0.0.0.0': '127.0.0.1', '[::]': '[::1]'}.get(host, host) }:{port}"


def _told(told: Mapping[str, str], variable: str) -> str:
    return told.get(variable) or os.environ.get(variable, "")

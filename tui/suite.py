"""Where the suite is and by which key: from the home, or from ``PODIUM_*`` where that says more."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from services.home import Credentials, Home, HomeUnusable, default_home
from services.tls.files import BadCertificates, ClientFiles, Named
from tui.settings.model import Context

_VARIABLES = {
    "registry": "PODIUM_REGISTRY",
    "executor": "PODIUM_EXECUTOR",
    "edge": "PODIUM_EDGE",
    "management": "PODIUM_MANAGEMENT",
    "gateway": "PODIUM_GATEWAY",
}


_TLS = (
    "PODIUM_TLS_CA_FILE",
    "PODIUM_TLS_CLIENT_CERT_FILE",
    "PODIUM_TLS_CLIENT_KEY_FILE",
    "PODIUM_TLS_SERVER_NAME",
)
_WRITTEN_DOWN = ("caFile", "certFile", "keyFile", "serverName")


@dataclass(frozen=True, slots=True)
class Suite:
    """One running suite.

    Attributes:
        registry: ``host:port``, gRPC; so are ``executor`` and ``edge``.
        gateway: A URL without a path; so is ``management``.
        home: Its folder; None where all was said by the environment.
        tls: What its services are called with; None: plain text.
    """

    registry: str
    executor: str
    edge: str
    gateway: str
    management: str
    credentials: Credentials
    home: Home | None
    tls: ClientFiles | None = None


def find(home: Path | None, environment: Mapping[str, str]) -> Suite:
    """The suite that a command is about.

    Raises:
        HomeUnusable: No suite runs in the home, and the environment does not say where one is.
    """
    place = Home(home or default_home(environment))
    said = {name: environment.get(variable, "") for name, variable in _VARIABLES.items()}
    key = Credentials(environment.get("PODIUM_KEY_ID", ""), _secret(environment))
    if home is None and all(said[name] for name in ("registry", "executor", "edge")) and key.key_id:
        tls = _said_tls(environment)
        addresses = {name: _url(name, value, tls) for name, value in said.items()}
        return Suite(**addresses, credentials=key, home=None, tls=tls)
    known = place.endpoints()
    tls = _said_tls(environment) or _known_tls(place, known.get("tls"))
    addresses = {name: _url(name, said[name] or str(known[name]), tls) for name in _VARIABLES}
    credentials = key if key.key_id else place.credentials()
    return Suite(**addresses, credentials=credentials, home=place, tls=tls)


def verifying(suite: Suite) -> ssl.SSLContext | bool:
    """What ``httpx`` checks the certificates of gateway and management by.

    Raises:
        HomeUnusable: The certificates that it is called with are bad.
    """
    if suite.tls is None:
        return True
    # Late: reading certificates is a library of its own, which most do without.
    from services.tls.clients import context_of

    try:
        return context_of(suite.tls)
    except BadCertificates as error:
        raise HomeUnusable(str(error)) from error


def _said_tls(environment: Mapping[str, str]) -> ClientFiles | None:
    return _tls(environment, {name: name for name in _TLS})


def _known_tls(home: Home, known: object) -> ClientFiles | None:
    """As `podium up` wrote it down."""
    if not isinstance(known, dict):
        return None
    given = {
        variable: str(known.get(name) or "")
        for variable, name in zip(_TLS, _WRITTEN_DOWN, strict=True)
    }
    return _tls(given, dict.fromkeys(_TLS, f"{home.endpoints_path.name}:"))


def _tls(given: Mapping[str, str], called: Mapping[str, str]) -> ClientFiles | None:
    authorities, certificate, key, server_name = _TLS
    paths = {
        name: (called[name], Path(given[name]) if given.get(name) else None)
        for name in (authorities, certificate, key)
    }
    try:
        return Named(paths[certificate], paths[key], paths[authorities]).client(
            given.get(server_name, "")
        )
    except BadCertificates as error:
        raise HomeUnusable(str(error)) from error


def of_context(context: Context) -> Suite:
    """The suite of a context of the console's settings.

    Raises:
        HomeUnusable: No suite runs in its home, or it does not say where its services are.
    """
    said = {name: getattr(context, name) for name in _VARIABLES}
    home = Path(context.home).expanduser() if context.home else None
    if home is None and not any(said.values()):
        home = default_home({})
    _check_secret(context)
    environment = {_VARIABLES[name]: value for name, value in said.items()}
    environment["PODIUM_KEY_ID"] = context.key_id
    environment["PODIUM_KEY_SECRET_FILE"] = (
        str(Path(context.secret_file).expanduser()) if context.secret_file else ""
    )
    if home is None:
        _check_complete(context)
    return _with_certificates(find(home, environment), context)


def _with_certificates(suite: Suite, context: Context) -> Suite:
    said = (context.ca_file, context.cert_file, context.key_file, context.server_name)
    tls = _tls(dict(zip(_TLS, said, strict=True)), _called(context))
    if tls is None:
        return suite
    return replace(
        suite,
        tls=tls,
        gateway=_url("gateway", context.gateway, tls) or suite.gateway,
        management=_url("management", context.management, tls) or suite.management,
    )


def _called(context: Context) -> dict[str, str]:
    fields = ("ca_file", "cert_file", "key_file", "server_name")
    return {
        variable: f"The {field} of the context {context.name}"
        for variable, field in zip(_TLS, fields, strict=True)
    }


def _check_secret(context: Context) -> None:
    """Told by the name that it has in the settings."""
    path = Path(context.secret_file).expanduser()
    try:
        if context.secret_file:
            path.read_bytes()
    except OSError as error:
        raise HomeUnusable(
            f"The secret_file {path} of the context {context.name} cannot be read: "
            f"{error.strerror}."
        ) from error


def _check_complete(context: Context) -> None:
    needed = ("registry", "executor", "edge", "key_id")
    missing = [name for name in needed if not getattr(context, name)]
    if missing:
        raise HomeUnusable(
            f"The context {context.name} says no home, and no {' and no '.join(missing)}."
        )


def _secret(environment: Mapping[str, str]) -> str:
    """The secret itself, or the text of the file that is said to hold it."""
    file = environment.get("PODIUM_KEY_SECRET_FILE")
    if not file:
        return environment.get("PODIUM_KEY_SECRET", "")
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise HomeUnusable(
            f"PODIUM_KEY_SECRET_FILE {file} cannot be read: {error.strerror}."
        ) from error


def _url(name: str, value: str, tls: ClientFiles | None) -> str:
    if name in ("gateway", "management") and value and "://" not in value:
        return f"{'https' if tls else 'http'}://{value}"
    return value.removesuffix("/")


__all__ = ["HomeUnusable", "Suite", "find", "of_context", "verifying"]

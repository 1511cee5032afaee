"""Where the suite is and by which key: from the home, or from ``PODIUM_*`` where that says more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.home import Credentials, Home, HomeUnusable, default_home
from tui.settings.model import Context

_VARIABLES = {
    "registry": "PODIUM_REGISTRY",
    "executor": "PODIUM_EXECUTOR",
    "edge": "PODIUM_EDGE",
    "management": "PODIUM_MANAGEMENT",
    "gateway": "PODIUM_GATEWAY",
}


@dataclass(frozen=True, slots=True)
class Suite:
    """One running suite.

    Attributes:
        registry: ``host:port``, gRPC; so are ``executor`` and ``edge``.
        gateway: A URL without a path; so is ``management``.
        home: Its folder; None where all was said by the environment.
    """

    registry: str
    executor: str
    edge: str
    gateway: str
    management: str
    credentials: Credentials
    home: Home | None


def find(home: Path | None, environment: Mapping[str, str]) -> Suite:
    """The suite that a command is about.

    Raises:
        HomeUnusable: No suite runs in the home, and the environment does not say where one is.
    """
    place = Home(home or default_home(environment))
    said = {name: environment.get(variable, "") for name, variable in _VARIABLES.items()}
    key = Credentials(environment.get("PODIUM_KEY_ID", ""), _secret(environment))
    if home is None and all(said[name] for name in ("registry", "executor", "edge")) and key.key_id:
        return Suite(
            **{name: _url(name, value) for name, value in said.items()}, credentials=key, home=None
        )
    known = place.endpoints()
    addresses = {name: _url(name, said[name] or str(known[name])) for name in _VARIABLES}
    return Suite(**addresses, credentials=key if key.key_id else place.credentials(), home=place)


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
    return find(home, environment)


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


def _url(name: str, value: str) -> str:
    if name in ("gateway", "management") and value and "://" not in value:
        return f"http://{value}"
    return value.removesuffix("/")


__all__ = ["HomeUnusable", "Suite", "find", "of_context"]

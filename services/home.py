"""A suite's home: the folder that holds its databases, its keys, its ports and its addresses.

HOME/                     mode 0700
  registry.db executor.db edge.db …
  cluster.key secret.key  what the services trust each other by, and seal secrets with (0600)
  tls/                    the certificates of podium up --tls
  credentials.json        the first administrator's access key (0600)
  ports.json              the addresses of the last run, so that the next one keeps them
  endpoints.json          where the suite is, while it runs and all of it is healthy
  suite.lock              held by the supervisor, with its process id
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import stat
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from services import ports

DEFAULT_ADDRESSES = {
    "gateway": "127.0.0.1:8080",
    "management": "127.0.0.1:8081",
    "registry": "127.0.0.1:7401",
    "executor": "127.0.0.1:7402",
    "edge": "127.0.0.1:7403",
}

PORTS = "ports.json"
# The folder of the suite's own certificates.
CERTIFICATES = "tls"
# What the services trust each other by and seal secrets with, and the first administrator's key.
KEYS = ("cluster.key", "secret.key", "credentials.json", "admin.secret")

# What shows that a registry was here.
_BESIDE_REGISTRY = ("executor.db", "executor-definitions.db", "edge.db")

_ADDRESS = re.compile(r"(.+):([0-9]{1,5})")
_CHOICES = 50
_HIGHEST_PORT = 65535


class HomeUnusable(Exception):
    """The home cannot be made, read or written; the message is one line that says why."""


def default_home(environment: Mapping[str, str]) -> Path:
    """``$PODIUM_HOME``, else ``~/.podium``."""
    given = environment.get("PODIUM_HOME")
    return Path(given) if given else Path.home() / ".podium"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An application's access key."""

    key_id: str
    key_secret: str


@dataclass(frozen=True, slots=True)
class Home:
    """One home, by its folder."""

    path: Path

    @property
    def lock_path(self) -> Path:
        return self.path / "suite.lock"

    @property
    def endpoints_path(self) -> Path:
        return self.path / "endpoints.json"

    @property
    def credentials_path(self) -> Path:
        return self.path / "credentials.json"

    def make(self) -> None:
        """Make the folder, which only its owner may then enter.

        Raises:
            HomeUnusable: The path is no folder, or cannot be written.
        """
        with self._usable():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)

    def make_keys(self) -> None:
        """Make what a first start needs, where it is not there; for whoever holds the lock.

        Raises:
            HomeUnusable: The folder cannot be written, or has lost the key of its database.
        """
        with self._usable():
            self._check_sealed()
            for name in ("cluster.key", "secret.key"):
                if not (self.path / name).exists():
                    write_private(self.path / name, secrets.token_urlsafe(32) + "\n")
            if not self.credentials_path.exists():
                self._make_credentials()

    def _check_sealed(self) -> None:
        key, database = self.path / "secret.key", self.path / "registry.db"
        if database.exists() and not key.exists():
            raise HomeUnusable(
                f"There is no {key}, with which secrets in {database} are sealed: restore it."
            )

    def loss(self) -> str:
        """What is missing beside what was kept, as a sentence; empty: nothing."""
        database = self.path / "registry.db"
        kept = [name for name in _BESIDE_REGISTRY if (self.path / name).exists()]
        if database.exists() or not kept:
            return ""
        return (
            f"There is no {database}, though there is {' and '.join(kept)}: the suite has no"
            " definitions; restore it, or apply them again."
        )

    def _make_credentials(self) -> None:
        self.keep_credentials(Credentials(secrets.token_hex(8), secrets.token_urlsafe(32)))

    def keep_credentials(self, key: Credentials) -> None:
        """Have ``key`` be the home's own, now and when the suite is started again.

        Raises:
            HomeUnusable: The folder cannot be written.
        """
        document = {"keyId": key.key_id, "keySecret": key.key_secret}
        with self._usable():
            # The secret's own file first: credentials.json says that both are there.
            write_private(self.path / "admin.secret", key.key_secret + "\n")
            write_private(self.credentials_path, json.dumps(document, indent=2) + "\n")

    @contextmanager
    def _usable(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise HomeUnusable(self._refusal(error)) from error

    def _refusal(self, error: OSError) -> str:
        why = error.strerror or str(error)
        if isinstance(error, NotADirectoryError | FileExistsError):
            places = (self.path, *self.path.parents)
            file = next((each for each in places if each.exists() and not each.is_dir()), None)
            why = f"{file} is no folder" if file else why
        return f"The home {self.path} cannot be used: {why}."

    def credentials(self) -> Credentials:
        """The administrator's access key. Raises :class:`HomeUnusable`."""
        known = self._read(self.credentials_path, ("keyId", "keySecret"))
        return Credentials(str(known["keyId"]), str(known["keySecret"]))

    def endpoints(self) -> dict[str, object]:
        """Where the suite is, by name; ``pids`` holds process ids by name.

        Raises:
            HomeUnusable: No suite runs in this home, or not all of it is healthy yet.
        """
        return self._read(self.endpoints_path, (*DEFAULT_ADDRESSES, "pids"))

    def write_endpoints(
        self,
        addresses: Mapping[str, str],
        pids: Mapping[str, int],
        encrypted: Collection[str] = (),
        tls: Mapping[str, str] | None = None,
    ) -> None:
        """Say where the suite is, at once and whole (by rename).

        Args:
            addresses: ``host:port`` by name.
            pids: By name.
            encrypted: Which of ``gateway`` and ``management`` speak TLS.
            tls: The files that its services are called with: ``caFile`` and the like.
        """
        document = {
            **{name: url(name, addresses[name], encrypted) for name in ("gateway", "management")},
            **{name: addresses[name] for name in ("registry", "executor", "edge")},
            **({"tls": dict(tls)} if tls else {}),
            "pids": dict(pids),
        }
        write_private(self.endpoints_path, json.dumps(document, indent=2) + "\n")

    def forget_endpoints(self) -> None:
        """Say that no suite is here."""
        self.endpoints_path.unlink(missing_ok=True)

    def addresses(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """The addresses to serve on; :meth:`keep_addresses` has the next run know them.

        Args:
            wanted: ``host:port`` by name; port 0 takes that of the last run if it is free, else
                a free one. Names left out have their default.

        Raises:
            HomeUnusable: An address is not ``host:port``.
        """
        path = self.path / PORTS
        last = self._read(path, ()) if path.exists() else {}
        chosen: dict[str, str] = {}
        with self._usable(), _Held() as held:
            for name, default in DEFAULT_ADDRESSES.items():
                address = wanted.get(name) or default
                chosen[name] = held.choose(name, address, str(last.get(name, "")))
        return chosen

    def keep_addresses(self, chosen: Mapping[str, str]) -> None:
        """Remember the addresses of this run for the next. Raises :class:`HomeUnusable`."""
        with self._usable():
            write_private(self.path / "ports.json", json.dumps(dict(chosen), indent=2) + "\n")

    def _read(self, path: Path, names: Sequence[str]) -> dict[str, object]:
        """The object in ``path``, which has ``names``. Raises :class:`HomeUnusable`."""
        try:
            known = json.loads(path.read_text())
        except FileNotFoundError:
            raise HomeUnusable(
                f"No suite runs in {self.path} (there is no {path.name}); start one: podium up"
                + (f" --home {self.path}" if self.path != Path.home() / ".podium" else "")
            ) from None
        except NotADirectoryError as error:
            raise HomeUnusable(self._refusal(error)) from error
        except OSError as error:
            raise HomeUnusable(f"{path} cannot be read: {error.strerror or error}.") from error
        except ValueError as error:
            raise HomeUnusable(f"{path} is no JSON: {error}.") from error
        if not isinstance(known, dict):
            raise HomeUnusable(f"{path} does not hold an object.")
        for name in names:
            if name not in known:
                raise HomeUnusable(f"{path} has no {name!r}.")
        return known


class _Held:
    """Free ports, held until all are chosen so that none is chosen twice."""

    def __enter__(self) -> _Held:
        self._sockets: list[socket.socket] = []
        return self

    def __exit__(self, *_: object) -> None:
        for held in self._sockets:
            held.close()

    def choose(self, name: str, wanted: str, last: str) -> str:
        """``wanted``, or for port 0 that of ``last`` if it is free, else a free one."""
        host, port = split_address(wanted)
        if port:
            if not self._bind(host, port):
                raise HomeUnusable(
                    f"The {name} cannot listen on {wanted}: the address is in use or not this "
                    f"machine's. Another port: --{name} {host}:0"
                )
            return wanted
        before = _ADDRESS.fullmatch(last)
        known = int(before[2]) if before and before[1] == host else _HIGHEST_PORT + 1
        if known <= _HIGHEST_PORT and ports.claim(known) and self._bind(host, known):
            return f"{host}:{self._sockets[-1].getsockname()[1]}"
        try:
            self._bind_any(host)
        except OSError as error:
            raise HomeUnusable(
                f"The {name} cannot listen on {wanted}: {error.strerror or error}."
            ) from error
        return f"{host}:{self._sockets[-1].getsockname()[1]}"

    def _bind_any(self, host: str) -> None:
        for port in ports.candidates(_CHOICES):
            if ports.claim(port) and self._bind(host, port):
                return
        self._bind(host, 0)

    def _bind(self, host: str, port: int) -> bool:
        try:
            self._sockets.append(ports.listening(host, port))
        except OSError:
            if port == 0:
                raise
            return False
        return True


def url(name: str, address: str, encrypted: Collection[str]) -> str:
    """Where the listener ``name`` is, which speaks TLS if it is among ``encrypted``."""
    return f"{'https' if name in encrypted else 'http'}://{address}"


def split_address(address: str) -> tuple[str, int]:
    """``host:port`` as its two parts. Raises :class:`HomeUnusable`."""
    parts = _ADDRESS.fullmatch(address)
    if parts is None or int(parts[2]) > _HIGHEST_PORT:
        raise HomeUnusable(f"{address!r} is no address; write HOST:PORT, e.g. 127.0.0.1:8080.")
    return parts[1], int(parts[2])


def write_private(path: Path, text: str, like: os.stat_result | None = None) -> None:
    """Write ``text`` to ``path``, mode 0600, whole or not at all.

    Args:
        like: Its owner and mode instead, as far as that is ours to say.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        if like is not None:
            # The owner first: to change it may take bits of the mode away.
            with suppress(PermissionError):
                os.fchown(descriptor, like.st_uid, like.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
        file.write(text)
        file.flush()
        # A power cut must not leave a key that is empty.
        os.fsync(descriptor)
    partial.replace(path)

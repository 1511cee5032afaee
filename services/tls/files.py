"""Which files a listener or a caller takes its certificates from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.process import StartupError

# A chain, or a bundle of all authorities of a system, is smaller.
MOST_BYTES = 4 * 1024 * 1024


class BadCertificates(StartupError):
    """Files that nothing can be served or called with; names the file, and the way out."""


@dataclass(frozen=True, slots=True)
class File:
    """A file, and what its user calls it: a setting's name, mostly."""

    path: Path
    called: str

    def __str__(self) -> str:
        return f"{self.called} {self.path}"

    def read(self) -> bytes:
        """All of it. Raises :class:`BadCertificates`."""
        try:
            with self.path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise BadCertificates(f"{self} cannot be read: {error.strerror or error}.") from error
        if len(data) > MOST_BYTES:
            raise BadCertificates(f"{self} is larger than {MOST_BYTES >> 20} MiB: it is no PEM.")
        return data

    def mark(self) -> tuple[int, ...]:
        """Changes with the file: where a link points elsewhere, too. Empty: it is not there."""
        try:
            seen = self.path.stat()
        except OSError:
            return ()
        return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate, its chain behind it, and its key."""

    certificate: File
    key: File


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """What a listener has.

    Attributes:
        clients: Whose certificates clients must show; None: they need none.
    """

    pair: Pair
    clients: File | None = None

    def all(self) -> tuple[File, ...]:
        """Each of them."""
        return _known(self.pair.certificate, self.pair.key, self.clients)


@dataclass(frozen=True, slots=True)
class ClientFiles:
    """What a caller has.

    Attributes:
        authorities: Who may have signed a server's certificate.
        pair: Shown to servers that ask for one.
        server_name: What the certificate must be for; empty: the host that is dialled.
    """

    authorities: File
    pair: Pair | None = None
    server_name: str = ""

    def all(self) -> tuple[File, ...]:
        """Each of them."""
        pair = self.pair
        return _known(
            self.authorities, pair.certificate if pair else None, pair.key if pair else None
        )


def _known(*files: File | None) -> tuple[File, ...]:
    return tuple(file for file in files if file is not None)


@dataclass(frozen=True, slots=True)
class Named:
    """Paths as somebody gave them, with the names that they were given by; a path may be None."""

    certificate: tuple[str, Path | None]
    key: tuple[str, Path | None]
    authorities: tuple[str, Path | None]

    def server(self) -> ServerFiles | None:
        """Of a listener; None: it speaks plain text.

        Raises:
            BadCertificates: One is given without another that it needs.
        """
        pair, clients = self._pair(), _file(self.authorities)
        if pair is None and clients is not None:
            raise BadCertificates(
                f"{clients} asks clients for certificates, which takes one of the server: "
                f"{self.certificate[0]} is not set."
            )
        return None if pair is None else ServerFiles(pair, clients)

    def client(self, server_name: str = "") -> ClientFiles | None:
        """Of a caller; None: it calls in plain text. Raises as :meth:`server` does."""
        pair, authorities = self._pair(), _file(self.authorities)
        if pair is not None and authorities is None:
            raise BadCertificates(
                f"{pair.certificate} is shown to servers over TLS only: {self.authorities[0]} "
                "says whom they must be signed by, and is not set."
            )
        return None if authorities is None else ClientFiles(authorities, pair, server_name)

    def _pair(self) -> Pair | None:
        certificate, key = _file(self.certificate), _file(self.key)
        if certificate is None and key is None:
            return None
        if certificate is None or key is None:
            missing = self.certificate[0] if certificate is None else self.key[0]
            raise BadCertificates(f"{certificate or key} is of no use alone: {missing} is not set.")
        return Pair(certificate, key)


def _file(given: tuple[str, Path | None]) -> File | None:
    called, path = given
    return None if path is None else File(path.expanduser(), called)

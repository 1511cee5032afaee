"""Certificates for tests: an authority, and files as services are given them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.tls.authority import Authority, issue, new_authority, pem_of
from services.tls.files import ClientFiles, File, Pair, ServerFiles

DAY = timedelta(days=1)
HOSTS = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Certificates:
    """Files in a folder: ``ca.crt``, ``NAME.crt`` and ``NAME.key``."""

    folder: Path
    authority: Authority

    def put(
        self,
        name: str,
        hosts: tuple[str, ...] = HOSTS,
        *,
        authority: Authority | None = None,
        subject: str = "",
        days: float = 30,
        ago: float = 0,
    ) -> Pair:
        """A pair, issued ``ago`` days ago for ``days``; written one after the other."""
        made = issue(
            authority or self.authority,
            subject or name,
            hosts,
            datetime.now(UTC) - ago * DAY,
            days * DAY,
        )
        (self.folder / f"{name}.key").write_bytes(made.key)
        (self.folder / f"{name}.crt").write_bytes(made.certificate)
        return self.pair(name)

    def pair(self, name: str) -> Pair:
        return Pair(
            File(self.folder / f"{name}.crt", "THE_CERT_FILE"),
            File(self.folder / f"{name}.key", "THE_KEY_FILE"),
        )

    def trust(self, *authorities: Authority) -> File:
        file = File(self.folder / "ca.crt", "THE_CA_FILE")
        file.path.write_bytes(b"".join(pem_of(each.certificate) for each in authorities))
        return file

    @property
    def ca(self) -> File:
        return File(self.folder / "ca.crt", "THE_CA_FILE")

    def server(self, name: str = "server", *, mutual: bool = False) -> ServerFiles:
        return ServerFiles(self.pair(name), self.ca if mutual else None)

    def client(self, name: str = "", server_name: str = "") -> ClientFiles:
        return ClientFiles(self.ca, self.pair(name) if name else None, server_name)


def authority(name: str = "Tests") -> Authority:
    return new_authority(name, datetime.now(UTC), 365 * DAY)


def certificates(folder: Path) -> Certificates:
    """An authority, with ``server`` and ``client``."""
    folder.mkdir(exist_ok=True)
    made = Certificates(folder, authority())
    made.trust(made.authority)
    made.put("server")
    made.put("client", ())
    return made

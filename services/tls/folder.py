"""A folder of certificates for one suite: made, and renewed while the suite runs.

FOLDER/          mode 0700
  ca.crt         whom all trust: the authority, and for a while the one before it
  ca.key         its key: who has it is trusted by all
  server.crt     for the services, the gateway and the management API; with server.key
  client.crt     for who calls them: services, the console, commands, workers; with client.key
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.home import write_private
from services.tls.authority import Authority, issue, key_pem, new_authority, pem_of
from services.tls.checking import certificates_in, client_material, names_of, server_material
from services.tls.files import BadCertificates, ClientFiles, File, Pair, ServerFiles

AUTHORITY_LIFETIME = timedelta(days=3650)
ALWAYS = ("localhost", "127.0.0.1", "::1")
_SERVER, _CLIENT = "podium server", "podium client"


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the files are; each method says what it raises if they cannot be used."""

    path: Path

    def file(self, name: str) -> File:
        """``ca.crt`` and its like."""
        return File(self.path / name, "The file")

    @property
    def exists(self) -> bool:
        """Whether there is an authority."""
        return (self.path / "ca.crt").exists()

    @property
    def fits(self) -> bool:
        """Whether all can be used together: who was killed while renewing leaves it half done."""
        authorities = self.file("ca.crt")
        try:
            server_material(ServerFiles(self._pair("server"), authorities))
            client_material(ClientFiles(authorities, self._pair("client")))
        except BadCertificates:
            return False
        return True

    def _pair(self, name: str) -> Pair:
        return Pair(self.file(f"{name}.crt"), self.file(f"{name}.key"))

    def make(self, hosts: Sequence[str], now: datetime, lifetime: timedelta) -> None:
        """A new authority, and what it signs.

        Raises:
            BadCertificates: There is one already, or the folder cannot be written.
        """
        if self.exists:
            raise BadCertificates(
                f"There are certificates in {self.path} already; podium certificates renew "
                f"{self.path} makes new ones."
            )
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BadCertificates(
                f"The folder {self.path} cannot be made: {error.strerror or error}."
            ) from error
        # A key alone is of whoever was killed here, or is kept here: it may be the only one.
        alone = self.path / "ca.key"
        authority = _authority(now, self._key() if alone.exists() else None)
        self._issue(authority, [*ALWAYS, *hosts], now, lifetime)
        self._write("ca.key", key_pem(authority.key))
        # The last: what is made is made anew until this is there.
        self._write("ca.crt", pem_of(authority.certificate))

    def renew(self, hosts: Sequence[str], now: datetime, lifetime: timedelta) -> None:
        """New certificates of the same authority, for the hosts of before and ``hosts``.

        An authority that has signed none of those that are replaced is trusted no more: all have
        had the new one since.

        Raises:
            BadCertificates: There are none, or they cannot be read or written.
        """
        authority = self._known_authority()
        before = certificates_in(self.file("server.crt"), self.file("server.crt").read())[0]
        client = certificates_in(self.file("client.crt"), self.file("client.crt").read())[0]
        trusted = [authority.certificate, *self._others(authority, (before, client), now)]
        self._write("ca.crt", b"".join(map(pem_of, trusted)))
        self._issue(authority, [*names_of(before), *hosts], now, lifetime)

    def replace_authority(self, now: datetime) -> None:
        """A new authority, trusted beside the old one; :meth:`renew` has it sign.

        Raises:
            BadCertificates: As :meth:`renew`.
        """
        self._known_authority()
        new, file = _authority(now), self.file("ca.crt")
        trusted = [new.certificate, *certificates_in(file, file.read())]
        self._write("ca.crt", b"".join(map(pem_of, trusted)))
        self._write("ca.key", key_pem(new.key))

    def missing(self, hosts: Sequence[str]) -> list[str]:
        """Those of ``hosts`` that the server's certificate does not name. Raises as renew does."""
        file = self.file("server.crt")
        known = names_of(certificates_in(file, file.read())[0])
        return [host for host in hosts if host not in known]

    def certificates(self) -> list[tuple[str, x509.Certificate]]:
        """All that are there, by their file's name. Raises as :meth:`renew` does."""
        return [
            (name, each)
            for name in ("ca.crt", "server.crt", "client.crt")
            for each in certificates_in(self.file(name), self.file(name).read())
        ]

    def _others(
        self, authority: Authority, signed: Sequence[x509.Certificate], now: datetime
    ) -> list[x509.Certificate]:
        """The authorities that are still needed, besides ``authority``."""
        file = self.file("ca.crt")
        return [
            each
            for each in certificates_in(file, file.read())
            if each != authority.certificate
            and each.not_valid_after_utc > now
            and any(_has_signed(each, certificate) for certificate in signed)
        ]

    def _known_authority(self) -> Authority:
        certificates = certificates_in(self.file("ca.crt"), self.file("ca.crt").read())
        key = self._key()
        for each in certificates:
            if each.public_key() == key.public_key():
                return Authority(each, key)
        raise BadCertificates(f"{self.file('ca.key')} is the key of no certificate in ca.crt.")

    def _key(self) -> ec.EllipticCurvePrivateKey:
        file = self.file("ca.key")
        try:
            key = serialization.load_pem_private_key(file.read(), password=None)
        except (TypeError, ValueError) as error:
            raise BadCertificates(f"{file} holds no private key in PEM.") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise BadCertificates(f"{file} holds a key that is not of an elliptic curve.")
        return key

    def _issue(
        self, authority: Authority, hosts: Sequence[str], now: datetime, lifetime: timedelta
    ) -> None:
        named = list(dict.fromkeys(hosts))
        for name, subject, of in (("server", _SERVER, named), ("client", _CLIENT, ())):
            made = issue(authority, subject, of, now, lifetime)
            self._write(f"{name}.key", made.key)
            self._write(f"{name}.crt", made.certificate)

    def _write(self, name: str, data: bytes) -> None:
        """Its owner and mode stay: the services may run as somebody else than who renews."""
        path = self.path / name
        try:
            write_private(path, data.decode(), path.stat() if path.exists() else None)
        except OSError as error:
            raise BadCertificates(
                f"{self.path / name} cannot be written: {error.strerror or error}."
            ) from error


def settings_of(folder: Path, *listeners: str) -> dict[str, str]:
    """The settings that have services use the certificates of ``folder``, both ways.

    Args:
        folder: Absolute.
        listeners: ``gateway``, ``management``: those that have them too.
    """
    server, key = os.fspath(folder / "server.crt"), os.fspath(folder / "server.key")
    authority = os.fspath(folder / "ca.crt")
    told = {
        "PODIUM_TLS_CERT_FILE": server,
        "PODIUM_TLS_KEY_FILE": key,
        "PODIUM_TLS_CLIENT_CA_FILE": authority,
        **call_settings_of(folder),
    }
    for each in listeners:
        told[f"PODIUM_{each.upper()}_TLS_CERT_FILE"] = server
        told[f"PODIUM_{each.upper()}_TLS_KEY_FILE"] = key
    return told


def call_settings_of(folder: Path) -> dict[str, str]:
    """The settings of who only calls: the console, commands and workers."""
    return {
        "PODIUM_TLS_CA_FILE": os.fspath(folder / "ca.crt"),
        "PODIUM_TLS_CLIENT_CERT_FILE": os.fspath(folder / "client.crt"),
        "PODIUM_TLS_CLIENT_KEY_FILE": os.fspath(folder / "client.key"),
    }


def _authority(now: datetime, key: ec.EllipticCurvePrivateKey | None = None) -> Authority:
    name = f"podium authority {now:%Y-%m-%d %H:%M:%S}"
    return new_authority(name, now, AUTHORITY_LIFETIME, key)


def _has_signed(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True

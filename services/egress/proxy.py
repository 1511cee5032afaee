"""The proxy that calls go through, where the settings name one."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from yarl import URL

from services.egress.addresses import literal
from services.egress.rules import Rule, host_name
from services.settings import SettingsError

CREDENTIALS = "PODIUM_EGRESS_PROXY_CREDENTIALS_FILE"


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where it is.

    Attributes:
        authorization: What it is told in ``Proxy-Authorization``.
        direct: What is called without it, by name or by address as written.
    """

    url: URL
    authorization: str | None = field(default=None, repr=False)
    direct: tuple[Rule, ...] = ()

    @property
    def place(self) -> tuple[str, int]:
        """Host and port, as policies compare them."""
        return host_name(self.url.raw_host or ""), self.url.port or 80

    def shown_in_the_clear(self, url: URL) -> str:
        """Of the credentials, what a call of ``url`` has in its head: "" where it has nothing."""
        if self.authorization is None or url.scheme != "http":
            return ""
        # Within a page the padding may be written otherwise.
        return self.authorization.rstrip("=")

    def is_for(self, host: str, port: int) -> bool:
        """Whether a call to ``host``, an address or a name, goes through it."""
        address = literal(host)
        name = "" if address else host_name(host)
        addresses = () if address is None else (address,)
        return not any(
            rule.fits_name(name, port) or rule.fits_address(addresses, port) for rule in self.direct
        )


def proxy_url(text: str) -> URL:
    """The setting's URL.

    Raises:
        ValueError: It is none of an HTTP proxy, or holds credentials. Tells none of them.
    """
    try:
        url = URL(text)
        there = url.scheme == "http" and url.raw_host and url.port and url.path in ("", "/")
        told = url.user is not None or url.password is not None
    except ValueError:
        raise ValueError("must be http://HOST:PORT") from None
    if told:
        raise ValueError(f"must hold no credentials: they belong into the file of {CREDENTIALS}")
    if not there or url.query_string or url.fragment:
        raise ValueError("must be http://HOST:PORT")
    # An odd notation is an address, too, and dialled as such.
    address = literal(url.raw_host or "")
    return url.with_host(str(address)) if address else url


def credentials(path: Path) -> str:
    """``Proxy-Authorization`` of what the file has: ``USER:PASSWORD``, a line.

    Raises:
        SettingsError: It cannot be read, or has no such line. Tells nothing of it.
    """
    try:
        user, colon, password = path.read_text().strip("\r\n").partition(":")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{CREDENTIALS}: {path} cannot be read.") from error
    if not (user and colon) or not (user + password).isprintable():
        raise SettingsError(f"{CREDENTIALS}: {path} is not one line of USER:PASSWORD.")
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def only_listing(entries: Iterable[Rule]) -> tuple[Rule, ...]:
    """Rules of a list that says nothing of where a host may be.

    Raises:
        ValueError: One does.
    """
    found = tuple(entries)
    for each in found:
        if each.name and (each.networks or each.worded):
            raise ValueError(f"{each.text!r}: '=' has no meaning here")
    return found

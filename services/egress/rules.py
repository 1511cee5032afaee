"""(pure) What an operator lists of hosts and networks: entries of allow, deny and no-proxy lists.

loopback  private           words for networks
10.1.0.0/16  [fd12::/16]    networks, and single addresses
api.partner.com             a host
*.partner.com               every host under partner.com, not partner.com itself
*                           every host, as in *:8443
api.partner.com:8443        any of these, on one port
jobs.internal=10.1.0.0/16   a host that may be at those addresses: words or networks, by ``+``
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from yarl import URL

from services.egress.addresses import (
    METADATA,
    WORDS,
    Address,
    Network,
    ends_in_a_number,
    literal,
    within,
)

_PORT = re.compile(r"(?P<subject>\[[^\]]*\]|[^:]*):(?P<port>[0-9]{1,5})")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry.

    Attributes:
        text: As it was written.
        name: A host in lower case, without a dot at its end; "" where it is not about a name.
        under: It is about all hosts under ``name`` (all there are, where that is "").
        networks: Addresses that it is about, or where ``name`` may be.
        worded: Networks of words.
        port: The only port that it is about; None: every one.
    """

    text: str
    name: str = ""
    under: bool = False
    networks: tuple[Network, ...] = ()
    worded: tuple[Network, ...] = ()
    port: int | None = None

    def fits_name(self, name: str, port: int) -> bool:
        """Whether it is about the host of that name ("": an address that was written as one)."""
        if self.port not in (None, port):
            return False
        if self.under:
            return not self.name or name.endswith(f".{self.name}")
        if self.name:
            return name == self.name
        # RFC 6761: nobody else is there.
        local = name == "localhost" or name.endswith(".localhost")
        return local and self.worded == WORDS["loopback"]

    def fits_address(self, addresses: Iterable[Address], port: int) -> bool:
        """Whether it is about one of the addresses, as what it lists."""
        if self.port not in (None, port) or self.name:
            return False
        everywhere = self.networks + self.worded
        return self.under or any(within(each, everywhere) for each in addresses)

    def opens(self, address: Address, meant: Address, name: str, port: int) -> bool:
        """Whether it allows ``meant``, one of the meanings of ``address``, where ``name`` is."""
        if self.name:
            if not self.fits_name(name, port):
                return False
        elif self.port not in (None, port):
            return False
        if within(address, METADATA) or within(meant, METADATA):
            # 100.64.0.0/10 is a network of one's own, and has one of these in it.
            single = tuple(each for each in self.networks if each.num_addresses == 1)
            return within(address, single) or within(meant, single)
        return within(address, self.networks) or within(meant, self.networks + self.worded)


def rules(entries: Iterable[str]) -> tuple[Rule, ...]:
    """The entries, read.

    Raises:
        ValueError: One makes no sense; says which, and what is wanted.
    """
    return tuple(map(_rule, entries))


def host_name(host: str) -> str:
    """A host as rules have it: in lower case, as IDNA has it, without a dot at its end."""
    return host.lower().rstrip(".")


def _rule(entry: str) -> Rule:
    subject, equals, where = entry.partition("=")
    port = None
    if ported := _PORT.fullmatch(subject):
        subject, port = ported["subject"], int(ported["port"])
        if not 0 < port < 65536:
            raise ValueError(f"{entry!r} has no port that there is")
    if equals:
        networks, worded = _places(entry, where.split("+"))
        name, under = _named(entry, subject)
        return Rule(entry, name, under, networks, worded, port)
    if subject in WORDS:
        return Rule(entry, worded=WORDS[subject], port=port)
    if (network := _network(subject)) is not None:
        return Rule(entry, networks=(network,), port=port)
    if subject == "*":
        return Rule(entry, under=True, port=port)
    # A misspelt word would be a host that nobody has.
    if "." not in subject and subject != "localhost" and port is None:
        raise _nothing(entry)
    name, under = _named(entry, subject)
    return Rule(entry, name, under, port=port)


def _places(entry: str, places: Iterable[str]) -> tuple[tuple[Network, ...], tuple[Network, ...]]:
    networks: list[Network] = []
    worded: list[Network] = []
    for place in places:
        if place in WORDS:
            worded += WORDS[place]
        elif (network := _network(place)) is not None:
            networks.append(network)
        else:
            raise ValueError(f"{entry!r}: a host is at loopback, private or a network")
    return tuple(networks), tuple(worded)


def _network(text: str) -> Network | None:
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    try:
        return ip_network(text)
    except ValueError:
        return None


def _named(entry: str, subject: str) -> tuple[str, bool]:
    under = subject.startswith("*.")
    text = subject.removeprefix("*.")
    try:
        name = host_name(URL.build(scheme="http", host=text).raw_host or "")
    except ValueError:
        raise _nothing(entry) from None
    numeric = literal(name) or ends_in_a_number(name)
    if name in WORDS or numeric or not _NAME.fullmatch(name):
        raise _nothing(entry)
    return name, under


def _nothing(entry: str) -> ValueError:
    return ValueError(
        f"{entry!r} is neither 'loopback' nor 'private' nor a network (10.1.0.0/16) nor a host "
        "(api.example.com, *.example.com; one without a dot with its port, jobs:8080, or a dot "
        "at its end)"
    )

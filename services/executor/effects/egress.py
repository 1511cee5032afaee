"""Which addresses may be called: decided on the address that is dialled, not on its name."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Self

from aiohttp.abc import AbstractResolver, ResolveResult

from services.executor.effects.lookups import Lookups

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SETTING = "PODIUM_EGRESS_ALLOW"


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


# What allows a word of the setting, and what an address of it is called when it is refused.
_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
_WORDS = {"loopback": _LOOPBACK, "private": _PRIVATE}

# Where clouds hand credentials to whoever asks from within. No word allows them: some lie in
# private ranges, one in a public one.
_METADATA = _networks(
    "169.254.169.254/32",
    "169.254.170.2/32",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "192.0.0.192/32",
    "fd00:ec2::254/128",
    "fd20:ce::254/128",
)

# The special-purpose registries of IANA (RFC 6890), as far as nobody else's service can be there.
# 0.0.0.0 is the machine itself on Linux.
_REFUSED = (
    ("a cloud's metadata address", _METADATA),
    ("unspecified", _networks("0.0.0.0/8", "::/128")),
    ("loopback", _LOOPBACK),
    ("private", _PRIVATE),
    ("link-local", _networks("169.254.0.0/16", "fe80::/10")),
    ("shared (RFC 6598)", _networks("100.64.0.0/10")),
    ("multicast", _networks("224.0.0.0/4", "ff00::/8")),
    (
        "reserved",
        _networks(
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "240.0.0.0/4",
            "::/96",
            "64:ff9b:1::/48",
            "100::/64",
            "2001:db8::/32",
            "3fff::/20",
            "5f00::/16",
            "fec0::/10",
        ),
    ),
)
_NAT64 = IPv6Network("64:ff9b::/96")

# What was found is an address: it is not looked up again.
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV

# inet_aton takes 127.1, 0x7f000001, 017700000001; so do some resolvers.
_ODD = re.compile(r"(?:0[xX][0-9a-fA-F]*|[0-9]+)(?:\.(?:0[xX][0-9a-fA-F]*|[0-9]+)){0,3}\.?")


class AddressRefused(OSError):
    """The policy does not allow the address. The message is a sentence for people."""


class EgressPolicy:
    """Public addresses may be called, and what the setting names.

    A name's addresses are judged when it is looked up, and only those that were judged are
    dialled: what a name says a moment later changes nothing.
    """

    def __init__(self, words: Iterable[str], networks: Iterable[Network]) -> None:
        self._worded = tuple(net for word in words for net in _WORDS[word])
        self._named = tuple(networks)
        self.judge = lru_cache(4096)(self._judge)
        self.check = lru_cache(4096)(self._check)

    @classmethod
    def allowing(cls, entries: Iterable[str]) -> Self:
        """A policy that allows ``entries`` too: ``loopback``, ``private``, or networks (CIDR).

        Raises:
            ValueError: An entry is neither.
        """
        words, networks = [], []
        for entry in entries:
            if entry in _WORDS:
                words.append(entry)
                continue
            try:
                networks.append(ip_network(entry))
            except ValueError:
                raise ValueError(
                    f"{entry!r} is neither 'loopback' nor 'private' nor a network (10.1.0.0/16)"
                ) from None
        return cls(words, networks)

    def _check(self, host: str) -> str:
        """The host to dial: ``host``, or where it is an address in an odd notation, that address.

        A name is left to :class:`PinningResolver`.

        Raises:
            AddressRefused: It is an address, and not an allowed one.
        """
        address = literal(host)
        if address is None:
            return host
        if what := self.judge(address):
            raise AddressRefused(f"{_called(host, address)} is {_refusal(what)}")
        return host if isinstance(address, IPv6Address) else str(address)

    def _judge(self, address: Address) -> str | None:
        """What the address is that forbids it; None: it may be called."""
        for meant in _meanings(address):
            if any(address in network or meant in network for network in self._named):
                continue
            if not any(meant in network for network in _METADATA) and any(
                meant in network for network in self._worded
            ):
                continue
            for what, networks in _REFUSED:
                if any(meant in network for network in networks):
                    return what
        return None


class PinningResolver(AbstractResolver):
    """Looks names up and gives only the addresses that may be called."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._names = Lookups()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """As the base says.

        Raises:
            AddressRefused: None of its addresses may be called.
            OSError: The name cannot be looked up.
        """
        try:
            found = await self._names.addresses(host, port, family)
        except UnicodeError as error:  # a label of no letter, or of more than 63
            raise socket.gaierror(socket.EAI_NONAME, "not a host name") from error
        allowed = [each for each in found if not self._policy.judge(ip_address(each[2]))]
        if found and not allowed:
            address = ip_address(found[0][2])
            what = self._policy.judge(address) or "refused"
            raise AddressRefused(f"{host} is at {address}, which is {_refusal(what)}")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=found_family,
                proto=protocol,
                flags=_NUMERIC,
            )
            for found_family, protocol, address in allowed
        ]

    async def close(self) -> None:
        self._names.close()


@lru_cache(4096)
def literal(host: str) -> Address | None:
    """The address that ``host`` spells, in whatever notation; None: it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    if not _ODD.fullmatch(host):
        return None
    try:
        return IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None


def _meanings(address: Address) -> Iterator[Address]:
    """The address, or the IPv4 addresses that a gateway on the way would make of it."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address.sixtofour:
        yield address.sixtofour
    elif address.teredo:
        yield from address.teredo
    elif address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFF_FFFF)
    else:
        yield address


def _called(host: str, address: Address) -> str:
    return host if host == str(address) else f"{host} ({address})"


def _refusal(what: str) -> str:
    return f"{what}: the egress policy does not allow it ({SETTING} says what is allowed)."

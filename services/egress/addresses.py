"""(pure) What an address is that may forbid to call it, in whatever notation it is written."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


# What allows a word of the settings, and what an address of it is called when it is refused.
_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
WORDS = {"loopback": _LOOPBACK, "private": _PRIVATE}

# Where clouds hand credentials to whoever asks from within. No word allows them: some lie in
# private ranges, one in a public one.
METADATA = _networks(
    "169.254.169.254/32",
    "169.254.170.2/32",
    "169.254.170.23/32",
    "169.254.0.23/32",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "192.0.0.192/32",
    "fd00:ec2::254/128",
    "fd00:ec2::23/128",
    "fd20:ce::254/128",
    "fe80::a9fe:a9fe/128",
)

# The special-purpose registries of IANA (RFC 6890), as far as nobody else's service can be there.
# 0.0.0.0 is the machine itself on Linux.
_REFUSED = (
    ("a cloud's metadata address", METADATA),
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
_SIIT = IPv6Network("::ffff:0:0:0/96")
# The second half of an address that ISATAP (RFC 5214) tunnels to the IPv4 address at its end.
_ISATAP = frozenset((0x0000_5EFE, 0x0200_5EFE))

# inet_aton takes 127.1, 0x7f000001, 017700000001; so do some resolvers.
_ODD = re.compile(r"(?:0[xX][0-9a-fA-F]*|[0-9]+)(?:\.(?:0[xX][0-9a-fA-F]*|[0-9]+)){0,3}\.?")
_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:0[xX][0-9a-fA-F]*|[0-9]+)\.?")


def ends_in_a_number(host: str) -> bool:
    """Whether a host's last label is a number: no name's is, as the URL standard has it."""
    return bool(_ENDS_IN_A_NUMBER.fullmatch(host))


def fault_of(address: Address) -> str | None:
    """What keeps an address from being anybody's public service; None: nothing does.

    ``address`` is one of :func:`meanings`.
    """
    for what, networks in _REFUSED:
        if within(address, networks):
            return what
    return None


def within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Whether one of the networks has the address."""
    return any(address in network for network in networks)


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


def meanings(address: Address) -> Iterator[Address]:
    """The address, or the IPv4 addresses that a gateway on the way would make of it."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address.sixtofour:
        yield address.sixtofour
    elif address.teredo:
        yield from address.teredo
    elif address in _NAT64 or address in _SIIT:
        yield _last_half(address)
    elif (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        yield from (address, _last_half(address))
    else:
        yield address


def unscoped(address: Address) -> Address:
    """The address without an interface that it is written for: ``::1%1`` is ``::1``."""
    scoped = isinstance(address, IPv6Address) and address.scope_id is not None
    return IPv6Address(int(address)) if scoped else address


def _last_half(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)

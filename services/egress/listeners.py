"""Where this suite listens itself: what a call of a task has no business at."""

from __future__ import annotations

import socket
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv6Address, ip_address

from services.egress.addresses import Address, literal, unscoped
from services.egress.rules import host_name


class Listeners:
    """Whether the suite listens at an address.

    Args:
        listening: ``HOST:PORT`` each, as settings have them; one whose port is 0 is nowhere yet.
    """

    def __init__(self, listening: Iterable[str]) -> None:
        self._hosts: defaultdict[int, set[str]] = defaultdict(set)
        for each in listening:
            host, _, port = each.rpartition(":")
            if int(port):
                self._hosts[int(port)].add(host.strip("[]"))

    @property
    def names(self) -> frozenset[tuple[str, int]]:
        """Those that are told by a name: of other machines perhaps, as in a network of containers.

        ``localhost`` is left to its addresses.
        """
        return frozenset(
            (host_name(host), port)
            for port, hosts in self._hosts.items()
            for host in hosts
            if literal(host) is None and host_name(host) != "localhost"
        )

    def __call__(self, address: Address, port: int) -> bool:
        if port not in self._hosts:
            return False
        return any(_is_at(host, address) for host in self._hosts[port])


def _is_at(host: str, address: Address) -> bool:
    # On Linux, who dials 0.0.0.0 or :: arrives at loopback.
    at_loopback = address.is_loopback or address.is_unspecified
    try:
        listening = ip_address(host)
    except ValueError:
        return host == "localhost" and at_loopback
    if listening.is_unspecified:
        return at_loopback or _is_this_machine(address)
    if address.is_unspecified:
        return listening.is_loopback
    return unscoped(address) == unscoped(listening)


def _is_this_machine(address: Address) -> bool:
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as trying:
        # Nothing is sent: only an address of this machine can be bound.
        trying.bind((str(address), 0))
        return True
    return False

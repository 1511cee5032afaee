"""Guesses of secrets, slowed: how many wrong ones are taken, and from whom. No IO.

Time is in seconds, monotonic.
"""

from __future__ import annotations

import ipaddress
import re
from collections import OrderedDict
from collections.abc import Hashable

_PEER = re.compile(r"(?:ipv4|ipv6):(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:]+)):\d+\Z")
# What a provider gives one customer.
_IPV6_PREFIX = 64


class Allowance:
    """So many failures at once of each key, and then one each ``1 / per_second``.

    Who fails beyond that, as many side by side can, waits for longer: up to twice the first
    allowance is owed.

    Args:
        most: So many keys are remembered; those that failed longest ago are forgotten first.
    """

    def __init__(self, at_once: int, per_second: float, most: int = 10_000) -> None:
        self._each = 1.0 / per_second
        self._early = (at_once - 1) * self._each
        self._latest = 2 * at_once * self._each
        self._most = most
        # When a key will have paid for all its failures.
        self._paid: OrderedDict[Hashable, float] = OrderedDict()

    def wait(self, key: Hashable, now: float) -> float:
        """Seconds until ``key`` may fail once more; 0.0: it may now."""
        return max(0.0, self._paid.get(key, now) - self._early - now)

    def clean(self, key: Hashable, now: float) -> bool:
        """Whether ``key`` has paid for all its failures, or has none."""
        return self._paid.get(key, now) <= now

    def failed(self, key: Hashable, now: float) -> None:
        """``key`` has failed."""
        paid = max(self._paid.get(key, now), now) + self._each
        self._paid[key] = min(paid, now + self._latest)
        self._paid.move_to_end(key)
        while len(self._paid) > self._most:
            self._paid.popitem(last=False)

    def __len__(self) -> int:
        return len(self._paid)


def address_of(peer: str) -> str:
    """The address of gRPC's ``ipv4:127.0.0.1:50312``, without the port, which tells nothing."""
    found = _PEER.match(peer.replace("%5B", "[").replace("%5D", "]"))
    return (found["six"] or found["four"]) if found else peer.partition(":")[0]


def source_of(address: str) -> str:
    """Who may be behind ``address``: itself, or its /64 of IPv6; other text is its own source."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:128]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, _IPV6_PREFIX), strict=False))
    return str(found)

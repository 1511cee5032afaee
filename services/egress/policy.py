"""(pure) Which hosts and addresses may be called, by what the settings list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Self

from services.egress.addresses import (
    METADATA,
    Address,
    fault_of,
    literal,
    meanings,
    unscoped,
    within,
)
from services.egress.rules import Rule, host_name, rules

ALLOW = "PODIUM_EGRESS_ALLOW"
DENY = "PODIUM_EGRESS_DENY"
STRICT = "PODIUM_EGRESS_STRICT"

# Ports that browsers call no more (the Fetch standard's "bad ports", without tcpmux): what speaks
# there takes a request for lines of a protocol of its own.
_OTHER_PROTOCOLS = frozenset(
    (
        7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
        102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389,
        427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636,
        989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665,
        6666, 6667, 6668, 6669, 6679, 6697, 10080,
    )
)  # fmt: skip


_OURS = "where Podium itself listens"
_PROXY = "the proxy for calls that go out"


class AddressRefused(OSError):
    """The policy does not allow the address. The message is a sentence for people."""


def _nobodys(_: Address, __: int) -> bool:
    return False


class EgressPolicy:
    """Public addresses may be called, and what the settings name; where strict, only that.

    A name's addresses are judged when it is looked up, and only those that were judged are
    dialled: what a name says a moment later changes nothing.

    Args:
        allow: Names alone allow no address that is not public.
        deny: Wins over ``allow``.
        strict: Names must be listed by name, addresses that are written as such by network.
        own: Whether this suite listens there (pure or cheap: asked once an address and port).
        proxy: Host name (or address) and port of the proxy, which is no target of calls.
        own_names: Host names and ports by which this suite reaches its own services.
    """

    def __init__(
        self,
        allow: Iterable[Rule] = (),
        deny: Iterable[Rule] = (),
        strict: bool = False,
        own: Callable[[Address, int], bool] = _nobodys,
        proxy: tuple[str, int] | None = None,
        own_names: frozenset[tuple[str, int]] = frozenset(),
    ) -> None:
        self._allow = tuple(allow)
        self._deny = tuple(deny)
        self._strict = strict
        self._own = own
        self._proxy = proxy
        self._own_names = own_names
        self.judge = lru_cache(4096)(self._judge)
        self.check = lru_cache(4096)(self._check)

    @classmethod
    def allowing(cls, entries: Iterable[str]) -> Self:
        """A policy that allows ``entries``, too.

        Raises:
            ValueError: An entry makes no sense.
        """
        return cls(rules(entries))

    def _check(self, host: str, port: int = 443) -> str:
        """The host to dial: ``host``, or where it is an address in an odd notation, that address.

        The addresses of a name are left to :meth:`judge`.

        Raises:
            AddressRefused: It is an address, and not an allowed one, or a name that is refused
                wherever it is.
        """
        address = literal(host)
        if address is None:
            if what := self.name_fault(host, port):
                raise AddressRefused(f"{host} is {what}.")
            return host
        if what := self.judge(address, port):
            raise AddressRefused(f"{_called(host, address)} is {what}.")
        return host if isinstance(address, IPv6Address) else str(address)

    def name_fault(self, host: str, port: int) -> str | None:
        """What forbids to call the host of that name wherever it is; goes on after "NAME is"."""
        name = host_name(host)
        if denied := self._denied(name, (), port):
            return denied
        if self._strict and not any(rule.fits_name(name, port) for rule in self._allow):
            return f"not listed: {STRICT} lets only what {ALLOW} lists be called"
        if self._named(name, (), port):
            return None
        if (name, port) in self._own_names:
            return _unless_named(_OURS)
        return _unless_named(_PROXY) if (name, port) == self._proxy else None

    def _judge(self, address: Address, port: int = 443, host: str = "") -> str | None:
        """What the address is that forbids it; None: it may be called.

        It goes on after "ADDRESS is".

        Args:
            host: The name that it was found by; "": it was written as an address.
        """
        name = host_name(host)
        meant = tuple(meanings(address))
        every = {address, *meant}
        if denied := self._denied(name, every, port):
            return denied
        if port in _OTHER_PROTOCOLS and not self._named(name, every, port):
            return _unless_named(f"called on port {port}, which is another protocol's")
        # Whoever answers for a name that is listed with its port could lead it here.
        if not self._opened_on(port, address, meant, name):
            if self._own(address, port) or any(self._own(each, port) for each in meant):
                return _unless_named(_OURS)
            if any((str(unscoped(each)), port) == self._proxy for each in every):
                return _unless_named(_PROXY)
        return self._unopened(address, meant, name, port)

    def _unopened(
        self, address: Address, meant: Iterable[Address], name: str, port: int
    ) -> str | None:
        for each in meant:
            if any(rule.opens(address, each, name, port) for rule in self._allow):
                continue
            if what := fault_of(each):
                return f"{what}: the egress policy does not allow it ({ALLOW} says what is allowed)"
            # ``loopback`` lists localhost, but not wherever somebody says that it is.
            listed = (rule for rule in self._allow if not rule.worded or rule.name)
            if self._strict and not any(rule.fits_name(name, port) for rule in listed):
                return f"not listed: {STRICT} lets only what {ALLOW} lists be called"
        return None

    def _denied(self, name: str, addresses: Iterable[Address], port: int) -> str | None:
        for rule in self._deny:
            if rule.fits_name(name, port) or rule.fits_address(addresses, port):
                return f"refused by {DENY} ('{rule.text}')"
        return None

    def _named(self, name: str, addresses: Iterable[Address], port: int) -> bool:
        """Whether it is allowed with its port."""
        return any(
            rule.port is not None
            and (rule.fits_name(name, port) or rule.fits_address(addresses, port))
            for rule in self._allow
        )

    def _opened_on(
        self, port: int, address: Address, meant: tuple[Address, ...], name: str
    ) -> bool:
        """Whether the address itself is allowed with its port, or that of the name there."""
        return any(
            rule.port is not None
            and (
                rule.fits_address((address, *meant), port)
                or any(rule.opens(address, each, name, port) for each in meant)
            )
            for rule in self._allow
        )

    def judge_proxy(self, address: Address, port: int, host: str) -> str | None:
        """As :meth:`judge`, of an address of the proxy: the operator has named it already."""
        every = {address, *meanings(address)}
        if denied := self._denied(host_name(host), every, port):
            return denied
        if any(within(each, METADATA) for each in every):
            return "a cloud's metadata address, where no proxy is"
        return None

    def is_proxy(self, host: str, port: int) -> bool:
        """Whether the proxy is reached by that name."""
        return (host_name(host), port) == self._proxy


def _unless_named(what: str) -> str:
    return f"{what}: the egress policy does not allow it unless {ALLOW} names it with its port"


def _called(host: str, address: Address) -> str:
    return host if host == str(address) else f"{host} ({address})"

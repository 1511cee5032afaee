"""Looks names up, and gives only the addresses that may be called: those are dialled."""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Sequence
from ipaddress import ip_address
from time import monotonic

from aiohttp.abc import AbstractResolver, ResolveResult

from services.egress.lookups import Found, Lookups
from services.egress.policy import AddressRefused, EgressPolicy

# What was found is an address: it is not looked up again.
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV

# Behind a proxy many machines know no name of the world: each call would wait for nobody's answer.
_LONGEST_FOR_A_PROXY_SECONDS = 2.0
_VERDICT_KEPT_SECONDS = 10.0
_MOST_VERDICTS = 1000


class PinningResolver(AbstractResolver):
    """Each lookup is judged anew; what was judged is what is dialled."""

    def __init__(self, policy: EgressPolicy, names: Lookups | None = None) -> None:
        self._policy = policy
        self._names = names or Lookups()
        self._verdicts: OrderedDict[tuple[str, int], tuple[float, str | None]] = OrderedDict()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """As the base says.

        Raises:
            AddressRefused: None of its addresses may be called.
            OSError: The name cannot be looked up.
        """
        found = await self._found(host, port, family)
        allowed, fault = self._judged(found, host, port)
        if fault and not allowed:
            raise AddressRefused(fault)
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

    async def through_proxy(self, host: str, port: int) -> None:
        """Judge a name that the proxy will look up: by what it is here, where it is known here.

        Raises:
            AddressRefused: It is known here, and none of its addresses may be called.
        """
        key = (host, port)
        until, fault = self._verdicts.get(key, (0.0, None))
        if until < monotonic():
            fault = await self._fault_here(host, port)
            self._verdicts[key] = (monotonic() + _VERDICT_KEPT_SECONDS, fault)
            if len(self._verdicts) > _MOST_VERDICTS:
                self._verdicts.popitem(last=False)
        if fault:
            raise AddressRefused(fault)

    async def _fault_here(self, host: str, port: int) -> str | None:
        try:
            async with asyncio.timeout(_LONGEST_FOR_A_PROXY_SECONDS):
                found = await self._found(host, port, socket.AF_UNSPEC)
        except OSError:
            return None
        allowed, fault = self._judged(found, host, port)
        return None if allowed else fault

    async def _found(self, host: str, port: int, family: socket.AddressFamily) -> Sequence[Found]:
        try:
            return await self._names.addresses(host, port, family)
        except UnicodeError as error:  # a label of no letter, or of more than 63
            raise socket.gaierror(socket.EAI_NONAME, "not a host name") from error

    def _judged(
        self, found: Sequence[Found], host: str, port: int
    ) -> tuple[list[Found], str | None]:
        """Those that may be called, and what is said where there is none."""
        proxy = self._policy.is_proxy(host, port)
        judge = self._policy.judge_proxy if proxy else self._policy.judge
        allowed, fault = [], None
        for each in found:
            address = ip_address(each[2])
            what = judge(address, port, host)
            if not what:
                allowed.append(each)
            elif fault is None:
                fault = f"{host} is at {address}, which is {what}."
        return allowed, fault

    async def close(self) -> None:
        self._names.close()

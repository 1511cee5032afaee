"""The circuit breakers of all hosts that are called: by host and port, in bounded memory."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from services.executor.breaking.breaker import Breaker, Mode, State, Thresholds
from services.executor.core.remembered import remembered

logger = logging.getLogger(__name__)

MOST_HOSTS = 4096
MOST_FORCED = 1000
# So many of the longest unused are looked at for one that may be forgotten.
_LOOKED_AT = 16
_PORTS = {"http": 80, "https": 443}


class Said(NamedTuple):
    """What an operator has said of a host, by which application, and when."""

    mode: Mode
    by: str
    at: datetime


class Breakers:
    """A breaker for each host.

    Of more than :data:`MOST_HOSTS` that nobody has said anything of, the longest unused is
    forgotten, which is the same as closed.
    """

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self._thresholds = thresholds or Thresholds()
        self._hosts: OrderedDict[str, Breaker] = OrderedDict()
        self._forced: dict[str, Breaker] = {}
        self.said: dict[str, Said] = {}

    def of(self, host: str, now: float) -> Breaker:
        """The breaker of ``host``, whom a call is to be made to."""
        breaker = self._hosts.get(host)
        if breaker is not None:
            self._hosts.move_to_end(host)
            return breaker
        if host in self._forced:
            return self._forced[host]
        breaker = Breaker(host, self._thresholds, now)
        self._keep(breaker)
        return breaker

    def ended(self, breaker: Breaker, permit: int, good: bool | None, now: float) -> None:
        """A call that had ``permit`` has ended; see :meth:`Breaker.leave`."""
        if not breaker.leave(permit, good, now):
            return
        if breaker.state is State.CLOSED:
            logger.info("The circuit breaker of %s has closed.", breaker.host)
        else:
            logger.warning("%s", refusal(breaker, now))

    def say(self, host: str, said: Said, now: float) -> Breaker:
        """What an operator says; automatic, it begins anew."""
        breaker = self._hosts.pop(host, None) or self._forced.pop(host, None)
        breaker = breaker or Breaker(host, self._thresholds, now)
        breaker.set(said.mode, now)
        if said.mode is Mode.AUTOMATIC:
            self.said.pop(host, None)
            self._keep(breaker)
        else:
            self.said[host], self._forced[host] = said, breaker
        return breaker

    def known(self, host: str) -> bool:
        """Whether it has been called of late, or something was said of it."""
        return host in self._hosts or host in self._forced

    def __iter__(self) -> Iterator[Breaker]:
        yield from self._forced.values()
        yield from self._hosts.values()

    def _keep(self, breaker: Breaker) -> None:
        self._hosts[breaker.host] = breaker
        if len(self._hosts) > MOST_HOSTS:
            self._forget()

    def _forget(self) -> None:
        oldest = list(islice(self._hosts.values(), _LOOKED_AT))
        closed = (each for each in oldest if each.state is State.CLOSED)
        del self._hosts[next(closed, oldest[0]).host]


def refusal(breaker: Breaker, now: float) -> str:
    """Why a call is refused, as a sentence."""
    if breaker.mode is Mode.OPEN:
        return (
            f"The circuit breaker of {breaker.host} was opened by an operator: "
            "no call to it goes out."
        )
    if breaker.state is State.HALF_OPEN:
        return f"The circuit breaker of {breaker.host} is half open: calls on trial come first."
    calls, failed = breaker.opened_by
    return (
        f"The circuit breaker of {breaker.host} is open: {failed:,} of {calls:,} calls to it "
        f"failed; calls go out again in {breaker.wait(now):.1f} s."
    )


def host_called(uri: str) -> str:
    """``host:port`` that ``uri`` names, without credentials; of one that a secret names, that name.

    Redirects lead elsewhere, and are the business of whom was called.
    """
    scheme, found, rest = uri.partition("://")
    authority = (rest if found else uri).partition("/")[0]
    return _named(f"{scheme}{found}{authority}" if found else authority)


# A caller may have named it.
@remembered(most=1024, longest=512)
def _named(address: str) -> str:
    scheme, found, authority = address.partition("://")
    authority = (
        (authority if found else address).partition("?")[0].partition("#")[0].rpartition("@")[2]
    )
    if "${" in authority:
        return authority[:200]
    host, colon, port = authority.rpartition(":")
    if not colon or not port.isdecimal():
        host, port = authority.rstrip(":"), str(_PORTS.get(scheme.strip().lower(), 80))
    return f"{host.lower()}:{int(port[:9])}"[-262:]

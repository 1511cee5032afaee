"""The minute of now: counted once a request, in the event loop, in a few microseconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from services.edge.metrics.counter import Counter
from services.edge.metrics.history import UNROUTED, Series, Uses, without_principal
from services.edge.problems import KINDS

if TYPE_CHECKING:
    from services.edge.call import Call

_OPTIONS: Series = ("", "OPTIONS", "", "")
_MOST_KEYS = 100_000


class Recorder:
    """Counts requests until :meth:`take` hands the counts over.

    Args:
        most: Series that are told apart; more are counted with the others of their route.

    Attributes:
        counted: How many requests, since the beginning.
        used: When each key was last used since the last :meth:`take`: seconds since 1970.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counters: dict[Series, Counter] = {}
        self.counted = 0
        self.used: Uses = {}

    def record(self, call: Call, status: int) -> None:
        """Count a request that was answered with ``status``, or left by its client."""
        # How long events go on says nothing of how quick the gateway is.
        seconds = (call.answered_at or time.monotonic()) - call.cycle.began
        caller = call.caller
        principal = ""
        if caller is not None:
            principal = caller.principal
            if caller.key:
                self.used[caller.auth_id, caller.key] = time.time() - seconds
        route = call.route
        if route is not None:
            series = (route.service_id, route.method, route.path, principal)
        else:
            series = (*call.place, principal) if call.place else _nowhere(call, status)
        counter = self._counters.get(series) or self._counter(series)
        counter.add(status, call.problem, seconds, call.cache_state, call.outcome)
        self.counted += 1

    def refused(self, problem: str) -> None:
        """Count what could not be read as a request."""
        self._counter(UNROUTED).add_refused(problem, KINDS[problem].status)
        self.counted += 1

    def _counter(self, series: Series) -> Counter:
        counters = self._counters
        if series not in counters and len(counters) >= self._most:
            # Routes are as many as are defined: only keys multiply.
            series = without_principal(series)
        counter = counters.get(series)
        if counter is None:
            counter = counters[series] = Counter()
        return counter

    def take(self) -> tuple[dict[Series, Counter], Uses]:
        """What was counted and used since the last time, the caller's own from now on."""
        counted, used = self._counters, self.used
        self._counters, self.used = {}, {}
        return counted, used

    def copies(self) -> dict[Series, Counter]:
        """What was counted, and go on counting."""
        return {series: counter.copy() for series, counter in self._counters.items()}


def newest(used: Uses) -> Uses:
    """The keys that were used last, as many as are kept."""
    if len(used) <= _MOST_KEYS:
        return used
    return dict(sorted(used.items(), key=lambda use: use[1])[-_MOST_KEYS:])


def _nowhere(call: Call, status: int) -> Series:
    """Preflights and their like are nobody's guesses."""
    return _OPTIONS if call.method == "OPTIONS" and status == 204 else UNROUTED

"""Refused requests of a minute, counted by who was refused what. No IO."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from services.auditing import DENIED, Entry

# Different ones of a minute; the others are counted by their reason alone.
MOST = 200
REASONS = {401: "unauthenticated", 403: "forbidden"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a request was refused for.

    Attributes:
        source: The client's address; of IPv6 its network.
        route: The method and path of the route, e.g. ``POST /api/orders``; empty: of none.
        reason: The name of the problem.
        principal: Who, where that was proven.
    """

    source: str
    route: str
    reason: str
    principal: str = ""


class Denied:
    """Counts within a minute."""

    def __init__(self) -> None:
        self._counts: Counter[Refusal] = Counter()

    def count(self, refusal: Refusal) -> None:
        """One more."""
        if refusal not in self._counts and len(self._counts) >= MOST:
            refusal = Refusal("", "", refusal.reason)
        self._counts[refusal] += 1

    def take(self, at: datetime, uid: str) -> list[Entry]:
        """The entries of what was counted since this was last asked.

        Args:
            uid: Never the same twice.
        """
        counts, self._counts = self._counts, Counter()
        return [
            _entry(refusal, count, at, f"{uid}-{number}")
            for number, (refusal, count) in enumerate(counts.items())
        ]


def _entry(refusal: Refusal, count: int, at: datetime, uid: str) -> Entry:
    whose = "" if refusal.source else " of sources and routes too many to name"
    times = "once" if count == 1 else f"{count:,} times"
    return Entry(
        refusal.principal,
        "call",
        "route" if refusal.route else "",
        refusal.route,
        f"The gateway refused {times} within a minute{whose}: {refusal.reason}.",
        DENIED,
        method=refusal.route,
        source=refusal.source,
        count=count,
        uid=uid,
        at=at,
    )

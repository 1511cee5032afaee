"""Requests per window: a route's policies, and what a caller is told of them.

By draft-ietf-httpapi-ratelimit-headers-10: ``RateLimit-Policy``, ``RateLimit``, the problem type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.edge.counted import Counted, Refusals, shown
from services.edge.digests import digest
from services.edge.keys import Key, read_key
from services.edge.problems import Problem, retry_after
from services.edge.windows import Standing, Window, Windows

if TYPE_CHECKING:
    from services.edge.call import Call, Headers


@dataclass(frozen=True, slots=True)
class Quota:
    """One of a route's ``rateLimits``.

    Attributes:
        name: By which callers know it.
        key: What is counted apart.
    """

    name: str
    key: Key
    window: Window

    @property
    def policy(self) -> bytes:
        """Its member of ``RateLimit-Policy``."""
        return f'"{self.name}";q={self.window.limit};w={self.window.seconds:g}'.encode()


def read_quotas(declared: Iterable[Mapping[str, Any]] | None) -> tuple[Quota, ...]:
    """A route's ``rateLimits``, as the registry keeps them."""
    return tuple(
        Quota(
            each["name"],
            read_key(each.get("key")),
            Window(each["limit"], float(each["windowSeconds"])),
        )
        for each in declared or ()
    )


def take(
    windows: Windows,
    refusals: Refusals,
    scope: tuple[str, str, str],
    quotas: tuple[Quota, ...],
    call: Call,
    now: float,
) -> Headers:
    """Count a request; the headers that tell how its caller stands.

    Args:
        scope: What the route is known by.

    Raises:
        Problem: 429 with ``Retry-After``: it was one too many, and counts for nothing.
    """
    asked = [(digest(*scope, each.name, *each.key.values(call)), each.window) for each in quotas]
    standings = windows.take(asked, now)
    headers = _told(quotas, standings)
    for quota, (key, _), standing in zip(quotas, asked, standings, strict=True):
        if standing.first:
            windows.tell(key, Counted((*scope, quota.name), shown(quota.key, call)))
        elif not standing.allowed:
            refusals.add((*scope, quota.name))
    refused = [
        (quota.name, standing.seconds)
        for quota, standing in zip(quotas, standings, strict=True)
        if not standing.allowed
    ]
    if refused:
        longest = max(seconds for _, seconds in refused)
        raise Problem(
            "quota-exceeded",
            headers=(*headers, retry_after(longest)),
            members={"violated-policies": [name for name, _ in refused]},
        )
    return headers


def _told(quotas: tuple[Quota, ...], standings: list[Standing]) -> Headers:
    limits = (
        f'"{quota.name}";r={standing.remaining};t={standing.seconds}'.encode()
        for quota, standing in zip(quotas, standings, strict=True)
    )
    return (
        (b"ratelimit-policy", b", ".join(quota.policy for quota in quotas)),
        (b"ratelimit", b", ".join(limits)),
    )

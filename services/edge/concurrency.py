"""Executions side by side: what a route allows of them, and what a caller is told. No IO.

The executor counts; here is what it counts by. By draft-ietf-httpapi-ratelimit-headers-10: a policy
whose quota unit is concurrent requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from services.edge.digests import digest
from services.edge.keys import Key, read_key
from services.edge.problems import RETRY_AFTER_SECONDS, Problem, retry_after

if TYPE_CHECKING:
    from services.edge.call import Call, Headers

# By which callers know the policy; no name of `rateLimits` beside it is the same.
NAME = "concurrent"
DEFAULT_MOST_QUEUED = 100

DIGEST_BYTES = 32
_LONGEST_RETRY_SECONDS = 60
_POLICY, _STANDING = b"ratelimit-policy", b"ratelimit"


@dataclass(frozen=True, slots=True)
class Concurrency:
    """A route's ``rateLimitConfig``.

    Attributes:
        key: What is counted apart.
        limit: How many executions run side by side.
        most_queued: How many calls wait for one of them to end; 0: they are refused.
        policy: Its member of ``RateLimit-Policy``.
    """

    key: Key
    limit: int
    most_queued: int
    policy: bytes

    def counted_by(self, scope: tuple[str, ...], call: Call) -> bytes:
        """What ``call`` is counted by, once its body is read; ``scope`` is the route's."""
        return digest(*scope, *self.key.values(call), size=DIGEST_BYTES)


def read_concurrency(declared: Mapping[str, Any] | None) -> Concurrency | None:
    """A route's ``rateLimitConfig``, as the registry keeps it."""
    if not declared:
        return None
    limit = declared["concurrentExecLimit"]
    queues = declared.get("onFull") == "QUEUE"
    return Concurrency(
        key=read_key(declared.get("rateLimitKey")),
        limit=limit,
        most_queued=declared.get("maxQueued", DEFAULT_MOST_QUEUED) if queues else 0,
        policy=f'"{NAME}";q={limit};qu="concurrent-requests"'.encode(),
    )


def with_policy(headers: Headers, concurrency: Concurrency) -> Headers:
    """``headers`` that tell of the policy, beside others that they tell of."""
    return _added(headers, _POLICY, concurrency.policy)


def full(call: Call, concurrency: Concurrency | None, waited_seconds: float) -> Problem:
    """What is told to a caller for whose execution there is no room; it sets shared headers.

    Args:
        waited_seconds: How long the call stood in line in vain; 0: not at all.
    """
    tell_none_left(call)
    # When the next one ends nobody knows; in so long, none did that this call could have had.
    seconds = min(ceil(waited_seconds), _LONGEST_RETRY_SECONDS) or RETRY_AFTER_SECONDS
    return Problem(
        "concurrency-limited",
        _why(concurrency, waited_seconds),
        headers=(retry_after(seconds),),
        members={"violated-policies": [NAME]},
    )


def tell_none_left(call: Call) -> None:
    """Have the answer's headers say that there is no room."""
    call.shared_headers = _added(call.shared_headers, _STANDING, f'"{NAME}";r=0'.encode())


def _why(concurrency: Concurrency | None, waited_seconds: float) -> str:
    if waited_seconds:
        return "The call stood in line until its time was over, and nothing was started."
    if concurrency is not None and concurrency.most_queued:
        return "As many calls stand in line as may, and nothing was started."
    return ""


def _added(headers: Headers, name: bytes, member: bytes) -> Headers:
    """``headers`` with one more member in the list of that name."""
    members = [value for each, value in headers if each == name]
    others = tuple(header for header in headers if header[0] != name)
    return (*others, (name, b", ".join((*members, member))))

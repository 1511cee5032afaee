"""Calls behind the circuit breaker of their host."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import monotonic

from services.egress.failures import CallFailed
from services.egress.sender import Reply
from services.executor.breaking.breakers import Breakers, refusal

_FAULTS_FROM = 500
_REDIRECTS = range(300, 400)


async def guarded(breakers: Breakers, host: str, send: Callable[[], Awaitable[Reply]]) -> Reply:
    """The reply to ``send``, whose outcome is counted.

    A host fails where it answers 5xx, cannot be reached, or its answer does not come whole.

    Raises:
        CallFailed: There is none; with ``put_off``, nothing was sent.
    """
    now = monotonic()
    breaker = breakers.of(host, now)
    permit = breaker.enter(now)
    if permit is None:
        wait = timedelta(seconds=breaker.wait(now))
        raise CallFailed(refusal(breaker, now), transient=True, put_off=wait)
    good: bool | None = None
    try:
        reply = await send()
        good = reply.status < _FAULTS_FROM
        return reply
    except CallFailed as failed:
        good = False if _is_the_hosts(failed) else None
        raise
    finally:
        breakers.ended(breaker, permit, good, monotonic())


def _is_the_hosts(failed: CallFailed) -> bool:
    """Whether the host is to blame, and not what was to be sent, or whom it redirects to."""
    return failed.transient and failed.status not in _REDIRECTS

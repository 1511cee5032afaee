"""A slow request is sent again beside itself; the first answer that is a success wins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from services.egress.failures import CallFailed
from services.egress.sender import Reply

Send = Callable[[], Awaitable[Reply]]

_SUCCESS_BELOW = 400


async def hedged(send: Send, attempts: int, delay: float) -> Reply:
    """The reply to ``send``, which is called again while nothing has come for ``delay`` seconds.

    What is still under way when one wins is cancelled. A reply that is no success wins when no
    other is under way; of failures and replies the latter.

    Args:
        attempts: How many are sent at most, the first included.

    Raises:
        CallFailed: None of them has an answer; the outcome is unknown if it is for one of them.
    """
    under_way: set[asyncio.Task[Reply]] = set()
    ended: list[asyncio.Task[Reply]] = []
    left = attempts
    try:
        while True:
            if left and not ended:
                under_way.add(asyncio.ensure_future(send()))
                left -= 1
            done, under_way = await asyncio.wait(
                under_way,
                timeout=delay if left and not ended else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            ended.extend(done)
            won = [each for each in done if each.exception() is None and _is_success(each.result())]
            if won:
                return won[0].result()
            if ended and not under_way:
                return _best(ended)
    finally:
        for each in under_way:
            each.cancel()
        # A connection that is given up is closed before anything else is asked of it.
        await asyncio.gather(*under_way, return_exceptions=True)


def _is_success(reply: Reply) -> bool:
    return reply.status < _SUCCESS_BELOW


def _best(ended: list[asyncio.Task[Reply]]) -> Reply:
    failures: list[CallFailed] = []
    for each in ended:
        error = each.exception()
        if error is None:
            return each.result()
        if not isinstance(error, CallFailed):
            raise error
        failures.append(error)
    failures[0].unknown = any(failure.unknown for failure in failures)
    raise failures[0]

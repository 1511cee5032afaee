"""Wrong keys at the gateway, slowed by source, at no cost to who sends good ones.

A good key opens at once, wherever it comes from and whoever else guesses there: refusing it would
be the attacker's gain, and keys are far too long to be found in any number of tries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from services.edge.auth import api_key
from services.edge.call import Call
from services.edge.problems import Problem, retry_after
from services.guessing import Allowance, source_of

OF_SOURCE = 60
_MOST_DELAYED = 256


class Guesses:
    """Those that one edge has met.

    Attributes:
        delay_seconds: How long who guesses too often waits for each answer.
    """

    delay_seconds = 1.0

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._sources = Allowance(OF_SOURCE, 1.0)
        self._delayed = 0

    async def met(self, call: Call, problem: Problem) -> Problem:
        """What ``call`` is told, which ends with ``problem``: that, or 429 with Retry-After."""
        if problem.kind != "unauthenticated" or not _is_guess(api_key.presented(call.header)):
            return problem
        source, now = source_of(call.address), self._monotonic()
        wait = self._sources.wait(source, now)
        self._sources.failed(source, now)
        if not wait:
            return problem
        await self._delay()
        told = "Too many wrong keys came from where you are: see Retry-After."
        return Problem("rate-limited", told, headers=(retry_after(max(1, round(wait))),))

    async def _delay(self) -> None:
        if self._delayed >= _MOST_DELAYED:
            # More would hold memory for them; each still costs its sender a request.
            return
        self._delayed += 1
        try:
            await asyncio.sleep(self.delay_seconds)
        finally:
            self._delayed -= 1


def _is_guess(sent: bytes) -> bool:
    """Whether it is a key: a token that has expired is none, and its sender must read 401."""
    return bool(sent) and not (sent.startswith(b"ey") and sent.count(b".") == 2)

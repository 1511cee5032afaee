"""The keys of one issuer: fetched when needed and again in time, kept while it is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.edge.tokens.fetching import Fetched, NoKeys, NotFetched
from services.edge.tokens.fresh import EARLY
from services.edge.tokens.model import Source
from services.jwks import KeySet, PublicKey

logger = logging.getLogger(__name__)

Fetch = Callable[[Source], Awaitable[Fetched]]

# Who waits for keys holds a request open: a stranger may have sent it.
_PATIENCE_SECONDS = 5.0
_MOST_WAITING = 100
_LONGEST_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Terms:
    """How keys are kept.

    Attributes:
        stale_seconds: For how long beyond their time, while none can be fetched.
        refetch_seconds: How often at most tokens that name unknown keys have them fetched.
    """

    stale_seconds: float = 3600.0
    refetch_seconds: float = 10.0


class KeysAway(Exception):
    """There are none now, and nobody can say whether a token holds."""


class RemoteKeys:
    """Those of one source.

    Args:
        monotonic: Seconds, by a clock that nobody sets.

    Attributes:
        generation: Another one whenever the keys are others.
        fault: Why they could not be fetched the last time; "" where they were.
    """

    def __init__(
        self, source: Source, fetch: Fetch, terms: Terms, monotonic: Callable[[], float]
    ) -> None:
        self._source = source
        self._fetch = fetch
        self._terms = terms
        self._now = monotonic
        self._keys = KeySet()
        self._early = self._over = self._gone = float("-inf")
        self._began = self._next = float("-inf")
        self._failures = 0
        self._flight: asyncio.Task[None] | None = None
        self._waiting = 0
        self.generation = 0
        self.fault = ""

    def current(self) -> bool:
        """Whether the keys are good as they are; has them fetched behind the scenes in time."""
        now = self._now()
        if now < self._early:
            return True
        if now >= self._gone:
            return False
        self._begin(now)
        # Beyond their time: only where the issuer was asked, and is away.
        return now < self._over or self._failures > 0

    def held(self) -> KeySet:
        """The keys that are good now, without a wait; none where there are none."""
        return self._keys if self.current() else KeySet()

    async def of(self, kid: str, algorithm: str) -> Sequence[PublicKey]:
        """The keys that may have signed a token; none where there is no such key.

        Raises:
            KeysAway: There are no keys that are good.
        """
        if not self.current():
            self._begin(self._now())
            await self._landed()
        if self._now() >= self._gone:
            raise KeysAway
        found = self._keys.of(kid, algorithm)
        if not found:
            await self.look_again()
            found = self._keys.of(kid, algorithm)
        return found

    async def look_again(self) -> None:
        """Fetch them once more, for a token that none of them has signed: they may be others.

        Made-up names of keys come as often as somebody sends them: what was fetched just now is
        not fetched again.
        """
        now = self._now()
        if now - self._began >= self._terms.refetch_seconds:
            self._begin(now)
        await self._landed()

    async def close(self) -> None:
        """Let go of what is under way."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)

    def _begin(self, now: float) -> None:
        if self._flight is None and now >= self._next:
            self._began = now
            self._flight = asyncio.create_task(self._fetched())

    async def _landed(self) -> None:
        """Until what is under way has ended; not for long, and not with too many others."""
        flight = self._flight
        if flight is None or self._waiting >= _MOST_WAITING:
            return
        self._waiting += 1
        try:
            await asyncio.wait([flight], timeout=_PATIENCE_SECONDS)
        finally:
            self._waiting -= 1

    async def _fetched(self) -> None:
        try:
            fetched = await self._fetch(self._source)
        except NotFetched as error:
            if isinstance(error, NoKeys):
                self._withdraw()
            self._failed(str(error))
        else:
            self._take(fetched)
        finally:
            self._flight = None

    def _failed(self, why: str) -> None:
        self._failures += 1
        self._next = self._now() + min(2.0 ** (self._failures - 1), _LONGEST_PAUSE_SECONDS)
        if why != self.fault:
            logger.warning("The keys of %s cannot be fetched: %s", self._source.uri, why)
        self.fault = why

    def _withdraw(self) -> None:
        """Not an issuer that is away: it says itself that none of its keys holds."""
        self._keys = KeySet()
        self.generation += 1
        self._early = self._over = self._gone = float("-inf")

    def _take(self, fetched: Fetched) -> None:
        now = self._now()
        if fetched.keys != self._keys:
            self.generation += 1
        if self.fault:
            logger.warning("The keys of %s are there again.", self._source.uri)
        self._keys, self.fault, self._failures = fetched.keys, "", 0
        self._early = now + fetched.seconds * EARLY
        self._over = now + fetched.seconds
        self._gone = self._over + self._terms.stale_seconds

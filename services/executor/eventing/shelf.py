"""Deliveries of a webhook that nobody waited for, until somebody does (pure, but for the lock).

What they tell stays in the store: here is what finds them, a digest for each set of paths that
tasks have looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

MOST_KEPT = 1_000
MOST_CHARS = 32 << 20
# Workflows that look at more have their deliveries read again.
_MOST_PATH_SETS = 32


@dataclass(slots=True)
class Kept:
    """A delivery.

    Attributes:
        chars: How long what it tells is.
        digests: By the paths, as JSON text, the digest of what stands there.
    """

    seq: int
    until: datetime
    chars: int
    digests: dict[str, str] = field(default_factory=dict)


class Shelf:
    """Those of one webhook, in order.

    Attributes:
        lock: Held by who looks whether a delivery has a taker, or a taker a delivery: one after
            the other they cannot miss each other, nor have the same twice.
    """

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self._kept: dict[int, Kept] = {}
        self._chars = 0

    @property
    def idle(self) -> bool:
        """Whether there is nothing, and nothing is about to be there."""
        return not self._kept and not self.lock.locked()

    def put(self, kept: Kept, now: datetime) -> list[int]:
        """Add one; the numbers of those that have to go for it, or whose time is over."""
        # It could not be stored the last time, perhaps.
        self.take(kept.seq)
        self._kept[kept.seq] = kept
        self._chars += kept.chars
        gone = [each.seq for each in self._kept.values() if each.until <= now]
        for seq in gone:
            self.take(seq)
        while len(self._kept) > MOST_KEPT or self._chars > MOST_CHARS:
            gone.append(next(iter(self._kept)))
            self.take(gone[-1])
        return gone

    def take(self, seq: int) -> None:
        """It is not kept any more."""
        if (kept := self._kept.pop(seq, None)) is not None:
            self._chars -= kept.chars

    def unread(self, paths: str) -> Sequence[int]:
        """Those of which it is not known what stands at ``paths``."""
        return [each.seq for each in self._kept.values() if paths not in each.digests]

    def learn(self, paths: str, digests: Mapping[int, str]) -> None:
        """Note what stands at ``paths``."""
        for seq, digest in digests.items():
            if (kept := self._kept.get(seq)) is not None:
                if len(kept.digests) >= _MOST_PATH_SETS:
                    kept.digests.clear()
                kept.digests[paths] = digest

    def find(self, paths: str, digest: str, now: datetime) -> int | None:
        """The first of those whose time is not over that has that digest at ``paths``."""
        for kept in self._kept.values():
            if kept.digests.get(paths) == digest and kept.until > now:
                return kept.seq
        return None

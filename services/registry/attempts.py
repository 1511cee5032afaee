"""Failed attempts to prove an access key, counted so that nobody guesses at leisure.

What one source gets wrong of one key keeps nobody else out: neither the key's owner elsewhere, nor
another key of a source that it was proven from before.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

from services.guessing import Allowance

# Of one key from one source; of a source, whatever the key; of a key, wherever from.
OF_PAIR = 10
OF_SOURCE = 60
OF_KEY = 100
_REMEMBERED = 10_000

_Pair = tuple[bytes, str]


class Attempts:
    """Those of one registry; what is remembered is bounded, and is gone with it."""

    def __init__(self) -> None:
        self._pairs = Allowance(OF_PAIR, 1.0, _REMEMBERED)
        self._sources = Allowance(OF_SOURCE, 1.0, _REMEMBERED)
        self._keys = Allowance(OF_KEY, 1.0, _REMEMBERED)
        self._proven: OrderedDict[_Pair, None] = OrderedDict()

    def wait(self, key_id: str, source: str, now: float) -> float:
        """Seconds until the secret of ``key_id`` is looked at for ``source``; 0.0: now."""
        pair = _pair(key_id, source)
        own = self._pairs.wait(pair, now)
        if pair in self._proven:
            return own
        if not self._pairs.clean(pair, now):
            # Many who guess together have one guess each; whoever has not guessed is let try.
            own = max(own, self._keys.wait(pair[0], now))
        return max(own, self._sources.wait(source, now))

    def failed(self, key_id: str, source: str, now: float) -> None:
        """The secret was wrong, or there is no such key."""
        pair = _pair(key_id, source)
        self._pairs.failed(pair, now)
        self._keys.failed(pair[0], now)
        self._sources.failed(source, now)

    def proved(self, key_id: str, source: str) -> None:
        """The secret was right."""
        pair = _pair(key_id, source)
        self._proven[pair] = None
        self._proven.move_to_end(pair)
        while len(self._proven) > _REMEMBERED:
            self._proven.popitem(last=False)


def _pair(key_id: str, source: str) -> _Pair:
    # Whoever makes ids up makes long ones.
    return blake2b(key_id.encode("utf-8", "replace"), digest_size=16).digest(), source

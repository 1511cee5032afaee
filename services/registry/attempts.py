"""Failed attempts to prove a key, counted so that nobody guesses at leisure."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta

ALLOWED = 10
WINDOW = timedelta(minutes=1)
_REMEMBERED = 10_000


class Attempts:
    """Failures of the last minute by key id; the ids are bounded, the longest quiet go first."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()

    def wait(self, key_id: str, now: datetime) -> timedelta:
        """How long ``key_id`` has to wait before its next attempt; nought when it need not."""
        failures = self._failures.get(key_id)
        if failures is None or len(failures) < ALLOWED:
            return timedelta()
        return max(failures[0] + WINDOW - now, timedelta())

    def failed(self, key_id: str, now: datetime) -> None:
        """Count a failure."""
        failures = self._failures.setdefault(key_id, deque(maxlen=ALLOWED))
        failures.append(now)
        self._failures.move_to_end(key_id)
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

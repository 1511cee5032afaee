"""Answers that go on: how many there may be, and how long each."""

from __future__ import annotations

from collections import Counter

from services.edge.problems import Problem, retry_after


class Streams:
    """Counts the streams of this edge.

    Args:
        most: At once.
        seconds: Of each, at most; then its client comes again.
        most_each: At once of one principal, so that none has them all.
    """

    def __init__(self, most: int, seconds: float, most_each: int) -> None:
        self._most = most
        self._most_each = most_each
        self._of = Counter[str]()
        self.seconds = seconds

    @property
    def open(self) -> int:
        """How many there are."""
        return self._of.total()

    def take(self, principal: str) -> Slot:
        """Room for one more.

        Raises:
            Problem: 503: there is none, or ``principal`` has as many as it may.
        """
        if self._of[principal] >= self._most_each:
            told = f"You follow {self._most_each} calls already: wait for the end of one."
            raise Problem("overloaded", told, headers=(retry_after(),))
        if self.open >= self._most:
            raise Problem("overloaded", headers=(retry_after(),))
        self._of[principal] += 1
        return Slot(self, principal)

    def give_back(self, principal: str) -> None:
        """One of ``principal`` has ended."""
        self._of[principal] -= 1
        if not self._of[principal]:
            del self._of[principal]


class Slot:
    """One stream's room."""

    def __init__(self, streams: Streams, principal: str) -> None:
        self._streams: Streams | None = streams
        self._principal = principal

    def release(self) -> None:
        """Give it back; a second time changes nothing."""
        if self._streams is not None:
            self._streams.give_back(self._principal)
            self._streams = None

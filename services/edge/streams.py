"""Answers that go on: how many there may be, and how long each."""

from __future__ import annotations

from services.edge.problems import Problem, retry_after


class Streams:
    """Counts the streams of this edge.

    Args:
        most: At once.
        seconds: Of each, at most; then its client comes again.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self.seconds = seconds
        self.open = 0

    def take(self) -> Slot:
        """Room for one more.

        Raises:
            Problem: 503: there is none.
        """
        if self.open >= self._most:
            raise Problem("overloaded", headers=(retry_after(),))
        return Slot(self)


class Slot:
    """One stream's room."""

    def __init__(self, streams: Streams) -> None:
        self._streams: Streams | None = streams
        streams.open += 1

    def release(self) -> None:
        """Give it back; a second time changes nothing."""
        if self._streams is not None:
            self._streams.open -= 1
            self._streams = None

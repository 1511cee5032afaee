"""What was counted of late: by the second, by five seconds, by the minute; bounded. No IO."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from services.executor.metrics.counter import Counter

SECONDS, FIVES, MINUTES = 1, 5, 60
_KEPT = {SECONDS: 10, FIVES: 120, MINUTES: 1440}


@dataclass(frozen=True, slots=True)
class Span:
    """What was counted in a time.

    Attributes:
        start: Seconds since 1970.
        seconds: How much of the time has passed.
    """

    start: int
    seconds: int
    counter: Counter


class _Spans:
    """The last spans of one length, the newest last."""

    def __init__(self, length: int, most: int) -> None:
        self._length = length
        self._most = most
        self._spans: deque[Span] = deque(maxlen=most)

    def add(self, second: int, counter: Counter) -> None:
        start = second - second % self._length
        # A clock that was set back would go on in its future's last span until it is there again.
        while self._spans and self._spans[-1].start > start + self._length:
            self._spans.pop()
        last = self._spans[-1] if self._spans else None
        # By a little: it goes on in the span where it was.
        if last is None or start > last.start:
            self._spans.append(Span(start, 1, Counter()))
        else:
            self._spans[-1] = Span(last.start, min(last.seconds + 1, self._length), last.counter)
        self._spans[-1].counter.merge(counter)

    def since(self, now: int) -> list[Span]:
        """Those that are not too old at ``now``."""
        first = now - self._length * self._most
        return [span for span in self._spans if span.start >= first]


class History:
    """Counts, and keeps what was counted.

    Attributes:
        counter: What is counted now.
    """

    def __init__(self) -> None:
        self.counter = Counter()
        self._kept = {length: _Spans(length, most) for length, most in _KEPT.items()}

    def turn(self, second: int) -> None:
        """A second has passed: ``second``, since 1970, was the one that was counted."""
        done, self.counter = self.counter, Counter()
        for spans in self._kept.values():
            spans.add(second, done)

    def spans(self, length: int, now: int) -> list[Span]:
        """The last spans of :data:`SECONDS`, :data:`FIVES` or :data:`MINUTES`, in order."""
        return self._kept[length].since(now)

    def recent(self, now: int) -> Span:
        """The last seconds as one."""
        spans = self.spans(SECONDS, now)
        whole = Counter()
        for span in spans:
            whole.merge(span.counter)
        return Span(spans[0].start if spans else now, len(spans), whole)

"""What was answered to some requests, as counts that add up. No IO."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from typing import TypeVar

from services.latency import Buckets, bucket_of

K = TypeVar("K", bound=Hashable)

TOO_MANY_REQUESTS = 429
_FIRST_ERROR = 400


class Counter:
    """Counts of requests; it holds no more than there are kinds of answers and of latencies.

    Attributes:
        answers: By status and the name of the problem, empty where the answer was none.
        buckets: How long they took; see :mod:`services.latency`.
        microseconds: All of that together.
        cache: By what the cache had; only of those that asked it.
        outcomes: Of executions: how they ended, or ``unknown``.
    """

    __slots__ = ("answers", "buckets", "cache", "microseconds", "outcomes")

    def __init__(self) -> None:
        self.answers: dict[tuple[int, str], int] = {}
        self.buckets: Buckets = {}
        self.microseconds = 0
        self.cache: dict[str, int] = {}
        self.outcomes: dict[str, int] = {}

    def add(self, status: int, problem: str, seconds: float, cache: str, outcome: str) -> None:
        """Count one request; ``cache`` and ``outcome`` are empty where there was none."""
        answer = (status, problem)
        self.answers[answer] = self.answers.get(answer, 0) + 1
        bucket = bucket_of(seconds)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        # Whole ones: sums of floats depend on their order.
        self.microseconds += int(seconds * 1e6)
        if cache:
            self.cache[cache] = self.cache.get(cache, 0) + 1
        if outcome:
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

    def add_refused(self, problem: str, status: int) -> None:
        """Count what was no request: how long it took nobody knows."""
        _add(self.answers, {(status, problem): 1})

    def merge(self, other: Counter) -> None:
        """Count what ``other`` has counted, too."""
        _add(self.answers, other.answers)
        _add(self.buckets, other.buckets)
        self.microseconds += other.microseconds
        _add(self.cache, other.cache)
        _add(self.outcomes, other.outcomes)

    def copy(self) -> Counter:
        """One that counts on by itself."""
        made = Counter()
        made.answers, made.buckets = self.answers.copy(), self.buckets.copy()
        made.microseconds = self.microseconds
        made.cache, made.outcomes = self.cache.copy(), self.outcomes.copy()
        return made

    # What they come to.

    @property
    def requests(self) -> int:
        return sum(self.answers.values())

    @property
    def errors(self) -> int:
        """Those with a status of 400 or more, and events (200) that ended with a problem."""
        return sum(
            count
            for (status, problem), count in self.answers.items()
            if status >= _FIRST_ERROR or problem
        )

    @property
    def limited(self) -> Mapping[str, int]:
        """Those that a limit of the gateway has refused, by problem."""
        return {
            problem: count
            for (status, problem), count in self.answers.items()
            if status == TOO_MANY_REQUESTS and problem
        }

    # As text: a tenth of the memory, for minutes that nothing is added to any more.

    def text(self) -> str:
        """JSON text."""
        answers = {f"{status} {name}": count for (status, name), count in self.answers.items()}
        # Keys of objects would have to be made numbers again.
        buckets = [number for pair in self.buckets.items() for number in pair]
        fields = (answers, buckets, self.microseconds, self.cache, self.outcomes)
        return json.dumps(fields, separators=(",", ":"))

    def merge_text(self, text: str) -> None:
        """Count what one has counted whose :meth:`text` this is."""
        answers, numbers, microseconds, cache, outcomes = json.loads(text)
        for answer, count in answers.items():
            status, _, problem = answer.partition(" ")
            key = (int(status), problem)
            self.answers[key] = self.answers.get(key, 0) + count
        buckets = self.buckets
        for bucket, count in zip(numbers[::2], numbers[1::2], strict=True):
            buckets[bucket] = buckets.get(bucket, 0) + count
        self.microseconds += microseconds
        _add(self.cache, cache)
        _add(self.outcomes, outcomes)


def is_counter(text: str) -> bool:
    """Whether some counter's :meth:`Counter.text` may be that."""
    try:
        Counter().merge_text(text)
    except (ValueError, TypeError, AttributeError):
        return False
    return True


def _add(counts: dict[K, int], more: Mapping[K, int]) -> None:
    for key, count in more.items():
        counts[key] = counts.get(key, 0) + count

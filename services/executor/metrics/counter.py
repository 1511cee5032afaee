"""What the engine did within some time, as counts that add up. No IO."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from services.latency import Buckets, bucket_of

K = TypeVar("K", bound=Hashable)

OTHER = "other"
"""Stands for the kinds of tasks that were too many to be told apart."""
MOST_KINDS = 32


class Counter:
    """Counts; it holds no more than there are statuses, kinds and lengths of time.

    Attributes:
        started: Executions that began, or again.
        ended: By status.
        tasks: Attempts that ended, by kind.
        commit_buckets, lag_buckets: See :mod:`services.latency`.
        commit_longest, lag_longest: Seconds.
    """

    __slots__ = (
        "commit_buckets",
        "commit_longest",
        "commits",
        "decisions",
        "ended",
        "lag_buckets",
        "lag_longest",
        "started",
        "tasks",
        "units",
    )

    def __init__(self) -> None:
        self.started = self.decisions = self.commits = self.units = 0
        self.ended: dict[str, int] = {}
        self.tasks: dict[str, int] = {}
        self.commit_buckets: Buckets = {}
        self.lag_buckets: Buckets = {}
        self.commit_longest = self.lag_longest = 0.0

    def add_ended(self, status: str) -> None:
        """One execution ended."""
        self.ended[status] = self.ended.get(status, 0) + 1

    def add_task(self, kind: str, number: int = 1) -> None:
        """So many attempts ended."""
        if kind not in self.tasks and len(self.tasks) >= MOST_KINDS:
            kind = OTHER
        self.tasks[kind] = self.tasks.get(kind, 0) + number

    def add_commit(self, units: int, seconds: float) -> None:
        """One transaction."""
        self.commits += 1
        self.units += units
        self.commit_longest = max(self.commit_longest, seconds)
        _add(self.commit_buckets, {bucket_of(seconds): 1})

    def add_lag(self, seconds: float) -> None:
        """One look at how late the loop is."""
        self.lag_longest = max(self.lag_longest, seconds)
        _add(self.lag_buckets, {bucket_of(seconds): 1})

    def merge(self, other: Counter) -> None:
        """Count what ``other`` has counted, too."""
        self.started += other.started
        self.decisions += other.decisions
        self.commits += other.commits
        self.units += other.units
        _add(self.ended, other.ended)
        for kind, number in other.tasks.items():
            self.add_task(kind, number)
        _add(self.commit_buckets, other.commit_buckets)
        _add(self.lag_buckets, other.lag_buckets)
        self.commit_longest = max(self.commit_longest, other.commit_longest)
        self.lag_longest = max(self.lag_longest, other.lag_longest)


def _add(counts: dict[K, int], more: dict[K, int]) -> None:
    for key, number in more.items():
        counts[key] = counts.get(key, 0) + number

"""How long things took: counts in buckets that grow by a constant factor. No IO.

Buckets of the same number are the same everywhere, so those of two minutes or routes add up to
what one of both would have been. Eight of them double: whatever lies in one is at most 4.4 % away
from the value that stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor, log2

Buckets = dict[int, int]
"""How many, by bucket."""

SHORTEST_SECONDS = 1e-6
PER_DOUBLING = 8
_PER_SECOND = 1000
_GROWTH = 2 ** (1 / PER_DOUBLING)


def bucket_of(seconds: float) -> int:
    """The bucket of a duration; those below a microsecond are taken for one."""
    # Bucket 0 begins at a millisecond, so that powers of two of it are bounds of buckets.
    return floor(log2(max(seconds, SHORTEST_SECONDS) * _PER_SECOND) * PER_DOUBLING)


def value_of(bucket: int) -> float:
    """Seconds that stand for all in a bucket: as far from its lower as from its upper end."""
    lower: float = _GROWTH**bucket / _PER_SECOND
    return lower * 2 * _GROWTH / (1 + _GROWTH)


def quantile(buckets: Mapping[int, int], share: float) -> float:
    """Seconds within which ``share`` (0 to 1) of all were done; 0 where there are none."""
    left = ceil(share * sum(buckets.values())) or 1
    for bucket in sorted(buckets):
        left -= buckets[bucket]
        if left <= 0:
            return value_of(bucket)
    return 0.0


def below(buckets: Mapping[int, int], doublings: range) -> list[tuple[float, int]]:
    """How many took less than 2ⁿ milliseconds, for each n given: the seconds, and how many."""
    counts, total, pending = [], 0, sorted(buckets, reverse=True)
    for n in doublings:
        while pending and pending[-1] < n * PER_DOUBLING:
            total += buckets[pending.pop()]
        counts.append((2.0**n / _PER_SECOND, total))
    return counts

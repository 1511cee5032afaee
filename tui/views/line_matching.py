"""Which lines two texts have in common, in bounded time.

Myers' greedy search finds the least that differs where that is little. Where it is much, lines
that occur once in each text are taken for anchors, and what is between them is searched again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

# So many lines removed and added are searched for: the work grows with their square.
MOST_EDITS = 800
# Between anchors, where there may be many places to search.
_MOST_EDITS_BETWEEN = 60


class Block(NamedTuple):
    """``length`` lines that are the same from ``one`` in the first and ``two`` in the second."""

    one: int
    two: int
    length: int


class Matching(NamedTuple):
    """What two texts have in common.

    Attributes:
        blocks: In order, none empty.
        is_least: Nothing could be left out of the difference.
    """

    blocks: list[Block]
    is_least: bool


def matched(one: Sequence[Hashable], two: Sequence[Hashable]) -> Matching:
    """The blocks that ``one`` and ``two`` have in common."""
    a, b = _numbered(one, two)
    pairs: list[tuple[int, int]] = []
    is_least = _match(a, b, (0, 0), pairs, MOST_EDITS)
    return Matching(list(_blocks(pairs)), is_least)


def _numbered(one: Sequence[Hashable], two: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    """Both with a number for each line that there is: numbers compare quicker."""
    numbers: dict[Hashable, int] = {}
    return (
        [numbers.setdefault(each, len(numbers)) for each in one],
        [numbers.setdefault(each, len(numbers)) for each in two],
    )


def _match(
    a: list[int], b: list[int], at: tuple[int, int], pairs: list[tuple[int, int]], most: int
) -> bool:
    """Add to ``pairs`` what ``a`` and ``b`` share; whether that is the most that they do."""
    head = _alike(a, b)
    tail = _alike(a[head:][::-1], b[head:][::-1])
    pairs += ((at[0] + i, at[1] + i) for i in range(head))
    inner_a, inner_b = a[head : len(a) - tail], b[head : len(b) - tail]
    start = (at[0] + head, at[1] + head)
    found = _myers(inner_a, inner_b, most)
    if found is not None:
        pairs += ((start[0] + i, start[1] + j) for i, j in found)
    elif most > _MOST_EDITS_BETWEEN:
        _match_between(inner_a, inner_b, start, pairs)
    end = (at[0] + len(a) - tail, at[1] + len(b) - tail)
    pairs += ((end[0] + i, end[1] + i) for i in range(tail))
    return found is not None


def _match_between(
    a: list[int], b: list[int], at: tuple[int, int], pairs: list[tuple[int, int]]
) -> None:
    """As :func:`_match`, by the lines that occur once in both."""
    before = (0, 0)
    for anchor in [*_anchors(a, b), (len(a), len(b))]:
        part_a, part_b = a[before[0] : anchor[0]], b[before[1] : anchor[1]]
        where = (at[0] + before[0], at[1] + before[1])
        _match(part_a, part_b, where, pairs, _MOST_EDITS_BETWEEN)
        if anchor[0] < len(a):
            pairs.append((at[0] + anchor[0], at[1] + anchor[1]))
        before = (anchor[0] + 1, anchor[1] + 1)


def _alike(a: Sequence[int], b: Sequence[int]) -> int:
    """How many are the same from the beginning."""
    count = 0
    for one, two in zip(a, b, strict=False):
        if one != two:
            break
        count += 1
    return count


def _myers(a: list[int], b: list[int], most: int) -> list[tuple[int, int]] | None:
    """The places that are the same on a shortest way; None: it has more than ``most`` edits."""
    n, m = len(a), len(b)
    if not n or not m:
        return []
    if abs(n - m) > most:
        return None
    furthest = [0] * (2 * most + 3)
    middle = most + 1
    history: list[list[int]] = []
    for edits in range(min(most, n + m) + 1):
        history.append(furthest[middle - edits - 1 : middle + edits + 2])
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (
                k != edits and furthest[middle + k - 1] < furthest[middle + k + 1]
            )
            x = furthest[middle + k + 1] if down else furthest[middle + k - 1] + 1
            y = x - k
            while x < n and y < m and a[x] == b[y]:
                x += 1
                y += 1
            furthest[middle + k] = x
            if x >= n and y >= m:
                return _way(history, n, m)
    return None


def _way(history: list[list[int]], x: int, y: int) -> list[tuple[int, int]]:
    """What is the same on the way that was found, walked back from its end."""
    pairs: list[tuple[int, int]] = []
    for edits in range(len(history) - 1, -1, -1):
        furthest, middle = history[edits], edits + 1
        k = x - y
        down = k == -edits or (k != edits and furthest[middle + k - 1] < furthest[middle + k + 1])
        before = k + 1 if down else k - 1
        x_before = furthest[middle + before] if edits else 0
        y_before = x_before - before if edits else 0
        while x > x_before and y > y_before:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = x_before, y_before
    return pairs[::-1]


def _anchors(a: list[int], b: list[int]) -> list[tuple[int, int]]:
    """Lines that occur once in both, as many as stand in the same order."""
    places_a, places_b = _once(a), _once(b)
    common = sorted((place, places_b[line]) for line, place in places_a.items() if line in places_b)
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, (_, place) in enumerate(common):
        length = bisect_left(ends, place)
        before.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(place)
            last.append(index)
        else:
            ends[length], last[length] = place, index
    found: list[tuple[int, int]] = []
    index = last[-1] if last else -1
    while index >= 0:
        found.append(common[index])
        index = before[index]
    return found[::-1]


def _once(lines: list[int]) -> dict[int, int]:
    """By line that occurs once: where."""
    places: dict[int, int] = {}
    twice: set[int] = set()
    for place, line in enumerate(lines):
        if line in places:
            twice.add(line)
        places[line] = place
    return {line: place for line, place in places.items() if line not in twice}


def _blocks(pairs: list[tuple[int, int]]) -> Iterator[Block]:
    start = 0
    for index in range(1, len(pairs) + 1):
        last = pairs[index - 1]
        if index == len(pairs) or pairs[index] != (last[0] + 1, last[1] + 1):
            yield Block(*pairs[start], index - start)
            start = index

"""Two texts side by side or one below the other: which lines changed, and which words of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from tui.views.line_matching import Block, matched

CONTEXT = 3
# Words of longer lines are not compared.
LONGEST_COMPARED = 2_000
# A pair of lines with less in common has changed as a whole.
_LEAST_ALIKE = 0.3
_WORD = re.compile(r"\w+|\s+|.", re.DOTALL)

Spans: TypeAlias = "list[tuple[int, int]]"


class Pair(NamedTuple):
    """A row of a comparison: a line of each text, from 0; None where there is none.

    Lines of a pair that is no ``is_change`` are the same.
    """

    one: int | None
    two: int | None
    is_change: bool


class Comparison(NamedTuple):
    """Two texts compared.

    Attributes:
        one: The lines of the first.
        two: The lines of the second.
        pairs: All rows.
        changes: The first row of each change.
        is_least: False: they differ in so much that less may have been found the same than is.
    """

    one: Sequence[str]
    two: Sequence[str]
    pairs: list[Pair]
    changes: list[int]
    is_least: bool


def compared(one: str, two: str) -> Comparison:
    """``one`` and ``two`` by their lines."""
    before, after = _lines(one), _lines(two)
    matching = matched(before, after)
    pairs: list[Pair] = []
    changes: list[int] = []
    at = (0, 0)
    for block in [*matching.blocks, Block(len(before), len(after), 0)]:
        if at != (block.one, block.two):
            changes.append(len(pairs))
            pairs += _changed(at, block)
        pairs += (Pair(block.one + i, block.two + i, False) for i in range(block.length))
        at = (block.one + block.length, block.two + block.length)
    return Comparison(before, after, pairs, changes, matching.is_least)


def words(one: str, two: str) -> tuple[Spans, Spans]:
    """Which characters of two lines differ; all of them where they have little in common."""
    if max(len(one), len(two)) > LONGEST_COMPARED:
        return [(0, len(one))], [(0, len(two))]
    parts_one, parts_two = _WORD.findall(one), _WORD.findall(two)
    blocks = matched(parts_one, parts_two).blocks
    alike = sum(len(part) for b in blocks for part in parts_one[b.one : b.one + b.length])
    if 2 * alike < _LEAST_ALIKE * (len(one) + len(two)):
        return [(0, len(one))], [(0, len(two))]
    return (
        _others(parts_one, [(block.one, block.length) for block in blocks]),
        _others(parts_two, [(block.two, block.length) for block in blocks]),
    )


def unified(one: Sequence[str], two: Sequence[str], names: tuple[str, str]) -> list[str]:
    """The lines of a unified diff as ``diff -u`` has it; none where they are the same."""
    lines: list[str] = []
    for hunk in _hunks(one, two):
        first, last = hunk[0], hunk[-1]
        a, b = first[0], first[2]
        place = f"@@ -{_range(a, last[1])} +{_range(b, last[3])} @@"
        lines += [place]
        for start_one, end_one, start_two, end_two, is_same in hunk:
            if is_same:
                lines += (f" {line}" for line in one[start_one:end_one])
            else:
                lines += (f"-{line}" for line in one[start_one:end_one])
                lines += (f"+{line}" for line in two[start_two:end_two])
    return [f"--- {names[0]}", f"+++ {names[1]}", *lines] if lines else []


_Stretch: TypeAlias = "tuple[int, int, int, int, bool]"


def _hunks(one: Sequence[str], two: Sequence[str]) -> Iterator[list[_Stretch]]:
    """Changes that are near each other with what is around them."""
    hunk: list[_Stretch] = []
    for stretch in _stretches(one, two):
        a, a_end, b, b_end, is_same = stretch
        if not is_same:
            hunk.append(stretch)
            continue
        if hunk and a_end - a > 2 * CONTEXT:
            yield [*hunk, (a, a + CONTEXT, b, b + CONTEXT, True)]
            hunk = []
        keep = a if hunk else max(a, a_end - CONTEXT)
        hunk.append((keep, a_end, b + keep - a, b_end, True))
    if any(not each[4] for each in hunk):
        a, a_end, b, b_end, is_same = hunk[-1]
        if is_same:
            shown = min(CONTEXT, a_end - a)
            hunk[-1] = (a, a + shown, b, b + shown, True)
        yield hunk


def _stretches(one: Sequence[str], two: Sequence[str]) -> Iterator[_Stretch]:
    """What is the same and what is not, in turn."""
    at = (0, 0)
    for block in [*matched(one, two).blocks, Block(len(one), len(two), 0)]:
        if at != (block.one, block.two):
            yield (at[0], block.one, at[1], block.two, False)
        at = (block.one + block.length, block.two + block.length)
        if block.length:
            yield (block.one, at[0], block.two, at[1], True)


def _range(start: int, end: int) -> str:
    """As ``diff -u`` writes a range: from 1, its length unless that is 1."""
    length = end - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


def _changed(at: tuple[int, int], block: Block) -> Iterator[Pair]:
    """The rows of a change: what was removed beside what was added."""
    many_one, many_two = block.one - at[0], block.two - at[1]
    for index in range(max(many_one, many_two)):
        yield Pair(
            at[0] + index if index < many_one else None,
            at[1] + index if index < many_two else None,
            True,
        )


def _others(parts: Sequence[str], same: Sequence[tuple[int, int]]) -> Spans:
    """The stretches of a line that are none of ``same`` (first part and how many)."""
    spans: Spans = []
    place = at = 0
    for start, count in [*same, (len(parts), 0)]:
        length = sum(map(len, parts[at:start]))
        if length:
            spans.append((place, place + length))
        place += length + sum(map(len, parts[start : start + count]))
        at = start + count
    return spans

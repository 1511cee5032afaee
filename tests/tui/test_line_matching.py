from __future__ import annotations

import random

from hypothesis import given, strategies as st

from tui.views import line_matching
from tui.views.line_matching import MOST_EDITS, Matching, matched

lines = st.lists(st.sampled_from("abc"), max_size=14)


def common(matching: Matching) -> int:
    return sum(block.length for block in matching.blocks)


def check(one: list[str], two: list[str], matching: Matching) -> None:
    """Blocks are in order, apart, and the same in both."""
    end_one = end_two = 0
    for block in matching.blocks:
        assert block.length > 0
        assert block.one >= end_one
        assert block.two >= end_two
        end_one, end_two = block.one + block.length, block.two + block.length
        assert one[block.one : end_one] == two[block.two : end_two]


def longest(one: list[str], two: list[str]) -> int:
    """Of the common subsequences, by the book."""
    row = [0] * (len(two) + 1)
    for a in one:
        before = row[:]
        for j, b in enumerate(two):
            row[j + 1] = before[j] + 1 if a == b else max(row[j], before[j + 1])
    return row[-1]


@given(lines, lines)
def test_as_much_as_can_be_is_matched(one: list[str], two: list[str]) -> None:
    matching = matched(one, two)

    check(one, two, matching)
    assert matching.is_least
    assert common(matching) == longest(one, two)


@given(lines, lines)
def test_matching_by_anchors_is_a_matching_too(one: list[str], two: list[str]) -> None:
    pairs: list[tuple[int, int]] = []
    a, b = line_matching._numbered(one, two)
    line_matching._match_between(a, b, (0, 0), pairs)

    check(one, two, Matching(list(line_matching._blocks(pairs)), is_least=False))


def test_texts_that_differ_everywhere_are_matched_where_lines_are_unlike() -> None:
    chance = random.Random(1)
    one = [f"line {n}" for n in range(20_000)]
    two = [f"other {n}" if chance.random() < 0.3 else line for n, line in enumerate(one)]
    matching = matched(one, two)

    check(one, two, matching)
    assert not matching.is_least
    assert common(matching) == sum(a == b for a, b in zip(one, two, strict=True))


def test_texts_that_have_nothing_in_common_end_soon() -> None:
    matching = matched(["x", "y"] * 50_000, ["z"] * (2 * MOST_EDITS) + ["w"] * 90_000)

    assert not matching.is_least
    assert common(matching) == 0

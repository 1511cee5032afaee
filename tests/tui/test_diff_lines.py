from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len

from tui.views.diff_lines import DiffLines, DiffSearch
from tui.views.diffs import compared
from tui.views.lines import pieces

ONE = "\n".join(["a", *map(str, range(20)), "the old word", "z"])
TWO = "\n".join(["a", *map(str, range(20)), "the new word", "more", "z"])
texts = st.lists(st.sampled_from(["a", "b", "日本\t", "x" * 90, *"same"]), max_size=40).map(
    "\n".join
)


def shown(lines: DiffLines) -> list[str]:
    return [lines.line(row).text for row in range(len(lines))]


def test_what_is_the_same_is_folded_and_changes_are_below_each_other() -> None:
    assert shown(DiffLines(compared(ONE, TWO))) == [
        "    ⋯ 18 lines are the same",
        "19 19   17",
        "20 20   18",
        "21 21   19",
        "22    - the old word",
        "   22 + the new word",
        "   23 + more",
        "23 24   z",
    ]


def test_both_stand_side_by_side() -> None:
    assert shown(DiffLines(compared(ONE, TWO), 43))[4:] == [
        "22 - the old word    │ 22 + the new word   ",
        "                     │ 23 + more           ",
        "23   z               │ 24   z              ",
    ]


def test_the_words_that_changed_stand_out() -> None:
    lines = DiffLines(compared(ONE, TWO))
    line = lines.line(4)

    assert ("old", "error!") in pieces(line, 0, len(line.text))
    assert ("the ", "error") in pieces(line, 0, len(line.text))


def test_what_is_folded_unfolds_and_folds_again() -> None:
    lines = DiffLines(compared(ONE, TWO))

    assert lines.toggle(0)
    assert shown(lines)[0] == " 1  1   a"
    assert len(lines) == 25
    assert not lines.toggle(lines.row_of(lines.comparison.changes[0]))
    assert lines.toggle(5)
    assert len(lines) == 8


@given(texts, texts, st.sampled_from([0, 40, 121]), st.data())
def test_rows_of_the_screen_and_of_the_comparison_agree(
    one: str, two: str, width: int, data: st.DataObject
) -> None:
    lines = DiffLines(compared(one, two), width)
    for _ in range(3):
        for row in range(len(lines)):
            pair = lines.pair_at(row)
            assert lines.row_of(pair) <= row
            assert lines.pair_at(lines.row_of(pair)) == pair
            line = lines.line(row)
            assert "".join(text for text, _ in pieces(line, 0, len(line.text))) == line.text
            if width and "⋯" not in line.text:
                assert cell_len(line.text) <= width
        for pair in range(len(lines.comparison.pairs)):
            assert 0 <= lines.row_of(pair) < len(lines)
        if len(lines):
            lines.toggle(data.draw(st.integers(0, len(lines) - 1)))


@pytest.mark.parametrize("width", [0, 121])
def test_a_search_finds_both_sides_and_what_is_folded(width: int) -> None:
    lines = DiffLines(compared(ONE, TWO), width)

    assert DiffSearch(lines, "old").count == DiffSearch(lines, "more").count == 1
    folded = DiffSearch(lines, "7")
    assert folded.count == 2
    row = folded.line(0)
    assert lines.line(row).text.split()[-1] == "7"
    assert folded.after(row) == 1
    assert folded.before(row) == 1


def test_texts_that_are_the_same_are_one_row() -> None:
    assert shown(DiffLines(compared(ONE, ONE))) == ["    ⋯ 23 lines are the same"]
    assert shown(DiffLines(compared("", ""))) == []
    assert shown(DiffLines(compared("", "x"))) == ["  1 + x"]

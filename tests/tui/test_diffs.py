from __future__ import annotations

from difflib import unified_diff

from hypothesis import given, strategies as st

from tui.views.diffs import compared, unified, words

lines = st.lists(st.sampled_from(["a", "b", "c", "same", ""]), max_size=30)
SAME = ["same"] * 9


@given(lines, lines)
def test_rows_are_both_texts_in_order(one: list[str], two: list[str]) -> None:
    comparison = compared("\n".join(one), "\n".join(two))

    assert [p.one for p in comparison.pairs if p.one is not None] == list(
        range(len(comparison.one))
    )
    assert [p.two for p in comparison.pairs if p.two is not None] == list(
        range(len(comparison.two))
    )
    for pair in comparison.pairs:
        if not pair.is_change:
            assert pair.one is not None
            assert pair.two is not None
            assert comparison.one[pair.one] == comparison.two[pair.two]
    assert [
        row
        for row, pair in enumerate(comparison.pairs)
        if pair.is_change and (not row or not comparison.pairs[row - 1].is_change)
    ] == comparison.changes


def patched(one: list[str], diff: list[str]) -> list[str]:
    """``one`` after a unified diff."""
    result: list[str] = []
    at = 0
    for line in diff[2:]:
        if line.startswith("@@"):
            start, _, length = line.split()[1][1:].partition(",")
            begin = int(start) - (0 if length == "0" else 1)
            result += one[at:begin]
            at = begin
        elif line.startswith("+"):
            result.append(line[1:])
        else:
            assert one[at] == line[1:]
            if line.startswith(" "):
                result.append(line[1:])
            at += 1
    return result + one[at:]


@given(lines, lines)
def test_a_unified_diff_leads_from_one_to_the_other(one: list[str], two: list[str]) -> None:
    diff = unified(one, two, ("one", "two"))

    assert bool(diff) == (one != two)
    assert patched(one, diff) == two


def test_a_unified_diff_is_written_as_those_of_others() -> None:
    one = ["a", *SAME, "b", *SAME, *SAME, "c", *SAME]
    two = ["A", *SAME, "B", "BB", *SAME, *SAME, *SAME, "d"]

    for before, after in [(one, two), (one, []), ([], two), (two, one), (["x"], ["y"])]:
        theirs = list(unified_diff(before, after, "one", "two", lineterm=""))
        ours = unified(before, after, ("one", "two"))
        assert [x for x in ours if x[:2] == "@@"] == [x for x in theirs if x[:2] == "@@"]


def test_words_that_differ_are_told() -> None:
    one, two = words('  "uri": "https://a/1",', '  "uri": "https://b/1",')

    assert (one, two) == ([(18, 19)], [(18, 19)])
    assert words("abc", "xyz") == ([(0, 3)], [(0, 3)])
    assert words("a b", "a b c") == ([], [(3, 5)])
    assert words("x" * 3_000, "x" * 3_001) == ([(0, 3_000)], [(0, 3_001)])


@given(st.text("ab ,", max_size=20), st.text("ab ,", max_size=20))
def test_what_no_word_is_told_of_is_the_same(one: str, two: str) -> None:
    spans_one, spans_two = words(one, two)

    def rest(text: str, spans: list[tuple[int, int]]) -> str:
        return "".join(c for i, c in enumerate(text) if not any(a <= i < b for a, b in spans))

    assert rest(one, spans_one) == rest(two, spans_two)

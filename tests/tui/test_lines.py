from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len

from tui.views.colouring import colours
from tui.views.lines import LONGEST_SHOWN, Line, Mark, breaks, found_in, highlighted, pieces
from tui.views.text_lines import TextLines, TextSearch, visible_line
from tui.views.wrapping import Wrapping

texts = st.text(st.sampled_from("ab é日本\t\x1b\u202e"), max_size=60)


@given(texts, st.integers(2, 20))
def test_rows_of_a_line_are_all_of_it_and_fit(text: str, width: int) -> None:
    text = visible_line(text)
    starts = breaks(text, width)
    rows = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]

    assert "".join(rows) == text
    assert all(cell_len(row) <= width for row in rows)


@given(st.lists(texts, min_size=1, max_size=20), st.integers(2, 20), st.data())
def test_rows_and_lines_agree_whatever_was_measured(
    lines: list[str], width: int, data: st.DataObject
) -> None:
    wrapping = Wrapping(TextLines("\n".join(lines) + "\n"), width)
    for _ in range(3):
        first = data.draw(st.integers(0, len(lines)))
        wrapping.measure(first, data.draw(st.integers(0, len(lines))))

        rows = [wrapping.at(row) for row in range(wrapping.rows)]
        assert rows == [(i, p) for i in range(len(lines)) for p in range(wrapping.height(i))]
        assert all(rows[wrapping.row(i)] == (i, 0) for i in range(len(lines)))


@given(texts)
def test_no_line_holds_what_a_terminal_obeys(text: str) -> None:
    shown = visible_line(text)

    assert not set(shown) & set("\t\x1b\u202e")
    assert cell_len(shown) <= TextLines(text).most_cells(0)


@given(st.text(st.sampled_from("aAbB"), max_size=30), st.sampled_from(["a", "ab", "A", "zz"]))
def test_marking_what_was_found_changes_no_text(text: str, wanted: str) -> None:
    marks = [Mark(place, place + 2, "tone") for place in range(0, len(text) - 2, 3)]
    line = highlighted(Line(text, marks), list(found_in(text, wanted)), "match")

    assert "".join(part for part, _ in pieces(line, 0, len(text))) == text
    marked = [part for part, tone in pieces(line, 0, len(text)) if tone == "match"]
    assert marked == [text[a:b] for a, b in found_in(text, wanted)]


def test_pieces_keep_to_what_is_asked() -> None:
    line = Line("abcdef", [Mark(1, 3, "one"), Mark(4, 6, "two")])

    assert list(pieces(line, 2, 5)) == [("c", "one"), ("d", ""), ("e", "two")]


def test_a_long_line_is_cut_unless_all_of_it_is_wanted() -> None:
    text = "x" * (LONGEST_SHOWN + 7)

    assert TextLines(text).line(0).text.endswith("x… 7 more characters")
    assert TextLines(text, whole=True).line(0).text == text


def test_lines_end_where_everybody_ends_them() -> None:
    assert TextLines("a\r\nb\u2028c\x0cd\n").lines == ["a", "b\u2028c\x0cd"]


def test_a_search_goes_round() -> None:
    search = TextSearch(["a", "b", "A", "b"], "a")

    assert search.count == 2
    assert [search.after(0), search.after(2), search.before(0), search.at(1)] == [1, 0, 1, 1]
    assert search.line(1) == 2


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("json", '"a": ["b", 1, true]', {'"a"': "primary", '"b"': "success", "1": "accent",
                                         "true": "warning"}),
        ("yaml", "- name: 'x' # note", {"name": "primary", "'x'": "success", "# note": "muted"}),
        ("yaml", "a: true", {"a": "primary", "true": "warning"}),
        ("yaml", "n: 12", {"n": "primary", "12": "accent"}),
        ("javascript", "return $.a + 'b'; // c",
         {"return": "primary", "$.a": "warning", "'b'": "success", "// c": "muted"}),
        ("http", "Content-Type: text/plain", {"Content-Type": "primary"}),
        ("http", "HTTP/1.1 404 Not Found", {"HTTP/1.1 404 Not Found": "error"}),
        ("diff", "+added", {"+added": "success"}),
    ],
)  # fmt: skip
def test_a_line_is_coloured_by_its_language(
    language: str, text: str, expected: dict[str, str]
) -> None:
    marked = colours(language)
    assert marked is not None
    found = {text[mark.start : mark.end]: mark.tone for mark in marked(text)}

    assert expected.items() <= found.items()


def test_a_language_that_is_not_known_has_no_colours() -> None:
    assert colours("cobol") is None

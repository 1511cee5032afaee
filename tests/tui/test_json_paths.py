from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tui.views.json_paths import Path, expression, nearest, path_text, read_path

keys = st.text(st.sampled_from("ab.[]'\"\\$ {}/~é0\n"), min_size=1, max_size=6)
paths = st.lists(st.integers(0, 99) | keys, max_size=5).map(tuple)


@given(paths)
def test_a_path_that_is_written_is_read_again(path: Path) -> None:
    assert read_path(path_text(path)) == path


def test_a_path_is_written_as_an_author_would() -> None:
    assert path_text(("output", "items", 3, "sku")) == "output.items[3].sku"
    assert path_text(("a b", "it's")) == "['a b']['it\\'s']"
    assert path_text(()) == ""


def test_an_expression_names_its_root() -> None:
    assert expression(("items", 3), "charge.output") == "${charge.output.items[3]}"
    assert expression(("workflow", "input")) == "${workflow.input}"


@pytest.mark.parametrize(
    "text",
    ["a.b[2].c", "$.a.b[2].c", "${a.b[2].c}", "/a/b/2/c", "a.b.2.c", " a['b'][2]['c'] "],
)
def test_a_place_is_found_however_it_is_written(text: str) -> None:
    document = {"a": {"b": [0, 1, {"c": None}]}}

    path = read_path(text)

    assert path is not None
    assert nearest(document, path) == ("a", "b", 2, "c")


def test_what_is_no_path_is_none() -> None:
    assert read_path("a[") is None
    assert read_path("a]b") is None


def test_the_nearest_is_what_is_there_of_a_path() -> None:
    assert nearest({"a": [1]}, ("a", 4, "b")) == ("a",)
    assert nearest([], ("a",)) == ()
    assert nearest({"7": 1}, (7,)) == ("7",)

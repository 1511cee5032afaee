"""Documents are changed at a path, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as some

from services.json_text import Json
from tui.views.forms.documents import (
    MISSING,
    moved,
    nearest,
    read_path,
    value_at,
    with_item,
    with_value,
    without_value,
    written,
)

NAMES = some.sampled_from(["a", "b", "c d", "e.f", "'", ""])
PATHS = some.lists(NAMES | some.integers(0, 3), min_size=1, max_size=4).map(tuple)
DOCUMENTS = some.recursive(
    some.none() | some.integers(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(some.dictionaries(NAMES, DOCUMENTS), PATHS.filter(lambda path: isinstance(path[0], str)))
def test_what_was_put_is_there_and_can_be_taken_away(
    document: dict[str, Any], path: tuple[Any, ...]
) -> None:
    if any(isinstance(each, int) for each in path):
        path = tuple(each for each in path if isinstance(each, str))
    put = with_value(document, path, 7)

    assert value_at(put, path) == 7
    assert value_at(without_value(put, path), path) is MISSING


def test_a_document_is_not_changed_in_place() -> None:
    document: Json = {"a": {"b": [1, 2]}}
    with_value(document, ("a", "b", 0), 9)
    without_value(document, ("a", "b", 0))
    with_item(document, ("a", "b"), 0, 9)

    assert document == {"a": {"b": [1, 2]}}


def test_objects_that_are_empty_go_with_their_last_value_and_items_stay() -> None:
    assert without_value({"a": {"b": {"c": 1}}, "d": 2}, ("a", "b", "c")) == {"d": 2}
    assert without_value({"a": [{"b": 1}]}, ("a", 0, "b")) == {"a": [{}]}
    assert without_value({"a": 1}, ("a",)) == {}
    assert without_value({"a": 1}, ("b", "c")) == {"a": 1}


def test_items_are_moved_within_their_list() -> None:
    assert moved({"a": [1, 2, 3]}, ("a", 0), 1) == ({"a": [2, 1, 3]}, ("a", 1))
    assert moved({"a": [1, 2, 3]}, ("a", 0), 9) == ({"a": [2, 3, 1]}, ("a", 2))
    assert moved({"a": [1, 2, 3]}, ("a", 0), -1) == ({"a": [1, 2, 3]}, ("a", 0))
    assert moved({"a": 1}, ("a", 0), 1) == ({"a": 1}, ("a", 0))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("routes[2].path", ("routes", 2, "path")),
        ("", ()),
        ("a['b c'].d", ("a", "b c", "d")),
        ("['it\\'s']", ("it's",)),
        ("/routes/2/pa~1th", ("routes", 2, "pa/th")),
        ("/", ("",)),
        ("a[", ("a",)),
        ("what is this", ("what",)),
    ],
)
def test_a_path_is_read_as_faults_write_it(text: str, path: tuple[Any, ...]) -> None:
    assert read_path(text) == path


@given(some.lists(some.sampled_from(["a", "b1", "c d", "it's"]) | some.integers(0, 99)).map(tuple))
def test_a_written_path_is_read_again(path: tuple[Any, ...]) -> None:
    assert read_path(written(path)) == path


def test_the_nearest_is_the_longest_around() -> None:
    assert nearest(("a", 1, "b"), [("a",), ("a", 1), ("c",)]) == ("a", 1)
    assert nearest(("x",), [("a",)]) == ()

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from services.json_paths import step
from tui.views.json_places import Position, positions

TEXT = """\
{"id": "orders",
 "routes": [
   {"path": "/a"},
   {"path": "/b, {c}", "it's \\u0061": {"x": 1,
     "y": [2, 3]}}
 ],
 "idle": null}
"""


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ("", 1, 1),
        ("id", 1, 2),
        ("ide", 1, 1),
        ("routes", 2, 2),
        ("routes[0]", 3, 4),
        ("routes[1].path", 4, 5),
        ("routes[1].httpMethod", 4, 4),
        ("routes[1]['it\\'s a'].y", 5, 6),
        ("routes[1]['it\\'s a'].y[1]", 5, 15),
        ("routes[2].path", 2, 2),
        ("idle.x", 7, 2),
    ],
)
def test_a_path_has_the_place_of_the_innermost_part_that_is_there(
    path: str, line: int, column: int
) -> None:
    assert positions(TEXT, [path]) == {path: Position(line, column)}


def test_a_text_that_is_not_finished_is_read_as_far_as_it_goes() -> None:
    found = positions('{"a": 1,\n "b": [{"c": "x', ["a", "b[0].c", "d"])

    assert found == {"a": Position(1, 2), "b[0].c": Position(2, 9), "d": Position(1, 1)}


@pytest.mark.parametrize("text", ["", "]", "nothing", '"', "{" * 5_000, "[,,]", '{"a" "b"}'])
def test_any_text_has_places(text: str) -> None:
    assert set(positions(text, ["", "a.b", "[1]"])) == {"", "a.b", "[1]"}


Part = tuple[str, str | int | None, Any]
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.integers() | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def parts_of(value: Any, path: str = "", name: str | int | None = None) -> Iterator[Part]:
    yield path, name, value
    items = value.items() if isinstance(value, dict) else ()
    for key, inner in enumerate(value) if isinstance(value, list) else items:
        yield from parts_of(inner, (path + step(key)).removeprefix("."), key)


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from([None, 1]))
def test_every_part_of_a_document_is_found_where_it_is(
    document: dict[str, Any], indent: int | None
) -> None:
    text = json.dumps(document, indent=indent)
    parts = list(parts_of(document))
    # Of two keys that are written alike in paths nobody knows which is meant.
    assume(len({path for path, _, _ in parts}) == len(parts))

    found = positions(text, [path for path, _, _ in parts])

    lines = text.split("\n")
    for path, name, value in parts:
        place = found[path]
        rest = "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])
        if isinstance(name, str):
            key, end = json.JSONDecoder().raw_decode(rest)
            assert key == name
            rest = rest[end:].lstrip(": ")
        assert json.JSONDecoder().raw_decode(rest)[0] == value

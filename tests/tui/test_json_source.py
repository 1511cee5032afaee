from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tui.views.json_source import containers, spot_at

texts = st.text(st.sampled_from('{}[],:"\\ \nab1'), max_size=40)


def at(marked: str) -> Any:
    """The spot at the ``|`` of a text."""
    cursor = marked.index("|")
    return spot_at(marked.replace("|", ""), cursor)


@pytest.mark.parametrize(
    ("marked", "path", "part", "written"),
    [
        ("|", (), "value", ""),
        ("{|", (), "key", ""),
        ('{"na|', (), "key", "na"),
        ('{"na|me": 1}', (), "key", "na"),
        ('{"name"|', ("name",), "none", ""),
        ('{"name": |', ("name",), "value", ""),
        ('{"name": "x|y", "b": 1}', ("name",), "value", "x"),
        ('{"name": "xy"| , "b": 1}', ("name",), "none", ""),
        ('{"name": tr|ue}', ("name",), "value", "tr"),
        ('{"a": [1, {"b": |', ("a", 1, "b"), "value", ""),
        ('{"a": [1, {"b": 2}, "|', ("a", 2), "value", ""),
        ('{"a": {"b": 1}, |', (), "key", ""),
        ('{"a": {"b": 1, "|', ("a",), "key", ""),
        ('{"a": "{,[\\"", "b|', (), "key", "b"),
        ('{"a": "unfinished\n "b|', ("a",), "none", "b"),
    ],
)
def test_a_spot_knows_what_is_written(
    marked: str, path: tuple[str | int, ...], part: str, written: str
) -> None:
    spot = at(marked)

    assert (spot.path, spot.part, spot.written) == (path, part, written)


def test_what_is_replaced_includes_its_quotes() -> None:
    text = '{"name": "some text", "b": 1}'
    spot = spot_at(text, text.index("me te"))

    assert text[spot.start : spot.end] == '"some text"'


def test_a_spot_knows_what_was_read_before_it() -> None:
    spot = at('{"name": "w", "tasks": [{"type": "HTTP", "retryCount": 2, "inputParameters": {"|')
    task = spot.holder.outer

    assert [each.path() for each in spot.containers] == [
        (),
        ("tasks",),
        ("tasks", 0),
        ("tasks", 0, "inputParameters"),
    ]
    assert task.scalars == {"type": "HTTP", "retryCount": "2"}
    assert task.keys == ["type", "retryCount", "inputParameters"]


def test_a_text_tells_its_parts_and_which_have_no_end() -> None:
    begun = containers('{"a": [1, "x"], "b": {"c": ')

    assert [(each.path(), each.is_open) for each in begun] == [
        ((), True),
        (("a",), False),
        (("b",), True),
    ]
    assert begun[1].scalars == {0: "1", 1: "x"}


@given(texts, st.data())
def test_any_text_has_a_spot_everywhere(text: str, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    spot = spot_at(text, cursor)

    assert 0 <= spot.start <= cursor <= spot.end <= len(text)
    assert text[spot.start : cursor].removeprefix('"') == spot.written


values = st.recursive(
    st.integers(0, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, min_size=1, max_size=3)
    ),
)


@given(values)
def test_the_path_of_the_last_value_is_right(value: Any) -> None:
    path: list[str | int] = []
    inner = value
    while isinstance(inner, (dict, list)):
        step = len(inner) - 1 if isinstance(inner, list) else list(inner)[-1]
        path.append(step)
        inner = inner[step]
    text = json.dumps(value).rstrip("]}")
    spot = spot_at(text, len(text) - (1 if text.endswith('"') else 0))

    assert spot.path == tuple(path)
    assert spot.part == "value"

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from tui.views.json_values import Number, json_text, literal, read_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_a_document_that_is_read_is_written_as_it_was(value: object) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False)

    assert json_text(read_json(text).value) == text


@pytest.mark.parametrize("number", ["1.10", "1e400", "-0", "0.1e1", "1" * 5000, "-1E-2"])
def test_a_number_stays_as_it_was_written(number: str) -> None:
    value = read_json(f'{{"n": [{number}, {{}}]}}').value

    assert value["n"][0] == Number(number)
    assert literal(value["n"][0]) == number
    assert json_text(value) == f'{{\n  "n": [\n    {number},\n    {{}}\n  ]\n}}'


def test_a_document_that_nests_deeply_is_written() -> None:
    text = "[" * 900 + "1" + "]" * 900

    written = json_text(read_json(text).value)

    assert "".join(written.split()) == text


def test_what_is_no_json_is_told_with_its_place() -> None:
    read = read_json('{"a": 1,\n "b" 2}')

    assert (read.line, read.column) == (2, 6)
    assert read.fault == "A colon is missing after this key."


def test_nesting_that_nobody_reads_is_a_fault() -> None:
    assert read_json("[" * 200_000).fault == "It is nested too deeply."


def test_what_a_terminal_obeys_is_shown_as_an_escape() -> None:
    assert literal("a\x1b[31m\x9b\u202e\ud800\n") == r'"a\u001b[31m\u009b\u202e\ud800\n"'

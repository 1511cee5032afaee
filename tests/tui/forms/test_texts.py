"""A value is typed as it is read, and what is none is refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as some

from services.json_text import Json
from tui.views.forms.documents import MISSING
from tui.views.forms.fields import Field, Limits, form_of
from tui.views.forms.texts import (
    MASK,
    Refused,
    faults_of,
    placeholder,
    shown,
    text_of,
    value_of,
    wants,
)

TEXT, ANY = Field("t", "text"), Field("a", "any")
ITEMS = Field("i", "items", item=TEXT)
METHOD = Field("m", "choice", choices=("GET", "PUT"))
METHODS = Field("m", "items", choices=("GET", "PUT"), item=METHOD)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (TEXT, " a ", " a "),
        (TEXT, "", MISSING),
        (Field("n", "integer"), " 12 ", 12),
        (Field("n", "integer"), "-0", 0),
        (Field("n", "number"), "1.5e3", 1500.0),
        (Field("n", "number"), "7", 7),
        (Field("b", "boolean"), "Yes", True),
        (Field("c", "choice", choices=("a", 2)), "2", 2),
        (ITEMS, "a, b ,c", ["a", "b", "c"]),
        (ITEMS, '["a,b", "c"]', ["a,b", "c"]),
        (METHODS, "GET,PUT", ["GET", "PUT"]),
        (Field("j", "json"), '{"a": [1]}', {"a": [1]}),
        (ANY, "12", 12),
        (ANY, "hello world", "hello world"),
        (ANY, '"12"', "12"),
        (ANY, "  ", MISSING),
    ],
)
def test_a_text_means_a_value(field: Field, text: str, value: Json) -> None:
    assert value_of(field, text) == value


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        (Field("n", "integer"), "1.5", "whole number"),
        (Field("n", "integer"), "9" * 5000, "whole number"),
        (Field("n", "number"), "1e999", "number"),
        (Field("n", "number"), "nan", "number"),
        (Field("b", "boolean"), "maybe", "true or false"),
        (Field("c", "choice", choices=("a", "b")), "c", "one of a, b"),
        (METHODS, "GET, PSOT", "one of GET, PUT"),
        (Field("j", "json"), "{", "must be JSON: line 1"),
        (ANY, '{"a"', "must be JSON"),
        (Field("t", "text", limits=Limits(pattern="^/")), "a", "must match ^/"),
        (Field("t", "text", limits=Limits(longest=2)), "abc", "at most 2"),
        (Field("t", "text", limits=Limits(shortest=2)), "a", "at least 2"),
        (Field("t", "text", limits=Limits(format="date-time")), "soon", "must be a date-time"),
        (Field("n", "integer", limits=Limits(least=1, most=5)), "7", "must be 1 to 5"),
        (Field("n", "integer", limits=Limits(most=5)), "7", "at most 5"),
        (Field("n", "integer", limits=Limits(least=5)), "1", "at least 5"),
    ],
)
def test_a_text_that_is_no_value_is_refused(field: Field, text: str, says: str) -> None:
    with pytest.raises(Refused) as refused:
        value_of(field, text)

    assert says in str(refused.value)


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(?<!", "(", "^(?=(a+)+b)"])
def test_no_pattern_holds_the_form_up(pattern: str) -> None:
    field = Field("t", "text", limits=Limits(pattern=pattern))

    assert set(faults_of(field, "a" * 60 + "!")) <= {f"must match {pattern}"}


JSON = some.recursive(
    some.none() | some.booleans() | some.integers(-(10**20), 10**20)
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(some.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: some.lists(inner) | some.dictionaries(some.text("ab"), inner),
    max_leaves=8,
)  # fmt: skip


@given(JSON)
def test_anything_is_read_as_it_was_written(value: Json) -> None:
    assert value_of(ANY, text_of(ANY, value)) == value


@given(some.lists(some.text(some.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_items_are_read_as_they_were_written(values: list[Json]) -> None:
    assert value_of(ITEMS, text_of(ITEMS, values)) == values


def test_a_secret_is_masked_and_a_long_text_is_one_line() -> None:
    assert shown(Field("s", "text", secret=True), "hush") == MASK
    assert shown(Field("s", "text", secret=True), MISSING) == ""
    assert shown(TEXT, "a\nb\nc") == "a … (3 lines)"


def test_a_default_is_told_and_no_value() -> None:
    field = form_of({"type": "object", "properties": {"n": {"type": "integer", "default": 30}}})

    assert placeholder(field.fields[0]) == "30"
    assert "default 30" in wants(field.fields[0])

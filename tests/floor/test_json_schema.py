"""JSON Schema: both drafts, formats asserted, nothing outside, faults that repeat no value."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from services.json_schema import (
    DRAFT_07,
    LONGEST_TEXT,
    MOST_FAULTS,
    compiled,
    draft_of,
    faults,
)  # fmt: skip


def told(schema: dict[str, Any], value: Any) -> list[str]:
    return [f"{pointer} {detail}" for pointer, detail in faults(compiled(schema), value)]


def test_every_fault_is_told_with_its_pointer_and_without_the_value() -> None:
    schema = {
        "type": "object",
        "properties": {
            "rating": {"type": "integer", "maximum": 5},
            "a/b~c": {"type": "array", "items": {"minLength": 3}},
            "when": {"format": "date-time"},
        },
        "required": ["comment"],
    }

    found = told(schema, {"rating": 1234567, "a/b~c": ["xyz", "Q7"], "when": "Q8"})

    assert sorted(pointer for pointer, _, _ in (each.partition(" ") for each in found)) == [
        "",
        "/a~1b~0c/1",
        "/rating",
        "/when",
    ]
    assert not any(value in " ".join(found) for value in ("1234567", "Q7", "Q8"))
    assert told(schema, {"comment": "c", "rating": 5, "when": "2027-01-31T00:00:00Z"}) == []


def test_draft_07_is_taken_as_such() -> None:
    # Tuples are items in draft-07, and prefixItems since.
    schema = {"$schema": f"{DRAFT_07}#", "items": [{"type": "string"}, {"type": "integer"}]}

    assert draft_of(schema) == DRAFT_07
    assert told(schema, ["a", "b"]) == ['/1 this value is not of type "integer"']


@pytest.mark.parametrize(
    "reference", ["http://127.0.0.1:1/x.json", "file:///etc/hostname", "other.json"]
)
def test_nothing_outside_of_the_schema_is_read(reference: str) -> None:
    with pytest.raises((jsonschema_rs.ReferencingError, ValueError)):
        compiled({"$ref": reference})


def test_a_reference_within_the_schema_is_followed() -> None:
    schema = {"$defs": {"n": {"type": "integer"}}, "items": {"$ref": "#/$defs/n"}}

    assert told(schema, [1, "x"]) == ['/1 this value is not of type "integer"']


def test_another_draft_is_refused() -> None:
    with pytest.raises(ValueError, match="2020-12"):
        compiled({"$schema": "http://json-schema.org/draft-04/schema#"})


def test_no_more_than_some_faults_are_told_and_of_a_large_value_the_first() -> None:
    schema = {"items": {"type": "integer"}}

    assert len(told(schema, ["x"] * 999)) == MOST_FAULTS
    assert len(told(schema, ["x"] * 1000)) == 1
    assert told(schema, [1] * 20_000 + ["x", "y"]) == ['/20000 this value is not of type "integer"']


def test_of_a_value_with_large_names_or_texts_the_first_fault_is_told() -> None:
    lists = {"additionalProperties": {"items": {"type": "string"}}}
    names = {"required": ["a", "b", "c"]}

    assert len(told(lists, {"k" * 100: [1] * 50})) == 50
    assert len(told(lists, {"k" * 100_000: [1] * 50})) == 1
    assert len(told(names, {"x": "y" * 1000})) == 3
    assert len(told(names, {"x": "y" * 1_000_000})) == 1


def test_long_pointers_and_details_are_cut() -> None:
    schema = {
        "additionalProperties": {"type": "string"},
        "propertyNames": {"maxLength": LONGEST_TEXT},
    }

    found = faults(compiled(schema), {"~" * 2000: 1})

    assert len(found) == 2
    assert {len(pointer) for pointer, _ in found} == {0, LONGEST_TEXT}
    assert max(len(detail) for _, detail in found) == LONGEST_TEXT
    assert all(text.endswith("…") for each in found for text in each if len(text) == LONGEST_TEXT)


def test_what_is_nested_too_deep_to_be_judged_is_a_fault() -> None:
    deep: Any = 1
    for _ in range(400):
        deep = [deep]

    assert told({"type": "object"}, deep) == [" this value is nested too deep to be judged"]
    assert told({"const": [1]}, deep) == [" this value is nested too deep to be judged"]


def test_numbers_of_any_size_and_512_levels_are_judged() -> None:
    deep: Any = []
    for _ in range(511):
        deep = [deep]

    assert told({"type": "integer", "maximum": 10**40}, 10**39) == []
    assert len(told({"type": "integer", "maximum": 10**40}, 10**400)) == 1
    assert told({"type": "array", "items": {"$ref": "#"}}, deep) == []

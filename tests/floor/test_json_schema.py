"""JSON Schema: both drafts, formats asserted, nothing outside, faults that repeat no value."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from services.json_schema import DRAFT_07, MOST_FAULTS, compiled, draft_of, faults


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

    assert len(told(schema, ["x"] * 1000)) == MOST_FAULTS
    assert told(schema, [1] * 20_000 + ["x", "y"]) == ['/20000 this value is not of type "integer"']


def test_numbers_of_any_size_and_512_levels_are_judged() -> None:
    deep: Any = []
    for _ in range(511):
        deep = [deep]

    assert told({"type": "integer", "maximum": 10**40}, 10**39) == []
    assert len(told({"type": "integer", "maximum": 10**40}, 10**400)) == 1
    assert told({"type": "array", "items": {"$ref": "#"}}, deep) == []

"""Schemas that ask the same of the same value without end."""

from __future__ import annotations

from typing import Any

import pytest

from services.schema_circles import circle_in

AGAIN = [{"$ref": "#/$defs/a"}] * 16


@pytest.mark.parametrize(
    ("schema", "reference"),
    [
        ({"$ref": "#"}, "#"),
        ({"anyOf": [{"type": "string"}, {"not": {"$ref": "#"}}]}, "#"),
        ({"if": True, "then": {"$ref": "#"}}, "#"),
        ({"dependentSchemas": {"a": {"$ref": "#"}}}, "#"),
        ({"$defs": {"a": {"anyOf": AGAIN, "oneOf": AGAIN, "allOf": AGAIN}}}, "#/$defs/a"),
        ({"items": {"$ref": "#/$defs/a"},
          "$defs": {"a": {"$ref": "#/$defs/b%20c"}, "b c": {"allOf": [{"$ref": "#/$defs/a"}]}}},
         "#/$defs/b%20c"),
        ({"$ref": "#/elsewhere/a", "elsewhere": {"a": {"not": {"$ref": "#/elsewhere/a"}}}},
         "#/elsewhere/a"),
        ({"properties": {"a": {"anyOf": [{"$ref": "#/properties/a"}]}}}, "#/properties/a"),
        # The way into the circle is not by its top.
        ({"$ref": "#/$defs/x/allOf/0", "$defs": {"x": {"allOf": [{"$ref": "#/$defs/x"}]}}},
         "#/$defs/x"),
        ({"anyOf": [{"$ref": "#/anyOf/0"}]}, "#/anyOf/0"),
        ({"items": {"$anchor": "x", "not": {"$ref": "#x"}}}, "#x"),
        ({"items": {"$dynamicAnchor": "x", "not": {"$dynamicRef": "#x"}}}, "#x"),
        ({"$id": "https://a.example/b", "not": {"$ref": "/b"}}, "/b"),
        ({"$id": "https://a.example/b", "items": {"$id": "c", "not": {"$ref": "c#"}}}, "c#"),
    ],
)  # fmt: skip
def test_what_leads_back_to_itself_in_the_same_value_is_told(
    schema: dict[str, Any], reference: str
) -> None:
    assert circle_in(schema) == reference


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"properties": {"next": {"$ref": "#"}}, "items": {"anyOf": [{"$ref": "#"}]}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
        {"allOf": [{"$ref": "#/$defs/a"}] * 2, "$defs": {"a": {"items": {"$ref": "#"}}}},
        # What is only a value refers to nothing.
        {"enum": [{"$ref": "#"}], "const": {"$ref": "#"}, "default": {"$ref": "#"}},
        {"properties": {"$ref": {"type": "string"}, "not": {"$ref": "#"}}},
        {"$ref": "#/nowhere"}, {"$ref": "#nowhere"}, {"$ref": "https://a.example/"}, {"$ref": 1},
        {"anyOf": [True, {"$ref": "#/anyOf/7"}, {"$ref": "#/anyOf/x"}]},
        {"anyOf": [True, {"$ref": f"#/anyOf/{'9' * 5_000}"}]},
    ],
)  # fmt: skip
def test_what_goes_into_the_value_first_is_no_circle(schema: dict[str, Any]) -> None:
    assert circle_in(schema) is None


def test_definitions_that_refer_on_and_on_are_gone_through_once() -> None:
    links = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 9} for n in range(2_000)}

    assert circle_in({"$ref": "#/$defs/d0", "$defs": links}) is None

"""Examples of schemas: like what they want, and with an end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from services import json_schema
from services.json_example import example


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, {}),
        ({"type": "string"}, "TEXT"),
        ({"type": "string", "minLength": 6}, "TEXTTE"),
        ({"type": "string", "maxLength": 2}, "TE"),
        ({"format": "email"}, "name@example.com"),
        ({"enum": ["a", "b"]}, "a"),
        ({"examples": [{"x": 1}]}, {"x": 1}),
        ({"type": "integer", "default": 3, "minimum": 4}, 3),
        ({"const": False}, False),
        ({"type": ["null", "string"]}, "TEXT"),
        ({"type": "null"}, None),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "minimum": 10, "multipleOf": 7}, 14),
        ({"type": "number", "maximum": -2}, -2),
        ({"type": "array", "items": {"type": "boolean"}}, [True]),
        ({"items": {"type": "boolean"}, "minItems": 2}, [True, True]),
        ({"prefixItems": [{"const": 1}, {"const": 2}]}, [1, 2]),
        ({"properties": {"a": {"properties": {"b": True}}}}, {"a": {"b": {}}}),
        ({"required": ["z"]}, {"z": "TEXT"}),
        ({"oneOf": [{"type": "boolean"}, {"type": "string"}]}, True),
        ({"properties": {"a": {"$ref": "#/$defs/x~1y"}}, "$defs": {"x/y": {"const": 5}}}, {"a": 5}),
        (
            {"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]},
            {"a": 1, "b": 2},
        ),
        ({"allOf": [{"type": "array", "default": []}]}, []),
        ({"$ref": "https://elsewhere.example/"}, {}),
    ],
)
def test_an_example_is_like_its_schema(schema: dict[str, Any], value: object) -> None:
    assert example(schema) == value


ENDLESS: dict[str, Any] = {"type": "array"}
ENDLESS["items"] = ENDLESS


@pytest.mark.parametrize(
    "schema",
    [
        ENDLESS,
        {"$ref": "#"},
        {"$ref": "#", "allOf": [{"$ref": "#"}] * 50},
        {"properties": {name: {"$ref": "#"} for name in "abcdefgh"}},
        {"required": list("abcdefgh"), "properties": {key: {"$ref": "#"} for key in "abcdefgh"}},
        {"properties": {f"p{n}": {"type": "string"} for n in range(10_000)}},
    ],
)
def test_a_schema_without_end_has_an_example_with_one(schema: dict[str, Any]) -> None:
    assert len(str(example(schema))) < 20_000


NUMBERS = st.integers(-50, 50) | st.floats(-50, 50, allow_nan=False).map(lambda n: round(n, 1))
LEAVES = (
    st.fixed_dictionaries({"type": st.just("string")}, optional={"minLength": st.integers(0, 9)})
    | st.fixed_dictionaries({"type": st.just("integer")}, optional={"minimum": NUMBERS})
    | st.fixed_dictionaries({"type": st.just("number")}, optional={"exclusiveMaximum": NUMBERS})
    | st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"format": "date-time"}])
    | st.builds(lambda values: {"enum": values}, st.lists(NUMBERS, min_size=1))
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(
            lambda properties: {"properties": properties, "required": list(properties)},
            st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
        )
        | st.builds(lambda items: {"items": items, "type": "array", "minItems": 1}, inner)
        | st.builds(lambda choice: {"anyOf": [choice, {"type": "null"}]}, inner)
    ),
    max_leaves=8,
)


@given(SCHEMAS)
def test_of_simple_schemas_it_keeps_to_all(schema: dict[str, Any]) -> None:
    assert json_schema.compiled(schema).is_valid(example(schema)), example(schema)


ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=3) | st.just("#"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "items", "properties", "required", "allOf", "enum", "minLength", "format",
                 "multipleOf", "minimum", "$ref", "prefixItems", "maxItems", "minItems", "default"]
            ),
            inner,
            max_size=4,
        )
    ),
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["type", "properties", "items", "allOf"]), ANYTHING))
def test_what_is_no_schema_harms_nobody(schema: dict[str, Any]) -> None:
    example(schema)

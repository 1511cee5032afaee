"""What a schema weighs, before anything is judged by it."""

from __future__ import annotations

from typing import Any

import pytest

from services.schema_weight import HEAVIEST, weight

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "to": {"$ref": "#/$defs/address"},
        "from": {"$ref": "#/$defs/address"},
    },
    "required": ["id", "lines"],
    "additionalProperties": False,
    "$defs": {
        "line": {"properties": {"sku": {"pattern": "^[A-Z]{2}-[0-9]{4}$"}}},
        "address": {"properties": {"city": {"type": "string", "maxLength": 80}}},
    },
}


def chain(links: int, *, twice: bool) -> dict[str, Any]:
    definitions: dict[str, Any] = {
        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * (1 + twice)} for n in range(links)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**definitions, f"d{links}": {"type": "string"}}}


def test_a_plain_schema_is_light() -> None:
    known = weight(ORDER)

    assert known is not None
    assert known < 100


def test_a_definition_counts_once_for_each_way_to_it() -> None:
    definitions = {"$defs": {"a": {"enum": [*range(500)]}}}
    one, two = (weight({"allOf": [{"$ref": "#/$defs/a"}] * n, **definitions}) for n in (1, 2))

    assert one is not None
    assert 500 < one < 600
    assert two is not None
    assert 1000 < two < 1200


def test_a_definition_that_nobody_uses_weighs_nothing() -> None:
    assert weight({"type": "string", "$defs": {"a": {"enum": [*range(500)]}}}) == weight(
        {"type": "string"}
    )


def test_references_that_double_weigh_what_they_come_to() -> None:
    single, doubled = weight(chain(30, twice=False)), weight(chain(30, twice=True))

    assert single is not None
    assert single < 300
    assert doubled is not None
    assert doubled > 1 << 30
    assert weight(chain(50, twice=True)) == HEAVIEST


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"properties": {"children": {"items": {"$ref": "#"}}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}},
        {"$ref": "#tree", "$defs": {"a": {"$anchor": "tree"}}},
        {"$ref": "https://json-schema.org/draft/2020-12/schema"},
        {"$ref": "#/$defs/a%20b", "$defs": {"a b": True}},
        {"$dynamicRef": "#/$defs/a", "$defs": {"a": True}},
        {"allOf": [{"$id": "other", "$ref": "#/a"}], "a": True},
        {"unevaluatedProperties": False},
        {"items": {"unevaluatedItems": False}},
        {"format": "regex"},
        {"pattern": "^(?=a)(a+)+$"},
        {"pattern": r"(a)\1"},
        {"pattern": "a++b"},
        {"patternProperties": {"(?<!a)b": True}},
        chain(300, twice=False),
        {"enum": [*range(30_000)]},
    ],
)
def test_what_may_take_any_time_has_no_weight(schema: dict[str, Any]) -> None:
    assert weight(schema) is None


def test_a_property_may_be_called_like_a_keyword() -> None:
    assert weight({"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}})
    assert (weight({"properties": {"definitions": {"enum": [*range(500)]}}}) or 0) > 500


def test_counted_repetitions_multiply_where_groups_are_repeated() -> None:
    apart, within = weight({"pattern": "a{50}b{50}"}), weight({"pattern": "(?:a{50}b){50}"})

    assert apart is not None
    assert apart < 200
    assert within is not None
    assert within > 2500


@pytest.mark.parametrize("schema", [True, False, {}])
def test_nothing_weighs_next_to_nothing(schema: object) -> None:
    assert weight(schema) == 1

"""What a schema refers to, once it stands in a document: found there, and the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services import json_schema
from services.edge.openapi.references import placed, refers

PLACE = "#/components/schemas/X"
URI = "https://shop.example/order"


def holding(reference: str, **more: Any) -> dict[str, Any]:
    defs = {
        "id": {"type": "string", "minLength": 2},
        "a/b": {"$anchor": "slashed", "maxLength": 3},
        "apart": {
            "$id": "apart",
            "properties": {"x": {"$ref": "#/$defs/id"}},
            "$defs": {"id": {"type": "integer"}},
        },
    }
    return {"properties": {"p": {"$ref": reference}}, "$defs": defs, **more}


@pytest.mark.parametrize(
    ("reference", "leads_to"),
    [
        ("#/$defs/id", f"{PLACE}/$defs/id"),
        ("#", PLACE),
        (URI, PLACE),
        (f"{URI}#/$defs/id", f"{PLACE}/$defs/id"),
        ("order#/$defs/id", f"{PLACE}/$defs/id"),
        ("#slashed", f"{PLACE}/$defs/a~1b"),
        (f"{URI}#slashed", f"{PLACE}/$defs/a~1b"),
        ("apart", f"{PLACE}/$defs/apart"),
        ("https://shop.example/apart#/$defs/id", f"{PLACE}/$defs/apart/$defs/id"),
        ("https://elsewhere.example/", "https://elsewhere.example/"),
        ("#nowhere", "#nowhere"),
    ],
)
def test_references_lead_to_where_the_schema_stands(reference: str, leads_to: str) -> None:
    written = placed(holding(reference, **{"$id": URI}), PLACE)

    assert isinstance(written, dict)
    assert written["properties"] == {"p": {"$ref": leads_to}}
    assert '"$id"' not in json.dumps(written)


def test_a_part_with_a_name_of_its_own_is_a_root_to_its_references() -> None:
    written: Any = placed(holding("#", **{"$id": URI}), PLACE)

    inner = written["$defs"]["apart"]["properties"]["x"]
    assert inner == {"$ref": f"{PLACE}/$defs/apart/$defs/id"}


def test_an_urn_is_a_name_like_any_other() -> None:
    written: Any = placed(holding("urn:shop:order#/$defs/id", **{"$id": "urn:shop:order"}), PLACE)

    assert written["properties"]["p"] == {"$ref": f"{PLACE}/$defs/id"}


def test_what_is_a_value_or_a_name_is_no_reference() -> None:
    schema: dict[str, Any] = {
        "properties": {"$ref": {"type": "string"}, "$id": {}, "enum": {"$ref": "#"}},
        "default": {"$ref": "#/x"},
        "enum": [{"$ref": "#", "$id": "x"}],
    }

    written: Any = placed(schema, PLACE)

    assert written == {**schema, "properties": {**schema["properties"], "enum": {"$ref": PLACE}}}


def test_an_anchor_of_draft_7_is_found() -> None:
    schema = {"properties": {"p": {"$ref": "#stars"}}, "definitions": {"s": {"$id": "#stars"}}}

    written: Any = placed(schema, PLACE)

    assert written["properties"]["p"] == {"$ref": f"{PLACE}/definitions/s"}


SCHEMAS: list[dict[str, Any]] = [
    holding("#/$defs/id"),
    holding("apart", **{"$id": URI}),
    holding("#slashed", **{"$id": URI}),
    holding("#", **{"$id": URI, "maxProperties": 1}),
    {
        "$id": URI,
        "$dynamicAnchor": "node",
        "additionalProperties": {"$dynamicRef": "#node"},
        "type": "object",
    },
    {"$defs": {"a": {"items": {"type": "integer"}}}, "$ref": "#/$defs/a", "minItems": 1},
]
VALUES: list[Any] = [
    {"p": "abcd"}, {"p": "a"}, {"p": {"x": 1}}, {"p": {"x": "ab"}}, {"p": {"p": {}, "q": 1}},
    {"p": {"p": {"p": 1}}}, {"p": "abc", "q": {}}, [1], ["a"], [], {}, 1,
]  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS)
def test_it_judges_as_it_did(schema: dict[str, Any]) -> None:
    assert refers(schema)
    document = {"$ref": PLACE, "components": {"schemas": {"X": placed(schema, PLACE)}}}
    before, after = json_schema.compiled(schema), json_schema.compiled(document)

    verdicts = [before.is_valid(value) for value in VALUES]

    assert [after.is_valid(value) for value in VALUES] == verdicts
    assert len(set(verdicts)) == 2, "the values tell nothing"

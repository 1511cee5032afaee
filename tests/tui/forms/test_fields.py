"""Fields are what a schema means, however it says that."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as some

from tests.tui.forms.schemas import form_for, object_of, schema_of
from tui.views.forms.fields import Field, Hints, constants, form_of
from tui.views.forms.requests import call_schema, input_schema
from tui.views.forms.rows import FormState, rows_of


def only(schema: dict[str, Any], **more: Any) -> Field:
    return form_of({**object_of(it=schema), **more}).fields[0]


@pytest.mark.parametrize(
    ("schema", "sort"),
    [
        ({"type": "string"}, "text"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text"),
        ({"type": ["string", "null"]}, "text"),
        ({"enum": [True, False, "true", "false"]}, "boolean"),
        ({"enum": ["A", "B", None]}, "choice"),
        ({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "[0-9]"}]}, "integer"),
        ({"anyOf": [{"anyOf": [{"type": "number"}, {"type": "string", "pattern": "1"}]},
                    {"type": "null"}]}, "number"),
        ({"type": "array", "items": {"type": "string"}}, "items"),
        ({"type": "array", "items": {"enum": ["GET", "PUT"]}}, "items"),
        ({"type": "array", "items": object_of(a={})}, "list"),
        ({"type": "array", "items": {}}, "json"),
        ({"type": "array"}, "json"),
        ({"type": "object"}, "json"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "json"),
        (object_of(a={}), "object"),
        ({"properties": {"a": {}}}, "object"),
        ({"oneOf": [{"type": "string"}, object_of(a={})]}, "union"),
        ({"$ref": "#/$defs/x"}, "integer"),
        ({"$ref": "#/$defs/gone"}, "any"),
        ({"$ref": "https://elsewhere.example/x"}, "any"),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, "integer"),
        ({}, "any"),
        (True, "any"),
        ({"type": ["object", "string"]}, "any"),
        ({"type": 7, "enum": 3, "anyOf": 4, "properties": 5}, "json"),
    ],
)  # fmt: skip
def test_a_schema_is_a_sort_of_field(schema: dict[str, Any], sort: str) -> None:
    assert only(schema, **{"$defs": {"x": {"type": "integer"}}}).sort == sort


def test_what_stands_beside_a_union_counts() -> None:
    field = only(
        {"description": "Why.", "default": 30, "anyOf": [{"type": "integer", "minimum": 1}]}
    )

    assert (field.description, field.default, field.limits.least) == ("Why.", 30, 1)


def test_rules_of_what_is_given_together_make_no_union() -> None:
    field = only({**object_of(a={}, b={}), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]})

    assert field.sort == "object"


def test_options_have_the_fields_of_all() -> None:
    field = only({**object_of(kind={}), "oneOf": [object_of(a={}), object_of(b={})]})

    assert [[each.name for each in option.fields] for option in field.options] == [
        ["kind", "a"],
        ["kind", "b"],
    ]


def test_parts_are_one_object() -> None:
    field = only({"allOf": [object_of("a", a={}), object_of("b", b={})]})

    assert [(each.name, each.required) for each in field.fields] == [("a", True), ("b", True)]


def test_what_a_server_writes_or_nobody_supports_is_no_field() -> None:
    form = form_of(object_of(a={}, b={"readOnly": True}, c={"enum": [None, False, 0, "", [], {}]}))

    assert [each.name for each in form.fields] == ["a"]


def test_a_field_of_one_value_is_not_asked_for() -> None:
    form = form_of(object_of("kind", kind={"enum": ["auth"]}, other={"const": 3}))

    assert constants(form) == {"kind": "auth"}
    assert [row.part for row in rows_of(FormState(form, {}))] == ["save", "cancel"]


@pytest.mark.parametrize(
    ("schema", "has"),
    [
        ({"type": "string", "x-refersTo": "auth"}, {"refers_to": "auth"}),
        ({"type": "string", "x-immutable": True}, {"immutable": True}),
        ({"type": "string", "x-secret": True}, {"secret": True}),
        ({"type": "string", "format": "password"}, {"secret": True}),
        ({"type": "string", "writeOnly": True}, {"secret": True}),
        ({"type": "string", "x-script": True}, {"script": True}),
        ({"type": "string", "contentMediaType": "text/javascript"}, {"script": True}),
    ],
)
def test_further_words_are_heeded(schema: dict[str, Any], has: dict[str, Any]) -> None:
    field = only(schema)

    assert {name: getattr(field, name) for name in has} == has


def test_the_registrys_schemas_say_what_a_form_needs() -> None:
    form = form_for("service")
    routes = form.field("routes")
    assert routes is not None
    assert routes.item is not None
    mapped = routes.item.field("mappedWorkflow")
    assert mapped is not None

    assert mapped.fields[0].refers_to == "workflow"
    assert [each.name for each in form.fields if each.immutable] == ["id", "path"]
    assert [each.name for each in routes.item.fields if each.script] == [
        "preRequestScript",
        "postResponseScript",
    ]


def test_hints_say_what_a_schema_does_not() -> None:
    text = {"type": "string"}
    schema = object_of(a=text, b={"type": "array", "items": object_of(c=text, d=text)})
    hints = Hints({"a": "workflow"}, frozenset("a"), frozenset(("b[].c",)), frozenset(("b[].d",)))
    first, listed = form_of(schema, hints).fields
    assert listed.item is not None

    assert (first.refers_to, first.immutable) == ("workflow", True)
    assert [(each.secret, each.script) for each in listed.item.fields] == [
        (True, False),
        (False, True),
    ]


def test_within_a_secret_its_texts_are_secret_and_its_name_is_not() -> None:
    keys = form_for("auth").field("apiKeys")
    assert keys is not None
    assert keys.item is not None
    text, named = keys.item.options

    assert text.secret
    assert {each.name: each.secret for each in named.fields} == {
        "name": False,
        "key": True,
        "expiresAt": False,
    }


@pytest.mark.parametrize(
    "kind", ["application", "auth", "schema", "secret", "service", "task", "workflow"]
)
def test_every_kind_has_a_form(kind: str) -> None:
    form = form_of(schema_of(kind))

    assert form.sort == "object"
    assert len(rows_of(FormState(form, constants(form)))) > 3


def test_a_schema_may_be_within_itself() -> None:
    tree = object_of(name={"type": "string"}, below={"type": "array", "items": {"$ref": "#"}})
    circle = {
        "$ref": "#/$defs/a",
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
    }
    many = {"$ref": "#/$defs/u", "$defs": {"u": {"anyOf": [{"$ref": "#/$defs/u"}] * 40}}}

    assert form_of(tree).fields[1].sort == "list"
    assert form_of(circle).sort == "any"
    assert form_of(many).sort == "any"


def test_a_wide_and_deep_schema_ends() -> None:
    level: dict[str, Any] = {"type": "string"}
    for _ in range(12):
        level = object_of(**{f"f{number}": level for number in range(40)})

    assert form_of(level).sort == "object"


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=4)
    | some.dictionaries(
        some.sampled_from(
            ["type", "enum", "anyOf", "oneOf", "allOf", "properties", "items", "required", "$ref",
             "default", "const", "pattern", "minimum", "title", "#", "a"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


class Followed(dict[str, Any]):
    """Definitions that are referred to so many times and no more."""

    left = 150_000

    def get(self, name: str, default: Any = None) -> Any:
        self.left -= 1
        assert self.left > 0, "references are followed without end"
        return super().get(name, default)


def test_a_small_schema_that_refers_to_itself_everywhere_ends() -> None:
    again = [{"$ref": "#/$defs/a"}] * 16
    schema = object_of(**{f"f{number}": {"$ref": "#/$defs/a"} for number in range(300)})
    schema["$defs"] = Followed(a={"anyOf": again, "oneOf": again, "allOf": again})

    assert [each.name for each in form_of(schema).fields] == list(schema["properties"])


@given(some.dictionaries(some.sampled_from(["type", "anyOf", "properties", "allOf"]), JSON))
def test_any_json_as_a_schema_is_a_form(schema: dict[str, Any]) -> None:
    form = form_of(schema)

    assert rows_of(FormState(form, constants(form)))[-1].part == "cancel"


def test_a_route_is_asked_for_the_parts_of_a_call() -> None:
    route = {
        "httpMethod": "POST",
        "path": "/a/{id}/b/{sub}",
        "queryParameters": [
            {"name": "limit", "type": "integer", "default": 5, "required": True},
            {"name": "tag", "type": "array"},
            {"nameless": 1},
        ],
        "inputSchema": object_of(amount={"type": "number"}),
    }
    form = form_of(call_schema(route))

    assert [each.name for each in form.fields] == ["path", "query", "headers", "body"]
    assert [each.name for each in form.fields[0].fields] == ["id", "sub"]
    assert [(each.name, each.sort, each.required) for each in form.fields[1].fields] == [
        ("limit", "integer", True),
        ("tag", "items", False),
    ]
    assert form.fields[3].fields[0].sort == "number"


def test_a_route_without_anything_has_query_and_headers_still() -> None:
    assert [each.name for each in form_of(call_schema({"httpMethod": "GET"})).fields] == [
        "query",
        "headers",
    ]


def test_the_input_of_a_workflow_is_its_schema_or_its_names() -> None:
    schema = object_of(a={"type": "integer"})

    assert form_of(input_schema({"inputSchema": schema})).fields[0].sort == "integer"
    assert form_of(input_schema({"inputSchema": {"data": schema}})).fields[0].sort == "integer"
    assert [
        each.name for each in form_of(input_schema({"inputParameters": ["a", "b"]})).fields
    ] == [
        "a",
        "b",
    ]
    assert form_of(input_schema({})).sort == "json"

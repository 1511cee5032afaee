"""The query: as it is sent, and as a route declares it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.edge.problems import Problem
from services.edge.query import as_declared, parse_pairs, parse_query, read_parameters
from services.json_text import Json
from tests.edge.conftest import Edge
from tests.edge.documents import put, route, service


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        (b"", {}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a", {"a": ""}),
        (b"a=&&b", {"a": "", "b": ""}),
        (b"q=x+y%2Bz%20w", {"q": "x y+z w"}),
        (b"caf%C3%A9=%E2%82%AC", {"café": "€"}),
        (b"a=b=c", {"a": "b=c"}),
    ],
)
def test_a_query_is_read_as_text(query: bytes, fields: dict[str, str]) -> None:
    assert parse_query(query) == fields


@pytest.mark.parametrize("query", [b"a=%", b"%zz=1", b"a=%ff", b"a=%00", b"a=\xff", b"a&" * 1001])
def test_a_query_that_cannot_be_read_is_refused(query: bytes) -> None:
    with pytest.raises(Problem) as caught:
        parse_query(query)

    assert caught.value.status == 400


def test_every_field_that_is_given_twice_is_told() -> None:
    with pytest.raises(Problem) as caught:
        parse_query(b"a=1&b=2&a=3&c/d=1&c/d=2")

    assert caught.value.status == 422
    assert caught.value.errors == (
        ("/query/a", "is given twice"),
        ("/query/c~1d", "is given twice"),
    )


def declared(query: bytes, *parameters: dict[str, Any]) -> dict[str, Json] | list[str]:
    """The fields, or what is wrong with them."""
    fields, faults = as_declared(parse_pairs(query), read_parameters(parameters))
    return [f"{pointer} {detail}" for pointer, detail in faults] or fields


@pytest.mark.parametrize(
    ("type_", "query", "value"),
    [
        ("string", b"a=1", "1"),
        ("string", b"a", ""),
        ("integer", b"a=-7", -7),
        ("integer", b"a=123456789012345678901234567890", 123456789012345678901234567890),
        ("number", b"a=7", 7),
        ("number", b"a=-0.5e3", -500.0),
        ("boolean", b"a=true", True),
        ("boolean", b"a=false", False),
        ("array", b"a=1", ["1"]),
        ("array", b"a=1&b=2&a=&a=3", ["1", "", "3"]),
    ],
)
def test_a_declared_field_has_its_type(type_: str, query: bytes, value: Json) -> None:
    assert declared(query, {"name": "a", "type": type_}) == {"a": value}


@pytest.mark.parametrize(
    ("type_", "query", "fault"),
    [
        ("integer", b"a=1.0", "must be a whole number"),
        ("integer", b"a=", "must be a whole number"),
        ("integer", b"a=0x10", "must be a whole number"),
        ("integer", b"a=1_000", "must be a whole number"),
        ("integer", b"a=%D9%A1", "must be a whole number"),
        ("integer", b"a=" + b"9" * 5000, "must be a whole number"),
        ("number", b"a=NaN", "must be a number"),
        ("number", b"a=1e999", "must be a number"),
        ("number", b"a=Infinity", "must be a number"),
        ("boolean", b"a=1", "must be true or false"),
        ("boolean", b"a=True", "must be true or false"),
        ("string", b"a=1&a=2", "is given twice"),
    ],
)
def test_what_is_not_of_its_type_is_told(type_: str, query: bytes, fault: str) -> None:
    assert declared(query, {"name": "a", "type": type_}) == [f"/query/a {fault}"]


def test_what_is_not_declared_is_left_out() -> None:
    assert declared(b"a=1&b=2&b=3", {"name": "a"}) == {"a": "1"}


def test_every_fault_is_told() -> None:
    parameters = (
        {"name": "a", "required": True},
        {"name": "b", "type": "integer", "required": True},
        {"name": "c", "enum": ["x", "y"]},
        {"name": "d", "type": "array", "enum": ["x", "y"]},
        {"name": "e", "required": True},
    )

    assert declared(b"b=no&c=z&d=x&d=z&e=1", *parameters) == [
        "/query/a is required",
        "/query/b must be a whole number",
        "/query/c must be one of x, y",
        "/query/d must be one of x, y",
    ]


def test_a_default_stands_for_what_is_left_out() -> None:
    parameters = (
        {"name": "a", "type": "integer", "default": 5, "required": True},
        {"name": "b", "type": "array", "default": ["x"]},
        {"name": "c", "type": "boolean", "default": False},
        {"name": "d"},
    )

    assert declared(b"", *parameters) == {"a": 5, "b": ["x"], "c": False}
    assert declared(b"a=6", parameters[0]) == {"a": 6}


def test_an_enum_of_numbers_takes_no_boolean_for_one() -> None:
    assert declared(b"a=1.0", {"name": "a", "type": "number", "enum": [1, 2]}) == {"a": 1.0}
    assert declared(b"a=true", {"name": "a", "type": "boolean", "enum": [False]}) == [
        "/query/a must be one of false"
    ]


@given(st.integers())
def test_an_integer_comes_back_as_it_was_written(number: int) -> None:
    assert declared(f"a={number}".encode(), {"name": "a", "type": "integer"}) == {"a": number}


async def test_only_declared_fields_reach_the_workflow(edge: Edge) -> None:
    parameters = [{"name": "page", "type": "integer", "default": 1}, {"name": "sort"}]
    shop = service(route("GET", "/{id}", queryParameters=parameters), id="shop", path="/shop")
    put(edge.replica, shop)

    given_all = (await edge.client.get("/shop/7?sort=up&other=x&page=3")).json()
    given_none = (await edge.client.get("/shop/7")).json()
    wrong = await edge.client.get("/shop/7?page=x&sort=a&sort=b")

    assert {key: given_all[key] for key in ("id", "page", "sort")} == {
        "id": "7",
        "page": 3,
        "sort": "up",
    }
    assert "other" not in given_all
    assert given_all["requestMetadata"]["queryParams"] == {"page": 3, "sort": "up"}
    assert given_none["page"] == 1
    assert wrong.status_code == 422
    assert wrong.json()["type"] == "urn:podium:problem:invalid-query"
    assert wrong.json()["errors"] == [
        {"pointer": "/query/page", "detail": "must be a whole number"},
        {"pointer": "/query/sort", "detail": "is given twice"},
    ]

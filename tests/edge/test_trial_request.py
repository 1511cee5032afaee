"""The request of a trial: which path is meant, what is missing, what cannot be sent."""

from __future__ import annotations

import json

import pytest

from services.edge.routes import routes_of
from services.edge.trial.masking import masked, masked_json, secrets_of
from services.edge.trial.request import headers_of, method_of, path_of, query_of
from services.errors import InvalidRequest, NotFound
from tests.edge.documents import route, service

ROUTES = routes_of(
    service(
        route("POST", "/{orderId}/checkout"),
        route("GET", "/{id}"),
        route("GET", "/"),
        route("GET", "/api/orders/{id}"),
    )
)


def path(asked: str, method: str = "POST", **values: str) -> str:
    return path_of(ROUTES, "/api/orders", method, asked, values)


@pytest.mark.parametrize(
    ("asked", "values", "meant"),
    [
        ("/{orderId}/checkout", {"orderId": "7"}, "/api/orders/7/checkout"),
        ("{orderId}/checkout/", {"orderId": "7"}, "/api/orders/7/checkout"),
        ("/api/orders/{orderId}/checkout", {"orderId": "a/ %"}, "/api/orders/a%2F%20%25/checkout"),
        ("/{id}", {"id": "ü"}, "/api/orders/%C3%BC"),
        ("/", {}, "/api/orders"),
        ("/7/checkout", {}, "/api/orders/7/checkout"),
        ("/a%2Fb/checkout", {}, "/api/orders/a%2Fb/checkout"),
        ("/50%/checkout", {}, "/api/orders/50%25/checkout"),
        ("/ü x", {}, "/api/orders/%C3%BC%20x"),
        # What it would be below the service's path has a route of its own.
        ("/api/orders/7", {}, "/api/orders/api/orders/7"),
        ("/api/orders/7/checkout", {}, "/api/orders/7/checkout"),
        ("/api/orders/7/nothing/here", {}, "/api/orders/7/nothing/here"),
    ],
)  # fmt: skip
def test_the_path_that_is_meant(asked: str, values: dict[str, str], meant: str) -> None:
    assert path(asked, **values) == meant


@pytest.mark.parametrize(
    ("asked", "values", "why"),
    [
        ("/{orderId}/checkout", {}, "missing for orderId"),
        ("/{orderId}/checkout", {"orderId": ""}, "missing for orderId"),
        ("/{id}", {"id": "7", "size": "1"}, "no place for size"),
        ("/7", {"id": "7"}, "no place for id"),
        ("/7?x=1", {}, "without a query"),
    ],
)
def test_what_is_no_path(asked: str, values: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        path(asked, **values)


def test_an_unknown_template_names_those_that_there_are() -> None:
    with pytest.raises(NotFound, match=r"POST /api/orders/\{orderId\}/checkout"):
        path("/{orderId}/pay", orderId="7")


@pytest.mark.parametrize("method", ["", "GE T", "GET\r\n", "é", "A" * 17])
def test_what_is_no_method(method: str) -> None:
    with pytest.raises(InvalidRequest):
        method_of(method)


def test_queries_are_encoded_in_order() -> None:
    assert (
        query_of([("a b", "1&2"), ("tags", "ü"), ("tags", "")]) == b"a%20b=1%262&tags=%C3%BC&tags="
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("x y", "1"), ("", "1"), ("x", "1\r\nX-API-Key: 2"), ("x", "€"), ("Host", "a"), ("TE", "x")],
)
def test_what_is_no_header(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest):
        headers_of([(name, value)], b"", b"")


def test_the_key_takes_the_place_of_others() -> None:
    given = [("Authorization", "Bearer other"), ("X-API-Key", "other"), ("X-Shop", " 7 ")]

    headers = headers_of(given, b"key", b"{}")

    assert headers == [
        (b"x-shop", b"7"),
        (b"x-api-key", b"key"),
        (b"content-length", b"2"),
        (b"content-type", b"application/json"),
    ]


@pytest.mark.parametrize(
    ("header", "hidden"),
    [
        ((b"x-api-key", b'pk_"1"'), ['pk_"1"', r"pk_\"1\""]),
        ((b"authorization", b"Bearer pk_1234"), ["pk_1234"]),
        ((b"authorization", b"Basic bWU6cGtfMTIzNA=="), ["bWU6cGtfMTIzNA==", "pk_1234"]),
        ((b"cookie", b"session=12; id=open-me"), ["session=12; id=open-me", "open-me"]),
        ((b"x-api-key", 'p/ä"+'.encode()), ['p/ä"+', r"p/\u00e4\"+", r"p/ä\"+"]),
        ((b"x-api-key", b"p/a +"), ["p/a%20%2B", "p%2Fa%20%2B", "p%2Fa+%2B", "cC9hICs"]),
    ],
)
def test_what_proves_who_calls_is_put_out_of_sight(
    header: tuple[bytes, bytes], hidden: list[str]
) -> None:
    secrets = secrets_of([header, (b"x-shop", b"open")])

    for each in hidden:
        assert masked(f"<{each}> open Bearer", secrets) == "<***> open Bearer"


@pytest.mark.parametrize("key", ["true", "1234", "null", '":"x', "name", "\\u00"])
def test_json_without_secrets_is_json(key: str) -> None:
    value = {"name": f"<{key}>", "n": [1234, 12345, True, None], "deep": [[{key: "\\u0020"}]]}
    secrets = secrets_of([(b"x-api-key", key.encode())])

    told = masked_json(json.dumps(value, ensure_ascii=False), secrets)

    assert key not in json.dumps(json.loads(told).get("name", ""))
    assert "<***>" in json.loads(told).values()
    assert 1234 not in json.loads(told)["n"] or key != "1234"
    assert 12345 in json.loads(told)["n"]

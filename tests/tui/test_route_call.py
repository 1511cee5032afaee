"""Calls of routes as forms, files and curl commands have them."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from tui.live.starting import order
from tui.views.route_call import (
    CaseUnreadable,
    RouteCall,
    case_text,
    command,
    curl,
    form_document,
    form_schema,
    read_case,
    written_call,
)

ROUTE = {
    "httpMethod": "POST",
    "path": "/{id}",
    "queryParameters": [
        {"name": "limit", "type": "integer"},
        {"name": "tag", "type": "array"},
        {"name": "all", "type": "boolean"},
    ],
}
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,10}", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
PAIRS = st.lists(st.tuples(NAMES, TEXTS), max_size=4)


def test_a_form_says_the_call_and_the_call_the_form() -> None:
    document = {
        "path": {"id": "a/b"},
        "query": {"limit": 3, "tag": ["x", "y"], "all": True},
        "headers": {"Prefer": "wait=5", "others": [{"name": "X-A", "value": "1"}]},
        "body": {"a": [1, None]},
    }

    call = written_call("shop", ROUTE, "/shop/{id}", document)

    assert call.query == (("limit", "3"), ("tag", "x"), ("tag", "y"), ("all", "true"))
    assert call.headers == (("Prefer", "wait=5"), ("X-A", "1"))
    assert form_document(call, ROUTE) == document


def test_a_key_is_asked_for_as_a_secret_only_where_one_is_wanted() -> None:
    keyed = form_schema(ROUTE, None, "Of auth partners.")["properties"]
    public = form_schema(ROUTE, None)["properties"]

    assert keyed["key"]["x-secret"] is True
    assert "key" not in public
    assert list(public) == ["path", "query", "headers", "body"]


@given(
    path=st.dictionaries(NAMES, TEXTS, max_size=3), query=PAIRS, headers=PAIRS, body=VALUES
)  # fmt: skip
def test_a_case_that_is_kept_is_the_call_again(
    path: dict[str, str], query: list[tuple[str, str]], headers: list[tuple[str, str]], body: object
) -> None:
    others = [{"name": name, "value": value} for name, value in headers]
    pairs = [{"name": name, "value": value} for name, value in query]
    route = {"httpMethod": "PUT"}
    given_ = {"path": path, "query": pairs, "headers": {"others": others}, "body": body}
    call = written_call("shop", route, "/shop/{id}", given_)

    again = read_case(case_text(call))

    kept = [each for each in call.headers if each[0].lower() not in ("cookie", "authorization")]
    assert list(again.headers) == kept
    assert (again.parameters, again.query, again.body) == (call.parameters, call.query, call.body)


def test_a_case_holds_nothing_that_proves_who_calls() -> None:
    headers = (("Authorization", "Bearer abc"), ("x-api-key", "abc"), ("X-A", "1"))
    call = RouteCall("shop", "GET", "/", headers=headers)

    assert "abc" not in case_text(call) + curl(call, "http://g") + command(call)
    assert read_case(case_text(call)).headers == (("X-A", "1"),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[", "no JSON"),
        ("[]", "an object"),
        ("{}", "has service"),
        ('{"service": "s", "method": "GET", "path": 1}', "has path"),
        ('{"service": "s", "method": "GET", "path": "/", "querry": {}}', "'querry'"),
        ('{"service": "s", "method": "GET", "path": "/", "query": [1]}', "a name and a value"),
        ('{"service": "s", "method": "GET", "path": "/", "headers": 1}', "list of pairs"),
    ],
)
def test_a_file_that_is_no_case_says_why(text: str, why: str) -> None:
    with pytest.raises(CaseUnreadable, match=why):
        read_case(text)


def test_curl_has_all_of_the_call_and_no_more_of_the_key_than_it_is_given() -> None:
    call = RouteCall(
        "shop", "POST", "/shop/{id}/{x}", (("id", "a/ü"),), (("q", "a b&c"),),
        (("X-Empty", ""), ("X-A", "it's")), '{"a": "\'"}',
    )  # fmt: skip

    words = shlex.split(curl(call, "http://g", "***").replace("\\\n", ""))

    assert words[:5] == ["curl", "-i", "-X", "POST", "http://g/shop/a%2F%C3%BC/X?q=a%20b%26c"]
    assert words[5:] == [
        "-H", "X-API-Key: ***", "-H", "X-Empty;", "-H", "X-A: it's",
        "-H", "Content-Type: application/json", "--data-raw", '{"a": "\'"}',
    ]  # fmt: skip


def test_a_long_body_is_a_file_of_the_command() -> None:
    body = json.dumps("ü" * 400_000, ensure_ascii=False)
    call = RouteCall("shop", "POST", "/", headers=(("X-A", "it's"),), body=body)

    assert shlex.split(command(call))[-2:] == ["--body", "@body-of-800002-bytes"]
    assert shlex.split(command(replace(call, body='{"a": 1}')))[-2:] == ["--body", '{"a": 1}']


def test_a_call_that_is_long_without_a_body_is_a_file() -> None:
    call = RouteCall("shop", "GET", "/", query=(("q", "x" * 100_000),))

    assert command(call) == "podium test-route --case FILE"


def test_a_long_input_is_a_file_of_the_command() -> None:
    long = order("report", 2, {"text": "x" * 1_000_000}, "it's mine")

    assert shlex.split(long.command) == [
        "podium", "run", "report", "--version", "2", "--correlation-id", "it's mine",
        "--input", "@input-of-1000012-bytes",
    ]  # fmt: skip

"""A request into a workflow's input, strictly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from services.edge.mapping import (
    check_content_type,
    metadata_headers,
    parse_body,
    workflow_input,
)  # fmt: skip
from services.edge.problems import Problem


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1,]",
        b"{} {}",
        b" ",
        b"nope",
        b'{"a": 1, "a": 2}',
        b'{"x": {"a": 1, "a": 1}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\xff"}',
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": "\x00"}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\udc00\\ud800"}',
        b"9" * 5000,
        b"[" * 513 + b"]" * 513,
        b'{"a":' * 513 + b"1" + b"}" * 513,
        b"[" * 200_000,
        '﻿{"a": 1}'.encode(),
        '{"a": 1}'.encode("utf-16"),
    ],
)
def test_a_body_that_other_readers_might_let_pass_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        parse_body(body)

    assert caught.value.status == 400
    assert caught.value.detail


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", {}),
        (b"null", None),
        (b"[1, 2]", [1, 2]),
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b'"' + b"[" * 1000 + b'"', "[" * 1000),
        (b'{"a": "\\"' + b"{" * 600 + b'"}', {"a": '"' + "{" * 600}),
        (b"[" + b"[]," * 600 + b"1]", [*([[]] * 600), 1]),
    ],
)
def test_sound_json_is_taken(body: bytes, value: object) -> None:
    assert parse_body(body) == value


def test_512_levels_are_taken_and_written_again() -> None:
    body = parse_body(b"[" * 512 + b"]" * 512)

    written = workflow_input(body, {}, {}, {})

    assert written.count("[") == 512


@pytest.mark.parametrize(
    "content_type",
    [
        None, b"", b"application/json", b"Application/JSON ; charset=UTF-8",
        b"application/merge-patch+json", b"application/vnd.x+json; version=2",
        b'application/json;charset="utf-8"',
    ],
)  # fmt: skip
def test_json_by_any_of_its_names_and_no_name_are_taken(content_type: bytes | None) -> None:
    check_content_type(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        b"text/plain", b"application/xml", b"application/x-www-form-urlencoded", b"json",
        b"application/jsonx", b"multipart/form-data; boundary=x",
        b"application/json; charset=utf-16",
    ],
)  # fmt: skip
def test_any_other_type_is_refused(content_type: bytes) -> None:
    with pytest.raises(Problem) as caught:
        check_content_type(content_type)

    assert caught.value.status == 415
    assert f"Content-Type is {content_type.decode()};" in caught.value.detail


def test_a_refused_type_is_told_bounded_and_in_safe_characters() -> None:
    with pytest.raises(Problem) as caught:
        check_content_type(b"a\xff\r" + b"b" * 5000)

    assert caught.value.detail.startswith("Content-Type is a??bbb")
    assert len(caught.value.detail) < 250


def written(*args: Any) -> Any:
    return json.loads(workflow_input(*args))


def test_later_wins_and_the_metadata_is_set_last() -> None:
    body = {"id": "body", "q": "body", "own": 1, "requestMetadata": "forged"}

    got = written(body, {"id": "query", "q": "query"}, {"id": "path"}, {"method": "post"})

    assert got == {"id": "path", "q": "query", "own": 1, "requestMetadata": {"method": "post"}}
    assert list(got)[-1] == "requestMetadata"


@pytest.mark.parametrize("name", ["query", "path"])
def test_nobody_else_can_set_the_metadata(name: str) -> None:
    forged = {"requestMetadata": "forged"}

    got = written({}, *((forged, {}) if name == "query" else ({}, forged)), {"requestId": "1"})

    assert got == {"requestMetadata": {"requestId": "1"}}


@pytest.mark.parametrize("body", [[1], "text", 5, None, True])
def test_a_body_that_is_no_object_goes_under_body(body: object) -> None:
    assert written(body, {"a": "1"}, {}, {}) == {"body": body, "a": "1", "requestMetadata": {}}


def test_only_allowed_headers_are_shown() -> None:
    headers = [(b"accept", b"a"), (b"cookie", b"secret"), (b"accept", b"b"), (b"x-tag", b"\xe9")]

    shown = metadata_headers(headers, frozenset({b"accept", b"x-tag"}))

    assert shown == {"accept": "a, b", "x-tag": "é"}


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50)
@given(json_values)
def test_what_was_sent_is_what_the_workflow_gets(value: Any) -> None:
    got = workflow_input({"it": parse_body(json.dumps(value).encode())}, {}, {}, {})

    assert json.loads(got)["it"] == value
    assert json.dumps(json.loads(got)["it"]) == json.dumps(value)

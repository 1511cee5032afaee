"""Any body is sent as its content type has it, and any answer becomes a value that can be kept."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable
from itertools import chain, repeat
from typing import cast

import pytest
from hypothesis import given, settings, strategies as st

from services.egress.unpacking import NotReadable, unpacked
from services.executor.core.model import Json
from services.executor.effects.bodies import MAX_DEPTH, NotSendable, decoded, encoded

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(st.lists(values, max_size=3))
@settings(max_examples=50)
def test_a_json_value_survives_the_way_and_back(value: Json) -> None:
    assert json.loads(encoded(value, JSON)) == value
    assert decoded(encoded(value, JSON), JSON) == json.loads(encoded(value, JSON))


@given(st.binary(), st.sampled_from([None, "", JSON, "text/html", "text/plain; charset=utf-16"]))
def test_whatever_comes_can_be_written_as_json_and_utf_8(body: bytes, content_type: str) -> None:
    kept = decoded(body, content_type)

    assert json.loads(json.dumps(kept, allow_nan=False, ensure_ascii=False).encode()) == kept


@pytest.mark.parametrize(
    ("body", "content_type", "sent"),
    [
        ({"ü": [1, None, 10**30]}, JSON, '{"ü":[1,null,1000000000000000000000000000000]}'),
        ([1.5, True], JSON, "[1.5,true]"),
        (0, JSON, "0"),
        ('{"as": "it stands"}', JSON, '{"as": "it stands"}'),
        ("plain", "text/plain", "plain"),
        ("<a/>", "application/xml", "<a/>"),
        ({"a b": "ü&=", "n": 1, "t": True}, FORM, "a+b=%C3%BC%26%3D&n=1&t=true"),
        ({"l": [1, "x", None], "o": {"k": 1}, "z": None}, FORM + "; charset=utf-8",
         "l=1&l=x&o=%7B%22k%22%3A1%7D"),
        ("a=1&b=2", FORM, "a=1&b=2"),
        ({"lone": "\ud800"}, JSON, '{"lone":"\\ud800"}'),
    ],
)  # fmt: skip
def test_a_body_is_sent_as_its_content_type_has_it(
    body: Json, content_type: str, sent: str
) -> None:
    assert encoded(body, content_type) == sent.encode()


def test_text_is_sent_in_the_charset_that_it_names() -> None:
    assert encoded("é", "text/plain; charset=ISO-8859-1") == b"\xe9"
    assert encoded("é", "text/plain; charset=no-such") == "é".encode()


def test_a_number_that_json_has_no_text_for_cannot_be_sent() -> None:
    for number in (float("nan"), float("inf"), cast("Json", 10**5000)):
        with pytest.raises(NotSendable, match="cannot be sent as JSON"):
            encoded({"n": number}, JSON)


@pytest.mark.parametrize(
    ("body", "content_type", "value"),
    [
        (b"", JSON, None),
        (b"null", JSON, None),
        (b'{"a": 1}', None, {"a": 1}),
        (b'\xef\xbb\xbf {"a": 1}', JSON, {"a": 1}),
        (b'{"a": 1}', "text/html", {"a": 1}),
        (b"[1]", "application/octet-stream", [1]),
        (b"12", "application/problem+json; charset=utf-8", 12),
        (b"12", "text/plain", "12"),
        (b"true", "text/plain", "true"),
        (b'"s"', JSON, "s"),
        (b"{not json", JSON, "{not json"),
        (b"NaN", JSON, "NaN"),
        (b"[NaN]", JSON, "[NaN]"),
        (b"[-Infinity]", JSON, "[-Infinity]"),
        (b"[1e999]", JSON, "[1e999]"),
        (b"[1" + b"0" * 5000 + b"]", JSON, "[1" + "0" * 5000 + "]"),
        (b"[1" + b"0" * 4000 + b"]", JSON, [10**4000]),
        (b"\xff\xfe", "text/plain", "\ufffd\ufffd"),
        (b'{"\xff": 1}', JSON, {"\ufffd": 1}),
        (b"\xe9", "text/plain; charset=latin-1", "é"),
        (b'{"a": "\xe9"}', 'application/json; charset="iso-8859-1"', {"a": "é"}),
        (b"x", "text/plain; charset=unicode_escape", "x"),
        (b"\\x41", "text/plain; charset=unicode_escape", "\\x41"),
        (b'["\\ud800", "\\ud83d\\ude00", "\\\\ud800"]', JSON, ["\ufffd", "😀", "\\ud800"]),
        (b'{"\\uDC00": 1}', JSON, {"\ufffd": 1}),
        (b'{"nul": "\\u0000"}', JSON, {"nul": "\0"}),
    ],
)
def test_an_answer_is_json_where_it_is_and_else_text(
    body: bytes, content_type: str | None, value: Json
) -> None:
    kept = decoded(body, content_type)

    assert kept == value
    assert type(kept) is type(value)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000, 100_000])
@pytest.mark.parametrize(("before", "after"), [("[", "]"), ('{"a":', "}")])
def test_what_nests_too_deep_stays_text(depth: int, before: str, after: str) -> None:
    text = before * depth + "1" + after * depth

    assert decoded(text.encode(), JSON) == text


def test_what_nests_as_deep_as_allowed_is_a_value() -> None:
    assert isinstance(decoded(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, JSON), list)
    assert isinstance(decoded(json.dumps([{}] * 2000).encode(), JSON), list)


bodies = st.lists(st.integers(0, 40_000).map(lambda size: random.Random(size).randbytes(size)))


@given(bodies, st.sampled_from([lambda piece: gzip.compress(piece), zlib.compress]))
@settings(max_examples=30)
def test_what_was_packed_in_pieces_comes_back_whole(
    pieces: list[bytes], pack: Callable[[bytes], bytes]
) -> None:
    whole, packed = b"".join(pieces), b"".join(map(pack, pieces))

    assert unpacked(packed, "gzip", len(whole)) == whole
    assert not whole or unpacked(packed, "gzip", len(whole) - 1) is None
    assert unpacked(gzip.compress(packed), "gzip, gzip", len(packed) + len(whole)) == whole


def test_the_rest_of_a_body_that_was_given_up_is_left() -> None:
    asked = chain([False], repeat(True))

    with pytest.raises(NotReadable, match="too long"):
        unpacked(gzip.compress(b"{}") * 2, "gzip", 100, lambda: next(asked))


def test_nothing_but_text_is_sent_in_parts() -> None:
    text = "--x\r\n\r\na\r\n--x--"
    assert encoded(text, "multipart/form-data; boundary=x") == text.encode()

    with pytest.raises(NotSendable, match="A body of multipart/form-data must be text"):
        encoded({"a": 1}, "Multipart/Form-Data; boundary=x")

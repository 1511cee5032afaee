"""Keys that routes write, and what requests make of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.edge.auth.model import Caller
from services.edge.cachekeys import effective_key, read_cache_config
from services.edge.call import Call
from services.edge.keeping import Place
from services.edge.keys import read_key
from services.edge.unconnected import Unconnected
from services.json_text import Json

PLACE = Place("orders", "POST", "/{id}")


async def nothing() -> dict[str, Any]:
    raise AssertionError("nobody reads it")


def call(
    document: Json = None, *, path: str = "7", query: bytes = b"", body: bytes = b"", **header: str
) -> Call:
    headers = [(name.encode(), value.encode()) for name, value in header.items()]
    made = Call("POST", b"/7", query, headers, dict(headers), nothing, Unconnected())
    made.caller = Caller("partners", "key:partners/first", "storefront")
    made.parameters, made.document, made.body = {"id": path}, document, body
    made.query_fields = {"q": query.decode()} if query else {}
    return made


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("all", "all"),
        ("${principal}", "key:partners/first"),
        ("${path.id}-${query.page}", "7-2"),
        ("${ path.id }/${headers.Tenant}", "7/t"),
        ("${body.a.b}", "x"),
        ("${body.a.c}|${body.a}", '1|{"b":"x","c":1}'),
        ("${body.none.of}${body.a.b.c}${headers.none}", ""),
        ("${body}", '{"a":{"b":"x","c":1},"n":null}'),
        ("<${body.n}>", "<null>"),
    ],
)
def test_a_key_is_written_with_the_values_of_a_request(key: str, written: str) -> None:
    document: Json = {"n": None, "a": {"c": 1, "b": "x"}}

    assert read_key(key).written(call(document, query=b"page=2", tenant="t")) == written


def test_a_field_that_is_absent_null_or_alike_as_text_is_told_apart() -> None:
    key = read_key("${body.a}")
    documents: list[Json] = [{}, {"a": None}, {"a": "null"}, {"a": ""}]

    assert len({key.exact(call(document)) for document in documents}) == 4
    assert key.values(call({"a": None})) == key.values(call({"a": "null"}))


def test_a_key_knows_whether_it_is_of_the_body() -> None:
    assert read_key("${path.id}${body}").of_body
    assert read_key("${body.id}").of_body
    assert not read_key("${query.body}body").of_body


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(json_values, json_values)
def test_two_bodies_have_one_key_where_the_named_field_is_the_same(one: Json, other: Json) -> None:
    config = read_cache_config(PLACE, {"key": "${body.f}"})
    assert config is not None
    first, second = (
        effective_key(config, b"s" * 16, call({"f": value, "x": str(number)}, body=b"%d" % number))
        for number, value in enumerate((one, other))
    )

    # Python takes 1 and True for equal.
    assert (first == second) == (repr(_sorted(one)) == repr(_sorted(other)))


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


@given(
    st.tuples(st.text(max_size=3), st.binary(max_size=3), st.sampled_from([b"", b"1", b"2"])),
    st.tuples(st.text(max_size=3), st.binary(max_size=3), st.sampled_from([b"", b"1", b"2"])),
)
def test_without_a_key_all_of_the_input_tells_calls_apart(
    one: tuple[str, bytes, bytes], other: tuple[str, bytes, bytes]
) -> None:
    config = read_cache_config(PLACE, {})
    assert config is not None
    first, second = (
        effective_key(config, b"s" * 16, call(path=path, body=body, query=query))
        for path, body, query in (one, other)
    )

    assert (first == second) == (one == other)


def test_the_scope_and_the_caller_are_in_every_key() -> None:
    alone = read_cache_config(PLACE, {"key": "all"})
    shared = read_cache_config(PLACE, {"key": "all", "shared": True})
    assert alone is not None
    assert shared is not None
    mine, theirs = call(), call()
    theirs.caller = Caller("partners", "key:partners/second", "storefront")

    assert effective_key(alone, b"a" * 16, mine) != effective_key(alone, b"b" * 16, mine)
    assert effective_key(alone, b"a" * 16, mine) != effective_key(alone, b"a" * 16, theirs)
    assert effective_key(shared, b"a" * 16, mine) == effective_key(shared, b"a" * 16, theirs)


def test_callers_with_other_certificates_have_other_answers_unless_they_are_shared() -> None:
    alone = read_cache_config(PLACE, {"key": "all"})
    shared = read_cache_config(PLACE, {"key": "all", "shared": True})
    assert alone is not None
    assert shared is not None
    one, other, none = call(), call(), call()
    one.certificate, other.certificate = {"fingerprint": "1"}, {"fingerprint": "2"}

    assert len({effective_key(alone, b"a" * 16, each) for each in (one, other, none)}) == 3
    assert len({effective_key(shared, b"a" * 16, each) for each in (one, other, none)}) == 1

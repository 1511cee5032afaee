"""What operators see of who is counted: short, without secrets, and bounded."""

from __future__ import annotations

from typing import Any

import pytest

from services.edge.call import Call
from services.edge.counted import (
    MOST_CHARS,
    MOST_LIMITS,
    MOST_SLOTS,
    Refusals,
    SlotKeys,
    shown,
    shown_target,
)
from services.edge.keys import read_key
from services.json_text import Json
from tests.edge.test_keys import call as of_request

LIMIT = ("shop", "POST", "/shop", "burst")


def call(document: Json = None, query: str = "", **headers: str) -> Call:
    given: dict[str, Any] = headers
    return of_request(document, query=query.encode(), **given)


@pytest.mark.parametrize(
    "reference",
    ["headers.Authorization", "headers.X-Api-Key", "headers.cookie", "query.access_token",
     "body.user.password", "body.user", "body", "headers.X-Session-Id"],
)  # fmt: skip
def test_a_secret_is_not_shown_but_told_apart_from_another(reference: str) -> None:
    key = read_key(f"a-${{{reference}}}")
    name = reference.rpartition(".")[2].lower()
    calls = [
        call({"user": {"password": value}}, query=f"access_token={value}", **{name: value})
        for value in ("s3cret", "s3cret", "0ther")
    ]
    first, again, other = (shown(key, each) for each in calls)

    assert first.startswith("a-***")
    assert first == again != other
    assert not any("s3cret" in each or "0ther" in each for each in (first, other))


def test_what_is_no_secret_is_shown_as_its_author_wrote_it_and_short() -> None:
    key = read_key("${headers.X-Tenant}/${query.page}")

    assert shown(key, call(query="page=2", **{"x-tenant": "acme"})) == "acme/2"
    assert shown(read_key("${headers.X-Author}"), call(**{"x-author": "a"})) == "a"
    long = shown(key, call(**{"x-tenant": "x" * 10_000}))
    assert len(long) == MOST_CHARS + 1
    assert shown(read_key(None), call()) == ""


def test_secrets_of_a_query_are_not_shown() -> None:
    told = shown_target("/rates", "base=EUR&api_key=s3cret&x=%20y&token", {})

    assert told.startswith("/rates?base=EUR&api_key=***")
    assert told.endswith("&x=+y&token=***" + told[-8:])
    assert "s3cret" not in told
    assert shown_target("/rates", "a=%zz&b=1", {}) == "/rates?a=%zz&b=1"
    assert shown_target("/rates", "", {}) == "/rates"


def test_a_secret_of_the_path_is_left_out_however_it_is_written() -> None:
    told = shown_target("/reset/ab%63d/of/7", "", {"resetToken": "abcd", "id": "7"})

    assert told.startswith("/reset/***")
    assert told.endswith("/of/7")
    assert "abcd" not in told


def test_keys_of_slots_are_bounded_and_those_asked_for_of_late_stay() -> None:
    keys, of = SlotKeys(), read_key("${headers.n}")
    for number in range(MOST_SLOTS):
        keys.tell(b"%d" % number, LIMIT, of, call(n=str(number)))
    keys.tell(b"0", LIMIT, of, call())
    keys.tell(b"new", LIMIT, of, call())
    kept = keys.of(b"0")

    assert kept is not None
    assert kept.key == "0"
    assert keys.of(b"1") is None


def test_refusals_are_counted_by_limit_and_bounded() -> None:
    refusals = Refusals()
    refusals.add(LIMIT)
    for number in range(MOST_LIMITS - 1):
        refusals.add((*LIMIT[:3], str(number)))
    refusals.add(LIMIT)
    refusals.add((*LIMIT[:3], "one more"))

    assert refusals.of(LIMIT) == 2
    assert refusals.of((*LIMIT[:3], "0")) == 0

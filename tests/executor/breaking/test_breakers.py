"""The breakers of all hosts: by which name, how many, and what is said of them."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime

import pytest

from services.executor.breaking.breaker import Breaker, Mode, State, Thresholds
from services.executor.breaking.breakers import (
    MOST_HOSTS,
    Breakers,
    Said,
    host_called,
    refusal,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("http://Shop.example/orders?x=1", "shop.example:80"),
        ("HTTPS://shop.example", "shop.example:443"),
        ("http://ann:pass@shop.example:8080/x@y", "shop.example:8080"),
        ("https://[::1]:9/x", "[::1]:9"),
        ("https://[::1]/x", "[::1]:443"),
        ("http://shop.example?a=b:1", "shop.example:80"),
        ("http://shop.example:/", "shop.example:80"),
        ("${workflow.secrets.HOOK}", "${workflow.secrets.HOOK}"),
        ("https://${workflow.secrets.HOST}:81/x", "${workflow.secrets.HOST}:81"),
        ("", ":80"),
    ],
)
def test_a_host_is_named_as_its_uri_names_it(uri: str, host: str) -> None:
    assert host_called(uri) == host


def test_a_name_of_any_length_is_kept_short() -> None:
    assert len(host_called(f"http://{'x' * 100_000}:{'9' * 100_000}/")) < 300


def test_of_long_names_nothing_is_kept() -> None:
    tracemalloc.start()
    try:
        for number in range(20):
            host_called(f"http://{number}{'x' * 1_000_000}/")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < 2_000_000


def failing(breakers: Breakers, host: str) -> Breaker:
    each = breakers.of(host, 0.0)
    permit = each.enter(0.0)
    assert permit is not None
    breakers.ended(each, permit, False, 0.0)
    return each


def test_of_too_many_hosts_the_longest_unused_closed_one_is_forgotten() -> None:
    breakers = Breakers(Thresholds(calls=1))
    failing(breakers, "open:80")
    breakers.say("set:80", Said(Mode.CLOSED, "ops", NOW), 0.0)
    for number in range(MOST_HOSTS + 10):
        breakers.of(f"h{number}:80", 0.0)

    assert breakers.known("open:80")
    assert breakers.known("set:80")
    assert not breakers.known("h10:80")
    assert breakers.known("h11:80")
    assert sum(1 for _ in breakers) == MOST_HOSTS + 1


def test_no_more_are_kept_where_many_begin_anew() -> None:
    breakers = Breakers()
    for number in range(MOST_HOSTS + 10):
        breakers.say(f"h{number}:80", Said(Mode.CLOSED, "ops", NOW), 0.0)
        breakers.say(f"h{number}:80", Said(Mode.AUTOMATIC, "ops", NOW), 0.0)

    assert sum(1 for _ in breakers) == MOST_HOSTS


def test_open_ones_are_forgotten_where_all_are_open() -> None:
    breakers = Breakers(Thresholds(calls=1))
    for number in range(MOST_HOSTS + 3):
        failing(breakers, f"h{number}:80")

    assert sum(1 for _ in breakers) == MOST_HOSTS


def test_what_is_said_is_kept_until_it_is_taken_back() -> None:
    breakers = Breakers()
    breakers.say("h:80", Said(Mode.OPEN, "ops", NOW), 0.0)
    assert breakers.of("h:80", 1.0).enter(1.0) is None
    assert "by an operator" in refusal(breakers.of("h:80", 1.0), 1.0)

    breakers.say("h:80", Said(Mode.AUTOMATIC, "ops", NOW), 2.0)
    assert breakers.of("h:80", 3.0).stands(3.0) is State.CLOSED
    assert breakers.said == {}
    assert sum(1 for _ in breakers) == 1


def test_a_refusal_says_why_and_until_when() -> None:
    each = failing(Breakers(Thresholds(calls=1)), "h:80")
    assert refusal(each, 1.0) == (
        "The circuit breaker of h:80 is open: 1 of 1 calls to it failed; "
        "calls go out again in 4.0 s."
    )

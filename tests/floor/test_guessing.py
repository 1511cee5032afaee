"""Failures that are counted: how many are taken, from whom, in how much memory."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from services.guessing import Allowance, address_of, source_of


def test_so_many_may_fail_at_once_and_then_one_a_second() -> None:
    allowance = Allowance(3, 1.0)
    for _ in range(3):
        assert allowance.wait("a", 100.0) == 0.0
        allowance.failed("a", 100.0)

    assert allowance.wait("a", 100.0) == 1.0
    assert allowance.wait("a", 100.75) == 0.25
    assert allowance.wait("a", 101.0) == 0.0
    assert allowance.wait("b", 100.0) == 0.0
    assert not allowance.clean("a", 102.5)
    assert allowance.clean("a", 103.0)


def test_who_fails_side_by_side_owes_twice_the_allowance_at_most() -> None:
    allowance = Allowance(3, 1.0)
    for _ in range(1_000):
        allowance.failed("a", 0.0)

    assert allowance.wait("a", 0.0) == 4.0


def test_those_that_failed_longest_ago_are_forgotten() -> None:
    allowance = Allowance(1, 1.0, most=10)
    for number in range(1_000):
        allowance.failed(number, 0.0)

    assert len(allowance) == 10
    assert allowance.wait(989, 0.0) == 0.0
    assert allowance.wait(999, 0.0) == 1.0


@given(
    st.integers(1, 20),
    st.floats(0.1, 10.0),
    st.lists(st.floats(0.0, 5.0), min_size=1, max_size=200),
)
def test_nobody_fails_more_often_than_is_allowed(
    at_once: int, per_second: float, pauses: list[float]
) -> None:
    allowance, now, failures = Allowance(at_once, per_second), 0.0, 0
    for pause in pauses:
        now += pause
        if not allowance.wait("a", now):
            allowance.failed("a", now)
            failures += 1

    assert failures <= at_once + now * per_second + 1e-6


@given(st.lists(st.floats(0.0, 3.0), max_size=50), st.integers(1, 20))
def test_whoever_waits_as_long_as_is_said_may_go_on(pauses: list[float], at_once: int) -> None:
    allowance, now = Allowance(at_once, 1.0), 0.0
    for pause in pauses:
        now += pause
        allowance.failed("a", now)

    assert allowance.wait("a", now + allowance.wait("a", now) + 1e-6) == 0.0


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1%eth0", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("unix:", "unix:"),
        ("", ""),
        ("x" * 1000, "x" * 128),
    ],
)
def test_a_source_is_an_address_or_what_one_customer_has_of_them(address: str, source: str) -> None:
    assert source_of(address) == source


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:127.0.0.1:50312", "127.0.0.1"),
        ("ipv6:%5B2001:db8::1%5D:80", "2001:db8::1"),
        ("ipv6:[::1]:80", "::1"),
        ("unix:", "unix"),
        ("", ""),
    ],
)
def test_an_address_is_read_of_a_peer(peer: str, address: str) -> None:
    assert address_of(peer) == address


@given(st.text())
def test_any_text_has_a_source(text: str) -> None:
    assert len(source_of(address_of(text))) <= max(128, len(text))

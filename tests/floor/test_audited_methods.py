"""Every RPC is written into the audit log, or says why not; refusals are few, however many."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from services import origins
from services.auditing.calling import printed
from services.auditing.methods import CHANGES, READS, UNTOLD, action_of
from services.auditing.refusals import MOST_A_MINUTE, REPEAT_SECONDS, Refusals
from services.guessing import address_of
from tests.floor.test_rights import METHODS


def test_every_rpc_is_written_down_or_changes_nothing_or_has_a_reason() -> None:
    tables = [set(CHANGES), set(READS), set(UNTOLD)]

    missing = set(METHODS) - set().union(*tables)
    assert not missing, f"name them in services/auditing/methods.py: {sorted(missing)}"
    for method in METHODS:
        assert sum(method in table for table in tables) == 1, method


def test_what_is_read_is_called_so() -> None:
    assert all(method.rpartition("/")[2].startswith(
        ("Get", "List", "Watch", "Search", "Check", "Preview", "Test", "Attach")
    ) for method in READS)  # fmt: skip
    assert action_of("/podium.registry.v1.RegistryService/GetDefinition") == "read"
    assert action_of("/podium.edge.v1.EdgeService/PurgeCache") == "purge-cache"
    assert action_of("/podium.executor.v1.ExecutorService/StartExecution") == "start"


def test_the_same_refusal_counts_once_a_minute_and_what_came_since_with_the_next() -> None:
    refusals = Refusals()

    first = [refusals.count("a", now) for now in (100.0, 101.0, 159.0)]

    assert first == [1, 0, 0]
    assert refusals.count("b", 101.0) == 1
    assert refusals.count("a", 100.0 + REPEAT_SECONDS) == 3


@given(st.lists(st.tuples(st.integers(0, 3_000), st.floats(0, 3)), max_size=600))
def test_whoever_attacks_has_few_entries_and_little_memory(calls: list[tuple[int, float]]) -> None:
    refusals, now, told = Refusals(most=5), 1_000.0, list[float]()
    for what, pause in calls:
        now += pause
        if refusals.count(what, now):
            told.append(now)
    beyond = refusals.take_beyond()

    assert len(told) <= 5 * ((now - 1_000.0) // REPEAT_SECONDS + 1)
    assert len(told) + beyond <= len(calls)
    assert refusals.take_beyond() == 0


def test_a_hundred_thousand_strangers_are_as_many_entries_as_a_minute_has() -> None:
    refusals = Refusals()

    told = sum(refusals.count(number, 50.0) > 0 for number in range(100_000))

    assert told == MOST_A_MINUTE
    assert refusals.take_beyond() == 100_000 - MOST_A_MINUTE


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:127.0.0.1:50312", "127.0.0.1"),
        ("ipv6:[::1]:50312", "::1"),
        ("ipv6:%5B2001:db8::1%5D:50312", "2001:db8::1"),
        ("unix:/tmp/a", "unix"),
        ("", ""),
    ],
)
def test_an_address_is_told_without_its_port(peer: str, address: str) -> None:
    assert address_of(peer) == address


@given(st.text(max_size=400), st.text(max_size=400))
def test_where_a_call_came_from_survives_metadata(agent: str, principal: str) -> None:
    origin = origins.Origin("10.0.0.7", agent.replace("\ud800", ""), "key", principal, "trace")
    before = origins.current.set(origin)
    try:
        told = origins.metadata()
    finally:
        origins.current.reset(before)

    assert all(value.isascii() and value.isprintable() for _, value in told)
    read = origins.read(told)
    assert (read.address, read.key, read.trace) == ("10.0.0.7", "key", "trace")
    assert read.principal == principal[:300]


def test_what_would_not_be_seen_is_not_kept() -> None:
    assert printed("curl/8\x1b[31m\n") == "curl/8?[31m?"
    assert len(printed("a" * 9_000)) == 120

"""Limits: on calls under way, for a host and in all, and on new executions under load."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from hypothesis import given, strategies as st

from services.errors import Overloaded
from services.executor.admission import Gate, Lanes, host_of
from services.executor.core.http import HttpRequest

hosts = st.sampled_from("abc")


@given(
    st.integers(1, 4),
    st.integers(1, 6),
    st.lists(st.tuples(st.booleans(), hosts), max_size=60),
)
def test_limits_hold_and_every_call_has_its_turn_in_order(
    per_host: int, in_all: int, script: list[tuple[bool, str]]
) -> None:
    lanes = Lanes(per_host, in_all)
    under_way: list[str] = []
    begun: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    asked = dict.fromkeys("abc", 0)

    def begin(host: str, number: int) -> None:
        begun[host].append(number)
        under_way.append(host)

    def leave(host: str) -> None:
        under_way.remove(host)
        lanes.leave(host)

    for enters, host in script:
        if enters:
            lanes.enter(host, partial(begin, host, asked[host]))
            asked[host] += 1
        elif host in under_way:
            leave(host)
        assert len(under_way) <= in_all
        assert all(under_way.count(each) <= per_host for each in "abc")
        # Nothing waits while there is room for it.
        waiting = [each for each in "abc" if asked[each] > len(begun[each])]
        free = [each for each in waiting if under_way.count(each) < per_host]
        assert not free or len(under_way) == in_all
    while under_way:
        leave(under_way[0])

    assert begun == {each: list(range(asked[each])) for each in "abc"}
    assert lanes.waiting == 0


def test_a_request_counts_for_its_host() -> None:
    assert host_of(HttpRequest("GET", "http://a.example:81/x")) == "a.example:81"
    assert host_of(HttpRequest("GET", "http://b.example?x=http://c/d")) == "b.example"
    assert host_of(HttpRequest("GET", "no address")) == ""
    assert host_of("something else") == ""


async def test_a_loop_that_stays_late_takes_nothing_new() -> None:
    gate = Gate(asyncio.get_running_loop(), lambda: 0, lambda _: 0.0, patience_seconds=0)
    try:
        gate.check()
        gate.observe(0.3)
        with pytest.raises(Overloaded):
            gate.check()
        gate.observe(0.01)
        gate.check()
    finally:
        gate.close()


async def test_a_workflow_whose_scripts_wait_takes_nothing_new() -> None:
    waited = {"loops": 5.0, "good": 4.9}
    gate = Gate(asyncio.get_running_loop(), lambda: 0, waited.__getitem__)
    try:
        gate.check()
        gate.check_scripts("good")
        with pytest.raises(Overloaded, match="scripts of workflow 'loops'"):
            gate.check_scripts("loops")
    finally:
        gate.close()

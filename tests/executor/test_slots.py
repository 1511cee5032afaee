"""Slots: as many as the limit says, in the order of those who wait, and nothing kept for nobody."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import integers, sampled_from

from services.errors import ConcurrencyLimited, Overloaded
from services.executor.slots import Slot, Slots, Turn

KEY = b"key"


class Waits:
    """Starts that wait, and those of them that began."""

    def __init__(self, slots: Slots, most: int = 10) -> None:
        self.slots = slots
        self.most = most
        self.began: list[str] = []

    def stand(self, name: str, limit: int = 1, **fields: Any) -> Turn:
        turn = Turn(KEY, lambda: self.began.append(name), **fields)
        self.slots.wait(Slot(KEY, limit, self.most), turn)
        return turn


def held(slots: Slots, *, limit: int = 1) -> None:
    """One more execution has begun, and runs."""
    assert slots.take(Slot(KEY, limit))
    slots.count(KEY, 1)
    slots.settle(KEY)


def test_a_slot_is_taken_until_its_execution_ends() -> None:
    slots = Slots()
    held(slots)

    assert not slots.take(Slot(KEY, 1))
    assert slots.take(Slot(b"other", 1))
    slots.count(KEY, -1)
    assert slots.take(Slot(KEY, 1))


def test_a_start_that_is_not_stored_gives_its_slot_back() -> None:
    slots = Slots()
    assert slots.take(Slot(KEY, 1))
    assert not slots.take(Slot(KEY, 1))
    slots.settle(KEY)

    assert slots.take(Slot(KEY, 1))


def test_what_runs_already_counts() -> None:
    slots = Slots({KEY: 2})

    assert not slots.take(Slot(KEY, 2))
    assert slots.take(Slot(KEY, 3))


def test_whoever_waits_begins_in_order_the_moment_there_is_room() -> None:
    slots = Slots()
    held(slots)
    waits = Waits(slots)
    for name in "abc":
        waits.stand(name)
    slots.count(KEY, -1)

    assert waits.began == ["a"]
    assert not slots.take(Slot(KEY, 1))
    slots.settle(KEY)
    assert waits.began == ["a", "b"]


def test_whoever_leaves_the_line_does_not_begin() -> None:
    slots = Slots()
    held(slots)
    waits = Waits(slots)
    first, _ = waits.stand("a"), waits.stand("b")
    slots.leave(first)
    slots.leave(first)
    slots.count(KEY, -1)

    assert waits.began == ["b"]


def test_a_line_that_is_full_takes_nobody_more() -> None:
    slots = Slots()
    held(slots)
    waits = Waits(slots, most=1)
    turn = waits.stand("a")
    with pytest.raises(ConcurrencyLimited):
        waits.stand("b")
    slots.leave(turn)

    waits.stand("c")
    assert slots.waiting(KEY) == 1


def test_what_waits_in_all_lines_is_bounded_by_its_size() -> None:
    slots = Slots({KEY: 1}, most_chars=100)
    waits = Waits(slots)
    turn = waits.stand("a", size=60)
    with pytest.raises(Overloaded):
        waits.stand("b", size=60)
    slots.leave(turn)

    waits.stand("c", size=60)
    slots.count(KEY, -1)
    # It has begun, and takes no place in the line any more.
    waits.stand("d", size=100)


def test_a_limit_that_was_lowered_lets_nobody_in_until_there_is_room_below_it() -> None:
    slots = Slots()
    for _ in range(3):
        held(slots, limit=3)
    waits = Waits(slots)
    assert not slots.take(Slot(KEY, 1))
    waits.stand("a", 1)
    slots.count(KEY, -1)
    slots.count(KEY, -1)
    assert waits.began == []
    slots.count(KEY, -1)

    assert waits.began == ["a"]


def test_a_limit_that_was_raised_lets_those_in_first_who_have_waited() -> None:
    slots = Slots()
    held(slots)
    waits = Waits(slots)
    waits.stand("a")
    waits.stand("b")

    assert not slots.take(Slot(KEY, 3))
    assert waits.began == ["a", "b"]
    assert slots.take(Slot(KEY, 4))


def test_many_who_fail_at_once_do_not_call_one_another() -> None:
    slots = Slots({KEY: 1})
    began = 0

    def fail() -> None:
        nonlocal began
        began += 1
        slots.settle(KEY)

    for _ in range(10_000):
        slots.wait(Slot(KEY, 1, 10_000), Turn(KEY, fail))
    slots.count(KEY, -1)

    assert began == 10_000
    assert len(slots) == 0


def test_an_operator_may_bring_it_over_the_limit() -> None:
    slots = Slots()
    held(slots)
    slots.count(KEY, 1)

    assert slots.held(KEY) == 2
    slots.count(KEY, -1)
    assert not slots.take(Slot(KEY, 1))


def test_keys_that_nobody_holds_are_forgotten() -> None:
    slots = Slots()
    for number in range(10_000):
        key = number.to_bytes(4, "big")
        assert slots.take(Slot(key, 1))
        slots.count(key, 1)
        slots.settle(key)
    assert len(slots) == 10_000
    for number in range(10_000):
        slots.count(number.to_bytes(4, "big"), -1)

    assert len(slots) == 0


class AnyOrder(RuleBasedStateMachine):
    """Whatever happens: never over the limit, never idle while somebody waits, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.slots = Slots()
        self.limit = 2
        self.line: list[Turn] = []
        self.taken = 0
        self.running = 0

    def begun(self, turn: Turn) -> None:
        assert self.line.pop(0) is turn
        self.taken += 1

    @rule(limit=integers(1, 4))
    def start(self, limit: int) -> None:
        self.limit = limit
        if self.slots.take(Slot(KEY, limit, 5)):
            self.taken += 1
            return
        turn = Turn(KEY, lambda: self.begun(turn))
        if len(self.line) >= 5:
            with pytest.raises(ConcurrencyLimited):
                self.slots.wait(Slot(KEY, limit, 5), turn)
        else:
            self.line.append(turn)
            self.slots.wait(Slot(KEY, limit, 5), turn)

    @precondition(lambda self: self.taken)
    @rule(stored=sampled_from([True, False]))
    def settle(self, stored: bool) -> None:
        self.taken -= 1
        if stored:
            self.running += 1
            self.slots.count(KEY, 1)
        self.slots.settle(KEY)

    @precondition(lambda self: self.running)
    @rule()
    def end(self) -> None:
        self.running -= 1
        self.slots.count(KEY, -1)

    @precondition(lambda self: self.line)
    @rule(place=integers(0, 4))
    def leave(self, place: int) -> None:
        turn = self.line[place % len(self.line)]
        self.line.remove(turn)
        self.slots.leave(turn)

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        assert not self.line or self.taken + self.running >= self.limit
        assert self.slots.waiting(KEY) == len(self.line)
        assert self.slots.held(KEY) == self.running
        assert len(self.slots) == bool(self.line or self.taken or self.running)


def test_in_any_order_nobody_is_over_the_limit_and_nobody_waits_for_nothing() -> None:
    run_state_machine_as_test(
        AnyOrder, settings=settings(max_examples=50, stateful_step_count=40, deadline=None)
    )

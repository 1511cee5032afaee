"""Ids of requests and of executions."""

from __future__ import annotations

import time
from uuid import RFC_4122, UUID

from services.ids import RandomIds, new_execution_id


def test_each_is_a_random_uuid_of_its_own() -> None:
    new_id = RandomIds()

    made = [new_id() for _ in range(1000)]

    assert len(set(made)) == 1000
    assert all(str(UUID(each)) == each for each in made)
    assert {(UUID(each).version, UUID(each).variant) for each in made} == {(4, RFC_4122)}


NOON = 1_795_780_800_123_456_789


def test_an_executions_is_a_uuid_that_begins_with_the_time() -> None:
    times = range(NOON, NOON + 2 * 10**9, 1_999_999)
    left = iter(times)

    made = [UUID(new_execution_id(left.__next__)) for _ in times]

    assert [each.int >> 80 for each in made] == [each // 10**6 for each in times]
    assert sorted(map(str, made)) == list(map(str, made))
    assert {(each.version, each.variant) for each in made} == {(7, RFC_4122)}


def test_those_of_one_moment_have_nothing_else_in_common() -> None:
    made = [UUID(new_execution_id(lambda: NOON)).int for _ in range(1000)]

    assert len({each & (1 << 62) - 1 for each in made}) == 1000
    assert len({each >> 64 & 0xFFF for each in made}) > 100


def test_without_a_clock_it_is_the_time_of_now() -> None:
    before = time.time_ns() // 10**6
    made = UUID(new_execution_id()).int >> 80

    assert before <= made <= time.time_ns() // 10**6

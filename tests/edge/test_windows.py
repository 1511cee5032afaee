"""Windows that move with the clock: never more than the limit within any, and nothing kept."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given, strategies as st

from services.edge.windows import WALKED_AT_ONCE, Standing, Window, Windows

GAPS = st.lists(st.floats(0, 3), max_size=60)


def test_one_too_many_is_told_how_long_to_wait() -> None:
    windows, window = Windows(), Window(2, 10)

    standings = [windows.take([("k", window)], now)[0] for now in (0.0, 4.5, 6.0, 10.0)]

    assert standings == [
        Standing(True, 1, 10, True),
        Standing(True, 0, 6, False),
        Standing(False, 0, 4, False),
        Standing(True, 0, 5, False),
    ]


@given(GAPS, st.integers(1, 5), st.integers(1, 10))
def test_within_no_window_are_there_more_than_the_limit(
    gaps: list[float], limit: int, seconds: int
) -> None:
    windows, now, taken = Windows(), 0.0, [-1e9]
    for gap in gaps:
        now += gap
        if windows.take([("k", Window(limit, seconds))], now)[0].allowed:
            taken.append(now)
        else:
            # It was refused for a reason.
            assert sum(now - seconds < each for each in taken) >= limit
    for first, last in zip(taken, taken[limit:], strict=False):
        assert last - first >= seconds - 1e-5
    assert all(before <= after for before, after in pairwise(taken))


@given(GAPS, st.integers(1, 3))
def test_who_waits_as_long_as_told_is_let_in(gaps: list[float], limit: int) -> None:
    windows, window, now = Windows(), Window(limit, 5), 0.0
    for gap in gaps:
        now += gap
        (standing,) = windows.take([("k", window)], now)
        if not standing.allowed:
            now += standing.seconds
            assert windows.take([("k", window)], now)[0].allowed


def test_what_one_window_refuses_counts_in_none() -> None:
    windows = Windows()
    narrow, wide = ("narrow", Window(1, 10)), ("wide", Window(5, 10))

    first = windows.take([narrow, wide], 0.0)
    second = windows.take([narrow, wide], 1.0)

    assert [each.allowed for each in first] == [True, True]
    assert [each.allowed for each in second] == [False, True]
    assert [each.remaining for each in second] == [0, 4]
    assert len(windows) == 2


def test_nothing_is_kept_of_what_is_refused() -> None:
    windows, used_up = Windows(), ("route", Window(1, 1e6))
    windows.take([used_up], 0.0)
    before = windows.bytes
    for number in range(1000):
        windows.take([used_up, (number, Window(5, 60))], 1.0)

    assert windows.bytes == before


def test_keys_are_counted_apart() -> None:
    windows, window = Windows(), Window(1, 10)

    assert windows.take([("a", window)], 0.0)[0].allowed
    assert windows.take([("b", window)], 0.0)[0].allowed
    assert not windows.take([("a", window)], 0.0)[0].allowed


def test_keys_that_are_used_no_more_are_given_up() -> None:
    windows, window = Windows(), Window(10, 1)
    for number in range(10_000):
        windows.take([(number, window)], number / 100)

    assert len(windows) < 200


def test_of_very_many_keys_the_oldest_are_let_off() -> None:
    windows, window = Windows(most_bytes=100_000), Window(2, 1e6)
    for number in range(5000):
        windows.take([(number, window)], 0.0)

    assert windows.bytes <= 100_000
    assert windows.take([(0, window)], 0.0)[0].remaining == 1
    assert windows.take([(4999, window)], 0.0)[0].remaining == 0


def test_a_limit_that_is_defined_anew_holds_at_once() -> None:
    windows = Windows()
    for _ in range(3):
        windows.take([("k", Window(5, 60))], 0.0)

    assert not windows.take([("k", Window(2, 60))], 1.0)[0].allowed
    assert windows.take([("k", Window(4, 60))], 1.0)[0].allowed


@dataclass(frozen=True)
class Who:
    key: str


def told(windows: Windows, now: float = 0.0) -> dict[str, int]:
    return {use.name.key: use.used for some in windows.uses(now) for use in some}


def test_whoever_looks_sees_who_is_counted_and_how_often() -> None:
    windows, window = Windows(), Window(2, 10)
    standings = [windows.take([("k", window)], now)[0] for now in (0.0, 1.0, 2.0)]
    windows.tell("k", Who("me"))
    (use,) = next(windows.uses(3.0))

    assert [each.first for each in standings] == [True, False, False]
    assert (use.key, use.used, use.refused) == ("k", 2, 1)
    assert (use.first_until, use.last_until) == (10.0, 11.0)
    assert told(windows, 10.5) == {"me": 1}
    assert told(windows, 11.5) == {}


def test_a_key_that_is_reset_has_room_again_and_takes_no_memory() -> None:
    windows, window = Windows(), Window(1, 10)
    for key in ("a", "b"):
        windows.take([(key, window)], 0.0)
        windows.tell(key, Who(key))

    assert sum(windows.reset(lambda key, name: name.key == "a")) == 1
    assert told(windows) == {"b": 1}
    assert windows.take([("a", window)], 0.0)[0].allowed
    assert sum(windows.reset(lambda key, name: True)) == 1, "nobody has said who the other is"
    windows.take([("c", window)], 100.0)
    windows.take([("c", window)], 100.0)
    assert windows.bytes < 1000


def test_names_count_in_what_all_of_it_takes() -> None:
    windows = Windows(most_bytes=20_000)
    for number in range(100):
        windows.take([(number, Window(5, 60))], 0.0)
        windows.tell(number, Who("x" * 2_000))

    assert windows.bytes < 25_000
    assert len(told(windows)) < 12


def test_others_may_be_counted_while_all_are_looked_at() -> None:
    windows = Windows()
    for number in range(2 * WALKED_AT_ONCE):
        windows.take([(number, Window(5, 60))], 0.0)
        windows.tell(number, Who(str(number)))
    looking = windows.uses(0.0)
    seen = len(next(looking))
    sum(windows.reset(lambda key, name: isinstance(key, int) and key % 2 == 0))
    windows.take([("new", Window(5, 60))], 0.0)
    seen += sum(len(some) for some in looking)

    assert seen == WALKED_AT_ONCE + WALKED_AT_ONCE // 2

"""One circuit breaker: when it opens, tries and closes."""

from __future__ import annotations

from hypothesis import given, strategies as st

from services.executor.breaking.breaker import (
    LONGEST_OPEN_SECONDS,
    Breaker,
    Mode,
    State,
    Thresholds,
)

GIVEN = Thresholds(percent=50, calls=4, window=10, open_for=5, trials=2)
CLOSED, OPEN, HALF_OPEN = State.CLOSED, State.OPEN, State.HALF_OPEN


def breaker(thresholds: Thresholds = GIVEN) -> Breaker:
    return Breaker("h:80", thresholds, 0.0)


def called(breaker: Breaker, good: bool | None, now: float) -> bool:
    """Whether a call went out, which ended so."""
    permit = breaker.enter(now)
    if permit is not None:
        breaker.leave(permit, good, now)
    return permit is not None


def opened(now: float = 1.0) -> Breaker:
    each = breaker()
    for _ in range(4):
        called(each, False, now)
    assert each.stands(now) is OPEN
    return each


def test_it_opens_once_enough_calls_of_a_window_have_failed() -> None:
    each = breaker()
    assert [called(each, good, 1.0) for good in (False, True, True, False)] == [True] * 4
    assert (each.stands(1.0), each.counted(1.0)) == (OPEN, (4, 2))
    assert not called(each, True, 5.9)
    assert each.wait(5.0) == 1.0


def test_few_calls_old_ones_and_those_given_up_conclude_nothing() -> None:
    each = breaker()
    for _ in range(3):
        called(each, False, 1.0)
    for _ in range(9):
        called(each, None, 2.0)
    called(each, False, 12.0)
    assert (each.stands(12.0), each.counted(12.0)) == (CLOSED, (1, 1))


def test_it_closes_when_all_trials_are_good_and_lets_no_more_out_meanwhile() -> None:
    each = opened()
    assert each.stands(6.0) is HALF_OPEN
    first, second = each.enter(6.0), each.enter(6.0)
    assert first is not None
    assert second is not None
    assert each.enter(6.0) is None
    assert not each.leave(first, True, 6.5)
    assert each.enter(6.5) is None
    assert each.leave(second, True, 7.0)
    assert (each.stands(7.0), each.counted(7.0)) == (CLOSED, (0, 0))


def test_a_trial_that_fails_opens_it_for_twice_as_long_and_one_given_up_leaves_its_place() -> None:
    each = opened()
    assert called(each, None, 6.0)
    assert called(each, False, 6.0)
    assert (each.stands(15.9), each.stands(16.0)) == (OPEN, HALF_OPEN)
    now = 6.0
    for _ in range(9):
        now = each.until
        assert called(each, False, now)
    assert each.until - now == LONGEST_OPEN_SECONDS
    assert each.counted(now) == (4, 4)


def test_what_went_out_before_it_turned_counts_no_more() -> None:
    each = breaker()
    late = [each.enter(0.0) for _ in range(6)]
    for _ in range(4):
        called(each, False, 1.0)
    permit = each.enter(6.0)
    assert permit is not None
    for old in late:
        assert old is not None
        assert not each.leave(old, False, 6.0)
    assert each.stands(6.0) is HALF_OPEN


def test_an_operators_word_holds_until_it_is_taken_back() -> None:
    each = breaker()
    each.set(Mode.OPEN, 1.0)
    assert not called(each, True, 1_000.0)
    assert (each.stands(1_000.0), each.wait(1_000.0)) == (OPEN, 5.0)
    each.set(Mode.CLOSED, 2.0)
    assert all(called(each, False, 3.0) for _ in range(50))
    assert (each.stands(3.0), each.counted(3.0)) == (CLOSED, (50, 50))
    each.set(Mode.AUTOMATIC, 4.0)
    assert (each.stands(4.0), each.counted(4.0)) == (CLOSED, (0, 0))
    for _ in range(4):
        called(each, False, 4.0)
    assert each.stands(4.0) is OPEN


def test_none_opens_by_itself_where_the_setting_says_so() -> None:
    each = breaker(Thresholds(percent=0, calls=1))
    assert all(called(each, False, 1.0) for _ in range(50))


@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.floats(0, 30)), max_size=60))
def test_a_host_that_is_well_again_is_called_again(calls: list[tuple[bool | None, float]]) -> None:
    each, now = breaker(), 0.0
    for good, later in calls:
        now += later
        called(each, good, now)
    now += LONGEST_OPEN_SECONDS
    for _ in range(GIVEN.trials):
        assert called(each, True, now)
    assert each.stands(now) is CLOSED

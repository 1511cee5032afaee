"""What is to be done of a schedule by now: by values, and by a law."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st

from services.executor.scheduling.schedule import MOST_AT_ONCE, Schedule, next_after, plan

NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)


def schedule(expression: str = "0 0 * * * *", **more: Any) -> Schedule:
    document = {
        "name": "nightly",
        "startWorkflowRequest": {"name": "report", "input": {"a": 1}},
        "cronExpression": expression,
        **more,
    }
    if "cronSchedules" in more:
        del document["cronExpression"]
    return Schedule.of(document, "etag")


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def test_what_came_due_is_made() -> None:
    planned = plan(schedule(), NINE - hours(0.5), NINE + timedelta(seconds=2))

    assert [due.at for due in planned.runs] == [NINE]
    assert planned.missed is None
    assert planned.until == NINE + timedelta(seconds=2)


def test_runs_that_are_late_are_missed_but_for_those_of_the_last_minute() -> None:
    planned = plan(schedule(), NINE - hours(3), NINE + timedelta(seconds=30))

    assert [due.at for due in planned.runs] == [NINE]
    assert planned.missed is not None
    assert (planned.missed.count, planned.missed.last) == (2, NINE - hours(1))


def test_runs_are_made_up_for_where_the_schedule_says_so() -> None:
    caught_up = schedule(runCatchupScheduleInstances=True, catchupWindowSeconds=7200)
    planned = plan(caught_up, NINE - hours(4), NINE + timedelta(seconds=1))

    assert [due.at for due in planned.runs] == [NINE - hours(1), NINE]
    assert planned.missed is not None
    assert planned.missed.count == 2


def test_of_very_many_the_first_are_made_first() -> None:
    each_second = schedule("* * * * * *", runCatchupScheduleInstances=True)
    planned = plan(each_second, NINE - hours(1), NINE)

    assert len(planned.runs) == MOST_AT_ONCE
    assert planned.until == planned.runs[-1].at


def test_a_clock_that_is_set_back_makes_nothing_again() -> None:
    planned = plan(schedule(), NINE, NINE - hours(2))

    assert planned.runs == ()
    assert planned.until == NINE


def test_a_paused_one_has_no_next_run() -> None:
    assert next_after(schedule(paused=True), NINE) is None


def test_it_begins_and_ends_when_it_says_so() -> None:
    millis = int(NINE.timestamp() * 1000)
    bounded = schedule(scheduleStartTime=millis, scheduleEndTime=millis + 3_600_000)

    found = [due.at for due in bounded.following(NINE - hours(50))]

    assert found == [NINE, NINE + hours(1)]


def test_several_expressions_in_several_zones_are_one_schedule() -> None:
    several = schedule(
        cronSchedules=[
            {"cronExpression": "0 0 9 * * *"},
            {"cronExpression": "0 0 11 * * *", "zoneId": "Europe/Berlin"},
            {"cronExpression": "0 0 5 * * *", "zoneId": "America/New_York"},
        ]
    )

    planned = plan(several, NINE - hours(1), NINE)

    assert [due.at for due in planned.runs] == [NINE]


def test_the_input_says_what_it_comes_from() -> None:
    (due,) = plan(schedule(), NINE - hours(0.5), NINE).runs
    given_input = schedule().input_at(due, NINE + timedelta(milliseconds=7))

    assert given_input == {
        "a": 1,
        "_startedByScheduler": "nightly",
        "_scheduledTime": int(NINE.timestamp() * 1000),
        "_executedTime": int(NINE.timestamp() * 1000) + 7,
        "_executionId": schedule().execution_id(NINE),
        "_schedulerCron": "0 0 * * * *",
    }


@given(st.lists(st.integers(-3000, 9000), max_size=12), st.booleans())
def test_however_the_clock_goes_each_run_is_made_or_missed_once(
    steps: list[int], catches_up: bool
) -> None:
    asked = schedule("0 */7 * * * *", runCatchupScheduleInstances=catches_up)
    now = since = NINE
    made, missed, furthest = [], 0, NINE
    for step in steps:
        now += timedelta(seconds=step)
        furthest = max(furthest, now)
        planned = plan(asked, since, now)
        missed += planned.missed.count if planned.missed else 0
        made += [due.at for due in planned.runs]
        since = planned.until

    expected = 0
    for due in asked.following(NINE):
        if due.at > since:
            break
        expected += 1
    assert made == sorted(set(made))
    assert len(made) + missed == expected
    assert since <= furthest

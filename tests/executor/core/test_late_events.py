"""Events that come late, early, or about what is no longer so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.executor.core.events import (
    Interrupted,
    Paused,
    Resumed,
    Started,
    Taken,
    TaskUpdated,
    TimerFired,
    TimerKey,
)
from services.executor.core.model import Json, Refused, TaskStatus
from tests.executor.core.simulator import Simulator, answer, http, task, workflow


def test_the_timer_of_a_call_does_not_end_the_one_that_took_its_place() -> None:
    """After a crash both are told: the interrupted call first, then the timer that is overdue."""
    flow = workflow(
        http("a"), definitions={"a": {"name": "a", "responseTimeoutSeconds": 10, "retryCount": 0}}
    )
    run = Simulator(flow).begin()
    (overdue,) = run.timers
    run.passes(seconds=30)
    run.happens(Interrupted(run.task("a").id, 1))
    run.happens(TimerFired(overdue))

    assert run.task("a").status is TaskStatus.IN_PROGRESS
    assert run.until("a") == 10
    run.fires()
    assert run.task("a").status is TaskStatus.TIMED_OUT


def test_an_interruption_that_is_told_twice_is_one() -> None:
    run = Simulator(workflow(http("a"))).begin()
    told = Interrupted(run.task("a").id, 1)
    run.happens(told)
    before = run.execution
    assert run.task("a").pending == 2

    assert run.happens(told).execution is before


def test_the_timer_of_an_execution_does_not_end_it_when_its_time_began_anew() -> None:
    flow = workflow(task("w", "WAIT"), timeoutSeconds=60, timeoutPolicy="TIME_OUT_WF")
    run = Simulator(flow).begin()
    run.happens(Paused())
    run.passes(seconds=60)
    run.happens(Resumed())
    run.happens(TimerFired(TimerKey("", "timeout")))

    assert run.status == "RUNNING"
    assert run.timers[TimerKey("", "timeout")] == run.now + timedelta(seconds=60)
    run.fires()
    assert run.status == "TIMED_OUT"


@pytest.mark.parametrize("again", [False, True])
def test_what_was_paused_before_it_began_begins_when_it_is_resumed(again: bool) -> None:
    run = Simulator(workflow(task("w", "WAIT")))
    run.happens(Paused())
    if again:
        run.happens(Started())
    run.happens(Resumed())

    assert [row.ref for row in run.rows.values()] == ["w"]
    run.happens(Started())
    assert run.status == "RUNNING"
    assert [row.ref for row in run.rows.values()] == ["w"]


def test_an_earlier_attempt_is_known_after_its_execution_was_read_again() -> None:
    policy: dict[str, Json] = {"name": "a", "retryCount": 2, "retryDelaySeconds": 0}
    run = Simulator(workflow(http("a", asyncComplete=True), definitions={"a": policy})).begin()
    first = run.task("a").id
    run.answers("a", answer(status=500))
    late = TaskUpdated(TaskStatus.COMPLETED, task_id=first, exact=True)

    for crashes in (False, True):
        if crashes:
            run.crash()
        with pytest.raises(Refused) as caught:
            run.happens(late)
        assert not caught.value.missing


@pytest.mark.parametrize(
    ("ref", "said"),
    [("b", "The task 'b' is not reached yet."), ("c", "There is no task 'c'.")],
)
def test_a_word_that_comes_too_early_is_told_from_one_about_nothing(ref: str, said: str) -> None:
    run = Simulator(workflow(http("a"), http("b"))).begin()

    with pytest.raises(Refused) as caught:
        run.happens(TaskUpdated(TaskStatus.COMPLETED, ref=ref))

    assert (str(caught.value), caught.value.missing) == (said, True)


def test_what_is_said_again_of_an_earlier_attempt_is_not_logged_for_the_next() -> None:
    definition: dict[str, Json] = {"name": "a", "retryCount": 1, "retryDelaySeconds": 0}
    run = Simulator(workflow(task("a", "SIMPLE"), definitions={"a": definition})).begin()
    run.happens(Taken(run.task("a").id, "w"))
    line = (run.now, "it failed")
    word = TaskUpdated(TaskStatus.FAILED, task_id=run.task("a").id, worker_id="w", by_worker=True,
                       logs=(line,))  # fmt: skip
    run.happens(word)
    run.happens(word)

    assert run.task("a").attempt == 1
    assert [(log.task_id, log.lines) for log in run.logs] == [(word.task_id, (line,))]


def test_the_timer_of_a_task_that_was_given_back_does_not_bring_it_before_its_next_time() -> None:
    run = Simulator(workflow(task("a", "SIMPLE"))).begin()

    def gives_back(worker: str) -> None:
        run.happens(Taken(run.task("a").id, worker))
        run.happens(
            TaskUpdated(TaskStatus.IN_PROGRESS, task_id=run.task("a").id, worker_id=worker,
                        by_worker=True, back_after=timedelta(seconds=5))
        )  # fmt: skip

    gives_back("first")
    fired = TimerFired(run.fires())
    gives_back("second")
    before, timers = run.execution, dict(run.timers)
    run.happens(fired)

    assert (run.execution, run.timers) == (before, timers)
    # The clock was set back: the timer alone knows how long it was.
    run.passes(hours=-1)
    run.happens(fired)
    assert run.task("a").next_at is None

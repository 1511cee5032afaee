"""What workers do: who has it, until when, and what their word comes to."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from services.executor.core.conductor import task_json
from services.executor.core.events import (
    CallbacksReset,
    LetGo,
    Paused,
    Resumed,
    Taken,
    TaskUpdated,
    Terminated,
)
from services.executor.core.model import Json, Refused, TaskStatus
from tests.executor.core.simulator import EPOCH, Simulator, answer, http, task, workflow


def charging(kind: str = "SIMPLE", **definition: Json) -> Simulator:
    definitions: Json = {"charge": {"retryCount": 1, "retryDelaySeconds": 0, **definition}}
    flow = workflow(task("a", kind, {"n": 1}, name="charge"), definitions=definitions)
    return Simulator(flow).begin()


def has(run: Simulator, worker: str = "w1") -> Simulator:
    run.happens(Taken(run.task("a").id, worker))
    return run


def said(run: Simulator, status: str, output: Json = None, **more: object) -> None:
    given = {"worker_id": "w1", "by_worker": True, **more}
    run.happens(TaskUpdated(TaskStatus(status), output, task_id=run.task("a").id, **given))  # type: ignore[arg-type]


def test_a_task_waits_in_its_queue_until_a_worker_has_it() -> None:
    run = charging()

    waiting = run.task("a")
    assert (waiting.status, waiting.queue, waiting.started_at) == ("SCHEDULED", ":charge", None)
    assert [(offer.task_id, offer.queue) for offer in run.offers] == [(waiting.id, ":charge")]
    run.passes(seconds=3)
    has(run)

    begun = run.task("a")
    assert (begun.status, begun.worker_id, begun.poll_count) == ("IN_PROGRESS", "w1", 1)
    assert begun.started_at == EPOCH + timedelta(seconds=3)
    said(run, "COMPLETED", {"receipt": 7})
    assert (run.status, run.execution.output) == ("COMPLETED", {"receipt": 7})
    assert not run.timers


def test_whose_stream_carries_it_is_known_until_another_worker_has_it() -> None:
    run = charging()
    task_id = run.task("a").id
    run.happens(Taken(task_id, "w1", "edge"))
    assert run.task("a").memory == {"carrier": "edge"}
    run.happens(LetGo(task_id, "w1"))
    has(run, "w2")
    assert run.task("a").memory == {}


def test_conductor_calls_it_by_its_name() -> None:
    run = has(charging())

    shown = task_json(run.execution, run.task("a"))
    assert (shown["taskType"], shown["workerId"]) == ("charge", "w1")
    assert shown["responseTimeoutSeconds"] == 3600


def test_without_a_definition_it_is_retried_three_times_after_a_minute() -> None:
    run = Simulator(workflow(task("a", "SIMPLE"))).begin()
    for _ in range(3):
        has(run)
        said(run, "FAILED", reason="no money")
        assert run.until("a") == 60
        run.fires()
    has(run)
    said(run, "FAILED", reason="no money")

    assert (run.status, run.task("a").attempt) == ("FAILED", 3)


def test_any_type_with_a_definition_is_a_workers() -> None:
    run = charging("billing")
    assert run.task("a").queue == ":billing"

    undefined = Simulator(workflow(task("a", "billing", name="charge"))).begin()
    assert undefined.status == "FAILED"
    assert undefined.task("a").reason == (
        "Invalid task specified. Cannot find task by name charge in the task definitions"
    )


def test_a_task_is_had_once() -> None:
    run = has(charging())

    with pytest.raises(Refused, match="does not wait"):
        has(run, "w2")
    assert run.task("a").worker_id == "w1"


@pytest.mark.parametrize(
    ("more", "why"),
    [({"worker_id": "w2"}, "not this worker's"), ({"task_id": "x"}, "no task 'x'")],
)
def test_a_word_for_what_is_not_its_own_changes_nothing(more: dict[str, str], why: str) -> None:
    run = has(charging())
    word = {"task_id": run.task("a").id, "worker_id": "w1", **more}
    before = run.execution

    with pytest.raises(Refused, match=why):
        run.happens(TaskUpdated(TaskStatus.COMPLETED, {"x": 1}, by_worker=True, **word))  # type: ignore[arg-type]
    assert run.execution is before


def test_a_word_that_comes_twice_is_none_and_another_one_is_refused() -> None:
    run = has(charging())
    said(run, "COMPLETED", {"x": 1})
    ended = run.execution

    said(run, "COMPLETED", {"x": 1})
    assert run.execution is ended
    with pytest.raises(Refused, match="ended already: it is COMPLETED"):
        said(run, "FAILED")


def test_a_word_for_an_attempt_that_was_replaced_is_refused() -> None:
    run = has(charging(responseTimeoutSeconds=10))
    late = run.task("a").id
    run.fires()
    assert (run.task("a").attempt, run.task("a").status) == (1, "SCHEDULED")

    with pytest.raises(Refused, match="another one has taken its place"):
        run.happens(TaskUpdated(TaskStatus.COMPLETED, {}, task_id=late, worker_id="w1",
                                by_worker=True))  # fmt: skip


def test_a_silent_worker_loses_the_task_and_its_word_counts_from_the_last() -> None:
    run = has(charging(responseTimeoutSeconds=10))
    run.passes(seconds=8)
    said(run, "IN_PROGRESS")
    assert run.fires().name == "response"
    assert (run.task("a").status, run.until("a")) == ("IN_PROGRESS", 8)

    run.fires()
    first = next(iter(run.rows.values()))
    assert first.status == "TIMED_OUT"
    assert first.reason == (
        f"responseTimeout: 10 exceeded for the taskId: {first.id} with Task Definition: charge"
    )
    assert run.task("a").attempt == 1


def test_a_worker_gives_back_what_it_wants_to_look_at_later() -> None:
    run = has(charging(responseTimeoutSeconds=10))
    said(run, "IN_PROGRESS", {"seen": 1}, back_after=timedelta(seconds=30))

    back = run.task("a")
    assert (back.status, back.callback_after.total_seconds(), back.output) == (
        "SCHEDULED", 30, {"seen": 1},
    )  # fmt: skip
    with pytest.raises(Refused, match="does not wait"):
        has(run, "w2")
    assert run.fires().name == "callback"
    has(run, "w2")
    again = run.task("a")
    assert (again.status, again.worker_id, again.poll_count) == ("IN_PROGRESS", "w2", 2)
    assert again.callback_after == timedelta()


def test_what_was_given_back_for_later_is_had_at_once_where_an_operator_says_so() -> None:
    run = has(charging())
    said(run, "IN_PROGRESS", back_after=timedelta(hours=1))
    run.happens(CallbacksReset())

    assert not run.timers
    assert has(run, "w2").task("a").status == "IN_PROGRESS"


def test_what_a_worker_lets_go_is_had_by_another_one_at_once() -> None:
    run = has(charging())
    run.happens(LetGo(run.task("a").id, "w2"))
    assert run.task("a").worker_id == "w1"
    run.happens(LetGo(run.task("a").id, "w1"))

    assert run.task("a").status == "SCHEDULED"
    has(run, "w2")
    with pytest.raises(Refused, match="not this worker's"):
        said(run, "COMPLETED")


def test_a_word_said_again_takes_the_task_from_nobody_who_was_given_it_since() -> None:
    run = has(charging())
    once = partial(said, run, "IN_PROGRESS", worker_id="", lenient=True, word_id="e 1")
    once(output={"n": 1}, back_after=timedelta(seconds=5))
    once(output={"n": 2}, back_after=timedelta(seconds=5))
    assert (run.task("a").output, len(run.timers)) == ({"n": 1}, 1)
    run.fires()
    has(run, "w2")
    once(back_after=timedelta(seconds=5))
    assert (run.task("a").status, run.task("a").worker_id) == ("IN_PROGRESS", "w2")


def test_what_was_let_go_one_time_stays_with_the_worker_who_was_given_it_anew() -> None:
    run = has(charging())
    said(run, "IN_PROGRESS", back_after=timedelta())
    has(run)
    run.happens(LetGo(run.task("a").id, "w1", 1))
    assert run.task("a").status == "IN_PROGRESS"
    run.happens(LetGo(run.task("a").id, "w1", 2))
    assert run.task("a").status == "SCHEDULED"


@pytest.mark.parametrize(
    ("policy", "status", "attempts"),
    [("RETRY", "RUNNING", 1), ("TIME_OUT_WF", "TIMED_OUT", 0), ("ALERT_ONLY", "RUNNING", 0)],
)
def test_nobody_comes_for_it(policy: str, status: str, attempts: int) -> None:
    run = charging(pollTimeoutSeconds=5, timeoutPolicy=policy)
    assert run.fires().name == "queued"

    assert (run.status, run.task("a").attempt) == (status, attempts)
    assert next(iter(run.rows.values())).reason == (
        "Task poll timed out after 5 seconds. Poll timeout configured as 5 seconds. Timeout "
        f"policy configured to {policy}"
    )


def test_its_time_begins_when_a_worker_has_it() -> None:
    run = charging(timeoutSeconds=5, responseTimeoutSeconds=5, timeoutPolicy="RETRY")
    assert not run.timers
    run.passes(seconds=60)
    has(run)

    assert {key.name for key in run.timers} == {"timeout", "response"}
    run.happens(LetGo(run.task("a").id, "w1"))
    run.passes(seconds=3)
    has(run, "w2")
    assert run.fires().name == "timeout"
    assert run.task("a").attempt == 1


def test_workers_go_on_while_it_is_paused() -> None:
    run = charging()
    run.happens(Paused())
    has(run)
    said(run, "COMPLETED", {"x": 1})

    assert run.status == "PAUSED"
    run.happens(Resumed())
    assert run.status == "COMPLETED"


def test_what_has_ended_is_had_by_nobody() -> None:
    run = charging()
    run.happens(Terminated("enough"))

    with pytest.raises(Refused):
        has(run)


@pytest.mark.parametrize(
    ("domains", "queue"),
    [({"charge": "eu"}, "eu:charge"), ({"*": "eu"}, "eu:charge"), ({"x": "eu"}, ":charge"),
     ({"*": "eu", "charge": "NO_DOMAIN"}, ":charge"), ({"charge": "eu, us"}, "us:charge"),
     ({"charge": "eu,NO_DOMAIN"}, ":charge")],
)  # fmt: skip
def test_the_start_says_in_which_domain_its_workers_are(
    domains: dict[str, str], queue: str
) -> None:
    run = Simulator(workflow(task("a", "SIMPLE", name="charge")), domains=domains).begin()

    assert run.task("a").queue == queue


def test_of_its_log_no_more_than_a_thousand_lines_are_kept() -> None:
    run = has(charging())
    for _ in range(101):
        said(run, "IN_PROGRESS", logs=tuple((EPOCH, f"line {n}") for n in range(10)))

    numbers = [(log.number or 0) + n for log in run.logs for n in range(len(log.lines))]
    assert numbers == list(range(1000))


def test_a_call_waits_for_the_limit_of_its_definition_and_its_time_begins_then() -> None:
    definitions: Json = {"a": {"concurrentExecLimit": 1, "timeoutSeconds": 5,
                               "responseTimeoutSeconds": 5}}  # fmt: skip
    run = Simulator(workflow(http("a"), definitions=definitions)).begin()
    assert (run.task("a").status, run.task("a").queue, run.timers) == ("SCHEDULED", "=a", {})
    assert run.performs == {}
    run.passes(seconds=9)
    run.happens(Taken(run.task("a").id))

    assert run.task("a").status == "IN_PROGRESS"
    run.answers("a", answer({"x": 1}))
    assert run.status == "COMPLETED"


def test_a_rate_is_counted_where_a_task_begins() -> None:
    definitions: Json = {"a": {"rateLimitPerFrequency": 2, "rateLimitFrequencyInSeconds": 60}}
    run = Simulator(workflow(task("a", "NOOP"), definitions=definitions)).begin()
    run.happens(Taken(run.task("a").id))

    assert run.status == "COMPLETED"
    (counted,) = run.counted
    assert (counted.name, counted.at, counted.since) == ("a", EPOCH, EPOCH - timedelta(seconds=60))


def test_a_turn_that_comes_while_it_is_paused_is_asked_for_again() -> None:
    run = Simulator(workflow(http("a"), definitions={"a": {"concurrentExecLimit": 1}})).begin()
    run.happens(Paused())
    run.happens(Taken(run.task("a").id))
    assert (run.task("a").held, run.task("a").queue, run.performs) == (True, "", {})
    run.happens(Resumed())

    assert [offer.queue for offer in run.offers] == ["=a", "=a"]
    run.happens(Taken(run.task("a").id))
    assert run.task("a").pending

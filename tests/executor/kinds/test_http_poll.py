"""HTTP_POLL: when it polls again, when it ends, and what it remembers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from services.executor.core.events import TimerFired, TimerKey
from services.executor.core.model import Json
from services.executor.core.scope import milliseconds
from tests.executor.core.simulator import Judge, Simulator, answer, failure, task, workflow

ENDED = "$.output.response.body.done"


def judge(source: str, scope: Mapping[str, Json]) -> Json:
    assert source == ENDED
    value: Json = dict(scope)
    for name in ("output", "response", "body", "done"):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def polls(
    within: Mapping[str, Json] | None = None, *, judge: Judge = judge, **more: Json
) -> Simulator:
    request: dict[str, Json] = {
        "uri": "http://x", "pollingInterval": 10, "terminationCondition": ENDED, **(within or {})
    }  # fmt: skip
    flow = workflow(task("a", "HTTP_POLL", {"http_request": request}, **more), task("b", "NOOP"))
    return Simulator(flow, judge=judge).begin()


def last(run: Simulator) -> Mapping[str, Json]:
    remembered = run.task("a").memory["polls"]
    assert isinstance(remembered, list)
    assert isinstance(remembered[-1], dict)
    return remembered[-1]


def test_it_polls_at_once_and_then_until_the_condition_holds() -> None:
    run = polls()
    assert run.request("a").method == "GET"
    run.answers("a", answer({"done": False, "progress": 40}, 202))

    again = run.task("a")
    assert (again.status, again.poll_count) == ("IN_PROGRESS", 1)
    assert again.callback_after.total_seconds() == run.until("a") == 10
    assert last(run) == {
        "number": 1, "at": milliseconds(run.now) - 20, "status": 202, "ms": 20, "progress": 40,
        "retryAfter": None, "verdict": "AGAIN", "next": milliseconds(again.next_at), "reason": None,
    }  # fmt: skip
    run.fires()
    run.answers("a", answer({"done": True}))

    ended = run.task("a")
    assert (ended.status, ended.poll_count, last(run)["verdict"]) == ("COMPLETED", 2, "COMPLETED")
    assert run.status == "COMPLETED"
    assert run.timers == {}
    output = ended.output
    assert isinstance(output, dict)
    assert output["status"] == 200


@pytest.mark.parametrize(
    ("value", "ended"),
    [
        (True, "COMPLETED"), (1, "COMPLETED"), (1.0, "COMPLETED"), ("true", "COMPLETED"),
        ("1", "COMPLETED"), (False, "IN_PROGRESS"), (0, "IN_PROGRESS"), ("false", "IN_PROGRESS"),
        ("0", "IN_PROGRESS"), (-1, "FAILED"), ("-1", "FAILED"), (2, "FAILED"), ("yes", "FAILED"),
        (" true ", "FAILED"), ("", "FAILED"), (None, "FAILED"), ([], "FAILED"), ({}, "FAILED"),
        ([True], "FAILED"),
    ],
)  # fmt: skip
def test_what_a_condition_may_say(value: Json, ended: str) -> None:
    run = polls(judge=lambda source, scope: value)
    run.answers("a", answer())

    assert run.task("a").status == ended


@pytest.mark.parametrize(
    ("value", "told"),
    [("soon", "'soon'"), (None, "null"), ([True, None], "[true,null]"), ({"a": 1}, '{"a":1}')],
)
def test_a_value_that_means_nothing_is_told(value: Json, told: str) -> None:
    run = polls(judge=lambda source, scope: value)
    run.answers("a", answer())

    assert run.task("a").reason == (
        f"The termination condition returned {told}; it must be true, false, 1, 0 or -1."
    )
    assert last(run)["verdict"] == "FAILED"
    assert last(run)["reason"] == run.task("a").reason


def test_a_condition_that_throws_is_told() -> None:
    def throws(source: str, scope: Mapping[str, Json]) -> Json:
        raise ArithmeticError("x is not defined")

    run = polls(judge=throws)
    run.answers("a", answer({"n": 1}))

    assert run.task("a").reason == "The termination condition failed: x is not defined"
    assert run.status == "FAILED"


@pytest.mark.parametrize(
    ("condition", "ended"),
    [
        (True, "COMPLETED"), ("true", "COMPLETED"), (" 1 ; ", "COMPLETED"), (1, "COMPLETED"),
        (0, "IN_PROGRESS"), ("false", "IN_PROGRESS"), (-1, "FAILED"), ("-1", "FAILED"),
    ],
)  # fmt: skip
def test_a_bare_value_needs_no_script(condition: Json, ended: str) -> None:
    def never(source: str, scope: Mapping[str, Json]) -> Json:
        raise AssertionError

    run = polls({"terminationCondition": condition}, judge=never)
    run.answers("a", answer())

    assert run.task("a").status == ended


@pytest.mark.parametrize(
    ("condition", "sent"),
    [
        ("$.output.status % 2 === 0", {"output"}),
        ("(function(){ return $.output.n > $.input.n; })()", {"output", "input"}),
        ("$ . first.output.n == 1 && price$ && $price", {"first"}),
        ("$?.output?.n", {"output"}),
        ("f($)", {"output", "input", "workflow", "first", "a"}),
        ("$['output']", {"output", "input", "workflow", "first", "a"}),
        ("$.nothing", set()),
        ("1 + 1", set()),
    ],
)
def test_only_what_a_condition_names_is_sent_to_it(condition: str, sent: set[str]) -> None:
    seen: list[set[str]] = []

    def look(source: str, scope: Mapping[str, Json]) -> Json:
        seen.append(set(scope))
        return True

    inputs: Json = {"uri": "http://x", "terminationCondition": condition}
    run = Simulator(workflow(task("first", "NOOP"), task("a", "HTTP_POLL", inputs)), judge=look)
    run.begin().answers("a", answer())

    assert seen == [sent]


@pytest.mark.parametrize(
    ("strategy", "waits"),
    [
        ("FIXED", [60, 60, 60]),
        ("LINEAR_BACKOFF", [60, 120, 180]),
        ("EXPONENTIAL_BACKOFF", [120, 240, 480]),
    ],
)
def test_the_wait_grows_by_its_strategy(strategy: str, waits: list[float]) -> None:
    run = polls({"pollingStrategy": strategy, "pollingInterval": "60"})

    for wait in waits:
        run.answers("a", answer({"done": False}))
        assert run.until("a") == wait
        run.fires()


def test_the_wait_has_a_cap_and_gives_way_to_retry_after() -> None:
    run = polls({"pollingStrategy": "EXPONENTIAL_BACKOFF", "maxPollInterval": 15})
    run.answers("a", answer({"done": False}))
    assert run.until("a") == 15
    run.fires()
    run.answers("a", answer({"done": False}, retry_after="40"))
    assert run.until("a") == 40
    run.fires()
    run.answers("a", answer({"done": False}, retry_after="3"))
    assert run.until("a") == 15


def test_keys_beside_the_request_win() -> None:
    inputs: Json = {
        "http_request": {"uri": "http://x", "pollingInterval": 10, "terminationCondition": "0"},
        "pollingInterval": 2,
    }
    run = Simulator(workflow(task("a", "HTTP_POLL", inputs))).begin()
    run.answers("a", answer())

    assert run.until("a") == 2


def test_more_polls_than_allowed_are_a_time_out() -> None:
    run = polls({"maxPollCount": 2})
    run.answers("a", answer({"done": False}))
    run.fires()
    run.answers("a", answer({"done": False}))

    assert run.task("a").status == "TIMED_OUT"
    assert run.task("a").reason == "Still not done after 2 polls (maxPollCount)."
    assert run.status == "TIMED_OUT"


def test_more_time_than_allowed_is_a_time_out() -> None:
    run = polls({"maxDuration": 15})
    run.answers("a", answer({"done": False}))
    run.fires()
    run.answers("a", answer({"done": False}))
    run.fires()

    assert run.task("a").status == "TIMED_OUT"
    assert run.task("a").reason == "Still not done after 15 seconds (maxDuration) and 2 polls."
    assert run.timers == {}


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_some_failing_polls_in_a_row_are_tolerated(status: int) -> None:
    run = polls({"tolerateErrors": 2})
    for _ in range(2):
        run.answers("a", answer(status=status))
        assert last(run)["verdict"] == "TOLERATED"
        run.fires()
    run.answers("a", answer({"done": False}))
    run.fires()
    run.answers("a", failure("No such host."))
    run.fires()
    run.answers("a", failure("No such host."))
    run.fires()
    assert run.task("a").poll_count == 5
    run.answers("a", answer(status=status))

    assert run.task("a").status == "FAILED"
    assert "3 in a row" in run.task("a").reason


@pytest.mark.parametrize("outcome", [answer(status=404), failure("Too large.", transient=False)])
def test_other_failures_end_the_attempt(outcome: object) -> None:
    run = polls()
    run.answers("a", outcome)  # type: ignore[arg-type]

    assert run.task("a").status == "FAILED"
    assert run.task("a").poll_count == 1


def test_a_status_that_is_accepted_goes_to_the_condition_as_any_2xx_does() -> None:
    run = polls({"acceptedStatusCodes": ["404", "5xx"]})
    for status in (404, 503, 200):
        run.answers("a", answer({"done": False}, status))
        assert last(run)["verdict"] == "AGAIN"
        run.fires()


def test_a_crash_between_polls_changes_nothing_and_one_within_polls_again() -> None:
    run = polls({"method": "POST"})
    run.answers("a", answer({"done": False}))
    run.crash()
    run.fires()
    key = run.request("a").idempotency_key
    run.crash()

    assert run.request("a").idempotency_key == key
    assert run.task("a").poll_count == 1
    run.answers("a", answer({"done": True}))
    assert run.status == "COMPLETED"
    assert run.task("a").poll_count == 2


def test_a_timer_that_fires_twice_is_one_poll() -> None:
    run = polls()
    run.answers("a", answer({"done": False}))
    key = run.fires()
    run.answers("a", answer({"done": False}))
    before = run.execution

    assert run.happens(TimerFired(key)).execution is before
    assert run.happens(TimerFired(TimerKey("gone", "poll 2"))).execution is before


def test_a_retry_counts_its_polls_anew_and_never_under_an_answered_key() -> None:
    run = polls({"method": "POST", "tolerateErrors": 0}, retryCount=2)
    first = run.request("a").idempotency_key
    run.answers("a", failure(unknown=True))
    run.fires()
    assert run.request("a").idempotency_key == first
    run.answers("a", answer({"done": False}))
    run.fires()
    assert run.request("a").idempotency_key != first
    run.answers("a", failure(unknown=True))
    run.fires()

    assert (run.task("a").attempt, run.task("a").poll_count) == (2, 0)
    assert run.request("a").idempotency_key != first


def test_the_last_twenty_polls_are_kept() -> None:
    run = polls()
    for _ in range(25):
        run.answers("a", answer({"done": False}))
        run.fires()

    remembered = run.task("a").memory["polls"]
    assert isinstance(remembered, list)
    assert [poll["number"] for poll in remembered if isinstance(poll, dict)] == [*range(6, 26)]


@pytest.mark.parametrize(
    "fault",
    [
        {"terminationCondition": None}, {"terminationCondition": " "}, {"pollingInterval": "often"},
        {"pollingInterval": 0.05}, {"pollingStrategy": "SLOW"}, {"maxPollCount": "many"},
        {"uri": "${b.output.uri}"}, {"tolerateErrors": -1}, {"maxDuration": "nan"},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_used_are_a_terminal_error_naming_them(
    fault: dict[str, Json],
) -> None:
    run = polls(fault, retryCount=3)

    assert run.task("a").status == "FAILED_WITH_TERMINAL_ERROR"
    assert run.task("a").reason.startswith(next(iter(fault)))


def test_a_poll_that_is_put_off_is_no_poll_and_comes_under_its_own_number() -> None:
    run = polls({"maxPollCount": 2, "tolerateErrors": 0, "method": "POST"})
    key = run.request("a").idempotency_key
    for _ in range(3):
        run.answers("a", failure("The breaker is open.", put_off=timedelta(seconds=30)))
        off = run.task("a")
        assert (off.status, off.poll_count, run.until("a")) == ("IN_PROGRESS", 0, 30)
        assert [last(run)[name] for name in ("number", "verdict", "reason", "next")] == [
            1, "PUT_OFF", "The breaker is open.", milliseconds(off.next_at)
        ]  # fmt: skip
        run.fires()
        assert run.request("a").idempotency_key == key
    run.answers("a", answer({"done": False}))
    run.fires()
    run.answers("a", failure("The breaker is open.", put_off=timedelta(seconds=1)))
    assert run.until("a") == 10
    run.fires()
    run.answers("a", answer({"done": True}))

    remembered = run.task("a").memory["polls"]
    assert isinstance(remembered, list)
    assert [(each["number"], each["verdict"]) for each in remembered if isinstance(each, dict)] == [
        (1, "AGAIN"), (2, "COMPLETED")
    ]  # fmt: skip
    assert run.status == "COMPLETED"

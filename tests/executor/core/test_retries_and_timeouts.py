"""How often, after how long, and until when a task is tried."""

from __future__ import annotations

import pytest

from services.executor.core.events import TimerFired, TimerKey
from services.executor.core.model import Json
from services.executor.core.policy import LONGEST
from tests.executor.core.simulator import EPOCH, Simulator, answer, failure, http, task, workflow


def retried(definition: Json, **more: Json) -> Simulator:
    return Simulator(workflow(http("a", None, **more), definitions={"a": definition})).begin()


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        ({"retryDelaySeconds": 3}, [3, 3, 3]),
        ({}, [60, 60, 60]),
        ({"retryLogic": "LINEAR_BACKOFF", "retryDelaySeconds": 2, "backoffScaleFactor": 3},
         [6, 12, 18]),
        ({"retryLogic": "EXPONENTIAL_BACKOFF", "retryDelaySeconds": 5}, [5, 10, 20]),
        ({"retryLogic": "EXPONENTIAL_BACKOFF", "retryDelaySeconds": 5, "maxRetryDelaySeconds": 8},
         [5, 8, 8]),
    ],
)  # fmt: skip
def test_the_delay_grows_by_its_logic(policy: dict[str, Json], delays: list[float]) -> None:
    run = retried({"retryCount": 3, **policy})

    for number, delay in enumerate(delays):
        run.answers("a", answer(status=500))
        again = run.task("a")
        assert (again.status, again.attempt) == ("SCHEDULED", number + 1)
        assert again.callback_after.total_seconds() == run.until("a") == delay
        run.fires()
    run.answers("a", answer(status=500))
    assert run.status == "FAILED"
    assert [row.attempt for row in run.rows.values()] == [0, 1, 2, 3]


def test_an_attempt_is_a_row_of_its_own_that_names_the_one_before() -> None:
    run = retried({"retryCount": 1})
    first = run.task("a").id
    run.answers("a", answer({"error": 1}, 500))

    again = run.task("a")
    assert (again.retried_id, again.reason, again.output, again.sequence) == (first, "", None, 2)
    assert run.rows[first].status == "FAILED"
    run.fires()
    run.answers("a", answer())
    assert run.status == "COMPLETED"


def test_a_retry_sees_what_has_changed_meanwhile() -> None:
    flow = workflow(http("a", {"body": "${a.retryCount}", "method": "POST"}, retryCount=1))
    run = Simulator(flow).begin()
    run.answers("a", answer(status=500))
    run.fires()

    assert run.request("a").body == 1


@pytest.mark.parametrize(
    ("definition", "count", "attempts"),
    [({}, None, 4), ({"retryCount": 0}, None, 1), ({"retryCount": 0}, 2, 3), ({}, 0, 1)],
)
def test_the_count_is_the_tasks_or_the_definitions(
    definition: Json, count: int | None, attempts: int
) -> None:
    run = retried(definition, **({} if count is None else {"retryCount": count}))
    while run.status == "RUNNING":
        run.answers("a", failure())
        if run.timers:
            run.fires()

    assert len(run.rows) == attempts


def test_without_a_definition_a_call_is_not_retried() -> None:
    run = Simulator(workflow(http("a"))).begin()
    run.answers("a", failure())

    assert run.status == "FAILED"


def test_jitter_is_added_evenly_and_the_same_each_time() -> None:
    def delay() -> float:
        run = retried({"retryDelaySeconds": 1, "backoffJitterMs": 1000})
        run.answers("a", failure())
        assert run.task("a").callback_after.total_seconds() == 1
        return run.until("a")

    assert 1 < delay() < 2
    assert delay() == delay()


def test_an_embedded_definition_wins() -> None:
    run = retried({"retryCount": 0}, taskDefinition={"retryCount": 1, "retryDelaySeconds": 0})
    run.answers("a", failure())

    assert run.task("a").attempt == 1
    assert run.request("a")


@pytest.mark.parametrize(
    ("policy", "task_status", "status"),
    [("RETRY", "SCHEDULED", "RUNNING"), ("TIME_OUT_WF", "TIMED_OUT", "TIMED_OUT"),
     ("ALERT_ONLY", "IN_PROGRESS", "RUNNING")],
)  # fmt: skip
def test_a_time_out_does_what_its_policy_says(policy: str, task_status: str, status: str) -> None:
    run = retried({"timeoutSeconds": 20, "responseTimeoutSeconds": 20, "timeoutPolicy": policy,
                   "retryCount": 1})  # fmt: skip
    del run.timers[TimerKey(run.task("a").id, "response 1")]
    first = run.task("a").id
    run.fires()

    assert (run.task("a").status, run.status) == (task_status, status)
    assert run.rows[first].reason == (
        "Task timed out after 20 seconds. Timeout configured as 20 seconds. Timeout policy "
        f"configured to {policy}"
    )


def test_a_silent_call_times_out_and_keeps_its_key() -> None:
    run = retried({"responseTimeoutSeconds": 5, "retryCount": 1, "retryDelaySeconds": 0})
    key = run.request("a").idempotency_key
    first = run.task("a").id
    run.fires()

    assert run.rows[first].status == "TIMED_OUT"
    assert run.rows[first].reason.startswith("responseTimeout: 5 exceeded for the taskId: ")
    assert run.request("a").idempotency_key == key


def test_a_response_time_out_ends_with_the_call() -> None:
    run = Simulator(
        workflow(
            http("a", None, asyncComplete=True),
            definitions={"a": {"responseTimeoutSeconds": 5, "timeoutSeconds": 90}},
        )
    ).begin()
    run.answers("a", answer())

    assert [key.name for key in run.timers] == ["timeout"]


def test_the_total_time_ends_all_attempts() -> None:
    run = retried({"totalTimeoutSeconds": 70, "retryCount": 9})
    run.answers("a", failure())
    run.fires()
    run.fires()

    assert run.status == "TIMED_OUT"
    assert run.task("a").reason == (
        f"Task a/{run.task('a').id} exceeded total timeout of 70 seconds (elapsed 70 seconds "
        "across all attempts). No further retries will be attempted."
    )


def test_an_execution_times_out_by_its_own_policy() -> None:
    flow = workflow(http("a"), http("b"), timeoutSeconds=30, timeoutPolicy="TIME_OUT_WF")
    run = Simulator(flow).begin()
    run.passes(seconds=10)
    run.fires()

    assert (run.status, run.task("a").status) == ("TIMED_OUT", "CANCELED")
    assert run.execution.reason == (
        "Workflow timed out after 30 seconds. Timeout configured as 30 seconds. Timeout policy "
        "configured to TIME_OUT_WF"
    )
    assert Simulator(workflow(http("a"), timeoutSeconds=30)).begin().timers == {}
    # Beyond all dates it is ten years.
    endless = workflow(http("a"), timeoutSeconds=10**12, timeoutPolicy="TIME_OUT_WF")
    assert list(Simulator(endless).begin().timers.values()) == [EPOCH + LONGEST]


def test_a_timer_that_is_not_set_changes_nothing() -> None:
    run = Simulator(workflow(http("a"))).begin()
    before = run.execution

    for key in (TimerKey(run.task("a").id, "timeout"), TimerKey("", "timeout"), TimerKey("x", "y")):
        assert run.happens(TimerFired(key)).execution is before


def test_every_timer_of_an_attempt_ends_with_it() -> None:
    definition: Json = {
        "timeoutSeconds": 50,
        "responseTimeoutSeconds": 5,
        "totalTimeoutSeconds": 500,
        "retryCount": 0,
    }
    run = retried(definition)
    assert {key.name for key in run.timers} == {"timeout", "response 1", "total"}
    run.answers("a", answer())

    assert run.timers == {}


def test_an_optional_task_that_runs_out_of_time_is_passed_over() -> None:
    flow = workflow(
        task("a", "WAIT", optional=True), http("b"),
        definitions={"a": {"timeoutSeconds": 5, "responseTimeoutSeconds": 5, "retryCount": 0,
                           "timeoutPolicy": "RETRY"}},
    )  # fmt: skip
    run = Simulator(flow).begin()
    run.fires()

    assert run.task("a").status == "COMPLETED_WITH_ERRORS"
    assert run.request("b")

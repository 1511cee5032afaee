"""Pause, resume, terminate, retry, restart."""

from __future__ import annotations

import pytest

from services.executor.core.blocking import blocked
from services.executor.core.events import (
    CallbacksReset,
    Paused,
    Restarted,
    Resumed,
    Retried,
    Terminated,
    VariablesSet,
)
from services.executor.core.model import Refused
from tests.executor.core.simulator import Simulator, answer, failure, http, task, workflow


def test_nothing_new_starts_while_paused() -> None:
    run = Simulator(workflow(http("a"), http("b"))).begin()
    run.happens(Paused())
    run.happens(Paused())
    run.answers("a", answer({"n": 1}))

    assert (run.status, run.task("a").status, run.performs) == ("PAUSED", "COMPLETED", {})
    run.crash()
    run.happens(Resumed())
    assert run.status == "RUNNING"
    assert run.request("b")


def test_a_poll_goes_on_while_paused() -> None:
    poll = task("p", "HTTP_POLL", {"uri": "http://x", "terminationCondition": 0,
                                   "pollingInterval": 1})  # fmt: skip
    run = Simulator(workflow(poll)).begin()
    run.happens(Paused())
    run.answers("p", answer())
    run.fires()

    assert run.request("p")


def test_retries_and_delays_that_come_due_while_paused_wait() -> None:
    run = Simulator(workflow(http("a", None, retryCount=1, startDelay=5))).begin()
    run.happens(Paused())
    run.fires()
    assert run.performs == {}
    run.happens(Resumed())
    run.happens(Paused())
    run.answers("a", failure())
    assert run.task("a").attempt == 0
    run.happens(Resumed())

    assert run.task("a").attempt == 1
    assert run.until("a") == 60


def test_a_failure_while_paused_ends_it_once_it_is_resumed() -> None:
    run = Simulator(workflow(http("a"))).begin()
    run.happens(Paused())
    run.answers("a", answer(status=500))
    assert run.status == "PAUSED"
    run.happens(Resumed())

    assert run.status == "FAILED"


def test_resume_sets_the_clock_of_the_execution_back() -> None:
    flow = workflow(http("a"), timeoutSeconds=30, timeoutPolicy="TIME_OUT_WF")
    run = Simulator(flow).begin()
    run.passes(seconds=20)
    run.happens(Paused())
    run.happens(Resumed())
    run.fires()

    assert run.execution.reason.startswith("Workflow timed out after 30 seconds.")


def test_terminate_cancels_what_is_open() -> None:
    flow = workflow(task("w", "WAIT", {"duration": "1h"}), failureWorkflow="mend")
    run = Simulator(flow).begin()
    run.happens(Terminated("enough"))

    assert (run.status, run.execution.reason) == ("TERMINATED", "enough")
    assert run.task("w").status == "CANCELED"
    assert (run.timers, run.started) == ({}, [])
    before = run.execution
    assert run.happens(Terminated("again")).execution is before


def test_a_failed_execution_becomes_terminated() -> None:
    run = Simulator(workflow(http("a"))).begin()
    run.answers("a", answer(status=500))
    run.happens(Terminated("give up"))

    assert (run.status, run.execution.reason) == ("TERMINATED", "give up")


def test_retry_runs_the_failed_task_again_and_goes_on() -> None:
    run = Simulator(workflow(http("a"), http("b"), http("c"))).begin()
    run.answers("a", answer({"n": 1}))
    key = run.request("b").idempotency_key
    run.answers("b", failure(unknown=True))
    run.crash()
    run.happens(Retried())

    again = run.task("b")
    assert (run.status, run.execution.reason, run.execution.failed_refs) == ("RUNNING", "", ())
    assert (again.attempt, run.task("a").attempt) == (1, 0)
    # An operator's retry is a new call, whatever became of the last one.
    assert run.request("b").idempotency_key != key
    run.answers("b", answer())
    run.answers("c", answer())
    assert run.status == "COMPLETED"


def test_retry_after_terminate_runs_the_cancelled_task_again() -> None:
    run = Simulator(workflow(task("w", "WAIT"), http("b"))).begin()
    run.happens(Terminated())
    run.happens(Retried())
    run.says("w", "COMPLETED")

    assert run.request("b")


def test_retry_after_terminate_in_a_pause_goes_on_from_there() -> None:
    run = Simulator(workflow(http("a"), http("b"))).begin()
    run.happens(Paused())
    run.answers("a", answer())
    run.happens(Terminated())
    run.happens(Retried())

    assert run.request("b")


def test_retry_after_terminate_in_a_pause_runs_what_had_failed_again() -> None:
    run = Simulator(workflow(http("a"))).begin()
    run.happens(Paused())
    run.answers("a", answer(status=500))
    run.happens(Terminated())
    run.happens(Retried())

    assert (run.status, run.task("a").attempt) == ("RUNNING", 1)
    run.answers("a", answer())
    assert run.status == "COMPLETED"


def test_retry_of_a_permissive_failure_does_not_run_what_came_after_again() -> None:
    run = Simulator(workflow(http("a", None, permissive=True), http("b"))).begin()
    run.answers("a", answer(status=500))
    run.answers("b", answer())
    assert run.status == "FAILED"
    run.happens(Retried())
    run.answers("a", answer())

    assert run.status == "COMPLETED"
    assert run.task("b").attempt == 0
    assert len(run.rows) == 3


def test_nothing_is_sent_for_a_task_that_the_same_decision_cancelled() -> None:
    flow = workflow(http("a", None, permissive=True), http("t", {"uri": "ftp://x"}))
    run = Simulator(flow).begin()
    run.answers("a", answer(status=500))
    decision = run.happens(Retried())

    assert (run.status, run.task("a").status) == ("FAILED", "CANCELED")
    assert decision.commands == ()


def test_retry_of_a_branch_rejoins_the_flow() -> None:
    flow = workflow(
        task("s", "SWITCH", {"v": "x"}, evaluatorType="value-param", expression="v",
             decisionCases={"x": [http("in_x")]}),
        http("after"),
    )  # fmt: skip
    run = Simulator(flow).begin()
    run.answers("in_x", answer(status=500))
    run.happens(Retried())
    run.answers("in_x", answer())

    assert run.request("after")


def test_retry_of_a_permissive_failure_in_a_branch_goes_on_behind_the_branch() -> None:
    flow = workflow(
        task("s", "SWITCH", {"v": "x"}, evaluatorType="value-param", expression="v",
             decisionCases={"x": [http("in_x", None, permissive=True)]}),
        http("after"),
    )  # fmt: skip
    run = Simulator(flow).begin()
    run.answers("in_x", answer(status=500))
    run.answers("after", answer())
    run.happens(Retried())
    run.crash()
    assert (run.execution.open, run.task("s").open) == (1, 1)
    run.answers("in_x", answer())

    assert run.status == "COMPLETED"
    assert run.task("after").attempt == 0


@pytest.mark.parametrize("first", ["a", "b"])
def test_all_that_a_retry_runs_again_has_to_end(first: str) -> None:
    run = Simulator(workflow(http("a", None, permissive=True), http("b"))).begin()
    run.answers("a", answer(status=500))
    run.answers("b", answer(status=500))
    run.happens(Retried())
    run.answers(first, answer())
    run.crash()
    assert run.status == "RUNNING"
    run.answers("ab".replace(first, ""), answer())

    assert run.status == "COMPLETED"
    assert {row.status for row in run.execution.tasks.values()} == {"COMPLETED"}


def test_all_that_a_retry_runs_again_in_a_branch_has_to_end_before_the_flow_goes_on() -> None:
    flow = workflow(
        task("s", "SWITCH", {"v": "x"}, evaluatorType="value-param", expression="v",
             decisionCases={"x": [http("a", None, permissive=True), http("b")]}),
        http("after"),
    )  # fmt: skip
    run = Simulator(flow).begin()
    run.answers("a", answer(status=500))
    run.answers("b", answer(status=500))
    run.happens(Retried())
    run.answers("b", answer())
    assert "after" not in run.execution.tasks
    run.answers("a", answer())

    assert run.request("after")


def test_the_delay_of_an_attempt_that_a_retry_led_to_is_waited_for() -> None:
    flow = workflow(http("a", None, permissive=True, retryCount=2), http("b"))
    run = Simulator(flow).begin()
    for _ in range(2):
        run.answers("a", answer(status=500))
        run.fires()
    run.answers("a", answer(status=500))
    run.answers("b", answer(status=500))
    run.happens(Retried())
    run.answers("a", answer(status=500))
    run.answers("b", answer())

    assert run.status == "FAILED"
    assert run.task("a").status == "FAILED"


def test_restart_begins_again_with_new_ids_and_keys() -> None:
    run = Simulator(workflow(http("a"), variables={"n": 0})).begin()
    before, key = run.task("a"), run.request("a").idempotency_key
    run.answers("a", answer(status=500))
    run.passes(seconds=5)
    decision = run.happens(Restarted())

    assert decision.dropped
    assert [*run.rows] == [run.task("a").id]
    assert run.task("a").id != before.id
    assert run.request("a").idempotency_key != key
    assert run.execution.created_at == run.now
    assert (run.execution.restarts, run.execution.reason, run.task("a").sequence) == (1, "", 1)


def test_restart_may_take_another_definition() -> None:
    run = Simulator(workflow(http("a")), {"x": 1}).begin()
    run.answers("a", answer())
    run.happens(Restarted(workflow(http("z"), inputTemplate={"y": 2})))

    assert [*run.execution.tasks] == ["z"]
    assert run.execution.input == {"x": 1, "y": 2}


def test_what_does_not_fit_is_refused_and_changes_nothing() -> None:
    run = Simulator(workflow(http("a"), restartable=False)).begin()
    for event in (Resumed(), Retried(), Restarted()):
        with pytest.raises(Refused):
            run.happens(event)
    run.answers("a", answer())
    for late in (Paused(), Resumed(), Terminated(), Retried(), Restarted()):
        with pytest.raises(Refused):
            run.happens(late)

    assert run.status == "COMPLETED"


def test_variables_are_set_all_or_none() -> None:
    run = Simulator(workflow(http("a"), http("b", {"body": "${workflow.variables.n}"}),
                             variables={"n": 1, "m": 1})).begin()  # fmt: skip
    run.happens(VariablesSet({"n": 2}))
    with pytest.raises(Refused, match="at most 262144 are allowed"):
        run.happens(VariablesSet({"m": 2, "long": "x" * (256 << 10)}))
    before = run.execution
    assert run.happens(VariablesSet({"n": 2})).execution is before
    run.answers("a", answer())

    assert run.execution.variables == {"n": 2, "m": 1}
    assert run.request("b").body == 2
    run.answers("b", answer())
    with pytest.raises(Refused, match="it is COMPLETED"):
        run.happens(VariablesSet({"n": 3}))


def test_what_waits_for_a_delay_begins_now() -> None:
    run = Simulator(workflow(http("a", None, startDelay=60, retryCount=1))).begin()
    assert run.performs == {}
    run.happens(CallbacksReset())
    assert (run.timers.keys(), bool(run.request("a"))) == (run.timers.keys(), True)
    run.answers("a", failure())
    assert run.until("a") == 60
    run.happens(CallbacksReset())
    assert run.task("a").attempt == 1
    run.answers("a", answer())

    assert (run.status, run.timers) == ("COMPLETED", {})
    with pytest.raises(Refused, match="it is COMPLETED"):
        run.happens(CallbacksReset())


def test_a_cancelled_task_ends_the_whole_terminated() -> None:
    run = Simulator(workflow(task("w", "WAIT"), definitions={"w": {"retryCount": 3}})).begin()
    run.says("w", "CANCELED", reason="not wanted")

    assert (run.task("w").status, run.status) == ("CANCELED", "TERMINATED")


def test_without_the_suffix_of_its_round_the_open_task_of_a_loop_is_meant() -> None:
    loop = task("loop", "DO_WHILE", loopOver=[task("w", "WAIT")], items=["x", "y"])
    run = Simulator(workflow(loop)).begin()
    run.says("w", "COMPLETED", {"n": 1})
    run.says("w", "COMPLETED", {"n": 2})

    assert run.status == "COMPLETED"
    assert [run.task(f"w__{number}").output for number in (1, 2)] == [{"n": 1}, {"n": 2}]
    # Of the last one it is a repeat.
    run.says("w", "COMPLETED", {"n": 2})
    with pytest.raises(Refused, match="has ended already"):
        run.says("w", "FAILED")


def test_a_signal_is_for_what_waits_for_somebody() -> None:
    run = Simulator(workflow(task("timed", "WAIT", {"duration": "1h"}), task("w", "WAIT"))).begin()
    assert list(blocked(run.execution)) == []
    run.fires()

    assert list(blocked(run.execution)) == [run.task("w")]


def test_callbacks_that_are_reset_leave_a_call_its_time() -> None:
    """What a worker gives back has a timer of the same name as a call that waits for a word."""
    run = Simulator(workflow(http("a", asyncComplete=True))).begin()
    run.answers("a", answer(status=200))
    timers = {**run.timers}
    assert [key.name for key in timers] == ["callback"]
    run.happens(CallbacksReset())

    assert run.timers == timers

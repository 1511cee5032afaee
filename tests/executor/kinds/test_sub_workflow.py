"""SUB_WORKFLOW and START_WORKFLOW; what the executor makes of them is in test_kin.py."""

from __future__ import annotations

import pytest

from services.executor.core.blocking import word_of
from services.executor.core.events import (
    ChildEnded,
    ChildReopened,
    Restarted,
    Retried,
    Terminated,
)
from services.executor.core.model import ExecutionStatus, Json
from tests.executor.core.simulator import Simulator, answer, http, task, workflow


def sub(ref: str, inputs: Json = None, name: Json = "child", **more: Json) -> dict[str, Json]:
    return task(ref, "SUB_WORKFLOW", inputs, subWorkflowParam={"name": name}, **more)


def ends(run: Simulator, ref: str, status: str, output: Json = None, reason: str = "") -> None:
    """What the task has started ends."""
    ended = ChildEnded(run.task(ref).id, "child.1/x", ExecutionStatus(status), output, reason)
    run.happens(ended)


def test_another_workflow_is_started_and_waited_for() -> None:
    run = Simulator(workflow(sub("s", {"x": 1}))).begin()
    (child,) = run.started
    assert (child.workflow, child.version, child.input) == ("child", 1, {"x": 1})
    assert (child.task_id, child.depth, child.correlation_id) == (run.task("s").id, 1, "c-1")
    run.crash()
    assert run.started == [child]
    ends(run, "s", "COMPLETED", {"from": "child"})

    assert run.execution.output == {"subWorkflowId": child.id, "from": "child"}


@pytest.mark.parametrize(
    ("status", "task_status", "execution_status"),
    [("FAILED", "FAILED", "FAILED"), ("TIMED_OUT", "TIMED_OUT", "TIMED_OUT"),
     ("TERMINATED", "CANCELED", "TERMINATED")],
)  # fmt: skip
def test_it_ends_as_what_it_started(status: str, task_status: str, execution_status: str) -> None:
    run = Simulator(workflow(sub("s"))).begin()
    ends(run, "s", status, {"so": "far"}, "Because.")

    assert (run.task("s").status, run.status) == (task_status, execution_status)
    assert run.task("s").reason == "Sub workflow child.1/x failure reason: Because."
    output = run.task("s").output
    assert isinstance(output, dict)
    assert output["so"] == "far"


def test_a_retry_by_its_definition_starts_another_one() -> None:
    definitions: Json = {"s": {"retryCount": 1, "retryDelaySeconds": 5}}
    run = Simulator(workflow(sub("s"), definitions=definitions)).begin()
    ends(run, "s", "FAILED")
    run.fires()

    first, second = run.started
    assert first.id != second.id
    assert second.task_id == run.task("s").id


def test_an_end_that_comes_twice_or_late_changes_nothing() -> None:
    run = Simulator(workflow(sub("s"), http("h"))).begin()
    ended = ChildEnded(run.task("s").id, "child.1/x", ExecutionStatus.COMPLETED, {"n": 1})
    run.happens(ended)
    after = run.execution
    assert run.happens(ended).execution == after


def test_what_it_started_is_told_when_the_execution_ends_before_it() -> None:
    run = Simulator(workflow(sub("s"))).begin()
    run.happens(Terminated("enough"))

    (told,) = run.told
    assert told.id == run.started[0].id
    said = "Parent workflow has been terminated with reason: enough"
    assert told.event == Terminated(said, by_parent=True)


def test_an_end_of_its_own_stays_when_its_parent_ends() -> None:
    run = Simulator(workflow(http("h"))).begin()
    run.answers("h", answer(status=500))
    after = run.execution

    assert run.happens(Terminated("too late", by_parent=True)).execution == after
    run.happens(Terminated("by hand"))
    assert run.status == "TERMINATED"


def test_an_operators_retry_begins_anew_or_goes_on_in_what_was_started() -> None:
    run = Simulator(workflow(sub("s"))).begin()
    ends(run, "s", "FAILED")
    run.happens(Retried())
    assert len(run.started) == 2
    ends(run, "s", "FAILED")
    run.happens(Retried(resume=True))

    assert len(run.started) == 2
    word = word_of(run.task("s").id, 1)
    assert [told.event for told in run.told] == [Retried(resume=True, by_parent=True, word=word)]
    assert run.told[0].id == run.started[1].id
    ends(run, "s", "COMPLETED", {"n": 1})
    assert run.status == "COMPLETED"


def test_what_was_started_and_runs_again_is_waited_for_again() -> None:
    fork = task("fork", "FORK_JOIN", forkTasks=[[sub("s")], [http("beside")]])
    run = Simulator(workflow(fork, task("join", "JOIN", joinOn=["s", "beside"]))).begin()
    ends(run, "s", "FAILED")
    assert run.task("beside").status == "CANCELED"
    run.happens(ChildReopened(run.task("s").id))

    assert run.status == "RUNNING"
    assert (run.task("s").attempt, run.task("beside").attempt) == (0, 1)
    run.answers("beside", answer())
    ends(run, "s", "COMPLETED")
    assert run.status == "COMPLETED"


def test_a_child_of_an_earlier_life_is_not_waited_for() -> None:
    run = Simulator(workflow(sub("s"))).begin()
    old = run.task("s").id
    ends(run, "s", "FAILED")
    run.happens(Restarted())
    after = run.execution
    for event in (ChildReopened(old), ChildEnded(old, "x", ExecutionStatus.COMPLETED)):
        assert run.happens(event).execution == after


@pytest.mark.parametrize(
    ("param", "reason"),
    [({}, "subWorkflowParam.name must name a workflow."),
     ({"name": 5}, "subWorkflowParam.name must name a workflow."),
     ({"name": "gone"}, "There is no gone."),
     ({"name": "x", "workflowDefinition": "${workflow.input.none}"}, None),
     ({"workflowDefinition": "text"}, "subWorkflowParam.workflowDefinition is no workflow.")],
)  # fmt: skip
def test_what_names_no_workflow_fails_it(param: Json, reason: str | None) -> None:
    run = Simulator(workflow(task("s", "SUB_WORKFLOW", subWorkflowParam=param)))
    run.missing.add("gone")
    run.begin()

    if reason is None:
        assert run.started[0].workflow == "x"
    else:
        assert (run.task("s").status, run.task("s").reason) == (
            "FAILED_WITH_TERMINAL_ERROR", reason,
        )  # fmt: skip


def test_what_is_started_and_not_waited_for_has_its_id() -> None:
    given: Json = {"startWorkflow": {"name": "other", "version": 3, "input": {"x": 1},
                                     "correlationId": "mine"}}  # fmt: skip
    run = Simulator(workflow(task("s", "START_WORKFLOW", given))).begin()

    (started,) = run.started
    assert (started.workflow, started.version, started.input) == ("other", 3, {"x": 1})
    assert (started.task_id, started.correlation_id) == ("", "mine")
    assert run.task("s").output == {"workflowId": started.id}


@pytest.mark.parametrize(
    ("given", "reason"),
    [({}, "Missing 'startWorkflow' in input data."),
     ({"startWorkflow": {}}, "startWorkflow validation failed. 'name' -> must not be empty. "),
     ({"startWorkflow": {"name": "gone"}}, "There is no gone.")],
)  # fmt: skip
def test_a_start_that_cannot_be_made_fails_the_task(given: Json, reason: str) -> None:
    run = Simulator(workflow(task("s", "START_WORKFLOW", given)))
    run.missing.add("gone")
    run.begin()

    assert (run.task("s").status, run.task("s").reason) == ("FAILED", reason)

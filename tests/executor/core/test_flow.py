"""From step to step: order, output, failure, branches."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.executor.core.events import Performed, Started
from services.executor.core.model import Json, TaskStatus
from services.executor.core.scope import milliseconds
from tests.executor.core.simulator import (
    EPOCH,
    ID,
    Simulator,
    answer,
    http,
    task,
    workflow,
)


def test_steps_run_one_after_another_and_see_what_came_before() -> None:
    flow = workflow(
        http("a", {"body": {"order": "${workflow.input.order}"}}),
        http("b", {"body": {"n": "${a.output.response.body.n}", "said": "n=${a.output.body.n}"}}),
        outputParameters={"last": "${b.output.body}", "id": "${workflow.workflowId}"},
    )
    run = Simulator(flow, {"order": {"id": 7}}).begin()

    assert run.request("a").body == {"order": {"id": 7}}
    assert "b" not in run.execution.tasks
    run.answers("a", answer({"n": 12345678901234567890123}))
    assert run.request("b").body == {
        "n": 12345678901234567890123,
        "said": "n=12345678901234567890123",
    }
    run.answers("b", answer({"ok": True}))

    assert run.status == "COMPLETED"
    assert run.execution.output == {"last": {"ok": True}, "id": ID}
    assert [row.sequence for row in run.rows.values()] == [1, 2]
    assert run.timers == {}


def test_without_output_parameters_the_last_task_gives_the_output() -> None:
    flow = workflow(
        http("a"),
        task("choose", "SWITCH", {"kind": "x"}, evaluatorType="value-param", expression="kind",
             decisionCases={"x": [task("made", "INLINE", {"expression": "made"})]}),
    )  # fmt: skip
    run = Simulator(flow, judge=lambda source, scope: {"it": source}).begin()
    run.answers("a", answer())

    assert run.execution.output == {"result": {"it": "made"}}


def test_an_event_twice_is_an_event_once() -> None:
    run = Simulator(workflow(http("a"), http("b"))).begin()
    perform = run.performs[run.task("a").id]
    event = Performed(perform.task_id, perform.number, answer({"n": 1}))
    run.happens(event)
    before = run.execution

    for again in (event, Started()):
        decision = run.happens(again)
        assert decision.execution is before
        assert (decision.changed, decision.commands) == ((), ())


def test_a_failed_task_fails_the_execution_and_names_itself() -> None:
    run = Simulator(workflow(http("a"), http("b"))).begin()
    run.answers("a", answer({"error": "no stock"}, 409, x_trace="t1"))

    failed = run.task("a")
    assert run.status == "FAILED"
    assert run.execution.reason == (
        f"Task {failed.id} failed with status: FAILED and reason: 'The server answered 409 Said.'"
    )
    assert run.execution.failed_refs == ("a",)
    assert run.execution.output == failed.output
    assert failed.output == {
        "response": {
            "statusCode": 409,
            "headers": {"x-trace": ["t1"]},
            "body": {"error": "no stock"},
            "reasonPhrase": "Said",
        },
        "statusCode": 409,
        "status": 409,
        "body": {"error": "no stock"},
        "headers": {"x-trace": ["t1"]},
    }


def test_an_optional_failure_is_passed_over() -> None:
    run = Simulator(workflow(http("a", optional=True), task("b", "NOOP"))).begin()
    run.answers("a", answer(status=500))

    assert run.task("a").status == "COMPLETED_WITH_ERRORS"
    assert run.status == "COMPLETED"


def test_a_permissive_failure_fails_the_execution_at_its_end() -> None:
    run = Simulator(workflow(http("a", permissive=True), http("b"))).begin()
    run.answers("a", answer(status=500))
    assert run.status == "RUNNING"
    run.answers("b", answer())

    assert run.status == "FAILED"
    assert run.execution.failed_refs == ("a",)
    assert run.execution.reason.startswith(f"Task {run.task('a').id} failed with status: FAILED")


def test_a_workflow_without_tasks_completes() -> None:
    run = Simulator(workflow()).begin()

    assert run.status == "COMPLETED"
    assert run.execution.reason == "No tasks found to be executed"


def test_an_unknown_kind_is_a_reason_not_a_crash() -> None:
    run = Simulator(workflow(task("a", "HTPP")), kinds={}).begin()

    assert run.status == "FAILED"
    assert run.task("a").reason == "There is no task type 'HTPP'."


def test_a_start_delay_comes_before_the_first_attempt() -> None:
    run = Simulator(workflow(http("a", startDelay=30))).begin()

    waiting = run.task("a")
    assert (waiting.status, waiting.started_at) == (TaskStatus.SCHEDULED, None)
    assert waiting.callback_after.total_seconds() == run.until("a") == 30
    assert run.performs == {}
    run.fires()
    assert run.request("a").uri == "http://upstream/a"
    assert run.timers == {}


def test_the_templates_of_input_fill_what_is_missing_or_null() -> None:
    flow = workflow(
        task("a", "INLINE", {"expression": "x", "given": "${workflow.input.given}", "own": 1}),
        inputTemplate={"color": "red", "size": 1},
        definitions={"a": {"inputTemplate": {"given": "${workflow.input.color}", "more": [2]}}},
    )
    run = Simulator(flow, {}, judge=lambda source, scope: 0).begin()

    assert run.execution.input == {"color": "red", "size": 1}
    assert run.task("a").input == {"given": "red", "more": [2], "expression": "x", "own": 1}


@pytest.mark.parametrize("more", [{}, {"y": "${workflow.input.y}"}])
def test_a_null_of_the_definition_takes_what_the_template_has(more: dict[str, Json]) -> None:
    flow = workflow(
        task("a", "NOOP", {"x": None, "z": None, **more}),
        inputTemplate={"color": "red"},
        definitions={"a": {"inputTemplate": {"x": 5}}},
    )
    run = Simulator(flow, {"color": None, "y": 1}).begin()

    assert run.execution.input == {"color": "red", "y": 1}
    assert run.task("a").input == {"x": 5, "z": None} | ({"y": 1} if more else {})


def test_a_failure_workflow_is_started_with_a_summary() -> None:
    run = Simulator(workflow(http("a"), failureWorkflow="mend", failureWorkflowVersion=3), {"x": 1})
    run.begin().answers("a", answer({"n": 1}, 500))

    (started,) = run.started
    assert (started.workflow, started.version, started.correlation_id) == ("mend", 3, "c-1")
    assert run.execution.output == {
        **_object(run.task("a").output),
        "conductor.failure_workflow": started.id,
    }
    assert {key: started.input[key] for key in ("x", "workflowId", "failureStatus")} == {
        "x": 1, "workflowId": ID, "failureStatus": "FAILED",
    }  # fmt: skip
    assert started.input["reason"] == run.execution.reason
    assert started.input["failureTaskId"] == run.task("a").id
    summary = _object(started.input["failedWorkflow"])
    assert summary["startTime"] == milliseconds(EPOCH)
    assert summary["failedReferenceTaskNames"] == ["a"]
    assert summary["tasks"] == [
        {
            "taskId": run.task("a").id, "referenceTaskName": "a", "taskType": "HTTP",
            "status": "FAILED", "retryCount": 0, "outputData": run.task("a").output,
            "reasonForIncompletion": "The server answered 500 Said.",
        }
    ]  # fmt: skip


def test_a_failure_workflow_may_be_named_by_the_input() -> None:
    run = Simulator(workflow(http("a"), failureWorkflow="$.workflow.input.mender"), {"mender": "m"})
    run.begin().answers("a", answer(status=500))

    assert [started.workflow for started in run.started] == ["m"]


def test_nested_branches_rejoin_the_flow_behind_them() -> None:
    inner = task("inner", "SWITCH", {"n": 2}, evaluatorType="value-param", expression="n",
                 decisionCases={"2": [task("deep", "NOOP")]}, defaultCase=[])  # fmt: skip
    outer = task("outer", "SWITCH", {"k": True}, evaluatorType="value-param", expression="k",
                 decisionCases={"true": [inner, task("after", "NOOP")]})  # fmt: skip
    run = Simulator(workflow(outer, task("end", "NOOP"))).begin()

    order = [row.ref for row in sorted(run.rows.values(), key=lambda row: row.sequence)]
    assert order == ["outer", "inner", "deep", "after", "end"]
    assert run.status == "COMPLETED"


def _object(value: Json) -> Mapping[str, Json]:
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize(
    "field",
    [
        {"decisionCases": {"x": 3}}, {"defaultCase": [3]}, {"loopOver": 3}, {"forkTasks": [3]},
        {"defaultCase": [{"name": "a", "taskReferenceName": "a", "type": "NOOP"}]},
    ],
)  # fmt: skip
def test_fields_of_other_types_are_without_effect(field: dict[str, Json]) -> None:
    run = Simulator(workflow({**task("a", "NOOP"), **field})).begin()

    assert run.status == "COMPLETED"

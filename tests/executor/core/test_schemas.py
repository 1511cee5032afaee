"""Inputs and outputs that are held against schemas."""

from __future__ import annotations

from typing import Any

import pytest

from services.executor.core.events import Paused, Resumed, Retried
from services.executor.core.model import ExecutionStatus, Json, TaskStatus
from tests.executor.core.simulator import Simulator, answer, http, task, workflow

NUMBER: dict[str, Json] = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}


def held(**fields: Json) -> dict[str, Json]:
    """A task definition that enforces what it is given."""
    return {"name": "t", "retryCount": 0, "enforceSchema": True, **fields}


def test_an_input_that_keeps_to_the_schema_begins() -> None:
    run = Simulator(workflow(task("t", "NOOP"), inputSchema={"data": NUMBER}), {"n": 1}).begin()

    assert run.status is ExecutionStatus.COMPLETED


def test_an_input_that_breaks_it_ends_what_is_stored_already() -> None:
    run = Simulator(workflow(task("t", "NOOP"), inputSchema={"data": NUMBER}), {"n": "x"}).begin()

    assert run.status is ExecutionStatus.FAILED
    assert run.execution.reason == (
        'The input breaks the inputSchema: /n: this value is not of type "integer".'
    )
    assert not run.rows
    assert not run.timers


def test_what_the_gateway_adds_is_judged_only_where_the_schema_speaks_of_it() -> None:
    given: dict[str, Json] = {"n": 1, "requestMetadata": {"requestId": 7}}
    closed = workflow(task("t", "NOOP"), inputSchema={"data": NUMBER})
    speaking = workflow(
        task("t", "NOOP"),
        inputSchema={
            "data": {
                "properties": {"requestMetadata": {"properties": {"requestId": {"type": "string"}}}}
            }
        },
    )

    assert Simulator(closed, given).begin().status is ExecutionStatus.COMPLETED
    assert Simulator(speaking, given).begin().status is ExecutionStatus.FAILED


def test_one_paused_before_it_began_is_judged_when_it_goes_on() -> None:
    run = Simulator(workflow(task("t", "NOOP"), inputSchema={"data": NUMBER}), {"n": "x"})
    run.happens(Paused())
    run.begin()
    assert not run.rows
    run.happens(Resumed())

    assert run.status is ExecutionStatus.FAILED


@pytest.mark.parametrize(
    "more", [{"enforceSchema": False}, {"inputSchema": {"data": {}}}, {"inputSchema": None}]
)
def test_what_is_not_enforced_changes_nothing(more: dict[str, Json]) -> None:
    fields: dict[str, Any] = {"inputSchema": {"data": NUMBER}, **more}
    run = Simulator(workflow(task("t", "NOOP"), **fields), {"n": "x"}).begin()

    assert run.status is ExecutionStatus.COMPLETED


def test_an_output_that_breaks_its_schema_fails_the_execution_and_is_kept() -> None:
    flow = workflow(
        task("t", "NOOP"),
        outputParameters={"n": "${workflow.input.n}"},
        outputSchema={"data": NUMBER},
        failureWorkflow="mend",
    )
    run = Simulator(flow, {"n": "x"}).begin()

    assert run.status is ExecutionStatus.FAILED
    assert run.execution.reason == (
        'The output breaks the outputSchema: /n: this value is not of type "integer".'
    )
    assert isinstance(run.execution.output, dict)
    assert run.execution.output["n"] == "x"
    (failure,) = run.started
    assert failure.workflow == "mend"
    assert Simulator(flow, {"n": 1}).begin().status is ExecutionStatus.COMPLETED


def test_an_output_is_not_judged_where_it_failed_anyway() -> None:
    flow = workflow(http("t"), outputParameters={"n": "x"}, outputSchema={"data": NUMBER})
    run = Simulator(flow).begin()
    run.answers("t", answer(status=500))

    assert run.status is ExecutionStatus.FAILED
    assert "outputSchema" not in run.execution.reason


def test_a_tasks_input_that_breaks_its_schema_fails_it_for_good_before_it_acts() -> None:
    definition = held(inputSchema={"data": {"required": ["missing"]}}, retryCount=3)
    run = Simulator(workflow(http("t", taskDefinition=definition))).begin()

    row = run.task("t")
    assert row.status is TaskStatus.FAILED_WITH_TERMINAL_ERROR
    assert row.reason == 'Its input breaks the inputSchema: "missing" is a required property.'
    assert not run.performs
    assert run.status is ExecutionStatus.FAILED


def test_a_tasks_output_that_breaks_its_schema_fails_it_and_is_kept() -> None:
    schema: Json = {"data": {"properties": {"body": {"type": "array"}}}}
    flow = workflow(http("t", taskDefinition=held(outputSchema=schema)), task("after", "NOOP"))
    run = Simulator(flow).begin()
    run.answers("t", answer({"a": 1}))

    row = run.task("t")
    assert row.status is TaskStatus.FAILED_WITH_TERMINAL_ERROR
    assert row.reason == (
        'Its output breaks the outputSchema: /body: this value is not of type "array".'
    )
    assert isinstance(row.output, dict)
    assert row.output["body"] == {"a": 1}
    assert "after" not in run.execution.tasks


def test_a_tasks_output_that_keeps_to_it_goes_on_as_ever() -> None:
    schema: Json = {"data": {"properties": {"body": {"type": "array"}}}}
    flow = workflow(http("t", taskDefinition=held(outputSchema=schema)), task("after", "NOOP"))
    run = Simulator(flow).begin()
    run.answers("t", answer([1]))

    assert run.task("after").status is TaskStatus.COMPLETED
    assert run.status is ExecutionStatus.COMPLETED


def test_what_somebody_outside_says_is_held_against_it_too() -> None:
    flow = workflow(task("t", "HUMAN", taskDefinition=held(outputSchema={"data": NUMBER})))
    run = Simulator(flow).begin()
    run.says("t", "COMPLETED", {"n": "x"})

    assert run.task("t").status is TaskStatus.FAILED_WITH_TERMINAL_ERROR


def test_failing_outputs_are_not_judged() -> None:
    flow = workflow(task("t", "HUMAN", taskDefinition=held(outputSchema={"data": NUMBER})))
    run = Simulator(flow).begin()
    run.says("t", "FAILED", {"why": "x"})

    assert run.task("t").status is TaskStatus.FAILED


def test_an_optional_task_that_breaks_its_schema_is_passed() -> None:
    definition = held(outputSchema={"data": NUMBER})
    flow = workflow(
        task("v", "SET_VARIABLE", {"n": 1}, optional=True, taskDefinition=definition),
        task("after", "NOOP"),
    )
    run = Simulator(flow).begin()

    assert run.task("v").status is TaskStatus.COMPLETED_WITH_ERRORS
    assert run.execution.variables == {}
    assert run.status is ExecutionStatus.COMPLETED


def test_after_a_retry_it_is_judged_again() -> None:
    flow = workflow(http("t", taskDefinition=held(outputSchema={"data": {"required": ["x"]}})))
    run = Simulator(flow).begin()
    run.answers("t", answer())
    run.happens(Retried())
    run.answers("t", answer())

    assert run.task("t").attempt == 1
    assert run.task("t").status is TaskStatus.FAILED_WITH_TERMINAL_ERROR


def test_half_a_surrogate_pair_is_a_fault_and_no_more() -> None:
    schema: Json = {"data": {"properties": {"a": {}}}}
    run = Simulator(workflow(task("t", "NOOP"), inputSchema=schema), {"\ud800": 1}).begin()

    assert run.status is ExecutionStatus.FAILED
    assert "half a surrogate pair" in run.execution.reason

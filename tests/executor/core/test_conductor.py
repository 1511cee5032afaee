"""An execution as Conductor writes it."""

from __future__ import annotations

from datetime import timedelta

from services.executor.core.conductor import execution_json
from services.executor.core.scope import milliseconds
from tests.executor.core.simulator import EPOCH, ID, Simulator, answer, failure, http, workflow


def test_an_execution_is_written_with_all_its_attempts() -> None:
    run = Simulator(workflow(http("a", None, retryCount=1), http("b")), {"x": 1}).begin()
    run.answers("a", failure("Refused."))
    run.fires()
    run.answers("a", answer({"n": 1}))
    run.answers("b", answer(status=500))

    attempts = sorted(run.rows.values(), key=lambda row: row.sequence)
    written = execution_json(run.execution, attempts)
    tasks = written.pop("tasks")
    kept = execution_json(run.execution, (), {"kind": "workflow", "name": "x", "tasks": []})
    assert kept["workflowDefinition"] == {"name": "x", "tasks": []}
    definition = written.pop("workflowDefinition")
    assert written == {
        "workflowId": ID, "workflowName": "flow", "workflowVersion": 1, "status": "FAILED",
        "createTime": milliseconds(EPOCH), "startTime": milliseconds(EPOCH),
        "updateTime": milliseconds(run.now), "endTime": milliseconds(run.now),
        "correlationId": "c-1", "reasonForIncompletion": run.execution.reason,
        "failedReferenceTaskNames": ["b"], "failedTaskNames": ["b"], "input": {"x": 1},
        "output": run.execution.output, "variables": {}, "priority": 0, "lastRetriedTime": 0,
        "taskToDomain": {}, "rateLimited": False, "history": [],
    }  # fmt: skip
    assert isinstance(definition, dict)
    assert definition["name"] == "flow"
    assert isinstance(tasks, list)
    assert [
        {key: row.get(key) for key in ("taskType", "referenceTaskName", "status", "retryCount",
                                       "retried", "seq", "executed")}
        for row in tasks if isinstance(row, dict)
    ] == [
        {"taskType": "HTTP", "referenceTaskName": "a", "status": "FAILED", "retryCount": 0,
         "retried": True, "seq": 1, "executed": True},
        {"taskType": "HTTP", "referenceTaskName": "a", "status": "COMPLETED", "retryCount": 1,
         "retried": False, "seq": 2, "executed": True},
        {"taskType": "HTTP", "referenceTaskName": "b", "status": "FAILED", "retryCount": 0,
         "retried": False, "seq": 3, "executed": True},
    ]  # fmt: skip
    second = tasks[1]
    assert isinstance(second, dict)
    assert second["retriedTaskId"] == attempts[0].id
    assert second["startTime"] == milliseconds(EPOCH) + 60_000
    assert second["queueWaitTime"] == 60_000
    assert second["workflowTask"] == run.execution.workflow.steps["a"].document


def test_a_moment_is_told_as_the_millisecond_that_it_is_in() -> None:
    # Told as the next one, it would be before the time that is told of it.
    assert milliseconds(EPOCH + timedelta(microseconds=999_999)) == milliseconds(EPOCH) + 999
    assert milliseconds(None) == 0

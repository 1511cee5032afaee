"""Executions by Conductor's Python client: started, waited for, signalled, operated, found."""

from __future__ import annotations

from typing import Any

from conductor.client.http.models import (
    RerunWorkflowRequest,
    SkipTaskRequest,
    StartWorkflowRequest,
    TaskResult,
    WorkflowStateUpdate,
)
from conductor.client.http.models.correlation_ids_search_request import CorrelationIdsSearchRequest
from conductor.client.http.models.start_workflow_request import IdempotencyStrategy
from conductor.client.http.models.workflow_test_request import WorkflowTestRequest
from conductor.client.workflow.conductor_workflow import ConductorWorkflow
from conductor.client.workflow.task.json_jq_task import JsonJQTask

from tests.system.conductor.world import Conductor, refused
from tests.system.running import until

# Starts


def test_executions_are_started_and_read(conductor: Conductor) -> None:
    workflows = conductor.workflows
    conductor.waiting("py_started")
    by_name = workflows.start_workflow_by_name("py_started", {"n": 1}, 1, "py-order", 3)
    other = conductor.start("py_started", correlation_id="py-order", input={"n": 2})
    many = conductor.executor.start_workflows(*[StartWorkflowRequest(name="py_started")] * 3)

    read = workflows.get_workflow(by_name, include_tasks=True)
    assert (read.status, read.input, read.correlation_id) == ("RUNNING", {"n": 1}, "py-order")
    assert [task.reference_task_name for task in read.tasks] == ["held"]
    assert len(set(many)) == 3
    found = workflows.get_by_correlation_ids("py_started", ["py-order", "py-other"])
    assert {each.workflow_id for each in found["py-order"]} == {by_name, other}
    batch = CorrelationIdsSearchRequest(["py-order"], ["py_started"])
    assert len(workflows.get_by_correlation_ids_in_batch(batch)["py-order"]) == 2
    with refused(404):
        workflows.get_workflow("no-such-execution")
    with refused(404):
        conductor.start("py_nowhere")


def test_a_start_with_a_key_is_once(conductor: Conductor) -> None:
    conductor.waiting("py_once")

    def start(strategy: IdempotencyStrategy) -> str:
        return conductor.start(
            "py_once", idempotency_key="py-1", idempotency_strategy=strategy, input={}
        )

    first = start(IdempotencyStrategy.RETURN_EXISTING)
    assert start(IdempotencyStrategy.RETURN_EXISTING) == first
    with refused(409):
        start(IdempotencyStrategy.FAIL)


def test_a_workflow_runs_without_being_registered(conductor: Conductor) -> None:
    flow = ConductorWorkflow(conductor.executor, "py_inline", 1).timeout_seconds(0)
    flow.add(JsonJQTask("twice", ".n * 2").input_parameter("n", flow.input("n")))
    flow.output_parameters({"n": "${twice.output.result}"})

    assert flow.execute({"n": 21}).output == {"n": 42}


# Executions that are waited for


def test_execute_waits_for_the_end(conductor: Conductor) -> None:
    conductor.at_work("py_greet")
    run = conductor.executor.execute("py_greets", version=1, workflow_input={"name": "Ada"})

    assert (run.status, run.output) == ("COMPLETED", {"result": "Hello Ada"})
    assert [task.status for task in run.tasks] == ["COMPLETED"]


def test_a_workflow_is_called_as_a_function(conductor: Conductor) -> None:
    conductor.at_work("py_greet")
    api = conductor.workflows.workflowResourceApi

    assert api.execute_workflow_as_api({"name": "Ada"}, "py_greets") == {"result": "Hello Ada"}
    assert api.execute_workflow_as_get_api("py_greets", version=1) == {"result": "Hello None"}


def test_execute_returns_at_a_task_and_when_its_time_is_up(conductor: Conductor) -> None:
    conductor.waiting("py_until", "first", "second")
    request = StartWorkflowRequest(name="py_until", version=1, input={})
    stopped = conductor.workflows.execute_workflow(request, wait_until_task_ref="first")
    assert (stopped.status, stopped.tasks[-1].reference_task_name) == ("RUNNING", "first")

    conductor.simple("py_unworked", "py_nobody_does_this")
    request = StartWorkflowRequest(name="py_unworked", version=1, input={})
    late = conductor.workflows.execute_workflow(request, wait_for_seconds=1)
    assert (late.status, late.tasks[0].status) == ("RUNNING", "SCHEDULED")


def test_signals_go_on_by_every_strategy(conductor: Conductor) -> None:
    conductor.waiting("py_signalled", "a", "b", "c", "d")
    request = StartWorkflowRequest(name="py_signalled", version=1, input={})
    run = conductor.workflows.execute_workflow_with_return_strategy(
        request, wait_for_seconds=5, return_strategy="BLOCKING_WORKFLOW"
    )
    assert (run.response_type, run.status) == ("BLOCKING_WORKFLOW", "RUNNING")
    id = run.workflow_id

    def signal(strategy: str) -> Any:
        return conductor.executor.signal(id, "COMPLETED", {"by": strategy}, strategy)

    assert signal("BLOCKING_TASK").reference_task_name == "b"
    assert signal("BLOCKING_TASK_INPUT").reference_task_name == "c"
    assert signal("TARGET_WORKFLOW").target_workflow_status == "RUNNING"
    conductor.executor.signal_async(id, "COMPLETED", {"by": "async"})
    ended = conductor.ended(id)
    assert ended.status == "COMPLETED"
    assert [task.output_data["by"] for task in ended.tasks][::3] == ["BLOCKING_TASK", "async"]


# Operations


def test_an_execution_is_paused_and_resumed(conductor: Conductor) -> None:
    conductor.waiting("py_paused", "first", "second")
    id = conductor.start("py_paused")
    conductor.workflows.pause_workflow(id)
    assert conductor.status(id) == "PAUSED"
    conductor.tasks.update_task_by_ref_name(id, "first", "COMPLETED", {})
    assert len(conductor.workflows.get_workflow(id).tasks) == 1
    conductor.workflows.resume_workflow(id)
    until(lambda: len(conductor.workflows.get_workflow(id).tasks) == 2, 20, "it goes on")


def test_an_execution_is_ended_and_run_again(conductor: Conductor) -> None:
    workflows = conductor.workflows
    conductor.waiting("py_again", "first", "second")
    id = conductor.start("py_again", input={"n": 1})
    workflows.terminate_workflow(id, reason="enough")
    ended = conductor.ended(id)
    assert (ended.status, ended.reason_for_incompletion) == ("TERMINATED", "enough")
    workflows.restart_workflow(id)
    assert conductor.status(id) == "RUNNING"
    conductor.tasks.update_task_by_ref_name(id, "first", "FAILED", {})
    assert conductor.ended(id).status == "FAILED"
    workflows.retry_workflow(id)
    rows = [(task.status, task.retry_count) for task in workflows.get_workflow(id).tasks]
    assert rows == [("FAILED", 0), ("IN_PROGRESS", 1)]

    workflows.skip_task_from_workflow(id, "second", SkipTaskRequest())
    conductor.tasks.update_task_by_ref_name(id, "first", "COMPLETED", {})
    ended = conductor.ended(id)
    assert [task.status for task in ended.tasks] == ["FAILED", "COMPLETED", "SKIPPED"]
    request = RerunWorkflowRequest(re_run_from_task_id=ended.tasks[1].task_id)
    assert workflows.rerun_workflow(id, request) == id
    assert conductor.status(id) == "RUNNING"
    workflows.terminate_workflow(id)
    workflows.delete_workflow(id)
    with refused(404):
        workflows.get_workflow(id)


def test_what_runs_is_told_and_looked_after(conductor: Conductor) -> None:
    api = conductor.workflows.workflowResourceApi
    conductor.simple("py_running", "py_nobody_does_this")
    ids = [conductor.start("py_running") for _ in range(2)]

    assert set(api.get_running_workflow("py_running")) == set(ids)
    api.decide(ids[0])
    api.reset_workflow(ids[0])
    assert conductor.status(ids[0]) == "RUNNING"
    conductor.workflows.terminate_workflow(ids[0], "enough")
    conductor.workflows.remove_workflow(ids[0])
    assert api.get_running_workflow("py_running") == ids[1:]


def test_what_there_is_not_is_told_with_what_there_is_instead(conductor: Conductor) -> None:
    conductor.waiting("py_unserved")
    id = conductor.start("py_unserved")

    with refused(501, "WAIT or HUMAN"):
        conductor.workflows.send_message(id, {"n": 1})
    with refused(501, "rerun it from a task"):
        conductor.workflows.workflowResourceApi.jump_to_task({}, id, task_reference_name="held")
    with refused(501, "by PUT /api/scheduler/bulk/pause"):
        conductor.clients.get_scheduler_client().pause_all_schedules()


def test_variables_and_states_are_set_from_outside(conductor: Conductor) -> None:
    conductor.waiting("py_states", "first", "second")
    id = conductor.start("py_states")
    conductor.workflows.update_variables(id, {"seen": 1})
    result = TaskResult(id, status="COMPLETED", output_data={"ok": True})
    update = WorkflowStateUpdate("first", result, {"more": 2})
    run = conductor.workflows.update_state(id, update, ["second"], wait_for_seconds=5)

    assert run.variables == {"seen": 1, "more": 2}
    assert [task.status for task in run.tasks] == ["COMPLETED", "IN_PROGRESS"]


def test_a_workflow_is_tested_without_workers(conductor: Conductor) -> None:
    mocks = {"step": [{"status": "COMPLETED", "output": {"result": "mocked"}}]}
    flow = conductor.simple("py_tested", "py_greet", name="x").to_workflow_def()
    request = WorkflowTestRequest(name="py_tested", version=1, input={}, workflow_def=flow)
    request.task_ref_to_mock_output = mocks
    run = conductor.workflows.test_workflow(request)

    assert (run.status, run.output) == ("COMPLETED", {"result": "mocked"})


def test_many_are_operated_at_once(conductor: Conductor) -> None:
    conductor.waiting("py_many")
    ids = [conductor.start("py_many") for _ in range(3)]

    def told(answer: Any) -> tuple[set[str], set[str]]:
        return set(answer.bulk_successful_results), set(answer.bulk_error_results)

    bulk = conductor.bulk
    assert told(bulk.pause_workflow([*ids, "nothing"])) == (set(ids), {"nothing"})
    assert {conductor.status(id) for id in ids} == {"PAUSED"}
    assert told(bulk.resume_workflow(ids)) == (set(ids), set())
    assert told(bulk.terminate(ids)) == (set(ids), set())
    assert told(bulk.restart(ids)) == (set(ids), set())
    assert {conductor.status(id) for id in ids} == {"RUNNING"}
    for id in ids:
        conductor.tasks.update_task_by_ref_name(id, "held", "FAILED", {})
    assert told(bulk.retry(ids)) == (set(ids), set())


def test_executions_and_tasks_are_found(conductor: Conductor) -> None:
    conductor.waiting("py_found")
    ids = {conductor.start("py_found", input={"of": f"order {n}"}) for n in range(3)}
    query = "workflowType = py_found AND status IN (RUNNING, PAUSED)"
    found = conductor.workflows.search(query=query)
    assert {each.workflow_id for each in found.results} == ids
    page = conductor.workflows.search(start=1, size=1, query=query)
    assert len(page.results) == 1
    free = conductor.workflows.search(free_text="order 2", query="workflowType = py_found")
    assert [each.input for each in free.results] == ['{"of":"order 2"}']
    tasks = conductor.tasks.taskResourceApi.search1(query="workflowType = py_found", size=10)
    assert {each.workflow_id for each in tasks.results} == ids

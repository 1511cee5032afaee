"""Events in a whole executor: told by tasks, handled once, over crashes too."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from podium.common.v1.page_pb2 import PageRequest
from podium.executor.v1 import event_runs_pb2 as pb, executor_pb2
from services.errors import InvalidRequest, PermissionDenied
from services.executor.eventing import rows
from services.rpc import on_behalf_of, raising_ours
from tests.executor.rig import ADMIN, Rig, executing, put, replica_of, step, traced, workflow

OUTCOME = pb.EventOutcome


def telling(name: str = "order", sink: str = "conductor:paid", **inputs: Any) -> dict[str, Any]:
    task = {**step("tell", "EVENT", **inputs), "sink": sink}
    return workflow(name, task)


def handler(
    *actions: dict[str, Any], name: str = "h", event: str = "conductor:order:paid", **more: Any
) -> dict[str, Any]:
    return {
        "kind": "event", "name": name, "event": event, "actions": list(actions), "active": True,
        **more,
    }  # fmt: skip


def starting(workflow_name: str = "ship", **request: Any) -> dict[str, Any]:
    return {"action": "start_workflow", "start_workflow": {"name": workflow_name, **request}}


SHIP = workflow("ship", step("done", "NOOP"))


async def runs(rig: Rig, **fields: Any) -> Sequence[pb.EventExecution]:
    response = await rig.stub.ListEventExecutions(
        pb.ListEventExecutionsRequest(**fields), metadata=ADMIN
    )
    return response.executions


async def until_done(rig: Rig, count: int = 1) -> Sequence[pb.EventExecution]:
    async with asyncio.timeout(60):
        while True:
            found = await runs(rig)
            if sum(run.outcome != OUTCOME.EVENT_OUTCOME_UNDER_WAY for run in found) >= count:
                return found
            await asyncio.sleep(0.01)


async def handled(rig: Rig) -> None:
    """Nothing that was told is left to be handled."""
    left = "SELECT count(*) FROM event_messages WHERE done_at IS NULL"
    async with asyncio.timeout(60):
        while await rig.store.readers.read(lambda db: db.execute(left).fetchone()[0]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_an_event_starts_a_workflow_with_what_it_tells(tmp_path: Path) -> None:
    documents = [
        telling(total="${workflow.input.total}"), SHIP,
        handler(starting(input={"sum": "${total}", "from": "${workflowInstanceId}"},
                         correlationId="c-${total}")),
    ]  # fmt: skip
    async with executing(tmp_path / "executor.db", documents) as rig:
        told = await rig.run("order", input={"total": 7})
        (run,) = await until_done(rig)
        ended = await rig.ended(run.target)
        document = json.loads((await rig.get(run.target)).document)

    assert ended.status == executor_pb2.EXECUTION_STATUS_COMPLETED
    assert document["input"] == {
        "sum": 7,
        "from": told.execution_id,
        "conductor.event.messageId": run.message_id,
        "conductor.event.name": "conductor:order:paid",
        "conductor.event.depth": 1,
    }
    assert document["correlationId"] == "c-7"
    assert json.loads(told.output)["event_produced"] == "conductor:order:paid"
    assert (run.event, run.handler, run.name) == ("conductor:order:paid", "h", "start_workflow")


async def test_without_a_name_the_event_is_named_by_the_task(tmp_path: Path) -> None:
    documents = [telling(sink="conductor"), SHIP, handler(starting(), event="conductor:order:tell")]
    async with executing(tmp_path / "executor.db", documents) as rig:
        await rig.run("order")
        (run,) = await until_done(rig)

    assert run.outcome == OUTCOME.EVENT_OUTCOME_COMPLETED


@pytest.mark.parametrize(("action", "status"), [("complete_task", "COMPLETED"),
                                                ("fail_task", "FAILED")])  # fmt: skip
async def test_an_event_ends_a_task_of_another_execution(
    action: str, status: str, tmp_path: Path
) -> None:
    ends = {
        "action": action,
        action: {"workflowId": "${target}", "taskRefName": "wait", "output": {"by": "${who}"},
                 "reasonForIncompletion": "said so"},
    }  # fmt: skip
    documents = [
        telling(target="${workflow.input.target}", who="ada"),
        workflow("held", step("wait", "WAIT")),
        handler(ends),
    ]
    async with executing(tmp_path / "executor.db", documents) as rig:
        held = await rig.begin("held")
        await rig.run("order", input={"target": held})
        result = await rig.ended(held)
        (run,) = await until_done(rig)
        task = json.loads((await rig.get(held)).document)["tasks"][0]

    assert executor_pb2.ExecutionStatus.Name(result.status).endswith(status)
    assert task["outputData"] == {"by": "ada"}
    assert run.target == task["taskId"]


async def test_an_event_terminates_an_execution(tmp_path: Path) -> None:
    ends = {
        "action": "terminate_workflow",
        "terminate_workflow": {"workflowId": "${target}", "terminationReason": "no more"},
    }
    documents = [
        telling(target="${workflow.input.target}"),
        workflow("held", step("wait", "WAIT")),
        handler(ends),
    ]
    async with executing(tmp_path / "executor.db", documents) as rig:
        held = await rig.begin("held")
        await rig.run("order", input={"target": held})
        result = await rig.ended(held)

    assert result.status == executor_pb2.EXECUTION_STATUS_TERMINATED
    assert result.reason == "no more"


async def test_an_event_sets_variables(tmp_path: Path) -> None:
    sets = {
        "action": "update_workflow_variables",
        "update_workflow_variables": {"workflowId": "${target}", "variables": {"who": "${who}"}},
    }
    documents = [
        telling(target="${workflow.input.target}", who="ada"),
        workflow("held", step("wait", "WAIT")),
        handler(sets),
    ]
    async with executing(tmp_path / "executor.db", documents) as rig:
        held = await rig.begin("held")
        await rig.run("order", input={"target": held})
        (run,) = await until_done(rig)
        document = json.loads((await rig.get(held)).document)

    assert run.outcome == OUTCOME.EVENT_OUTCOME_COMPLETED
    assert document["variables"] == {"who": "ada"}


async def test_a_condition_says_whether_anything_is_done(tmp_path: Path) -> None:
    documents = [
        telling(total="${workflow.input.total}"), SHIP,
        handler(starting(), name="large", condition="$.total > 5"),
        handler(starting(), name="small", condition="$.total <= 5"),
        handler(starting(), name="wrong", condition="$.total.no.such"),
    ]  # fmt: skip
    async with executing(tmp_path / "executor.db", documents, scripts=1) as rig:
        await rig.run("order", input={"total": 7})
        found = {run.handler: run for run in await until_done(rig, 3)}

    assert found["large"].outcome == OUTCOME.EVENT_OUTCOME_COMPLETED
    assert found["small"].outcome == OUTCOME.EVENT_OUTCOME_SKIPPED
    assert found["wrong"].outcome == OUTCOME.EVENT_OUTCOME_FAILED
    assert "condition of the event handler wrong" in found["wrong"].reason


async def test_what_cannot_be_done_says_why_and_harms_nothing_else(tmp_path: Path) -> None:
    nowhere = {"action": "complete_task",
               "complete_task": {"workflowId": "nowhere", "taskRefName": "x"}}  # fmt: skip
    nobody = {"action": "complete_task", "complete_task": {"workflowId": "${gone}", "taskId": "x"}}
    other = {"workflowId": "${workflowInstanceId}", "taskRefName": "y"}
    ended = {"action": "complete_task", "complete_task": other}
    documents = [telling(), SHIP, handler(starting("unknown"), nowhere, nobody, ended, starting())]
    async with executing(tmp_path / "executor.db", documents) as rig:
        await rig.run("order")
        found = sorted(await until_done(rig, 5), key=lambda run: run.action)

    assert [run.reason for run in found] == [
        "There is no workflow 'unknown'.",
        "There is no execution 'nowhere'.",
        "workflowId must be text, and is missing.",
        "There is no running task 'y' in the execution.",
        "",
    ]


async def test_an_event_that_leads_to_itself_comes_to_an_end(tmp_path: Path) -> None:
    documents = [telling(), handler(starting("order"))]
    async with executing(tmp_path / "executor.db", documents) as rig:
        await rig.run("order")
        await until_done(rig, 100)
        async with asyncio.timeout(60):
            while True:
                listed = await rig.stub.ListExecutions(
                    executor_pb2.ListExecutionsRequest(query="status:failed"), metadata=ADMIN
                )
                if listed.executions:
                    break
                await asyncio.sleep(0.01)

    assert "more than 100 times" in listed.executions[0].reason


async def test_handlers_follow_their_definitions(tmp_path: Path) -> None:
    replica = replica_of(telling(), SHIP, handler(starting(), active=False))
    async with executing(tmp_path / "executor.db", replica) as rig:
        await rig.run("order")
        await handled(rig)
        put(replica, handler(starting()))
        await rig.run("order")
        found = await until_done(rig)

    assert len(found) == 1


async def test_what_was_told_before_a_crash_is_handled_after_it_and_once(tmp_path: Path) -> None:
    path = tmp_path / "executor.db"
    replica = replica_of(telling(), SHIP, handler(starting(), starting()))
    async with executing(path, replica) as rig:
        await rig.run("order")
        first = await until_done(rig, 2)
    for undone in (
        "UPDATE event_messages SET done_at = NULL",
        "UPDATE event_messages SET done_at = NULL",
        "DELETE FROM event_runs WHERE action = 1",
    ):
        with sqlite3.connect(path) as db:
            db.execute(undone)
    async with executing(path, replica) as rig:
        second = await until_done(rig, 2)
        listed = await rig.stub.ListExecutions(
            executor_pb2.ListExecutionsRequest(workflow_name="ship"), metadata=ADMIN
        )

    assert sorted(run.target for run in first) == sorted(run.target for run in second)
    assert len(listed.executions) == 2


async def test_a_task_is_ended_once_however_often_that_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "executor.db"
    ends = {"action": "complete_task",
            "complete_task": {"workflowId": "${target}", "taskRefName": "wait"}}  # fmt: skip
    loop = {**step("loop", "DO_WHILE"), "loopCondition": "$.loop['iteration'] < 3",
            "loopOver": [step("wait", "WAIT")]}  # fmt: skip
    replica = replica_of(
        telling(target="${workflow.input.target}"), workflow("held", loop), handler(ends)
    )
    async with executing(path, replica, scripts=1) as rig:
        held = await rig.begin("held")
        await rig.run("order", input={"target": held})
        await until_done(rig)
    with sqlite3.connect(path) as db:
        # As if it had died before the end was noted.
        db.execute("UPDATE event_messages SET done_at = NULL")
        db.execute("UPDATE event_runs SET outcome = 'UNDER_WAY'")
    async with executing(path, replica, scripts=1) as rig:
        await until_done(rig)
        tasks = json.loads((await rig.get(held)).document)["tasks"]

    standing = {task["referenceTaskName"]: task["status"] for task in tasks}
    assert standing["wait__1"] == "COMPLETED"
    assert standing["wait__2"] == "IN_PROGRESS"


async def test_what_handlers_did_is_listed_by_pages(tmp_path: Path) -> None:
    documents = [telling(), SHIP, handler(*[starting()] * 3), handler(starting(), name="other")]
    async with executing(tmp_path / "executor.db", documents) as rig:
        await rig.run("order")
        await until_done(rig, 4)
        first = await rig.stub.ListEventExecutions(
            pb.ListEventExecutionsRequest(handler="h", page=PageRequest(page_size=2)),
            metadata=ADMIN,
        )
        rest = await rig.stub.ListEventExecutions(
            pb.ListEventExecutionsRequest(
                handler="h", page=PageRequest(page_size=2, page_token=first.next_page_token)
            ),
            metadata=ADMIN,
        )
        by_event = await runs(rig, event="conductor:order:paid")
        with pytest.raises(InvalidRequest), raising_ours():
            await runs(rig, page=PageRequest(page_token="x"))

    assert [run.action for run in (*first.executions, *rest.executions)] == [2, 1, 0]
    assert not rest.next_page_token
    assert len(by_event) == 4


async def test_who_may_not_read_is_refused(tmp_path: Path) -> None:
    nobody = {"kind": "application", "id": "nobody", "roles": []}
    async with executing(tmp_path / "executor.db", [nobody]) as rig:
        with pytest.raises(PermissionDenied), raising_ours():
            await rig.stub.ListEventExecutions(
                pb.ListEventExecutionsRequest(), metadata=on_behalf_of("nobody")
            )


async def test_what_was_told_and_done_is_found_by_indexes(tmp_path: Path) -> None:
    async with executing(tmp_path / "executor.db") as rig:
        said = await traced(rig)
        await runs(rig)
        await runs(rig, handler="h")
        await runs(rig, event="conductor:a:b")
        texts = [text for text in said if "event_" in text] + [rows._RUNS_OF.replace("?", "'m'")]
        plans = await rig.store.readers.read(
            lambda db: [
                row[3]
                for text in (*texts, rows._WAITING.replace("?", "0"))
                for row in db.execute(f"EXPLAIN QUERY PLAN {text}")
            ]
        )

    assert len(texts) == 4
    assert not [plan for plan in plans if plan.startswith("SCAN") or "TEMP B-TREE" in plan]

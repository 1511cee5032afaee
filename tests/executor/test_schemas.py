"""Starts and tasks that are held against schemas, over the real wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.rpc import raising_ours
from tests.executor.rig import executing, put, step, workflow

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
# It names itself twice: nobody knows how long it takes.
TREE: dict[str, Any] = {
    "properties": {"n": {"$ref": "#/$defs/node"}},
    "$defs": {
        "node": {
            "anyOf": [
                {"type": "integer"},
                {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/node"}] * 2}},
            ]
        }
    },
}


def schema(name: str, data: dict[str, Any], version: int = 1) -> dict[str, Any]:
    return {"kind": "schema", "name": name, "version": version, "type": "JSON", "data": data}


async def test_a_start_that_breaks_the_schema_is_refused_with_every_fault(tmp_path: Path) -> None:
    data = {**NUMBER, "properties": {"n": {"type": "integer"}, "a b": {"enum": [1]}}}
    flow = workflow("held", step("t", "NOOP"), inputSchema={"name": "numbers"})
    async with executing(tmp_path / "x.db", [flow, schema("numbers", data)]) as rig:
        with pytest.raises(InvalidRequest) as caught, raising_ours():
            await rig.begin("held", input={"n": "x", "a b": 2})
        taken = await rig.run("held", input={"n": 1})
        listed = await rig.store.readers.read(
            lambda db: db.execute("SELECT count(*) FROM executions").fetchone()[0]
        )

    assert caught.value.detail.startswith(
        "The input of the workflow 'held' breaks the inputSchema: /"
    )
    assert {(fault.path, fault.detail) for fault in caught.value.faults} == {
        ("/n", 'this value is not of type "integer"'),
        ("/a b", "this value is not one of 1"),
    }
    assert taken.status == pb.EXECUTION_STATUS_COMPLETED
    assert listed == 1


async def test_an_output_that_breaks_its_schema_at_once_fails_and_is_stored(tmp_path: Path) -> None:
    flow = workflow(
        "held", step("t", "NOOP"), outputParameters={"n": "x"}, outputSchema={"data": NUMBER}
    )
    async with executing(tmp_path / "x.db", [flow]) as rig:
        result = await rig.run("held")

    assert result.status == pb.EXECUTION_STATUS_FAILED
    assert result.reason.startswith("The output breaks the outputSchema: /n")


async def test_a_start_keeps_the_schema_that_it_began_with(tmp_path: Path) -> None:
    definition = {
        "kind": "task",
        "name": "t",
        "outputSchema": {"name": "out"},
        "enforceSchema": True,
    }
    flow = workflow("held", step("t", "HUMAN"))
    open_, closed = {"required": ["a"]}, {"required": ["b"]}
    async with executing(tmp_path / "x.db", [flow, definition, schema("out", open_)]) as rig:
        first = await rig.begin("held")
        put(rig.replica, schema("out", closed))
        second = await rig.begin("held")
        for execution_id in (first, second):
            await rig.stub.UpdateTask(
                pb.UpdateTaskRequest(
                    execution_id=execution_id,
                    ref="t",
                    status=pb.TASK_STATUS_COMPLETED,
                    output='{"a": 1}',
                )
            )
        ended = [await rig.ended(execution_id) for execution_id in (first, second)]

    assert [each.status for each in ended] == [
        pb.EXECUTION_STATUS_COMPLETED,
        pb.EXECUTION_STATUS_FAILED,
    ]
    assert 'Its output breaks the outputSchema: "b" is a required property.' in ended[1].reason


async def test_a_schema_that_may_take_any_time_is_judged_by_a_child(tmp_path: Path) -> None:
    """A child takes some 0.3 s to start, and a verdict that never comes is awaited for 2 s."""
    flow = workflow("held", step("t", "NOOP"), inputSchema={"data": TREE})
    deep: Any = "x"
    for _ in range(40):
        deep = [deep]
    async with executing(tmp_path / "x.db", [flow]) as rig:
        taken = await rig.run("held", input={"n": [1, [2]]})
        with pytest.raises(InvalidRequest) as caught, raising_ours():
            await rig.begin("held", input={"n": deep})

    assert taken.status == pb.EXECUTION_STATUS_COMPLETED
    assert [fault.path for fault in caught.value.faults] == [""]


async def test_a_child_whose_input_breaks_its_schema_fails_with_its_parent(tmp_path: Path) -> None:
    inner = workflow("inner", step("t", "NOOP"), inputSchema={"data": NUMBER})
    sub = {**step("s", "SUB_WORKFLOW", n="x"), "subWorkflowParam": {"name": "inner"}}
    async with executing(tmp_path / "x.db", [inner, workflow("outer", sub)]) as rig:
        result = await rig.run("outer")

    assert result.status == pb.EXECUTION_STATUS_FAILED
    assert "The input breaks the inputSchema: /n" in result.reason


async def test_what_comes_of_input_has_no_schema_of_its_own(tmp_path: Path) -> None:
    fork = {
        **step("f", "FORK_JOIN_DYNAMIC", tasks="${workflow.input.tasks}", inputs={}),
        "dynamicForkTasksParam": "tasks",
        "dynamicForkTasksInputParamName": "inputs",
    }
    spawned = {
        **step("a", "NOOP"),
        "taskDefinition": {"enforceSchema": True, "inputSchema": {"data": {}}},
    }
    flow = workflow("forks", fork, {**step("j", "JOIN"), "joinOn": []})
    async with executing(tmp_path / "x.db", [flow]) as rig:
        result = await rig.run("forks", input={"tasks": [spawned]})

    assert result.status == pb.EXECUTION_STATUS_FAILED
    assert "what comes of input cannot have a schema; name one" in result.reason


async def test_a_dynamic_task_is_held_against_what_its_definition_names(tmp_path: Path) -> None:
    dynamic = {**step("d", "DYNAMIC", task="NOOP"), "dynamicTaskNameParam": "task"}
    named = {"kind": "task", "name": "NOOP", "inputSchema": {"name": "n"}, "enforceSchema": True}
    documents = [workflow("w", dynamic), named, schema("n", NUMBER)]
    async with executing(tmp_path / "x.db", documents) as rig:
        result = await rig.run("w")

    assert result.status == pb.EXECUTION_STATUS_FAILED
    assert 'Its input breaks the inputSchema: "n" is a required property.' in result.reason


async def test_a_workflow_whose_schema_is_not_there_does_not_start(tmp_path: Path) -> None:
    flow = workflow("held", step("t", "NOOP"), inputSchema={"name": "gone", "version": 2})
    async with executing(tmp_path / "x.db", [flow]) as rig:
        with pytest.raises(Exception, match="there is no schema 'gone'"), raising_ours():
            await rig.begin("held", input={})
        put(rig.replica, schema("gone", NUMBER, version=2))
        result = await rig.run("held", input={"n": 1})

    assert json.loads(result.output) == {}

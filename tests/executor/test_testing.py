"""Tests of workflows: mocked tasks, virtual time, nothing stored, and bounds."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import (
    InvalidRequest,
    NotFound,
    Overloaded,
    ServiceError,
    TooLarge,
    Unavailable,
)
from services.executor import rehearsing
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, put, replica_of, step, workflow
from tests.executor.test_kin import sub


def http(ref: str, **more: Any) -> dict[str, Any]:
    return {**step(ref, "HTTP", uri="http://nowhere.example/", method="POST"), **more}


async def rehearsed(rig: Rig, name: str, mocks: Any = None, **fields: Any) -> tuple[Any, Any]:
    """The document of the execution, and the whole answer."""
    for field, value in fields.items():
        fields[field] = value if isinstance(value, str | int) else json.dumps(value)
    request = pb.TestWorkflowRequest(workflow_name=name, mocks=json.dumps(mocks or {}), **fields)
    with raising_ours():
        answer = await rig.stub.TestWorkflow(request, metadata=ADMIN)
    return json.loads(answer.document), answer


def statuses(document: Any) -> list[tuple[str, str]]:
    return [(task["referenceTaskName"], task["status"]) for task in document["tasks"]]


async def test_attempts_take_what_is_said_one_after_another_and_time_passes_at_once(
    tmp_path: Path,
) -> None:
    charge = {"kind": "task", "name": "charge", "retryCount": 2, "retryDelaySeconds": 3600}
    flow = workflow("flow", step("pause", "WAIT", duration="7 days"), http("charge"),
                    outputParameters={"paid": "${charge.output.paid}"})  # fmt: skip
    mocks = {"charge": [{"status": "FAILED", "executionTime": 1500, "queueWaitTime": 500},
                        {"output": {"paid": True}}]}  # fmt: skip
    async with executing(tmp_path / "x.db", [flow, charge]) as rig:
        found, answer = await rehearsed(rig, "flow", mocks, input={"x": 1})
        stored = await rig.store.readers.read(
            lambda db: db.execute("SELECT count(*) FROM executions").fetchone()
        )

    assert (found["status"], found["output"]) == ("COMPLETED", {"paid": True})
    assert statuses(found) == [("pause", "COMPLETED"), ("charge", "FAILED"),
                               ("charge", "COMPLETED")]  # fmt: skip
    days = (found["endTime"] - found["startTime"]) / 1000
    assert days == 7 * 24 * 3600 + 2 + 3600
    assert (list(answer.waiting_refs), list(answer.unmocked_refs), stored) == ([], [], (0,))


async def test_what_has_no_mock_waits_and_is_named(tmp_path: Path) -> None:
    flow = workflow("flow", http("a"), http("b"))
    async with executing(tmp_path / "x.db", [flow]) as rig:
        found, answer = await rehearsed(rig, "flow", {"a": [{}]})

    assert (found["status"], statuses(found)) == (
        "RUNNING", [("a", "COMPLETED"), ("b", "IN_PROGRESS")]
    )  # fmt: skip
    assert (list(answer.waiting_refs), list(answer.unmocked_refs)) == (["b"], ["b"])


async def test_mocks_that_nothing_took_are_named(tmp_path: Path) -> None:
    loop = {**step("loop", "DO_WHILE"), "items": [1], "loopOver": [http("b")]}
    mocks: Any = {"a": [{}, {}], "aa": [{}], "b__1": [{}], "b__2": [{}], "loop": [{}], "none": []}
    async with executing(tmp_path / "x.db", [workflow("flow", http("a"), loop)]) as rig:
        found, answer = await rehearsed(rig, "flow", mocks)

    assert found["status"] == "COMPLETED"
    assert list(answer.unused_refs) == ["aa", "b__2", "loop"]


async def test_sub_workflows_have_mocks_of_their_own_or_are_mocked_whole(tmp_path: Path) -> None:
    child = workflow("child", http("h"), outputParameters={"n": "${h.output.n}"})
    flow = workflow("flow", sub("one", "child"), sub("two", "child"), sub("three", "child"))
    within = {"one": {"taskRefToMockOutput": {"h": [{"output": {"n": 1}}]}},
              "three": {"taskRefToMockOutput": {"h": [{"status": "FAILED"}]}}}  # fmt: skip
    async with executing(tmp_path / "x.db", [flow, child]) as rig:
        found, answer = await rehearsed(
            rig, "flow", {"two": [{"output": {"n": 2}}]}, sub_workflow_tests=within
        )

    outputs = [task["outputData"].get("n") for task in found["tasks"]]
    assert (outputs[:2], found["status"]) == ([1, 2], "FAILED")
    inner = [json.loads(each) for each in answer.sub_workflows]
    assert [each["status"] for each in inner] == ["COMPLETED", "FAILED"]


async def test_rounds_have_mocks_of_their_own_and_scripts_run(tmp_path: Path) -> None:
    loop = {**step("loop", "DO_WHILE"), "loopCondition": "[1].concat($.a.go).pop()",
            "loopOver": [http("a")]}  # fmt: skip
    mocks = {"a": [{"output": {"go": True}}, {"output": {"go": False}}],
             "a__2": [{"output": {"go": True}}]}  # fmt: skip
    async with executing(tmp_path / "x.db", [workflow("flow", loop)], scripts=1) as rig:
        found, _ = await rehearsed(rig, "flow", mocks)

    assert found["status"] == "COMPLETED"
    assert [ref for ref, _ in statuses(found)] == ["loop", "a__1", "a__2", "a__3"]


async def test_a_definition_that_is_not_put_is_tested_and_may_name_secrets(tmp_path: Path) -> None:
    text = json.dumps({"name": "new", "tasks": [http("a", inputParameters={
        "uri": "http://x/${workflow.secrets.KEY}"})]})  # fmt: skip
    async with executing(tmp_path / "x.db") as rig:
        found, _ = await rehearsed(rig, "", {"a": [{}]}, workflow_definition=text)
        with pytest.raises(NotFound):
            await rehearsed(rig, "new")

    assert found["tasks"][0]["inputData"]["uri"] == "http://x/${workflow.secrets.KEY}"


@pytest.mark.parametrize(
    "mocks",
    [{"a": {}}, {"a": [1]}, {"a": [{"status": "DONE"}]}, {"a": [{"output": 1}]},
     {"a": [{"executionTime": "1"}]}, {"a": [{"executionTime": -1}]},
     {"a": [{"executionTime": 1e300}]}, {"a": [{"status": ["FAILED"]}]},
     {"a": [{"outputs": {"n": 1}}]}],
)  # fmt: skip
async def test_mocks_that_make_no_sense_are_refused(tmp_path: Path, mocks: Any) -> None:
    async with executing(tmp_path / "x.db", [workflow("flow", http("a"))]) as rig:
        with pytest.raises(InvalidRequest):
            await rehearsed(rig, "flow", mocks)


def nested(levels: int) -> dict[str, Any]:
    return {"subWorkflowTestRequest": {"s": nested(levels - 1)}} if levels else {}


@pytest.mark.parametrize(
    ("fields", "error"),
    [({"mocks": "[]"}, InvalidRequest), ({"mocks": "{"}, InvalidRequest),
     ({"mocks": '"' + "x" * (4 << 20) + '"'}, TooLarge), ({"input": "1"}, InvalidRequest),
     ({"min_revision": 99}, Unavailable),
     ({"workflow_version": -1}, InvalidRequest), ({"workflow_version": 9}, NotFound),
     ({"workflow_definition": "[]"}, InvalidRequest),
     ({"sub_workflow_tests": json.dumps({"s": nested(30)})}, InvalidRequest),
     ({"sub_workflow_tests": '{"s": 1}'}, InvalidRequest)],
)  # fmt: skip
async def test_what_is_no_test_is_refused(
    tmp_path: Path, fields: dict[str, Any], error: type[ServiceError]
) -> None:
    async with executing(tmp_path / "x.db", [workflow("flow", http("a"))]) as rig:
        request = pb.TestWorkflowRequest(workflow_name="flow", **fields)
        with pytest.raises(error), raising_ours():
            await rig.stub.TestWorkflow(request, metadata=ADMIN)


async def test_a_test_waits_for_the_definitions_that_its_caller_saw(tmp_path: Path) -> None:
    replica = replica_of(workflow("flow", step("old", "NOOP")))
    async with executing(tmp_path / "x.db", replica) as rig:
        revision = replica.revision + 1
        running = asyncio.create_task(rehearsed(rig, "flow", min_revision=revision))
        await rehearsed(rig, "flow")
        put(replica, workflow("flow", step("new", "NOOP")))
        found, _ = await running

    assert statuses(found) == [("new", "COMPLETED")]


async def test_a_test_without_end_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsing, "MOST_STEPS", 300)
    monkeypatch.setattr(rehearsing, "MOST_EXECUTIONS", 5)
    poll = step("w", "WAIT", duration="1s")
    loop = {**step("loop", "DO_WHILE"), "loopCondition": "true", "loopOver": [poll]}
    many = {**step("each", "DO_WHILE"), "items": list(range(9)), "loopOver": [sub("s", "quick")]}
    definitions = [workflow("flow", loop), workflow("many", many),
                   workflow("quick", step("n", "NOOP"))]  # fmt: skip
    async with executing(tmp_path / "x.db", definitions, scripts=1) as rig:
        found, answer = await rehearsed(rig, "flow")
        with pytest.raises(Overloaded, match="5 executions at most"):
            await rehearsed(rig, "many")

    assert (found["status"], answer.stopped) == ("RUNNING", "It was stopped after 300 steps.")


async def test_a_script_that_never_ends_does_not_keep_a_test_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsing, "LONGEST_SECONDS", 0.2)
    slow = step("s", "INLINE", evaluatorType="javascript", expression="[1].forEach(x => x); 1")
    async with executing(tmp_path / "x.db", [workflow("flow", slow)]) as rig:
        found, answer = await rehearsed(rig, "flow")

    assert (found["status"], answer.stopped) == ("RUNNING", "It was stopped after 10 seconds.")


async def test_what_workers_do_is_mocked_and_limits_keep_nobody_waiting(tmp_path: Path) -> None:
    limited = {"kind": "task", "name": "a", "concurrentExecLimit": 1}
    own = {**step("b", "billing"), "name": "a"}
    flow = workflow("flow", http("a"), own, step("c", "SIMPLE"), step("d", "SIMPLE"))
    async with executing(tmp_path / "x.db", [flow, limited]) as rig:
        found, answer = await rehearsed(rig, "flow", {ref: [{}] for ref in ("a", "b", "c")})

    assert statuses(found)[:3] == [(ref, "COMPLETED") for ref in ("a", "b", "c")]
    assert list(answer.unmocked_refs) == ["d"]

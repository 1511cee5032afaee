"""One execution over gRPC: without its tasks, and its tasks by pages."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest, NotFound, TooLarge
from services.executor import getting, loading
from services.executor.showing import whole
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, new_id, step, workflow

MANY = 2000
ECHO = workflow("echo", step("a", "NOOP"), step("b", "SET_VARIABLE", n="${workflow.input}"))
ILL = workflow(
    "ill",
    step("card", "SET_VARIABLE", number="${workflow.input.number}"),
    step("end", "TERMINATE", terminationStatus="FAILED",
         terminationReason="No money on ${workflow.input.number}."),
    maskedFields=["number"],
)  # fmt: skip
BROKEN = workflow(
    "broken",
    {**step("asks", "SUB_WORKFLOW"), "subWorkflowParam": {"name": "ill", "version": 1}},
)
LOOPED = workflow(
    "looped",
    {
        **step("loop", "DO_WHILE"),
        "items": "${workflow.input.items}",
        "loopOver": [step("each", "NOOP")],
    },
)
WAITS = workflow("waits", step("wait", "WAIT"), failureWorkflow="echo")


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncGenerator[Rig]:
    async with executing(tmp_path / "x.db", [ECHO, ILL, BROKEN, LOOPED, WAITS]) as rig:
        yield rig


async def got(rig: Rig, execution_id: str, **fields: Any) -> pb.GetExecutionResponse:
    request = pb.GetExecutionRequest(execution_id=execution_id, **fields)
    with raising_ours():
        return await rig.stub.GetExecution(request, metadata=ADMIN)


async def page(rig: Rig, execution_id: str, **fields: Any) -> pb.GetExecutionResponse:
    return await got(rig, execution_id, task_page=pb.TaskPage(**fields))


async def test_without_tasks_all_the_rest_is_the_same(rig: Rig) -> None:
    for name in ("echo", "broken", "ill"):
        id_ = (await rig.run(name, input={"number": "12345678"})).execution_id
        whole, alone = await got(rig, id_), await got(rig, id_, without_tasks=True)

        assert [*alone.tasks] == []
        assert len(whole.tasks) > 0
        assert alone.state == whole.state
        assert json.loads(alone.document) == {**json.loads(whole.document), "tasks": []}
        assert "12345678" not in alone.document or name == "echo"


async def test_the_state_alone_is_the_same(rig: Rig) -> None:
    for name in ("echo", "broken", "ill"):
        id_ = (await rig.run(name, input={"number": "12345678"}, correlation_id="c")).execution_id

        told = await got(rig, id_, state_only=True)
        assert told == pb.GetExecutionResponse(state=(await got(rig, id_)).state)
        assert told.state.correlation_id == "c"


async def test_tasks_are_told_by_pages_as_in_the_whole(rig: Rig) -> None:
    for name in ("echo", "broken", "ill"):
        id_ = (await rig.run(name, input={"number": "12345678"})).execution_id
        every = json.loads((await rig.get(id_)).document)["tasks"]

        told = await page(rig, id_)
        assert [json.loads(each) for each in told.task_documents] == every
        assert (told.task_total, told.document, [*told.tasks]) == (len(every), "", [])
        second = await page(rig, id_, start=1, count=1)
        assert [json.loads(each) for each in second.task_documents] == every[1:2]
        assert second.task_total == len(every)
        assert second.state.execution_id == id_
        assert [*(await page(rig, id_, start=2**31 - 1)).task_documents] == []


async def test_tasks_are_told_by_status(rig: Rig) -> None:
    id_ = (await rig.run("broken", input={})).execution_id

    failed = await page(rig, id_, statuses=[pb.TASK_STATUS_FAILED, pb.TASK_STATUS_TIMED_OUT])
    assert [json.loads(each)["referenceTaskName"] for each in failed.task_documents] == ["asks"]
    done = await page(rig, id_, statuses=[pb.TASK_STATUS_COMPLETED])
    assert ([*done.task_documents], done.task_total) == ([], 0)


async def test_a_task_that_was_retried_says_so(rig: Rig) -> None:
    id_ = (await rig.run("broken", input={})).execution_id
    await rig.stub.RetryExecution(pb.RetryExecutionRequest(execution_id=id_), metadata=ADMIN)
    await rig.ended(id_)

    tasks = [json.loads(each) for each in (await page(rig, id_)).task_documents]
    assert [task["retried"] for task in tasks] == [True, False]


@pytest.mark.parametrize(
    "fields", [{"start": -1}, {"count": -1}, {"count": 1001}, {"statuses": [99]}]
)
async def test_a_page_that_makes_no_sense_is_refused(rig: Rig, fields: dict[str, Any]) -> None:
    id_ = (await rig.run("echo")).execution_id
    with pytest.raises(InvalidRequest):
        await page(rig, id_, **fields)


async def test_who_is_not_there_is_not_found(rig: Rig) -> None:
    for fields in ({"without_tasks": True}, {"task_page": pb.TaskPage()}, {"state_only": True}):
        with pytest.raises(NotFound):
            await got(rig, new_id(), **fields)


async def test_many_tasks_are_told_by_pages_of_a_thousand(rig: Rig) -> None:
    id_ = (await rig.run("looped", 60, input={"items": [0] * MANY})).execution_id

    first, rest = await page(rig, id_, count=1000), await page(rig, id_, start=1000, count=1000)
    last = await page(rig, id_, start=2000, count=1000)
    told = [json.loads(each) for of in (first, rest, last) for each in of.task_documents]
    assert [task["seq"] for task in told] == list(range(1, MANY + 2))
    assert first.task_total == len(told)
    alone, whole = await got(rig, id_, without_tasks=True), await got(rig, id_)
    assert 10 * len(alone.document) < len(whole.document)


async def test_many_tasks_are_written_beside_the_loop(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def noting(*args: Any, **fields: Any) -> pb.GetExecutionResponse:
        threads.append(threading.current_thread())
        return whole(*args, **fields)

    monkeypatch.setattr(getting, "whole", noting)
    few = (await rig.run("echo")).execution_id
    many = (await rig.run("looped", input={"items": [0] * 100})).execution_id
    for id_ in (few, many):
        await got(rig, id_)
    assert threads[0] is threading.main_thread()
    assert threads[1] is not threading.main_thread()


async def test_what_is_more_than_a_message_is_refused(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = (await rig.run("echo", input={"x": "y" * 20_000})).execution_id
    monkeypatch.setattr(getting, "_MOST_BYTES", 21_000)
    monkeypatch.setattr(loading, "LARGE_CHARS", 1)
    monkeypatch.setattr(getting, "MAX_MESSAGE_BYTES", 42_000)

    with pytest.raises(TooLarge):
        await got(rig, id_)
    assert (await got(rig, id_, without_tasks=True)).document
    monkeypatch.setattr(getting, "MAX_MESSAGE_BYTES", 100)
    assert (await got(rig, id_, state_only=True)).state.execution_id == id_
    with pytest.raises(TooLarge, match="ask for 1 at once"):
        await page(rig, id_)
    assert len((await page(rig, id_, count=1)).task_documents) == 1


@pytest.mark.parametrize("triggers", [True, False])
@pytest.mark.parametrize("many", [True, False])
async def test_what_is_terminated_has_its_failure_workflow_if_asked(
    rig: Rig, triggers: bool, many: bool
) -> None:
    id_ = await rig.begin("waits")
    await _terminate(rig, id_, triggers=triggers, many=many)

    document = json.loads((await got(rig, id_)).document)
    assert document["status"] == "TERMINATED"
    assert ("conductor.failure_workflow" in document["output"]) is triggers


@pytest.mark.parametrize("many", [True, False])
async def test_what_had_ended_has_none(rig: Rig, many: bool) -> None:
    id_ = await rig.begin("waits")
    await _terminate(rig, id_, triggers=False, many=many)
    await _terminate(rig, id_, triggers=True, many=many)

    assert json.loads((await got(rig, id_)).document)["output"] == {}


async def _terminate(rig: Rig, id_: str, *, triggers: bool, many: bool) -> None:
    if not many:
        request = pb.TerminateExecutionRequest(execution_id=id_, trigger_failure_workflow=triggers)
        await rig.stub.TerminateExecution(request, metadata=ADMIN)
        return
    requests = pb.OperateExecutionsRequest(
        operation=pb.OPERATION_TERMINATE, execution_ids=[id_], trigger_failure_workflow=triggers
    )
    async for _ in rig.stub.OperateExecutions(requests, metadata=ADMIN):
        pass

"""Documents in lists of executions and tasks, over gRPC."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest, TooLarge
from services.executor import listed
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, step, workflow

SUMMARY, ALONE, WHOLE = (
    pb.EXECUTION_DOCUMENTS_SUMMARY, pb.EXECUTION_DOCUMENTS_ALONE, pb.EXECUTION_DOCUMENTS_WHOLE,
)  # fmt: skip
ECHO = workflow("echo", step("a", "NOOP"), outputParameters={"back": "${workflow.input}"})
MASKING = workflow(
    "masking",
    step("t", "SET_VARIABLE", card="${workflow.input.card}"),
    outputParameters={"card": "${workflow.input.card}"},
    maskedFields=["card"],
)
ILL = workflow("ill", step("end", "TERMINATE", terminationStatus="FAILED"))
BROKEN = workflow(
    "broken",
    {**step("asks", "SUB_WORKFLOW"), "subWorkflowParam": {"name": "ill", "version": 1}},
)
PARENT = workflow(
    "parent",
    {**step("sub", "SUB_WORKFLOW"), "subWorkflowParam": {"name": "echo", "version": 1}},
)
FORKED = workflow(
    "forked",
    {
        **step("fork", "FORK_JOIN_DYNAMIC", tasks="${workflow.input.tasks}", inputs={}),
        "dynamicForkTasksParam": "tasks",
        "dynamicForkTasksInputParamName": "inputs",
    },
    {**step("join", "JOIN"), "joinOn": []},
)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncGenerator[Rig]:
    definitions = [ECHO, MASKING, ILL, BROKEN, PARENT, FORKED]
    async with executing(tmp_path / "x.db", definitions) as rig:
        yield rig


async def page(rig: Rig, **fields: Any) -> pb.ListExecutionsResponse:
    return await rig.stub.ListExecutions(pb.ListExecutionsRequest(**fields), metadata=ADMIN)


async def tasks(rig: Rig, **fields: Any) -> pb.SearchTasksResponse:
    return await rig.stub.SearchTasks(pb.SearchTasksRequest(**fields), metadata=ADMIN)


async def test_who_asks_for_no_documents_has_none(rig: Rig) -> None:
    await rig.run("echo")

    assert not (await page(rig)).documents
    assert not (await tasks(rig)).tasks[0].document


async def test_a_summary_has_what_an_execution_was_given_and_gave(rig: Rig) -> None:
    given = {"größe": 2**70, "b": None}
    await rig.run("echo", input=given, priority=7, task_to_domain={"*": "blue"})

    (told,) = (await page(rig, documents=SUMMARY)).documents
    assert json.loads(told.input) == given
    assert json.loads(told.output) == {"back": given}
    assert (told.priority, dict(told.task_to_domain)) == (7, {"*": "blue"})
    assert (told.document, told.parent_execution_id, [*told.failed_task_names]) == ("", "", [])


async def test_a_summary_says_which_tasks_failed_and_who_the_parent_is(rig: Rig) -> None:
    failed = await rig.run("broken")
    await rig.run("parent")

    (told,) = (await page(rig, documents=SUMMARY, execution_ids=[failed.execution_id])).documents
    whole = json.loads((await rig.get(failed.execution_id)).document)
    assert [*told.failed_task_names] == whole["failedTaskNames"] == ["asks"]
    both = await page(rig, documents=SUMMARY, query="wf:echo,parent")
    parents = {
        state.workflow_name: document.parent_execution_id
        for state, document in zip(both.executions, both.documents, strict=True)
    }
    ids = {each.workflow_name: each.execution_id for each in both.executions}
    assert parents == {"echo": ids["parent"], "parent": ""}


@pytest.mark.parametrize("name", ["echo", "masking", "broken", "parent", "forked"])
async def test_whole_documents_are_those_of_one_by_one(rig: Rig, name: str) -> None:
    made = [{"name": "x", "taskReferenceName": "x", "type": "NOOP", "maskedFields": ["card"]}]
    result = await rig.run(name, input={"card": "4111-1111", "tasks": made})
    one = json.loads((await rig.get(result.execution_id)).document)
    ids = [result.execution_id]

    (whole,) = (await page(rig, documents=WHOLE, execution_ids=ids)).documents
    (alone,) = (await page(rig, documents=ALONE, execution_ids=ids)).documents
    assert json.loads(whole.document) == one
    assert json.loads(alone.document) == {**one, "tasks": []}
    found = await tasks(rig, documents=True, query=f"execution:{ids[0]}", order_by="id")
    by_id = {each["taskId"]: each for each in one["tasks"]}
    assert {each.task.task_id: json.loads(each.document) for each in found.tasks} == by_id


async def test_what_is_masked_is_in_no_document_of_a_list(rig: Rig) -> None:
    await rig.run("masking", input={"card": "4111-1111", "n": 1})

    for documents in (SUMMARY, ALONE, WHOLE):
        assert "4111" not in str(await page(rig, documents=documents))
    assert "4111" not in str(await tasks(rig, documents=True))
    (summary,) = (await page(rig, documents=SUMMARY)).documents
    assert json.loads(summary.input) == {"card": "***", "n": 1}
    assert json.loads(summary.output) == {"card": "***"}


async def test_a_page_has_as_many_documents_as_there_is_room_for(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [(await rig.run("echo", input={"a": "x" * 1000})).execution_id for _ in range(5)]
    monkeypatch.setattr(listed.documents, "__defaults__", (5000,))
    monkeypatch.setattr(listed.task_documents, "__defaults__", (1,))

    found, token, sizes = [], "", []
    while True:
        told = await page(rig, documents=SUMMARY, page={"page_token": token}, count_total=True)
        found += [each.execution_id for each in told.executions]
        sizes.append(len(told.documents))
        assert (told.total, len(told.executions)) == (5, len(told.documents))
        token = told.next_page_token
        if not token:
            break
    assert found == ids[::-1]
    assert sizes == [2, 2, 1]
    first = await tasks(rig, documents=True)
    assert len(first.tasks) == 1
    assert first.next_page_token


async def test_a_document_that_no_message_holds_is_too_large(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = await rig.run("echo", input={"a": "x" * 1000})
    small = await rig.run("ill")
    monkeypatch.setattr(listed, "_LARGEST_BYTES", 900)

    for documents in (ALONE, WHOLE):
        with pytest.raises(TooLarge, match=large.execution_id), raising_ours():
            await page(rig, documents=documents, query="wf:echo")
    told = await page(rig, documents=ALONE)
    assert [each.execution_id for each in told.executions] == [small.execution_id]
    with pytest.raises(TooLarge), raising_ours():
        await page(rig, documents=ALONE, page={"page_token": told.next_page_token})
    with pytest.raises(TooLarge, match=large.execution_id), raising_ours():
        await tasks(rig, documents=True, query="wf:echo")


async def test_a_summary_without_its_documents_hides_no_list(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.run("ill", input={"a": "x"})
    large = await rig.run("echo", input={"a": "漢" * 400}, priority=7)
    monkeypatch.setattr(listed, "_LARGEST_BYTES", 900)

    told = await page(rig, documents=SUMMARY)
    assert told.executions[0].execution_id == large.execution_id
    assert [each.input for each in told.documents] == ["", '{"a":"x"}']
    assert [each.priority for each in told.documents] == [7, 0]


@pytest.mark.parametrize("order_by", ["", "started", "status", "id desc"])
async def test_an_offset_passes_over_as_many(rig: Rig, order_by: str) -> None:
    for _ in range(5):
        await rig.run("echo")
    every = [each.execution_id for each in (await page(rig, order_by=order_by)).executions]
    refs = [each.task.task_id for each in (await tasks(rig)).tasks]

    for offset in range(7):
        told = await page(
            rig, order_by=order_by, offset=offset, page={"page_size": 2}, count_total=True
        )
        assert [each.execution_id for each in told.executions] == every[offset : offset + 2]
        assert (told.total, told.total_is_bound) == (5, False)
        found = await tasks(rig, offset=offset, page={"page_size": 2}, count_total=True)
        assert [each.task.task_id for each in found.tasks] == refs[offset : offset + 2]
        assert found.total == 5


async def test_after_a_page_with_an_offset_its_token_leads_on(rig: Rig) -> None:
    ids = [(await rig.run("echo")).execution_id for _ in range(5)]
    first = await page(rig, offset=1, page={"page_size": 2})
    token = first.next_page_token

    rest = await page(rig, page={"page_size": 9, "page_token": token}, count_total=True)
    assert [each.execution_id for each in rest.executions] == ids[1::-1]
    assert rest.total == 5
    with pytest.raises(InvalidRequest, match="offset goes without"), raising_ours():
        await page(rig, offset=1, page={"page_token": token})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"offset": -1}, "negative"),
        ({"offset": 10_001}, "narrower query"),
        ({"execution_ids": ["x"] * 1001}, "more than 1000"),
        ({"execution_ids": ["a\0b"]}, "no id"),
        ({"execution_ids": ["a" * 1001]}, "no id"),
        ({"documents": 99}, "documents"),
    ],
)
async def test_what_makes_no_sense_is_an_invalid_request(
    rig: Rig, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said), raising_ours():
        await page(rig, **fields)


async def test_ids_and_those_at_the_top_are_listed_alone(rig: Rig) -> None:
    top = await rig.run("parent")
    ids = [(await rig.run("echo")).execution_id for _ in range(3)]

    asked = [ids[0], ids[2], ids[0], "nobody"]
    told = await page(rig, execution_ids=asked, count_total=True)
    assert [each.execution_id for each in told.executions] == [ids[2], ids[0]]
    assert told.total == 2
    tops = await page(rig, top_level_only=True, count_total=True)
    assert [each.execution_id for each in tops.executions] == [*ids[::-1], top.execution_id]
    assert (await page(rig, count_total=True)).total == 5

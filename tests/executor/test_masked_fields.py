"""``maskedFields`` in a whole executor: the engine has the values, and nobody reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from podium.common.v1 import page_pb2
from podium.executor.v1 import executor_pb2 as pb
from podium.worker.v1 import worker_pb2
from services.executor import exporting
from tests.executor.rig import ADMIN, Rig, executing, http, step, upstream, workflow

CARD = "4111-1111"
GIVEN = {"order": {"card": CARD, "id": 7}, "note": "harmless"}


def defined(uri: str, **more: Any) -> dict[str, Any]:
    body = {"card": "${workflow.input.order.card}", "id": "${workflow.input.order.id}"}
    pay = http("pay", uri, method="POST", body=body)
    output = {"card": "${pay.output.body.card}", "id": "${pay.output.body.id}"}
    return workflow("order", pay, outputParameters=output, **more)


async def ids(rig: Rig, query: str) -> list[str]:
    listed = await rig.stub.ListExecutions(
        pb.ListExecutionsRequest(query=query, page=page_pb2.PageRequest()), metadata=ADMIN
    )
    return [each.execution_id for each in listed.executions]


async def task_refs(rig: Rig, query: str) -> list[str]:
    found = await rig.stub.SearchTasks(pb.SearchTasksRequest(query=query), metadata=ADMIN)
    return [each.task.ref for each in found.tasks]


@pytest.mark.parametrize("by", ["workflow", "task", "embedded"])
async def test_what_is_masked_is_used_and_told_by_no_read(tmp_path: Path, by: str) -> None:
    async with upstream() as server:
        sent: list[Any] = []

        async def pay(request: Any) -> Any:
            sent.append(body := await request.json())
            return body

        server.handlers["/pay"] = pay
        masks = {"maskedFields": ["card"]}
        definitions = [defined(f"{server.url}/pay", **(masks if by == "workflow" else {}))]
        if by == "task":
            definitions.append({"kind": "task", "name": "pay", **masks})
        if by == "embedded":
            definitions[0]["tasks"][0]["taskDefinition"] = masks
        async with executing(tmp_path / "x.db", definitions) as rig:
            result = await rig.run("order", input=GIVEN)
            told = await rig.get(result.execution_id)

            assert sent == [{"card": CARD, "id": 7}]
            assert json.loads(result.output) == {"card": "***", "id": 7}
            assert CARD not in told.document
            whole = json.loads(told.document)
            assert whole["input"] == {"order": {"card": "***", "id": 7}, "note": "harmless"}
            assert whole["tasks"][0]["inputData"]["http_request"]["body"]["card"] == "***"
            assert whole["tasks"][0]["outputData"]["body"] == {"card": "***", "id": 7}


async def test_what_is_masked_is_not_found(tmp_path: Path) -> None:
    open_ = {**workflow("open", step("t", "HUMAN", card="${workflow.input.order.card}"))}
    masks = {**open_, "name": "masks", "maskedFields": ["card"]}
    async with executing(tmp_path / "x.db", [open_, masks]) as rig:
        seen = await rig.begin("open", input=GIVEN)
        hidden = await rig.begin("masks", input=GIVEN)

        assert await ids(rig, "text:4111") == [seen]
        assert set(await ids(rig, "text:harmless")) == {seen, hidden}
        assert await ids(rig, f"input.order.card={CARD}") == [seen]
        assert await ids(rig, "input.order.card~4111") == [seen]
        assert set(await ids(rig, "input.order.id=7")) == {seen, hidden}
        assert set(await ids(rig, f"NOT input.order.card={CARD}")) == {hidden}
        assert await task_refs(rig, f"execution:{hidden} input.card={CARD}") == []
        assert await task_refs(rig, f"execution:{seen} input.card={CARD}") == ["t"]
        assert await task_refs(rig, f"execution:{hidden} text:4111") == []
        assert await task_refs(rig, f"execution:{seen} text:4111") == ["t"]


async def test_workers_have_the_values_and_what_they_log_and_say_is_masked(tmp_path: Path) -> None:
    charge = step("charge", "SIMPLE", card="${workflow.input.order.card}")
    async with executing(
        tmp_path / "x.db", [workflow("order", charge, maskedFields=["card"])]
    ) as rig:
        execution_id = await rig.begin("order", input=GIVEN)
        task = (
            await rig.workers.PollTask(
                worker_pb2.PollTaskRequest(task_type="charge", worker_id="w"), metadata=ADMIN
            )
        ).task
        assert json.loads(task.input)["card"] == CARD
        result = worker_pb2.TaskResult(
            task_id=task.task_id,
            execution_id=execution_id,
            status=worker_pb2.RESULT_STATUS_FAILED_WITH_TERMINAL_ERROR,
            reason=f"No money on {CARD}.",
            logs=[f"charging {CARD}"],
        )
        await rig.workers.UpdateTask(
            worker_pb2.UpdateTaskRequest(result=result, worker_id="w"), metadata=ADMIN
        )
        ended = await rig.ended(execution_id)

        assert CARD not in ended.reason
        assert "No money on ***." in ended.reason
        assert CARD not in (await rig.get(execution_id)).document
        logs = await rig.workers.ListTaskLogs(
            worker_pb2.ListTaskLogsRequest(execution_id=execution_id, ref="charge"), metadata=ADMIN
        )
        assert [each.line for each in logs.lines] == ["charging ***"]


async def test_a_sub_workflow_masks_in_what_stands_around_it(tmp_path: Path) -> None:
    inner = workflow(
        "inner", step("t", "NOOP"), maskedFields=["card"],
        outputParameters={"card": "${workflow.input.card}"},
    )  # fmt: skip
    sub = step("sub", "SUB_WORKFLOW", card="${workflow.input.order.card}")
    outer = workflow("outer", {**sub, "subWorkflowParam": {"name": "inner", "version": 1}})
    async with executing(tmp_path / "x.db", [inner, outer]) as rig:
        result = await rig.run("outer", input=GIVEN)

        assert result.status == pb.EXECUTION_STATUS_COMPLETED
        assert json.loads(result.output)["card"] == "***"
        assert CARD not in (await rig.get(result.execution_id)).document


async def test_an_export_has_no_value_that_is_masked(tmp_path: Path) -> None:
    async with executing(
        tmp_path / "x.db", [workflow("order", step("t", "NOOP"), maskedFields=["card"])]
    ) as rig:
        result = await rig.run("order", input=GIVEN)
        (row,) = await rig.store.readers.read(
            lambda db: db.execute("SELECT id, ended_at FROM executions").fetchall()
        )
        ((_, line),) = await rig.store.readers.read(
            exporting.lines_of, [row], rig.runtime.snapshots
        )

        assert result.execution_id in line
        assert CARD not in line
        assert "harmless" in line


async def test_what_it_starts_masks_the_same(tmp_path: Path) -> None:
    plain = workflow("plain", step("t", "NOOP", card="${workflow.input.card}"))
    asked = {"startWorkflow": {"name": "plain", "input": {"card": "${workflow.input.card}"}}}
    failing = workflow(
        "failing",
        step("go", "START_WORKFLOW", **asked),
        step("end", "TERMINATE", terminationStatus="FAILED"),
        maskedFields=["card"],
        failureWorkflow="plain",
    )
    async with executing(tmp_path / "x.db", [plain, failing]) as rig:
        await rig.run("failing", input={"card": CARD})
        started = await ids(rig, "wf:plain")
        for each in started:
            await rig.ended(each)
            assert CARD not in (await rig.get(each)).document
        await rig.stub.RestartExecution(
            pb.RestartExecutionRequest(execution_id=started[0], use_latest_definitions=True),
            metadata=ADMIN,
        )
        await rig.ended(started[0])

        assert len(started) == 2
        assert CARD not in (await rig.get(started[0])).document
        assert await ids(rig, "text:4111") == []
        own = await rig.run("plain", input={"card": CARD})
        assert CARD in (await rig.get(own.execution_id)).document


async def test_a_reason_is_masked_wherever_it_stands(tmp_path: Path) -> None:
    said = "No money on ${workflow.input.card}."
    end = step("end", "TERMINATE", terminationStatus="FAILED", terminationReason=said)
    failing = workflow("failing", end, failureWorkflow="mend")
    mend = workflow("mend", step("t", "HUMAN"))
    odd = workflow("odd", http("h", "${workflow.input.card}"))
    masks = {"maskedFields": ["card"]}
    definitions = [{**failing, **masks}, mend, {**odd, **masks}]
    async with executing(tmp_path / "x.db", definitions) as rig:
        for name in ("failing", "odd"):
            result = await rig.run(name, input={"card": CARD})
            listed = await rig.stub.ListExecutions(
                pb.ListExecutionsRequest(query=f"workflow:{name}", page=page_pb2.PageRequest()),
                metadata=ADMIN,
            )
            found = await rig.stub.SearchTasks(
                pb.SearchTasksRequest(query=f"workflow:{name}"), metadata=ADMIN
            )

            assert "***" in result.reason
            assert CARD not in str(listed)
            assert CARD not in str(found)
        assert not await ids(rig, "text:4111")
        assert not await ids(rig, f"reason~{CARD}")
        assert await ids(rig, "reason~***")

"""Executions of one workflow side by side: those beyond its limit are stored, and wait."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import ConcurrencyLimited
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, step, workflow

QUEUE = {"rateLimitKey": "${workflow.input.k}", "concurrentExecLimit": 1}


def limited(name: str = "held", **more: Any) -> dict[str, Any]:
    return workflow(name, step("t", "HUMAN"), rateLimitConfig={**QUEUE, **more})


async def begin(rig: Rig, key: str, count: int = 1, name: str = "held") -> list[str]:
    return [await rig.begin(name, input={"k": key}) for _ in range(count)]


async def begun(rig: Rig, ids: list[str]) -> list[bool]:
    """Which of them have tasks, once nothing more happens."""
    while rig.runtime.engine.active:  # noqa: ASYNC110 - any turn of the loop may be the last
        await asyncio.sleep(0)
    rows = await rig.store.readers.read(
        lambda db: {row[0] for row in db.execute("SELECT execution_id FROM tasks")}
    )
    return [id in rows for id in ids]


async def end(rig: Rig, execution_id: str) -> None:
    await rig.stub.UpdateTask(
        pb.UpdateTaskRequest(
            execution_id=execution_id, ref="t", status=pb.TASK_STATUS_COMPLETED, output="{}"
        )
    )
    await rig.ended(execution_id)


async def test_one_more_waits_as_a_row_and_begins_when_a_slot_frees(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [limited()]) as rig:
        ids = await begin(rig, "a", 3)
        others = await begin(rig, "b")

        assert await begun(rig, [*ids, *others]) == [True, False, False, True]
        waiting = json.loads((await rig.get(ids[1])).document)
        assert (waiting["status"], waiting["tasks"]) == ("RUNNING", [])
        assert waiting["rateLimited"] is True
        await end(rig, ids[0])
        assert await begun(rig, ids) == [True, True, False]
        assert json.loads((await rig.get(ids[1])).document)["rateLimited"] is False
        await end(rig, ids[1])
        await end(rig, ids[2])
        assert len(rig.runtime.engine.crowds.slots) == 1, "only b's is known"


async def test_those_who_wait_do_so_after_a_restart_in_their_order(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [limited()]) as rig:
        ids = await begin(rig, "a", 4)
    async with executing(tmp_path / "x.db", [limited()]) as rig:
        assert await begun(rig, ids) == [True, False, False, False]
        later = await begin(rig, "a")
        for place, each in enumerate(ids):
            assert await begun(rig, [each]) == [True]
            await end(rig, each)
            assert await begun(rig, ids[place + 2 :]) == [False] * (2 - place if place < 3 else 0)
        assert await begun(rig, later) == [True]


async def test_where_it_says_so_one_more_is_refused(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [limited(policy="REJECT")]) as rig:
        (first,) = await begin(rig, "a")
        with pytest.raises(ConcurrencyLimited), raising_ours():
            await begin(rig, "a")
        await end(rig, first)
        (second,) = await begin(rig, "a")

        assert await begun(rig, [second]) == [True]


async def test_a_child_beyond_the_limit_waits_and_its_parent_with_it(tmp_path: Path) -> None:
    sub = {
        **step("s", "SUB_WORKFLOW", k="${workflow.input.k}"),
        "subWorkflowParam": {"name": "held"},
    }
    async with executing(tmp_path / "x.db", [limited(), workflow("outer", sub)]) as rig:
        (first,) = await begin(rig, "a")
        (outer,) = await begin(rig, "a", name="outer")
        running = await begun(rig, [first, outer])
        await end(rig, first)
        await begun(rig, [])
        (child,) = await rig.store.readers.read(
            lambda db: [r[0] for r in db.execute(
                "SELECT id FROM executions WHERE parent_id = ?", (outer,))]
        )  # fmt: skip
        await end(rig, child)
        result = await rig.ended(outer)

    assert running == [True, True]
    assert result.status == pb.EXECUTION_STATUS_COMPLETED


async def test_one_that_waits_can_be_ended_and_paused(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [limited()]) as rig:
        first, second, third = await begin(rig, "a", 3)
        await rig.stub.TerminateExecution(
            pb.TerminateExecutionRequest(execution_id=second), metadata=ADMIN
        )
        await rig.stub.PauseExecution(pb.PauseExecutionRequest(execution_id=third), metadata=ADMIN)
        await end(rig, first)
        assert await begun(rig, [second, third]) == [False, False]
        (fourth,) = await begin(rig, "a")
        assert await begun(rig, [fourth]) == [True], "who is paused keeps nobody out"
        await rig.stub.ResumeExecution(
            pb.ResumeExecutionRequest(execution_id=third), metadata=ADMIN
        )
        assert await begun(rig, [third]) == [False]
        await end(rig, fourth)
        assert await begun(rig, [third]) == [True]


async def test_a_workflow_without_a_limit_has_no_rows_of_it(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [workflow("free", step("t", "HUMAN"))]) as rig:
        (first,) = await begin(rig, "a", name="free")
        assert await begun(rig, [first]) == [True]
        held = await rig.store.readers.read(
            lambda db: db.execute("SELECT count(*) FROM crowds").fetchone()[0]
        )

    assert held == 0

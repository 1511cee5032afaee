"""A task of which only the id is known is found, however many executions begin alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.worker.v1 import worker_pb2 as pb
from services.errors import NotFound
from services.ids import new_execution_id
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, step, workflow
from tests.executor.working import poll, result, update

ONE = workflow("one", {**step("t", "SIMPLE"), "name": "a"})
NOON = 1_795_780_800_123_000_000


async def of(rig: Rig, task_id: str) -> str:
    with raising_ours():
        found = await rig.workers.GetTask(pb.GetTaskRequest(task_id=task_id), metadata=ADMIN)
    return str(found.execution_id)


async def test_those_of_one_millisecond_are_told_apart(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [ONE]) as rig:
        for _ in range(5):
            await rig.begin("one", execution_id=new_execution_id(lambda: NOON))
        tasks = await poll(rig, "a", count=5)
        for task in tasks:
            await update(rig, result(task))

        assert len({task.task_id[:13] for task in tasks}) == 1
        assert [await of(rig, task.task_id) for task in tasks] == [
            task.execution_id for task in tasks
        ]


async def test_one_that_begins_like_theirs_and_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [ONE]) as rig:
        id_ = await rig.begin("one", execution_id=new_execution_id(lambda: NOON))

        with pytest.raises(NotFound):
            await of(rig, f"{id_[:13]}-8000-a000-000000000000")

"""What an operation is told of where it can do nothing, by why it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import Conflict
from tests.executor.rig import ADMIN, executing, step, workflow
from tests.executor.test_bulk import operate
from tests.executor.test_kin import document
from tests.executor.test_operating import rerun


async def test_what_was_not_reached_and_what_is_of_a_loop_is_told_apart(tmp_path: Path) -> None:
    loop = {**step("loop", "DO_WHILE"), "items": [1, 2], "loopOver": [step("in", "NOOP")]}
    flow = workflow("flow", loop, step("hold", "WAIT"), step("last", "NOOP"))
    async with executing(tmp_path / "x.db", [flow]) as rig:
        held = await rig.begin("flow")
        await operate(rig, pb.OPERATION_TERMINATE, [held])
        with pytest.raises(Conflict, match="last was never reached"):
            await rerun(rig, held, ref="last")
        with pytest.raises(Conflict, match="such as in__2"):
            await rerun(rig, held, ref="in")
        state = await rerun(rig, held, ref="in__2")

    assert state.status == pb.EXECUTION_STATUS_RUNNING


async def test_an_update_that_changes_nothing_says_so(tmp_path: Path) -> None:
    flow = workflow("flow", step("quick", "NOOP"), step("hold", "WAIT"), step("more", "WAIT"))
    async with executing(tmp_path / "x.db", [flow]) as rig:
        held = await rig.begin("flow")

        async def already(**fields: str) -> bool:
            request = pb.UpdateTaskRequest(
                execution_id=held, status=pb.TASK_STATUS_COMPLETED, output='{"n": 1}', **fields
            )
            return (await rig.stub.UpdateTask(request, metadata=ADMIN)).already

        task_id = (await rig.get(held)).tasks[1].task_id
        told = [await already(ref="quick"), await already(ref="hold"), await already(ref="hold"),
                await already(task_id=task_id)]  # fmt: skip
        quick = (await document(rig, held))["tasks"][0]

    assert told == [True, False, True, True]
    assert quick["outputData"] == {}

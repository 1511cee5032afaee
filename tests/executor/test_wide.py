"""Workflows that are wide, long or deep end as small ones do; `make bench` has their times."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.growth import workflows
from podium.executor.v1 import executor_pb2 as pb
from tests.executor.rig import executing


# Some hundred tasks each.
@pytest.mark.parametrize(
    ("name", "given", "tasks"),
    [
        ("fork", {"items": [{}] * 300}, 302),
        ("loop", {"count": 150}, 1),
        ("chain100", {}, 100),
        ("level35", {}, 1),
        ("large", {"text": "x" * 1_000_000}, 1),
    ],
)
async def test_many_tasks_end_well(
    tmp_path: Path, name: str, given: dict[str, object], tasks: int
) -> None:
    definitions = [{"kind": "workflow", **each} for each in workflows()]
    async with executing(tmp_path / "x.db", definitions, scripts=1) as rig:
        result = await rig.run(name, seconds=30, input=given)
        told = await rig.get(result.execution_id)

    assert result.status == pb.EXECUTION_STATUS_COMPLETED, result.reason
    assert len(told.tasks) >= tasks
    assert all(each.status == pb.TASK_STATUS_COMPLETED for each in told.tasks)

"""How the limits of workflows stand, as operators ask for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import crowds_pb2 as pb
from services.errors import InvalidRequest
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, put, replica_of, step, workflow
from tests.executor.test_crowds import begin, begun, end, limited


async def listed(rig: Rig, **request: Any) -> list[pb.WorkflowLimit]:
    with raising_ours():
        told = await rig.stub.ListWorkflowLimits(
            pb.ListWorkflowLimitsRequest(**request), metadata=ADMIN, timeout=5
        )
    return list(told.limits)


async def test_a_key_tells_who_runs_and_how_many_wait(tmp_path: Path) -> None:
    free = workflow("free", step("t", "HUMAN"))
    refusing = limited("refusing", policy="REJECT", rateLimitKey=None)
    async with executing(tmp_path / "x.db", [limited(), refusing, free]) as rig:
        ids = await begin(rig, "a", 3)
        (other,) = await begin(rig, "b")
        await begun(rig, ids)

        held, unused = await listed(rig)
        assert (held.workflow_name, held.key) == ("held", "${workflow.input.k}")
        assert (held.limit, held.rejects, held.keys_used) == (1, False, 2)
        busiest, quiet = held.keys
        assert (busiest.key, busiest.used, busiest.limit, busiest.waiting) == ("a", 1, 1, 2)
        assert [each.execution_id for each in busiest.holders] == ids[:1]
        assert busiest.holders[0].started_at.seconds > 0
        assert (quiet.key, [each.execution_id for each in quiet.holders]) == ("b", [other])
        assert (unused.workflow_name, unused.rejects, list(unused.keys)) == ("refusing", True, [])

        ((only,),) = [each.keys for each in await listed(rig, key_id=quiet.id)]
        assert only.key == "b"
        assert [each.workflow_name for each in await listed(rig, workflow_name="held")] == ["held"]
        assert [len(each.keys) for each in await listed(rig, keys=1)] == [1, 0]
        await end(rig, other)
        assert [each.key for each in (await listed(rig))[0].keys] == ["a"]


async def test_after_a_restart_it_is_known_what_keys_are_of(tmp_path: Path) -> None:
    replica = replica_of(limited())
    async with executing(tmp_path / "x.db", replica) as rig:
        ids = await begin(rig, "a", 2)
    put(replica, {**limited(), "rateLimitConfig": None})
    async with executing(tmp_path / "x.db", replica) as rig:
        await begun(rig, ids)
        (held,) = await listed(rig)
        assert [(each.key, each.used, each.waiting) for each in held.keys] == [("a", 1, 1)]


async def test_a_key_that_is_masked_is_not_told(tmp_path: Path) -> None:
    definition = {**limited(), "maskedFields": ["k"]}
    async with executing(tmp_path / "x.db", [definition]) as rig:
        await begun(rig, await begin(rig, "card-4111"))
        (held,) = await listed(rig)
        assert [each.key for each in held.keys] == ["***"]


@pytest.mark.parametrize("request_", [{"keys": 101}, {"keys": -1}, {"holders": 101}])
async def test_it_is_asked_for_within_bounds(tmp_path: Path, request_: dict[str, int]) -> None:
    async with executing(tmp_path / "x.db") as rig:
        with pytest.raises(InvalidRequest, match="must be from 0 to 100"):
            await listed(rig, **request_)

"""One operation on many executions: shown before, told of each, and asked for again at will."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest, Unavailable
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, new_id, put, replica_of, step, workflow
from tests.executor.test_watching import QUICK, WAITING

DONE, ALREADY, REFUSED = (
    pb.OPERATION_OUTCOME_DONE,
    pb.OPERATION_OUTCOME_ALREADY,
    pb.OPERATION_OUTCOME_REFUSED,
)


async def operate(
    rig: Rig, operation: pb.Operation.ValueType, execution_ids: Sequence[str] = (), **fields: Any
) -> tuple[pb.OperationPreview, list[pb.OperationResult]]:
    request = pb.OperateExecutionsRequest(
        operation=operation, execution_ids=execution_ids, **fields
    )
    first, *rest = [each async for each in rig.stub.OperateExecutions(request, metadata=ADMIN)]
    assert not any(each.HasField("preview") for each in rest)
    return first.preview, [result for each in (first, *rest) for result in each.results]


def outcomes(results: Sequence[pb.OperationResult]) -> list[Any]:
    return [each.outcome for each in results]


async def test_each_of_many_is_told_in_the_order_of_their_names(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        held = await asyncio.gather(*(rig.begin("waiting") for _ in range(70)))
        ended, missing = (await rig.run("quick")).execution_id, new_id()
        ids = [*held, ended, missing, held[0]]
        preview, results = await operate(rig, pb.OPERATION_TERMINATE, ids, reason="enough")
        again, repeated = await operate(rig, pb.OPERATION_TERMINATE, ids)

    assert [each.execution_id for each in results] == [*held, ended, missing]
    assert outcomes(results) == [DONE] * 70 + [REFUSED] * 2
    assert {each.state.reason for each in results[:70]} == {"enough"}
    assert [each.reason for each in results[70:]] == ["CONFLICT", "NOT_FOUND"]
    assert (preview.applicable, preview.selected, preview.missing) == (70, 72, 1)
    counts = {each.status: each.count for each in preview.counts}
    assert counts == {pb.EXECUTION_STATUS_RUNNING: 70, pb.EXECUTION_STATUS_COMPLETED: 1}
    assert outcomes(repeated) == [ALREADY] * 70 + [REFUSED] * 2
    assert (again.applicable, again.HasField("oldest_at")) == (0, False)


async def test_what_is_only_shown_is_not_done(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        held = [await rig.begin("waiting") for _ in range(3)]
        preview, results = await operate(rig, pb.OPERATION_PAUSE, held, dry_run=True)
        first = await rig.get(held[0])

    assert not results
    assert list(preview.execution_ids) == held
    assert preview.oldest_at == first.state.created_at
    assert first.state.status == pb.EXECUTION_STATUS_RUNNING


async def test_of_what_matches_the_oldest_are_taken_that_it_applies_to(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING, QUICK]) as rig:
        held = [await rig.begin("waiting") for _ in range(4)]
        await rig.run("quick")
        await operate(rig, pb.OPERATION_PAUSE, held[:1])
        asked: dict[str, Any] = {"query": "wf:waiting OR wf:quick", "limit": 2}
        preview, nothing = await operate(rig, pb.OPERATION_PAUSE, dry_run=True, **asked)
        shown, results = await operate(rig, pb.OPERATION_PAUSE, **asked)
        rest, further = await operate(rig, pb.OPERATION_PAUSE, **asked)
        none, _ = await operate(rig, pb.OPERATION_PAUSE, query="wf:none")

    assert (list(preview.execution_ids), nothing) == (held[1:3], [])
    assert (preview.applicable, preview.selected) == (3, 2)
    counts = {each.status: each.count for each in preview.counts}
    assert counts == {
        pb.EXECUTION_STATUS_PAUSED: 1,
        pb.EXECUTION_STATUS_RUNNING: 3,
        pb.EXECUTION_STATUS_COMPLETED: 1,
    }
    assert [each.execution_id for each in results] == held[1:3]
    assert shown.oldest_at == preview.oldest_at
    assert not shown.execution_ids
    assert (rest.applicable, [each.execution_id for each in further]) == (1, held[3:])
    assert none == pb.OperationPreview()


OPERATIONS = [
    (pb.OPERATION_PAUSE, DONE, pb.EXECUTION_STATUS_PAUSED),
    (pb.OPERATION_PAUSE, ALREADY, pb.EXECUTION_STATUS_PAUSED),
    (pb.OPERATION_RESUME, DONE, pb.EXECUTION_STATUS_RUNNING),
    (pb.OPERATION_RESUME, ALREADY, pb.EXECUTION_STATUS_RUNNING),
    (pb.OPERATION_RETRY, ALREADY, pb.EXECUTION_STATUS_RUNNING),
    (pb.OPERATION_TERMINATE, DONE, pb.EXECUTION_STATUS_TERMINATED),
    (pb.OPERATION_TERMINATE, ALREADY, pb.EXECUTION_STATUS_TERMINATED),
    (pb.OPERATION_PAUSE, REFUSED, pb.EXECUTION_STATUS_UNSPECIFIED),
    (pb.OPERATION_RETRY, DONE, pb.EXECUTION_STATUS_RUNNING),
    (pb.OPERATION_TERMINATE, DONE, pb.EXECUTION_STATUS_TERMINATED),
    (pb.OPERATION_RESTART, DONE, pb.EXECUTION_STATUS_RUNNING),
    (pb.OPERATION_RESTART, ALREADY, pb.EXECUTION_STATUS_RUNNING),
]


async def test_what_is_done_already_is_said_to_be(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        execution_id = await rig.begin("waiting")
        told = []
        for operation, _, _ in OPERATIONS:
            _, [result] = await operate(rig, operation, [execution_id])
            told.append((operation, result.outcome, result.state.status))

    assert told == OPERATIONS


@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        (pb.OPERATION_RERUN, {"ref": "hold"}),
        (pb.OPERATION_RERUN, {"task_id": "x"}),
        (pb.OPERATION_RERUN, {"input": "{}"}),
        (pb.OPERATION_RERUN, {"correlation_id": ""}),
        (pb.OPERATION_RESTART, {"use_latest_definitions": True}),
    ],
)
async def test_what_runs_on_something_else_is_not_said_to_be_done(
    operation: Any, fields: dict[str, Any], tmp_path: Path
) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        execution_id = await rig.begin("waiting")
        _, [result] = await operate(rig, operation, [execution_id], **fields)

    assert (result.outcome, result.reason) == (REFUSED, "CONFLICT")
    assert "RUNNING" in result.detail


async def test_many_are_restarted_with_the_latest_definitions(tmp_path: Path) -> None:
    replica = replica_of(workflow("flow", step("old", "NOOP")))
    async with executing(tmp_path / "x.db", replica) as rig:
        ids = [(await rig.run("flow")).execution_id for _ in range(3)]
        put(replica, workflow("flow", step("new", "NOOP"), version=2))
        await operate(rig, pb.OPERATION_RESTART, ids, use_latest_definitions=True)
        for each in ids:
            await rig.ended(each)
        refs = {(await rig.get(each)).tasks[0].ref for each in ids}

    assert refs == {"new"}


@pytest.mark.parametrize(
    "fields",
    [
        {"operation": pb.OPERATION_UNSPECIFIED, "execution_ids": ["e"]},
        {"operation": 99, "execution_ids": ["e"]},
        {"operation": pb.OPERATION_PAUSE},
        {"operation": pb.OPERATION_PAUSE, "execution_ids": map(str, range(10_001))},
        {"operation": pb.OPERATION_PAUSE, "execution_ids": ["e"] * 10_001},
        {"operation": pb.OPERATION_PAUSE, "execution_ids": ["e"], "query": "status:running"},
        {"operation": pb.OPERATION_PAUSE, "query": "nope:1"},
        {"operation": pb.OPERATION_PAUSE, "query": "  "},
        {"operation": pb.OPERATION_PAUSE, "query": '""'},
        {"operation": pb.OPERATION_PAUSE, "query": 'status:running OR reason~""'},
        {"operation": pb.OPERATION_PAUSE, "query": "status:running", "limit": 10_001},
        {"operation": pb.OPERATION_TERMINATE, "execution_ids": ["e"], "reason": "a\0b"},
        {"operation": pb.OPERATION_TERMINATE, "execution_ids": ["e"], "reason": "a" * 10_001},
    ],
)
async def test_what_makes_no_sense_is_refused(fields: dict[str, Any], tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        with pytest.raises(InvalidRequest), raising_ours():
            await operate(rig, **fields)


async def test_a_drain_ends_it_and_it_can_be_asked_for_again(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [WAITING]) as rig:
        held = await asyncio.gather(*(rig.begin("waiting") for _ in range(200)))
        request = pb.OperateExecutionsRequest(operation=pb.OPERATION_PAUSE, execution_ids=held)
        call: Any = rig.stub.OperateExecutions(request, metadata=ADMIN)
        told = [(await call.read()), (await call.read())]
        rig.runtime.draining = True
        with pytest.raises(Unavailable), raising_ours():
            while (response := await call.read()) is not None:
                told.append(response)
    done = [result for response in told for result in response.results]
    async with executing(path, [WAITING]) as rig:
        _, results = await operate(rig, pb.OPERATION_PAUSE, held)

    assert 0 < len(done) < 200
    assert {each.outcome for each in done} == {DONE}
    assert outcomes(results)[: len(done)] == [ALREADY] * len(done)
    assert set(outcomes(results)) == {DONE, ALREADY}

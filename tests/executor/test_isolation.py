"""What goes wrong with one caller or execution is no harm to the others."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.access import application_principal
from services.errors import AlreadyExists
from services.executor.actors import Told
from services.executor.answers import Answer
from services.executor.core.events import TaskUpdated
from services.executor.core.model import TaskStatus
from services.executor.rows import moment
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, new_id, start, step, workflow

HOLD = workflow("hold", step("hold", "WAIT"))
UNTIL = workflow("until", step("hold", "WAIT", until="${workflow.input.until}"))
QUICK = workflow("quick", step("say", "NOOP"), outputParameters={"n": "${workflow.input.n}"})
PRIVATE = workflow("private", step("say", "NOOP"), outputParameters={"n": "${workflow.input.n}"})
BEYOND = "9999-12-31T23:59:59-12:00"


async def test_a_caller_that_leaves_as_its_execution_ends_takes_nobody_along(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [HOLD]) as rig:
        engine, calls = rig.runtime.engine, rig.executor._calls
        mine, other = new_id(), await rig.begin("hold")
        order = start("hold", execution_id=mine, on_behalf_of="")
        run = asyncio.create_task(
            calls.run(order, application_principal("admin"), timedelta(seconds=30))
        )
        while mine not in rig.runtime.waiters._waiting:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        loop = asyncio.get_running_loop()
        heard: asyncio.Future[object] = loop.create_future()
        done = TaskUpdated(TaskStatus.COMPLETED, ref="hold")

        def both_end() -> None:
            engine.tell(mine, done)
            engine.tell(other, done, heard.set_result)
            loop.call_soon(run.cancel)
            # The loop is late: what is written, and that the caller leaves, come in one turn.
            while not _ended(tmp_path / "x.db", mine, other):
                time.sleep(0.005)

        loop.call_soon(both_end)
        with pytest.raises(asyncio.CancelledError):
            await run

        assert isinstance(await asyncio.wait_for(heard, 5), Told)
        assert (await rig.ended(other)).status == pb.EXECUTION_STATUS_COMPLETED
        assert engine.active == 0


def _ended(path: Path, *ids: str) -> bool:
    db = sqlite3.connect(path)
    try:
        marks = ",".join("?" * len(ids))
        query = f"SELECT count(*) FROM executions WHERE id IN ({marks}) AND ended_at NOT NULL"
        return int(db.execute(query, ids).fetchone()[0]) == len(ids)
    finally:
        db.close()


async def test_a_caller_that_breaks_when_it_is_told_harms_no_other(tmp_path: Path) -> None:
    def breaks(_: object) -> None:
        raise ZeroDivisionError

    async with executing(tmp_path / "x.db", [HOLD]) as rig:
        ids = [await rig.begin("hold") for _ in range(5)]
        done = TaskUpdated(TaskStatus.COMPLETED, ref="hold")
        for each in ids:
            rig.runtime.engine.tell(each, done, breaks)
        results = [await rig.ended(each) for each in ids]

    assert {each.status for each in results} == {pb.EXECUTION_STATUS_COMPLETED}


async def test_a_moment_beyond_the_calendar_fails_its_task(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [UNTIL]) as rig:
        result = await rig.run("until", input={"until": BEYOND})

    assert result.status == pb.EXECUTION_STATUS_FAILED
    assert "Invalid/Unsupported Wait Until format" in result.reason


async def test_a_row_that_makes_no_sense_is_no_harm_to_those_read_with_it(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [HOLD]) as rig:
        ids = [await rig.begin("hold") for _ in range(3)]
    _spoil(path, ids[0])
    async with executing(path, [HOLD]) as rig:
        answers = [Answer() for _ in ids]
        for each, answer in zip(ids, answers, strict=True):
            rig.runtime.engine.tell(each, None, answer)
        told = await asyncio.gather(*(each.told() for each in answers), return_exceptions=True)

    assert [isinstance(each, Told) for each in told] == [False, True, True]


def _spoil(path: Path, execution_id: str) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute(
            "UPDATE tasks SET memory = ? WHERE execution_id = ?",
            ("[" * 100_000, execution_id),
        )
    db.close()


def test_a_moment_that_no_calendar_has_is_its_last() -> None:
    assert moment(2**62).astimezone(UTC).year == 9999
    assert moment(-(2**62)).astimezone(UTC).year == 1


async def test_an_execution_with_a_moment_beyond_the_calendar_can_be_ended(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [HOLD]) as rig:
        execution_id = await rig.begin("hold")
    db = sqlite3.connect(path)
    with db:
        db.execute("UPDATE tasks SET next_at = ?", (2**60,))
    db.close()
    async with executing(path, [HOLD]) as rig:
        request = pb.TerminateExecutionRequest(execution_id=execution_id)
        await rig.stub.TerminateExecution(request, metadata=ADMIN)

        assert (await rig.get(execution_id)).state.status == pb.EXECUTION_STATUS_TERMINATED


async def refused(rig: Rig, flow: str, execution_id: str, fingerprint: bytes) -> None:
    with pytest.raises(AlreadyExists), raising_ours():
        await rig.run(flow, execution_id=execution_id, fingerprint=fingerprint, input={"n": 1})


async def test_a_start_attaches_to_the_same_workflow_only(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK, PRIVATE]) as rig:
        for fingerprint in (b"", b"same"):
            execution_id = new_id()
            await rig.run(
                "private", execution_id=execution_id, fingerprint=fingerprint, input={"n": "x"}
            )
            await refused(rig, "quick", execution_id, fingerprint)


async def test_a_start_without_a_fingerprint_is_never_the_same_again(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [HOLD, QUICK]) as rig:
        ended, open_ = new_id(), new_id()
        await rig.run("quick", execution_id=ended, fingerprint=b"", input={"n": "x"})
        await rig.begin("hold", execution_id=open_, fingerprint=b"")

        await refused(rig, "quick", ended, b"")
        await refused(rig, "hold", open_, b"")


async def test_a_start_begins_though_somebody_asked_for_its_id_before(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [QUICK]) as rig:
        execution_id = new_id()
        heard: list[object] = []
        for _ in range(2):
            rig.runtime.engine.tell(execution_id, None, heard.append)
        order = rig.executor._starting.order(
            start("quick", execution_id=execution_id, on_behalf_of=""),
            application_principal("admin"),
        )
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[object]] = [loop.create_future() for _ in range(2)]
        for answer in answers:
            rig.runtime.engine.start(order, answer.set_result)
        told = await asyncio.wait_for(asyncio.gather(*answers), 5)

    assert all(isinstance(each, Told) for each in told)

"""The database is looked after, whatever it says for a while, and nobody waits for that."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import NotFound
from services.executor import queries
from services.executor.answers import Answer
from services.executor.core.events import Paused
from services.executor.upkeep import Upkeep, _drop_executions
from tests.executor.rig import executing, step, workflow

HOLD = workflow("hold", step("hold", "WAIT"))
BRIEF = workflow("brief", step("hold", "WAIT", duration="1 second"))
AT_ONCE = Upkeep(retention=timedelta(0), every=timedelta(milliseconds=10))


def altered(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path, timeout=10)
    with db:
        for each in statements:
            db.execute(each)
    db.close()


async def test_upkeep_that_cannot_read_comes_again(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [HOLD]) as rig:
        altered(path, "ALTER TABLE changes RENAME TO gone")
        upkeep = asyncio.create_task(AT_ONCE.run(rig.store, rig.runtime.feed, rig.runtime.tally))
        await asyncio.wait({upkeep}, timeout=0.1)
        altered(path, "ALTER TABLE gone RENAME TO changes")

        assert not upkeep.done()
        upkeep.cancel()
        with suppress(asyncio.CancelledError):
            await upkeep


# A timer of a second, and a second until timers are read again.
async def test_timers_that_cannot_be_read_are_read_later(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [BRIEF]) as rig:
        execution_id = await rig.begin("brief")
    altered(path, "ALTER TABLE timers RENAME TO gone")
    async with executing(path, [BRIEF]) as rig:
        await asyncio.wait({asyncio.create_task(rig.get(execution_id))}, timeout=0.2)
        altered(path, "ALTER TABLE gone RENAME TO timers")

        assert (await rig.ended(execution_id)).status == pb.EXECUTION_STATUS_COMPLETED


# The first time it cannot; the next is a tenth of a second later.
async def test_what_was_left_is_found_once_it_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [HOLD]) as rig:
        execution_id = await rig.begin("hold")
    altered(
        path,
        "DELETE FROM tasks",
        "UPDATE executions SET next_sequence = 1",
        "DROP INDEX tasks_pending",
    )
    mended = "CREATE INDEX tasks_pending ON tasks (execution_id) WHERE pending > 0"
    mending = asyncio.get_running_loop().call_later(0.1, altered, path, mended)
    async with executing(path, [HOLD]) as rig:
        assert mending.when() < asyncio.get_running_loop().time()
        async with asyncio.timeout(10):
            while not (await rig.get(execution_id)).tasks:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_what_ended_is_dropped_and_its_definitions_with_the_last_of_it(
    tmp_path: Path,
) -> None:
    quick = workflow("quick", step("say", "NOOP"))
    async with executing(tmp_path / "x.db", [HOLD, quick]) as rig:
        kept = await rig.begin("hold")
        for _ in range(5):
            await rig.run("quick")
        await AT_ONCE.clean(rig.store, rig.runtime.tally)
        db = sqlite3.connect(tmp_path / "x.db")
        left = db.execute("SELECT id FROM executions").fetchall()
        snapshots = db.execute("SELECT count(*) FROM snapshots").fetchone()
        plan = str(
            db.execute(
                "EXPLAIN QUERY PLAN SELECT 1 FROM executions WHERE snapshot = '' LIMIT 1"
            ).fetchall()
        )
        db.close()

        assert (left, snapshots) == ([(kept,)], (1,))
        assert "executions_of_snapshot" in str(plan)
        assert (await rig.run("quick")).status == pb.EXECUTION_STATUS_COMPLETED


# Ten executions of 2 MB are written, and dropped.
async def test_large_executions_are_dropped_a_few_at_a_time(tmp_path: Path) -> None:
    quick = workflow("quick", step("say", "NOOP"))
    async with executing(tmp_path / "x.db", [quick]) as rig:
        for _ in range(10):
            await rig.run("quick", input={"x": "y" * 2_000_000})
        gone: list[str] = []
        ended, _ = await rig.store.readers.read(queries.ended_before, 2**62, (0, 0), 100)
        await rig.store.writer.chore(partial(_drop_executions, ended, gone, []))
        await AT_ONCE.clean(rig.store, rig.runtime.tally)
        left = await rig.store.readers.read(_count)

    assert 0 < len(gone) < 10
    assert left == 0


def _count(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM executions").fetchone()[0])


async def test_what_happens_to_a_dropped_execution_is_not_said_to_be_stored(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.db"
    async with executing(path, [HOLD]) as rig:
        execution_id, other = await rig.begin("hold"), await rig.begin("hold")
        altered(path, f"DELETE FROM executions WHERE id = '{execution_id}'")
        gone, there = Answer(), Answer()
        rig.runtime.engine.tell(execution_id, Paused(), gone)
        rig.runtime.engine.tell(other, Paused(), there)

        assert (await there.told()).after.status == "PAUSED"
        with pytest.raises(NotFound):
            await gone.told()

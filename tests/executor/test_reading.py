"""Reads: large documents, forged pages, definitions in memory, and who waits for whom."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest, TooLarge
from services.executor import starting
from services.executor.snapshots import Snapshots
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, replica_of, step, workflow

HOLD = workflow("hold", step("hold", "WAIT"))
LARGE = json.dumps({"text": "x" * 300_000, "rows": [{"n": each} for each in range(1000)]})


async def complete(rig: Rig, execution_id: str, output: str) -> None:
    request = pb.UpdateTaskRequest(
        execution_id=execution_id, ref="hold", status=pb.TASK_STATUS_COMPLETED, output=output
    )
    await rig.stub.UpdateTask(request, metadata=ADMIN)


async def test_large_documents_come_back_as_they_went_in(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [HOLD]) as rig:
        execution_id = await rig.begin("hold", input=LARGE)
        await complete(rig, execution_id, LARGE)
        document = json.loads((await rig.get(execution_id)).document)

    assert document["input"] == json.loads(LARGE)
    assert document["tasks"][0]["outputData"] == json.loads(LARGE)


async def test_large_documents_that_cannot_be_taken_are_refused(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [HOLD]) as rig:
        execution_id = await rig.begin("hold")
        with pytest.raises(InvalidRequest), raising_ours():
            await rig.begin("hold", input=LARGE[:-1])
        with pytest.raises(InvalidRequest), raising_ours():
            await complete(rig, execution_id, LARGE[:-1])


async def test_an_input_is_as_long_as_it_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "_MOST_INPUT_CHARS", 1000)
    async with executing(tmp_path / "x.db", [HOLD]) as rig:
        with pytest.raises(TooLarge, match="written out"), raising_ours():
            await rig.begin("hold", input=f'{{"a":[{"1e15," * 60}1]}}')
        assert await rig.begin("hold", input=f'{{"a":[{"1e15," * 50}1]}}')


@pytest.mark.parametrize(
    "place", [[10**23, "x"], [-(10**23), "x"], [1, "\ud800"], [1.5, "x"], ["1", "x"], [1], 1]
)
async def test_a_page_token_that_is_none_of_ours_is_refused(tmp_path: Path, place: object) -> None:
    token = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
    request = pb.ListExecutionsRequest()
    request.page.page_token = token
    async with executing(tmp_path / "x.db") as rig:
        with pytest.raises(InvalidRequest), raising_ours():
            await rig.stub.ListExecutions(request, metadata=ADMIN)


async def test_who_reads_for_long_does_not_keep_the_engine_waiting(tmp_path: Path) -> None:
    path, over = tmp_path / "x.db", threading.Event()
    async with executing(path, [HOLD]) as rig:
        execution_id = await rig.begin("hold")
    async with executing(path, [HOLD]) as rig:
        long = [rig.store.readers.read(lambda _: over.wait(20)) for _ in range(8)]
        try:
            await asyncio.wait_for(complete(rig, execution_id, ""), 10)
        finally:
            over.set()
            await asyncio.gather(*long)

        assert (await rig.ended(execution_id)).status == pb.EXECUTION_STATUS_COMPLETED


def test_the_definitions_used_last_are_kept() -> None:
    names = [f"flow-{number}" for number in range(300)]
    snapshots = Snapshots(replica_of(*(workflow(each, step("a", "NOOP")) for each in names)))
    first = snapshots.of(names[0], 0)
    assert first is not None
    for name in names[1:]:
        assert snapshots.of(name, 0) is not None
        assert snapshots.cached(first.hash) is first


def _endless(db: sqlite3.Connection, begun: threading.Event) -> None:
    begun.set()
    db.execute(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    )


async def test_who_asks_no_longer_leaves_the_threads_to_others(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db") as rig:
        for _ in range(8):
            begun = threading.Event()
            given_up = rig.store.readers.read(_endless, begun, within=timedelta(minutes=1))
            assert await asyncio.to_thread(begun.wait, 10)
            given_up.cancel()
        reading = rig.store.readers.read(lambda db: db.execute("SELECT 7").fetchone())

        assert await asyncio.wait_for(reading, 10) == (7,)

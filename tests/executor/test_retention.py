"""What ended long ago goes, children with their parents; exported first, where that is wanted."""

from __future__ import annotations

import asyncio
import gzip
import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.executor import exporting, queries
from services.executor.upkeep import Upkeep
from tests.executor.rig import ADMIN, Rig, executing, step, workflow

QUICK = workflow("quick", step("say", "SET_VARIABLE", word="${workflow.input.word}"))
SUB = {**step("sub", "SUB_WORKFLOW"), "subWorkflowParam": {"name": "quick", "version": 1}}
AROUND = workflow("around", SUB, step("hold", "WAIT"))
TOP = workflow(
    "top",
    {**SUB, "subWorkflowParam": {"name": "around", "version": 1}},
)
DEFINITIONS = [QUICK, AROUND, TOP]


def at_once(export: Path | None = None) -> Upkeep:
    return Upkeep(retention=timedelta(0), export=export)


async def clean(rig: Rig, export: Path | None = None) -> None:
    await at_once(export).clean(rig.store, rig.runtime.tally, rig.runtime.snapshots)


def exported(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(folder.glob("executions-*.ndjson.gz"))
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]


def names(db: sqlite3.Connection) -> list[str]:
    return [row[0] for row in db.execute("SELECT workflow FROM executions ORDER BY rowid")]


async def test_children_go_with_those_above_them(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", DEFINITIONS) as rig:
        await rig.begin("top")
        for _ in range(3):
            await rig.run("quick")
        around = await held(rig)
        await clean(rig)
        assert await rig.store.readers.read(names) == ["top", "around", "quick"]

        done = pb.UpdateTaskRequest(
            execution_id=around, ref="hold", status=pb.TASK_STATUS_COMPLETED
        )
        await rig.stub.UpdateTask(done, metadata=ADMIN)
        (top,) = await rig.store.readers.read(ids_of, "top")
        await rig.ended(top)
        await clean(rig)
        assert await rig.store.readers.read(names) == []


async def held(rig: Rig) -> str:
    """The execution of ``around``, once its own child has ended."""
    while True:
        request = pb.SearchTasksRequest(query="ref:hold status:in_progress")
        found = await rig.stub.SearchTasks(request, metadata=ADMIN)
        if found.tasks:
            return found.tasks[0].execution_id


def ids_of(db: sqlite3.Connection, name: str) -> list[str]:
    return [row[0] for row in db.execute("SELECT id FROM executions WHERE workflow = ?", (name,))]


async def test_what_stays_does_not_hide_what_may_go(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", DEFINITIONS) as rig:
        await rig.begin("around")
        await held(rig)
        last = (await rig.run("quick")).execution_id
        place: tuple[int, int] | None = (0, 0)
        found = []
        while place is not None:
            some, place = await rig.store.readers.read(queries.ended_before, 2**62, place, 1)
            found += some

        assert [each for each, _ in found] == [last]


async def test_what_goes_is_exported_first(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "export"
    async with executing(tmp_path / "x.db", DEFINITIONS) as rig:
        ids = [(await rig.run("quick", input={"word": f"ö{n}"})).execution_id for n in range(3)]
        documents = {each: json.loads((await rig.get(each)).document) for each in ids}
        await clean(rig, folder)

        assert await rig.store.readers.read(names) == []
        assert {each["workflowId"]: each for each in exported(folder)} == documents
        await clean(rig, folder)
        assert len(list(folder.iterdir())) == 1


async def test_nothing_goes_that_cannot_be_exported(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("no folder")
    async with executing(tmp_path / "x.db", DEFINITIONS) as rig:
        await rig.run("quick")
        with pytest.raises(OSError, match="file"):
            await clean(rig, folder)

        assert await rig.store.readers.read(names) == ["quick"]


def tell(db: sqlite3.Connection) -> None:
    """Something that was told, and handled, long ago."""
    db.execute(
        "INSERT INTO event_messages (id, event, payload, depth, at, done_at) "
        "VALUES ('m', 'e', '{}', 0, 1, 1)"
    )


async def test_where_nothing_can_be_exported_all_else_goes_still(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("no folder")
    upkeep = Upkeep(timedelta(0), every=timedelta(milliseconds=10), export=folder / "below")
    async with executing(tmp_path / "x.db", DEFINITIONS) as rig:
        await rig.run("quick")
        await rig.store.writer.chore(tell)
        parts = rig.store, rig.runtime.feed, rig.runtime.tally, rig.runtime.snapshots
        running = asyncio.create_task(upkeep.run(*parts))
        count = "SELECT count(*) FROM event_messages"
        async with asyncio.timeout(5):
            while await rig.store.readers.read(lambda db: db.execute(count).fetchone()[0]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

        assert await rig.store.readers.read(names) == ["quick"]


async def test_files_are_of_a_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "MOST_CHARS", 1)
    monkeypatch.setattr("services.executor.upkeep._EXPORTED_AT_ONCE", 2)
    async with executing(tmp_path / "x.db", DEFINITIONS) as rig:
        for _ in range(5):
            await rig.run("quick")
        await clean(rig, tmp_path / "export")

    assert len(list((tmp_path / "export").iterdir())) == 3
    assert len(exported(tmp_path / "export")) == 5


async def test_what_a_crash_left_of_a_file_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "executions-20260101T000000.000000Z.ndjson.gz.part").write_bytes(b"half")
    (folder / "mine.txt").write_text("kept")
    async with executing(tmp_path / "x.db", DEFINITIONS) as rig:
        await clean(rig, folder)

    assert [each.name for each in folder.iterdir()] == ["mine.txt"]


async def test_one_that_was_restarted_meanwhile_stays(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", DEFINITIONS) as rig:
        execution_id = (await rig.run("quick")).execution_id
        ended, _ = await rig.store.readers.read(queries.ended_before, 2**62, (0, 0), 10)
        request = pb.RestartExecutionRequest(execution_id=execution_id)
        await rig.stub.RestartExecution(request, metadata=ADMIN)
        await rig.ended(execution_id)
        lines = await rig.store.readers.read(exporting.lines_of, ended, rig.runtime.snapshots)
        await at_once()._drop(rig.store, rig.runtime.tally, ended, [])

        assert lines == []
        assert await rig.store.readers.read(names) == ["quick"]

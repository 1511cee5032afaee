"""Words are found in what executions and tasks got and gave, as soon as it is committed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.executor import fulltext
from services.rpc import raising_ours
from services.storage import StorageUnwritable
from tests.executor.rig import ADMIN, Rig, executing, step, workflow

ECHO = workflow(
    "echo", step("note", "SET_VARIABLE", said="${workflow.input.said}"), step("hold", "WAIT")
)
BROKEN = workflow(
    "broken",
    step("t", "TERMINATE", terminationStatus="FAILED", terminationReason="The card was declined"),
)
DEFINITIONS = [ECHO, BROKEN]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncGenerator[Rig]:
    async with executing(tmp_path / "x.db", DEFINITIONS) as rig:
        yield rig


async def executions(rig: Rig, query: str) -> list[str]:
    request = pb.ListExecutionsRequest(query=query)
    page = await rig.stub.ListExecutions(request, metadata=ADMIN)
    return [each.execution_id for each in page.executions]


async def tasks(rig: Rig, query: str) -> list[str]:
    page = await rig.stub.SearchTasks(pb.SearchTasksRequest(query=query), metadata=ADMIN)
    return [each.task.ref for each in page.tasks]


async def said(rig: Rig, text: str) -> str:
    return await rig.begin("echo", input={"said": text})


async def test_words_are_found_at_once(rig: Rig) -> None:
    first = await said(rig, 'Blue Größe\nnext "quoted" C:\\new')
    assert await executions(rig, "text:blue") == [first]
    second = await said(rig, "blue whale")
    failed = await rig.begin("broken")
    await rig.ended(failed)

    assert await executions(rig, "text:blue") == [second, first]
    assert await executions(rig, 'text:"blue whale"') == [second]
    assert await executions(rig, "freeText:wha*") == [second]
    assert await executions(rig, "text:wha") == []
    assert await executions(rig, "text:grosse OR text:große OR text:größe") == [first]
    assert await executions(rig, "text:next text:quoted text:new") == [first]
    assert await executions(rig, "text:declined,whale wf:*") == [failed, second]
    assert await executions(rig, "text:declined status:completed") == []
    assert await executions(rig, "text!=blue") == [failed]
    assert await tasks(rig, "text:whale") == ["note"]
    assert await tasks(rig, "text:blue status:completed !text:whale") == ["note"]


async def test_what_changes_is_found_as_it_is_then(rig: Rig) -> None:
    execution_id = await said(rig, "before")
    assert await tasks(rig, "text:later") == []
    request = pb.UpdateTaskRequest(
        execution_id=execution_id,
        ref="hold",
        status=pb.TASK_STATUS_COMPLETED,
        output='{"when": "later"}',
    )
    await rig.stub.UpdateTask(request, metadata=ADMIN)

    assert await tasks(rig, "text:later") == ["hold"]
    assert await executions(rig, "text:later") == [execution_id]


async def test_what_is_gone_is_not_found(rig: Rig) -> None:
    execution_id = await said(rig, "blue")
    assert await executions(rig, "text:blue") == [execution_id]
    request = pb.TerminateExecutionRequest(execution_id=execution_id)
    await rig.stub.TerminateExecution(request, metadata=ADMIN)
    delete = pb.DeleteExecutionRequest(execution_id=execution_id)
    await rig.stub.DeleteExecution(delete, metadata=ADMIN)

    assert await executions(rig, "text:blue") == []
    assert await rig.store.readers.read(places) == 0


def forget_changes(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM changes")


def places(db: sqlite3.Connection) -> int:
    found: int = db.execute("SELECT count(*) FROM words.places").fetchone()[0]
    return found


@pytest.mark.parametrize("harm", ["deleted", "garbage", "another store's", "cut off"])
async def test_an_index_that_is_no_good_is_made_anew(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "x.db"
    async with executing(path, DEFINITIONS) as rig:
        execution_id = await said(rig, "blue")
        assert await executions(rig, "text:blue") == [execution_id]
    index = fulltext.beside(path)
    if harm == "deleted":
        index.unlink()
    elif harm == "garbage":
        index.write_bytes(b"no database" * 1000)
    elif harm == "cut off":
        index.write_bytes(index.read_bytes()[:5000])
    else:
        with sqlite3.connect(index) as db:
            db.execute("UPDATE meta SET value = 'other' WHERE name = 'epoch'")
        db.close()

    async with executing(path, DEFINITIONS) as rig:
        assert await executions(rig, "text:blue") == [execution_id]
        assert await tasks(rig, "text:blue") == ["note"]


async def test_an_index_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    fulltext.beside(path).mkdir()

    with pytest.raises(StorageUnwritable, match=r"x-search\.db cannot be used"):
        async with executing(path, DEFINITIONS):
            pass


async def test_changes_that_are_gone_are_made_up_for(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with executing(path, DEFINITIONS) as rig:
        await said(rig, "blue")
        await executions(rig, "text:blue")
        last = await said(rig, "green")
        rig.runtime.feed.floor = rig.runtime.feed.head
        await rig.store.writer.chore(forget_changes)

        assert await executions(rig, "text:green") == [last]


async def test_a_list_of_words_is_kept_current(rig: Rig) -> None:
    first = await said(rig, "blue")
    request = pb.WatchExecutionsRequest(query="text:blue", recent=10)
    shown: set[str] = set()
    async with asyncio.timeout(10):
        async for batch in rig.stub.WatchExecutions(request, metadata=ADMIN):
            shown.update(each.execution.execution_id for each in batch.changes)
            if batch.caught_up:
                assert shown == {first}
                await said(rig, "green")
                last = await said(rig, "light blue")
            if len(shown) == 2:
                break

    assert shown == {first, last}


async def test_it_is_kept_while_nobody_asks(rig: Rig) -> None:
    await said(rig, "blue")
    async with asyncio.timeout(10):
        while await rig.store.readers.read(places) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("many", [False, True])
async def test_few_and_many_are_found_alike(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, many: bool
) -> None:
    if many:
        monkeypatch.setattr("services.executor.finding.CROWD", 1)
    ids = [await said(rig, f"blue {n}") for n in range(4)]

    assert await executions(rig, "text:blue !text:2") == [ids[3], ids[1], ids[0]]
    assert await tasks(rig, "text:blue !text:2") == ["note"] * 3


@pytest.mark.parametrize("query", ["text:'--'", "text:a*b", "text:*", "text~a", "text>1"])
async def test_what_holds_no_words_is_an_invalid_request(rig: Rig, query: str) -> None:
    with pytest.raises(InvalidRequest), raising_ours():
        await executions(rig, query)


@pytest.mark.parametrize("word", ['"', 'a"b', "NEAR(", "a AND", "né", "日本", "a:b", "^a", "a+b"])
async def test_any_words_can_be_asked_for(rig: Rig, word: str) -> None:
    execution_id = await said(rig, f"x{word}x {word}1 {word}")
    quoted = '"' + f"{word}1".replace('"', '\\"') + '"'

    assert await executions(rig, f"text:{quoted}") == [execution_id]

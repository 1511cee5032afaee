"""The database: written in groups, each unit whole or not at all, whatever goes wrong."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from immutables import Map

from podium.executor.v1 import executor_pb2 as pb
from services.errors import DeadlineExceeded, Unavailable
from services.executor import feed_rows, loading, queries, rows
from services.executor.core.copies import changed
from services.executor.core.decide import start
from services.executor.core.model import Execution, ExecutionStatus, Task, TaskStatus
from services.executor.core.spawning import BECOME, SPAWNED
from services.executor.documents import text_of, value_of
from services.executor.rows import Origin
from services.executor.snapshots import Snapshots
from services.executor.store import Store, opened
from services.executor.units import Unit
from services.process import StartupError
from services.rpc import raising_ours
from services.storage import StorageCorrupt, StorageInUse, StorageTooNew
from services.tracing import Trace
from tests.executor.rig import executing, new_id, replica_of, step, workflow

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
FLOW = workflow("flow", step("hold", "WAIT"))
SNAPSHOTS = Snapshots(replica_of(FLOW))

TRACE = Trace("a" * 32, "b" * 16, "01", "congo=1")


def made(execution_id: str, **changes: object) -> Execution:
    snapshot = SNAPSHOTS.of("flow", 0)
    assert snapshot is not None
    execution = start(execution_id, snapshot.workflow, {}, NOW)
    return Execution(**{**vars(execution), **changes})


def unit(execution: Execution, done: asyncio.Queue[Unit], origin: Origin | None = None) -> Unit:
    snapshot = SNAPSHOTS.of("flow", 0)
    assert snapshot is not None
    made_unit = Unit(done.put_nowait, start=execution.id)
    made_unit.created.append(rows.execution_row(execution, snapshot.hash, origin or Origin()))
    made_unit.snapshots.append((snapshot.hash, snapshot.text))
    made_unit.tasks.extend(
        rows.task_row(execution.id, task, None) for task in execution.tasks.values()
    )
    made_unit.changes.append((rows.micros(NOW), execution.id, "flow", "[]"))
    return made_unit


async def written(store: Store, *units: Unit, done: asyncio.Queue[Unit]) -> list[Unit]:
    for each in units:
        store.writer.submit(each)
    return [await done.get() for _ in units]


async def load(store: Store, execution_id: str) -> loading.Loaded | None:
    return await store.readers.read(loading.load_whole, execution_id, SNAPSHOTS)


moments = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - the strategy adds the zone
    max_value=datetime(9000, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
# Attempts and executions hold what JSON can, lone surrogates and U+0000 included.
texts = st.text(st.characters(), max_size=20)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
plain = st.text(st.characters(codec="utf-8"), max_size=20)
tasks = st.builds(
    Task,
    id=plain,
    ref=plain,
    step=plain,
    kind=st.just("HTTP"),
    name=plain,
    sequence=st.integers(1, 2**40),
    status=st.sampled_from(TaskStatus),
    scheduled_at=moments,
    updated_at=moments,
    started_at=st.none() | moments,
    ended_at=st.none() | moments,
    first_scheduled_at=st.none() | moments,
    next_at=st.none() | moments,
    callback_after=st.timedeltas(timedelta(), timedelta(days=10_000)),
    input=documents,
    output=documents,
    # What tasks have made or become is read again as steps, and has to be some.
    memory=st.dictionaries(
        texts.filter(lambda text: text not in (BECOME, SPAWNED)), documents, max_size=3
    ),
    reason=plain,
    timers=st.lists(plain, max_size=3).map(tuple),
    held=st.booleans(),
)
executions = st.builds(
    made,
    st.uuids().map(str),
    status=st.sampled_from(ExecutionStatus),
    input=st.dictionaries(texts, documents, max_size=3),
    variables=st.dictionaries(texts, documents, max_size=3),
    output=documents,
    reason=plain,
    open=st.integers(0, 10_000),
    ended_at=st.none() | moments,
    last_retried_at=st.none() | moments,
    failed_refs=st.lists(plain, max_size=3).map(tuple),
    correlation_id=plain,
    tasks=tasks.map(lambda task: Map({task.ref: task})),
)


@given(documents)
def test_a_document_comes_back_as_it_was(document: object) -> None:
    text = text_of(document)

    assert value_of(text) == document
    assert text.encode()


# Each example is a real database: fewer of them.
@settings(max_examples=25, deadline=None)
@given(st.lists(executions, min_size=1, max_size=5, unique_by=lambda each: each.id))
async def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, batch: list[Execution]
) -> None:
    path = tmp_path_factory.mktemp("store") / "x.db"
    done: asyncio.Queue[Unit] = asyncio.Queue()
    origin = Origin("application:a", b"\0\xff", '{"a":1}', "r", TRACE)
    async with opened(path) as store:
        units = [unit(each, done, origin) for each in batch]
        assert all(each.error is None for each in await written(store, *units, done=done))
        for execution in batch:
            loaded = await load(store, execution.id)
            assert loaded is not None
            assert (loaded.execution, loaded.origin) == (execution, origin)


async def test_revisions_are_without_gaps_in_the_order_of_units(tmp_path: Path) -> None:
    done: asyncio.Queue[Unit] = asyncio.Queue()
    async with opened(tmp_path / "x.db") as store:
        units = [unit(made(new_id()), done) for _ in range(150)]
        units[3].changes *= 3
        finished = await written(store, *units, done=done)

        assert finished == units
        assert [each.revision for each in units[:5]] == [1, 2, 3, 6, 7]
        assert await store.readers.read(feed_rows.revisions) == (152, 0)


async def test_a_unit_that_cannot_be_stored_fails_alone(tmp_path: Path) -> None:
    done: asyncio.Queue[Unit] = asyncio.Queue()
    async with opened(tmp_path / "x.db") as store:
        good = [unit(made(new_id()), done) for _ in range(20)]
        too_large, twice, bad_text = (unit(made(new_id()), done) for _ in range(3))
        too_large.timers_set.append(("x", "", "t", 2**63))
        twice.tasks.append(("not", "a", "row"))
        bad_text.timers_set.append(("\ud800", "", "t", 1))
        units = [*good[:10], too_large, twice, bad_text, *good[10:]]
        finished = await written(store, *units, done=done)

        assert [each for each in finished if each.error] == [too_large, twice, bad_text]
        for each in units:
            there = await load(store, each.start) is not None
            assert there is (each.error is None)


async def test_a_start_that_is_there_already_writes_nothing(tmp_path: Path) -> None:
    done: asyncio.Queue[Unit] = asyncio.Queue()
    async with opened(tmp_path / "x.db") as store:
        execution = made(new_id())
        (first,) = await written(store, unit(execution, done), done=done)
        again = unit(made(execution.id, reason="other"), done)
        other = unit(made(new_id()), done)
        await written(store, again, other, done=done)
        loaded = await load(store, execution.id)

        assert (first.known, again.known, other.known) == ("", first.start, "")
        assert loaded is not None
        assert loaded.execution == execution


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"this is no database, for sure" * 100)
    with pytest.raises(StorageCorrupt, match=r"x\.db"):
        async with opened(path):
            pass

    assert path.read_bytes().startswith(b"this is no database")


async def test_a_database_has_one_owner(tmp_path: Path) -> None:
    async with opened(tmp_path / "x.db"):
        with pytest.raises(StorageInUse, match=str(os.getpid())):
            async with opened(tmp_path / "x.db"):
                pass
    async with opened(tmp_path / "x.db"):
        pass


async def test_a_database_of_a_later_version_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path / "x.db"):
        pass
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("UPDATE _sqlite_migrations SET name = 'm999_tomorrow' WHERE name LIKE 'm003%'")
    db.close()
    with pytest.raises(StorageTooNew, match="m999"):
        async with opened(tmp_path / "x.db"):
            pass


async def test_what_ran_before_ways_were_counted_is_counted(tmp_path: Path) -> None:
    waiting = Task("t", "hold", "hold", "WAIT", "hold", 1, TaskStatus.IN_PROGRESS, NOW, NOW)
    running, ended = (
        made(new_id(), ended_at=at, tasks=Map(hold=changed(waiting, ended_at=at)))
        for at in (None, NOW)
    )
    done: asyncio.Queue[Unit] = asyncio.Queue()
    async with opened(tmp_path / "x.db") as store:
        await written(store, unit(running, done), unit(ended, done), done=done)
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("ALTER TABLE executions DROP COLUMN open")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm005_open'")
    db.close()
    async with opened(tmp_path / "x.db") as store:
        loaded = [await load(store, each.id) for each in (running, ended)]

    assert [each.execution.open for each in loaded if each] == [1, 0]


async def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"x\.db"):
        async with opened(tmp_path / "nowhere" / "x.db"):
            pass


async def test_epoch_and_callback_key_outlive_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path / "x.db") as store:
        first = (store.epoch, store.callback_key)
    async with opened(tmp_path / "x.db") as store:
        assert (store.epoch, store.callback_key) == first


async def test_a_query_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    def endless(db: sqlite3.Connection) -> object:
        return db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        ).fetchone()

    async with opened(tmp_path / "x.db") as store:
        with pytest.raises(DeadlineExceeded):
            await store.readers.read(endless, within=timedelta(milliseconds=20))
        assert await store.readers.read(queries.counts) == {}


@asynccontextmanager
async def small_disk(folder: Path) -> AsyncGenerator[Path]:
    """A file system of 2 MB."""
    folder.mkdir()  # noqa: ASYNC240
    mount = subprocess.run(  # noqa: ASYNC221 - a moment, before anything runs
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mount.returncode:
        if os.environ.get("PODIUM_TEST_ALL"):
            pytest.fail("a small file system cannot be mounted")
        pytest.skip("needs root: a small file system cannot be mounted")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: ASYNC221


# It fills a disk, and waits for the first retry of what could not be written.
async def test_a_full_disk_fails_what_is_asked_and_loses_nothing(tmp_path: Path) -> None:
    async with small_disk(tmp_path / "disk") as folder:
        async with executing(folder / "x.db", [FLOW]) as rig:
            kept = await rig.begin("flow")
            filler = folder / "filler"
            with filler.open("wb") as file:
                file.write(b"\0" * (os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize))
            accepted, refused = [kept], 0
            while not refused:
                try:
                    with raising_ours():
                        accepted.append(await rig.begin("flow", input={"x": "y" * 20_000}))
                except Unavailable:
                    refused += 1
            with pytest.raises(Unavailable), raising_ours():
                await rig.run("flow", input={"x": "y" * 20_000})
            assert (await rig.get(kept)).state.status == pb.EXECUTION_STATUS_RUNNING
            assert rig.runtime.tally.running == len(accepted)

            filler.unlink()
            accepted.append(await rig.begin("flow"))
        async with executing(folder / "x.db", [FLOW]) as rig:
            for each in accepted:
                assert (await rig.get(each)).state.status == pb.EXECUTION_STATUS_RUNNING
            assert rig.runtime.tally.running == len(accepted)

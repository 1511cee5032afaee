"""Storage: transactions, one owner, and files that cannot be used, each told in one line."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from services.errors import Unavailable
from services.storage import (
    StorageCorrupt,
    StorageInUse,
    StorageTooNew,
    StorageUnwritable,
    lock_file,
    opened,
)

migrations = Migrations("things")


@migrations(name="0001_first")
def _first(db: Database) -> None:
    db.execute("CREATE TABLE things (name TEXT PRIMARY KEY)")


def insert(db: Database) -> None:
    db.execute("INSERT INTO things VALUES ('a')")


def count(db: Database) -> int:
    found: int = db.execute("SELECT count(*) FROM things").fetchone()[0]
    return found


async def test_what_was_committed_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    for expected in (0, 1):
        async with opened(tmp_path / "a.db", migrations) as storage:
            assert await storage.transact(count) == expected
            if not expected:
                await storage.transact(insert)


async def test_work_that_raises_changes_nothing(tmp_path: Path) -> None:
    def failing(db: Database) -> None:
        insert(db)
        raise KeyError("no")

    async with opened(tmp_path / "a.db", migrations) as storage:
        with pytest.raises(KeyError):
            await storage.transact(failing)
        assert await storage.transact(count) == 0


async def test_work_comes_one_at_a_time(tmp_path: Path) -> None:
    def add_one(db: Database) -> None:
        db.execute("INSERT INTO things SELECT 'n' || count(*) FROM things")

    async with opened(tmp_path / "a.db", migrations) as storage:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(50):
                tasks.create_task(storage.transact(add_one))
        assert await storage.transact(count) == 50


async def test_commits_outlive_a_power_cut(tmp_path: Path) -> None:
    def pragmas(db: Database) -> tuple[str, int]:
        mode: str = db.execute("PRAGMA journal_mode").fetchone()[0]
        synchronous: int = db.execute("PRAGMA synchronous").fetchone()[0]
        return mode, synchronous

    async with opened(tmp_path / "a.db", migrations) as storage:
        assert await storage.transact(pragmas) == ("wal", 2)


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"These are my notes, and no database." * 200)
    with pytest.raises(StorageCorrupt, match=r"a\.db is corrupt or no database") as caught:
        async with opened(path, migrations):
            pass
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == b"These are my notes, and no database." * 200


async def test_a_truncated_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path, migrations) as storage:
        await storage.transact(
            lambda db: db.execute("CREATE TABLE more AS SELECT randomblob(99999)")
        )
    os.truncate(path, 8192)
    with pytest.raises(StorageCorrupt):
        async with opened(path, migrations):
            pass


async def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.touch()
    async with opened(path, migrations) as storage:
        assert await storage.transact(count) == 0


@pytest.mark.parametrize("place", ["missing/a.db", "file/a.db"])
async def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnwritable, match="cannot be used"):
        async with opened(tmp_path / place, migrations):
            pass


async def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.db").mkdir()
    with pytest.raises(StorageUnwritable, match="cannot be used"):
        async with opened(tmp_path / "a.db", migrations):
            pass


async def test_a_database_of_a_later_version_is_refused(tmp_path: Path) -> None:
    later = Migrations("things")
    later(name="0001_first")(_first)

    @later(name="0002_more")
    def _more(db: Database) -> None:
        db.execute("CREATE TABLE more (name TEXT)")

    async with opened(tmp_path / "a.db", later):
        pass
    with pytest.raises(StorageTooNew, match="0002_more"):
        async with opened(tmp_path / "a.db", migrations):
            pass


async def test_a_full_disk_is_told_as_unavailable(tmp_path: Path) -> None:
    def fill(db: Database) -> None:
        db.execute("INSERT INTO things SELECT hex(randomblob(100000))")

    async with opened(tmp_path / "a.db", migrations) as storage:
        await storage.transact(lambda db: db.execute("PRAGMA max_page_count = 10"))
        with pytest.raises(Unavailable, match="full"):
            await storage.transact(fill)
        assert await storage.transact(count) == 0


async def test_other_mistakes_in_sql_stay_what_they_are(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db", migrations) as storage:
        await storage.transact(insert)
        with pytest.raises(sqlite3.IntegrityError):
            await storage.transact(insert)


OWNER = """
import sys, time, pathlib
from services.storage import lock_file
with lock_file(pathlib.Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


def owner_of(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "mine\n"
    return process


def test_another_process_s_file_is_refused_naming_it(tmp_path: Path) -> None:
    # Longer than 0.25 s: a dying owner is given 2 s.
    with owner_of(tmp_path / "a.db") as owner:
        with pytest.raises(StorageInUse, match=f"in use by process {owner.pid}"):
            lock_file(tmp_path / "a.db").__enter__()
        owner.kill()


def test_a_file_whose_owner_was_killed_is_free(tmp_path: Path) -> None:
    # Longer than 0.25 s: it starts a Python of its own.
    with owner_of(tmp_path / "a.db") as owner:
        owner.send_signal(signal.SIGKILL)
        with lock_file(tmp_path / "a.db"):
            holder = (tmp_path / "a.db.lock").read_text()
    assert holder == f"{os.getpid()}\n"


async def test_it_is_free_again_after_it_was_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(StorageCorrupt):
        async with opened(path, migrations):
            pass
    with lock_file(path):
        pass


async def test_one_that_was_killed_half_way_is_as_before(tmp_path: Path) -> None:
    """The log of a database whose owner died is taken over."""
    path = tmp_path / "a.db"
    async with opened(path, migrations) as storage:
        await storage.transact(insert)
        copies = {each.name: each.read_bytes() for each in tmp_path.iterdir()}  # noqa: ASYNC240
    (tmp_path / "copy").mkdir()
    for name, content in copies.items():
        (tmp_path / "copy" / name).write_bytes(content)
    with closing(sqlite3.connect(tmp_path / "copy" / "a.db")) as plain:
        assert plain.execute("SELECT count(*) FROM things").fetchone() == (1,)
    async with opened(tmp_path / "copy" / "a.db", migrations) as storage:
        assert await storage.transact(count) == 1

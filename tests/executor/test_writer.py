"""The writer goes on after any fault, says so where it cannot, and keeps its log short."""

from __future__ import annotations

import _sqlite3
import asyncio
import ctypes
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from services.executor import statements
from services.executor.store import opened
from services.executor.units import Unit


def unit(done: asyncio.Queue[Unit], text: str = "") -> Unit:
    made = Unit(done.put_nowait, size=len(text))
    made.changes.append((1, "an execution", "flow", text))
    return made


async def test_a_fault_of_any_kind_fails_its_chore_alone(tmp_path: Path) -> None:
    def breaks(_: sqlite3.Connection) -> None:
        raise KeyError("anything")

    done: asyncio.Queue[Unit] = asyncio.Queue()
    async with opened(tmp_path / "x.db") as store:
        with pytest.raises(KeyError):
            await store.writer.chore(breaks)
        store.writer.submit(unit(done))

        assert (await asyncio.wait_for(done.get(), 5)).error is None


async def test_a_fault_of_any_kind_fails_its_unit_alone(tmp_path: Path) -> None:
    class Row(tuple[object, ...]):
        def __iter__(self) -> object:  # type: ignore[override]
            raise MemoryError

    done: asyncio.Queue[Unit] = asyncio.Queue()
    async with opened(tmp_path / "x.db") as store:
        good, bad = unit(done), unit(done)
        bad.changes[0] = Row()
        for each in (good, bad):
            store.writer.submit(each)
        for _ in range(2):
            await asyncio.wait_for(done.get(), 5)

        assert good.error is None
        assert isinstance(bad.error, MemoryError)


async def test_a_writer_that_ends_says_so_and_tells_all_units(tmp_path: Path) -> None:
    def ends(_: sqlite3.Connection) -> None:
        raise SystemExit

    done: asyncio.Queue[Unit] = asyncio.Queue()
    async with opened(tmp_path / "x.db") as store:
        chore = store.writer.chore(ends)
        store.writer.submit(unit(done))
        with pytest.raises(RuntimeError, match="has ended"):
            await asyncio.wait_for(store.writer.failing(), 5)
        store.writer.submit(unit(done))
        units = [await asyncio.wait_for(done.get(), 5) for _ in range(2)]
        chore.cancel()

        assert all(each.error for each in units)
        assert store.writer.outstanding == 0


# It writes 100 MB.
@pytest.mark.parametrize("by_chores", [False, True])
async def test_the_log_stays_short_under_large_writes(tmp_path: Path, by_chores: bool) -> None:
    log, largest = tmp_path / "x.db-wal", 0
    done: asyncio.Queue[Unit] = asyncio.Queue()
    text = "x" * (4 << 20)

    def put(db: sqlite3.Connection) -> None:
        db.execute(
            "INSERT INTO changes (at, execution_id, workflow, state) VALUES (1,'','',?)", (text,)
        )

    async with opened(tmp_path / "x.db") as store:
        if not by_chores:
            for _ in range(25):
                store.writer.submit(unit(done, text))
        for _ in range(25):
            await (store.writer.chore(put) if by_chores else done.get())
            largest = max(largest, log.stat().st_size)

    assert largest < 50 << 20


async def test_the_log_gives_the_disk_back_when_it_is_quiet(tmp_path: Path) -> None:
    log = tmp_path / "x.db-wal"
    done: asyncio.Queue[Unit] = asyncio.Queue()
    async with opened(tmp_path / "x.db") as store:
        store.writer.submit(unit(done, "x" * (20 << 20)))
        await done.get()
        async with asyncio.timeout(10):
            while log.stat().st_size > 16 << 20:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_of_a_unit_that_fails_half_way_through_a_statement_nothing_is_stored(
    tmp_path: Path,
) -> None:
    done: asyncio.Queue[Unit] = asyncio.Queue()
    async with opened(tmp_path / "x.db") as store:
        good, bad = unit(done, "good"), unit(done, "bad")
        no_text: tuple[object, ...] = (1, "an execution", "flow", None)
        bad.changes.append(no_text)
        for each in (bad, good):
            store.writer.submit(each)
        for _ in range(2):
            await asyncio.wait_for(done.get(), 5)

    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        assert db.execute("SELECT state FROM changes").fetchall() == [("good",)]
    assert good.error is None
    assert isinstance(bad.error, sqlite3.IntegrityError)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="there is no /proc")
async def test_nothing_is_noted_in_files_elsewhere_while_units_are_written(tmp_path: Path) -> None:
    # One after the other they are on different pages.
    timers = [(f"{n % 64} {n:08}{'x' * 80}", "task", "due", n) for n in range(6400)]
    elsewhere: list[str] = []

    def write(db: sqlite3.Connection) -> None:
        for at in (0, 1):
            moved = unit(asyncio.Queue())
            moved.timers_set = [(*names, due + at) for *names, due in timers]
            statements.write(db, [moved], set())
        elsewhere.extend(each for each in _open_files() if "etilqs" in each)

    async with opened(tmp_path / "x.db") as store:
        await store.writer.chore(write)

    assert elsewhere == []


def _open_files() -> Iterator[str]:
    for each in Path("/proc/self/fd").iterdir():
        # What lists them is one of them itself.
        with suppress(FileNotFoundError):
            yield str(each.readlink())


def held_by_sqlite() -> int:
    """Bytes, of all connections of this process."""
    used = ctypes.CDLL(_sqlite3.__file__).sqlite3_memory_used
    used.restype = ctypes.c_int64
    return int(used())


@pytest.mark.parametrize(
    "told", [{"size": 8 << 20}, {"output": "x" * (8 << 20)}], ids=["documents", "an output"]
)
async def test_nothing_of_large_texts_is_held_once_they_are_written(
    tmp_path: Path, told: dict[str, Any]
) -> None:
    done: asyncio.Queue[Unit] = asyncio.Queue()
    async with opened(tmp_path / "x.db") as store:
        before = held_by_sqlite()
        # Of so many each has a statement of its own.
        for several in (1, 2, 3):
            made = Unit(done.put_nowait, **told)
            made.changes += [(1, "an execution", "flow", "x" * (8 << 20))] * several
            store.writer.submit(made)
            assert (await asyncio.wait_for(done.get(), 20)).error is None

        # Beside pages, of which each connection holds 2 MB.
        assert held_by_sqlite() - before < 8 << 20


@pytest.mark.parametrize("list_", ["children", "webhooks", "also"])
def test_a_unit_tells_how_much_is_in_it(list_: str) -> None:
    made = Unit(lambda _: None, size=3, output="four")
    assert made.chars == 7
    row = (1, None, "x" * 100, b"")
    getattr(made, list_).append(("a statement", row) if list_ == "also" else row)
    assert made.chars == 107

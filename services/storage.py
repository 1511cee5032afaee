"""SQLite, kept to a thread of its own.

A connection shared by threads mixes their transactions, and a query on the event loop
stops every other call. So each database file has one thread; work is handed to it
whole, as a function of the database, and is one transaction. A file has one owner at a time:
its process holds a lock beside it for as long as it lives.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from services.errors import Unavailable, Unwritable
from services.locks import Locked, held
from services.process import StartupError
from services.versions import StorageTooNew, bring_up_to_date

__all__ = [
    "Storage",
    "StorageCorrupt",
    "StorageInUse",
    "StorageTooNew",
    "StorageUnwritable",
    "is_corrupt",
    "is_unwritable",
    "lock_file",
    "opened",
    "opened_beside",
    "opening_failed",
    "told_of",
]

T = TypeVar("T")

_UNWRITABLE = frozenset(
    (
        # Somebody else keeps it locked, for longer than a connection waits.
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    )
)

_CORRUPT = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))


class StorageInUse(StartupError):
    """Another process owns the database; the message has its process id."""


class StorageCorrupt(StartupError):
    """The file is no database, or a broken one."""


class StorageUnwritable(StartupError):
    """The file cannot be made, read or written."""


@contextmanager
def lock_file(path: Path) -> Generator[None]:
    """Own ``path`` while inside: a lock on ``path.lock``, which then holds this process's id.

    It blocks the thread for up to 2 s, in which a process that was killed lets go of its files.

    Raises:
        StorageInUse: Another process, or another lock of this one, has it still.
        StorageUnwritable: The lock's file cannot be made.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(held(path.with_name(f"{path.name}.lock")))
        except Locked as error:
            raise StorageInUse(f"{path} cannot be opened: {error}") from error
        except OSError as error:
            raise StorageUnwritable(f"{path} cannot be used: {error.strerror}.") from error
        yield


class Storage:
    """An open database file; get one from :func:`opened`."""

    def __init__(self, thread: ThreadPoolExecutor, database: Database) -> None:
        self._thread = thread
        self._database = database

    async def transact(self, work: Callable[[Database], T]) -> T:
        """What ``work`` returns, once committed; if it raises, nothing was changed.

        A caller that is cancelled does not stop it: it may still commit.

        Raises:
            Unwritable: The file cannot be read or written now (disk full, …).
        """

        def transaction() -> T:
            with _named(), self._database.atomic():
                return work(self._database)

        return await asyncio.get_running_loop().run_in_executor(self._thread, transaction)

    async def rewrite(self) -> None:
        """Write the file anew: of what is not in it any more, no free page and no log has a trace.

        It takes as long as to copy the file, for which everything else waits.

        Raises:
            Unavailable: It cannot be done now (disk full, somebody reads in the file).
        """

        def rewriting() -> None:
            with _named():
                self._database.execute("VACUUM")
                # All of it now stands in the log, behind what was there before.
                (busy, *_) = self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if busy:
                    raise Unavailable("The database cannot be written anew: somebody reads in it.")

        await asyncio.get_running_loop().run_in_executor(self._thread, rewriting)


@contextmanager
def _named() -> Generator[None]:
    try:
        yield
    except sqlite3.Error as error:
        told = told_of(error)
        if told is error:
            raise
        raise told from error


@asynccontextmanager
async def opened(path: Path, migrations: Migrations) -> AsyncGenerator[Storage]:
    """The database at ``path``, made if need be, brought up to date, and this process's own.

    Raises:
        StorageInUse: Another process has it.
        StorageCorrupt: The file is no database or a broken one.
        StorageTooNew: A later version of the software has written it.
        StorageUnwritable: It cannot be read or written.
    """
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix=path.stem) as thread:
        lock = lock_file(path)
        await loop.run_in_executor(thread, lock.__enter__)
        try:
            async with _connected(thread, path, migrations) as storage:
                yield storage
        finally:
            lock.__exit__(None, None, None)


@asynccontextmanager
async def opened_beside(path: Path, migrations: Migrations) -> AsyncGenerator[Storage]:
    """A further connection, with a thread of its own, to a file that is :func:`opened` here.

    Its tables are its own, those of ``migrations``. What it commits outlives the process, but not
    a power cut that comes at once.

    Raises:
        StorageCorrupt, StorageTooNew, StorageUnwritable: As :func:`opened` does.
    """
    with ThreadPoolExecutor(1, thread_name_prefix=f"{path.stem} beside") as thread:
        async with _connected(thread, path, migrations, synchronous="NORMAL") as storage:
            yield storage


@asynccontextmanager
async def _connected(
    thread: ThreadPoolExecutor, path: Path, migrations: Migrations, synchronous: str = "FULL"
) -> AsyncGenerator[Storage]:
    loop = asyncio.get_running_loop()
    database = await loop.run_in_executor(thread, _open, path, migrations, synchronous)
    try:
        yield Storage(thread, database)
    finally:
        await loop.run_in_executor(thread, database.close)


def _open(path: Path, migrations: Migrations, synchronous: str) -> Database:
    try:
        database = Database(path)
    except sqlite3.Error as error:
        raise opening_failed(path, error) from error
    try:
        # Before anything is written: a file that is no database stays as it is.
        database.execute("PRAGMA schema_version").fetchone()
        database.enable_wal()
        # FULL: what was committed is there after a power cut, too.
        database.execute(f"PRAGMA synchronous={synchronous}")
        bring_up_to_date(path, database, migrations)
    except sqlite3.Error as error:
        database.close()
        raise opening_failed(path, error) from error
    except StorageTooNew:
        database.close()
        raise
    return database


def opening_failed(path: Path, error: sqlite3.Error) -> StartupError:
    """What to tell of a database at ``path`` that SQLite could not open."""
    if _primary(error) in _UNWRITABLE:
        return StorageUnwritable(f"{path} cannot be used: {error}.")
    return StorageCorrupt(f"{path} is corrupt or no database ({error}); restore it from a backup.")


def is_unwritable(error: BaseException) -> bool:
    """Whether ``error`` is about the disk (full, read-only, …), not about what was written."""
    return isinstance(error, sqlite3.Error) and _primary(error) in _UNWRITABLE


def told_of(error: Exception) -> Exception:
    """What callers are told of ``error``: it, or :class:`Unwritable` where it is about the disk."""
    if not is_unwritable(error):
        return error
    return Unwritable(f"The database cannot be used just now: {error}.")


def is_corrupt(error: Exception) -> bool:
    """Whether ``error`` says that what is on disk is no database any more, or not all of it."""
    if isinstance(error, StorageCorrupt):
        return True
    return isinstance(error, sqlite3.Error) and _primary(error) in _CORRUPT


def _primary(error: sqlite3.Error) -> int:
    # The low byte is the error, what is above it says more.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF

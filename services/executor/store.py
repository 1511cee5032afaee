"""``executor.db``: opened, locked, brought up to date; one writer, a few readers."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from services.executor import fulltext, queries
from services.executor.indexing import Indexing
from services.executor.migrations import migrations
from services.executor.readers import Readers
from services.executor.writer import Writer
from services.storage import StorageUnwritable, lock_file, opening_failed
from services.versions import bring_up_to_date


@dataclass(frozen=True, slots=True)
class Store:
    """An open database; get one from :func:`opened`.

    Attributes:
        readers: Answer those who ask; ``loaders`` only the engine, which waits for nobody's list.
        words: The index of words, which the readers look into.
        epoch: New with every new database.
        callback_key: Signs callback URLs.
    """

    writer: Writer
    readers: Readers
    loaders: Readers
    words: Indexing
    epoch: str
    callback_key: bytes


@asynccontextmanager
async def opened(path: Path) -> AsyncGenerator[Store]:
    """The database at ``path``, made if need be; this process's own until the end of the block.

    Raises:
        StartupError: It is in use, corrupt, of a later version, or cannot be written.
    """
    loop = asyncio.get_running_loop()
    lock = lock_file(path)
    await loop.run_in_executor(None, lock.__enter__)
    try:
        meta = await loop.run_in_executor(None, _migrate, path)
        words = await loop.run_in_executor(None, _words, path, meta["epoch"], loop)
        writer = Writer(path, loop)
        readers, loaders = Readers(path, loop, words=words.path), Readers(path, loop)
        try:
            key = bytes.fromhex(meta["callback_key"])
            yield Store(writer, readers, loaders, words, meta["epoch"], key)
        finally:
            await writer.close()
            await readers.close()
            await loaders.close()
            await words.close()
    finally:
        lock.__exit__(None, None, None)


def _words(path: Path, epoch: str, loop: asyncio.AbstractEventLoop) -> Indexing:
    try:
        return Indexing(path, epoch, loop)
    except (sqlite3.Error, OSError) as error:
        raise StorageUnwritable(
            f"{fulltext.beside(path)} cannot be used: {error}; it may be deleted."
        ) from error


def _migrate(path: Path) -> dict[str, str]:
    try:
        db = sqlite3.connect(path)
    except sqlite3.Error as error:
        raise opening_failed(path, error) from error
    try:
        # Before anything is written: a file that is no database stays as it is.
        db.execute("PRAGMA schema_version").fetchone()
        db.execute("PRAGMA journal_mode=WAL")
        bring_up_to_date(path, Database(db), migrations)
        return queries.meta(db)
    except sqlite3.Error as error:
        raise opening_failed(path, error) from error
    finally:
        db.close()

"""Reads of the store: what they find is their asker's alone."""

from __future__ import annotations

import asyncio
import sqlite3
import weakref
from pathlib import Path

from services.executor.readers import Readers


class _Found:
    """What a read finds."""


async def test_what_was_read_is_let_go_with_whoever_asked(tmp_path: Path) -> None:
    path, loop = tmp_path / "x.db", asyncio.get_running_loop()
    sqlite3.connect(path).close()
    readers, gone = Readers(path, loop, threads=1), asyncio.Event()

    def work(db: sqlite3.Connection) -> _Found:
        found = _Found()
        weakref.finalize(found, loop.call_soon_threadsafe, gone.set)
        return found

    try:
        assert isinstance(await readers.read(work), _Found)
        # Not until the next read, which may be long in coming.
        async with asyncio.timeout(10):
            await gone.wait()
    finally:
        await readers.close()

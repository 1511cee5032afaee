"""Reading ``executor.db``: a few threads, each with a connection that cannot write."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from services.errors import DeadlineExceeded, Unavailable
from services.executor import finding, fulltext

T = TypeVar("T")

# Of SQLite's virtual machine: a millisecond or so.
_STEPS_BETWEEN_LOOKS = 20_000
# A step that reads a document may take milliseconds itself.
_STEPS_IN_DOCUMENTS = 400


class Readers:
    """Runs functions of a ``query_only`` connection, each in one read transaction."""

    def __init__(
        self,
        path: Path,
        loop: asyncio.AbstractEventLoop,
        threads: int = 4,
        words: Path | None = None,
    ) -> None:
        self._path = path
        self._words = words
        self._loop = loop
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._threads = ThreadPoolExecutor(threads, "executor-reader", self._connect)

    def read(
        self,
        work: Callable[..., T],
        *arguments: Any,
        within: timedelta = timedelta(seconds=10),
        large: bool = False,
    ) -> asyncio.Future[T]:
        """What ``work(db, *arguments)`` returns, in the thread that it ran in.

        The future fails with DeadlineExceeded where the query took longer than ``within``, and
        with Unavailable where the file cannot be read. Cancelled, it leaves its thread to others.

        Args:
            large: Documents are looked into: the time is looked at more often.
        """
        steps = _STEPS_IN_DOCUMENTS if large else _STEPS_BETWEEN_LOOKS
        reading: list[asyncio.Future[T]] = []
        future = self._loop.run_in_executor(
            self._threads, self._read, work, arguments, within.total_seconds(), steps, reading
        )
        reading.append(future)
        return future

    async def close(self) -> None:
        await self._loop.run_in_executor(None, self._threads.shutdown)
        for db in self._connections:
            db.close()

    def _connect(self) -> None:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=10)
        db.execute("PRAGMA query_only=1")
        finding.prepare(db)
        if self._words is not None:
            fulltext.attach(db, self._words)
        self._local.db = db
        self._connections.append(db)

    def _read(
        self,
        work: Callable[..., T],
        arguments: tuple[Any, ...],
        seconds: float,
        steps: int,
        reading: list[asyncio.Future[T]],
    ) -> T:
        db: sqlite3.Connection = self._local.db
        end = time.monotonic() + seconds

        def is_over() -> bool:
            # Nobody waits any more for what was cancelled.
            return time.monotonic() > end or any(each.cancelled() for each in reading)

        db.set_progress_handler(is_over, steps)
        db.execute("BEGIN")
        try:
            return work(db, *arguments)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise DeadlineExceeded(
                    f"The query took longer than {seconds:g} s; ask for less at once."
                ) from error
            raise Unavailable(f"The database cannot be read just now: {error}.") from error
        finally:
            # It would keep what was read, up to hundreds of megabytes, until the next read.
            db.set_progress_handler(None, 0)
            if db.in_transaction:
                db.execute("ROLLBACK")

"""The one writer of ``executor.db``: a thread that commits whatever units have gathered.

While one transaction is synced the units of other executions gather; the next takes them all. In
a rush, which is when more gathered than one call makes, the next also waits a moment for more: a
transaction costs as much as several of the units in it.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from services.executor import statements
from services.executor.checkpoints import LOG_BYTES_KEPT, Checkpoints
from services.executor.units import Unit
from services.storage import is_unwritable, told_of

logger = logging.getLogger(__name__)

Chore = Callable[[sqlite3.Connection], None]

# A worker's word and its next task are two units; with more there is a rush.
_MOST_UNITS_OF_ONE = 2
# In a rush transactions begin no more often than that. At 1.5 ms a worker's task costs a tenth more
# of CPU; of 32 callers at once each is answered later, of 4 some tenths of a millisecond sooner.
_SHORTEST_INTERVAL_SECONDS = 0.0025
_MOST_UNITS = 256
# More than any second has.
_MOST_COMMITS = 10_000
_MOST_CHARS = 8 << 20
# A statement that stays prepared holds the texts that were bound to it last. With so much to write
# it is not slower to prepare one that does not.
_LARGE_CHARS = 2 << 20


class Writer:
    """Takes units from the loop and tells it when they are written; see :func:`writing`."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._path = path
        self._loop = loop
        self._pending: deque[Unit | Chore] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._stored: set[str] = set()
        self._begun = 0.0
        self._rush = False
        self._checkpoints = Checkpoints(path)
        self._thread = threading.Thread(target=self._run, name="executor-writer", daemon=True)
        self.outstanding = 0
        # Why the last transaction was not written; empty: it was.
        self.trouble = ""
        # (units, seconds) of transactions, until somebody takes them.
        self.commits: deque[tuple[int, float]] = deque(maxlen=_MOST_COMMITS)
        self._group_at_work: list[Unit] = []
        self._ended: Exception | None = None
        self._failure: asyncio.Future[None] = loop.create_future()
        self._thread.start()

    # In the loop.

    def submit(self, unit: Unit) -> None:
        """Have ``unit`` written; its ``done`` is called in the loop."""
        self.outstanding += 1
        if self._ended is not None:
            unit.error = self._ended
            self._loop.call_soon(self._told, [unit])
            return
        self._pending.append(unit)
        if not self._wake.is_set():
            self._wake.set()

    def chore(self, work: Chore) -> asyncio.Future[None]:
        """Have ``work`` done in a transaction of its own; what it raises is the future's.

        Where the disk is at fault that is :class:`services.errors.Unwritable`.
        """
        future: asyncio.Future[None] = self._loop.create_future()

        def settle(error: Exception | None) -> None:
            if future.cancelled():
                return
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

        def job(db: sqlite3.Connection) -> None:
            error: Exception | None = None
            try:
                with transaction(db):
                    work(db)
            except Exception as failure:  # noqa: BLE001
                error = told_of(failure)
            self._loop.call_soon_threadsafe(settle, error)

        self._pending.append(job)
        self._wake.set()
        return future

    def forget_snapshot(self, hash_: str) -> None:
        """A snapshot was deleted; called in the writer's thread, by a chore."""
        self._stored.discard(hash_)

    async def close(self) -> None:
        """End once all that was submitted is written."""
        self._closing = True
        self._wake.set()
        await self._loop.run_in_executor(None, self._thread.join)

    async def failing(self) -> None:
        """Wait for as long as units are written; for ever, unless all is lost.

        Raises:
            RuntimeError: Nothing will be written any more.
        """
        await asyncio.shield(self._failure)

    def _end(self, error: BaseException) -> None:
        failure = RuntimeError(f"The writer of {self._path} has ended: {error!r}.")
        self._ended = failure
        if not self._failure.done():
            self._failure.set_exception(failure)
            # Whoever looks after this store says it; without one the log has.
            self._failure.exception()
        left = [*self._group_at_work, *(each for each in self._pending if isinstance(each, Unit))]
        self._pending.clear()
        self._fail(left, failure)
        self._told(left)

    def _told(self, units: Sequence[Unit]) -> None:
        self.outstanding -= len(units)
        for unit in units:
            try:
                unit.done(unit)
            except Exception:
                # The outermost loop of what follows from a unit: the others must hear of theirs.
                logger.exception("What followed from a unit broke.")

    # In the writer's thread.

    def _run(self) -> None:
        try:
            with (
                closing(connect(self._path)) as db,
                closing(connect(self._path, kept_statements=0)) as for_large,
            ):
                while self._step(db, for_large):
                    pass
        except BaseException as error:
            logger.critical("The writer of %s has ended.", self._path, exc_info=True)
            self._loop.call_soon_threadsafe(self._end, error)
        finally:
            self._checkpoints.close()

    def _step(self, db: sqlite3.Connection, for_large: sqlite3.Connection) -> bool:
        self._wake.wait()
        self._wake.clear()
        while self._pending:
            self._let_gather()
            group, chars = self._group()
            self._rush = len(group) > _MOST_UNITS_OF_ONE
            if group:
                self._group_at_work = group
                self._commit(for_large if chars >= _LARGE_CHARS else db, group)
                self.commits.append((len(group), time.monotonic() - self._begun))
                self._loop.call_soon_threadsafe(self._told, group)
                self._group_at_work = []
                self._checkpoints.wrote(db, len(group))
            else:
                self._chore(db)
                self._checkpoints.wrote(db, 1)
        self._checkpoints.quiet()
        return not self._closing or bool(self._pending)

    def _let_gather(self) -> None:
        early = self._begun + _SHORTEST_INTERVAL_SECONDS - time.monotonic()
        if self._rush and early > 0:
            time.sleep(early)
        self._begun = time.monotonic()

    def _group(self) -> tuple[list[Unit], int]:
        """Units that are written together, and how many characters they have."""
        group: list[Unit] = []
        chars = 0
        while self._pending and len(group) < _MOST_UNITS and chars < _MOST_CHARS:
            first = self._pending[0]
            if not isinstance(first, Unit):
                break
            group.append(first)
            chars += first.chars
            self._pending.popleft()
        return group, chars

    def _chore(self, db: sqlite3.Connection) -> None:
        work = self._pending.popleft()
        if not isinstance(work, Unit):
            work(db)

    def _commit(self, db: sqlite3.Connection, group: list[Unit]) -> None:
        try:
            with transaction(db):
                statements.write(db, group, self._stored)
            self.trouble = ""
        except Exception as error:  # noqa: BLE001
            # The outermost loop of the store: whatever broke, the next group is written.
            self._stored.clear()
            if is_unwritable(error):
                self.trouble = str(error)
                self._fail(group, error)
            elif len(group) == 1:
                group[0].error = error
            else:
                self._commit_singly(db, group)

    def _commit_singly(self, db: sqlite3.Connection, group: list[Unit]) -> None:
        """Each unit under a savepoint, so that the one at fault fails alone."""
        try:
            with transaction(db):
                for unit in group:
                    self._attempt(db, unit)
        except Exception as error:  # noqa: BLE001
            self._stored.clear()
            self._fail(group, error)

    def _attempt(self, db: sqlite3.Connection, unit: Unit) -> None:
        db.execute("SAVEPOINT unit")
        try:
            statements.write(db, [unit], self._stored)
        except Exception as error:
            if is_unwritable(error):
                raise
            db.execute("ROLLBACK TO unit")
            self._stored.clear()
            unit.error = error
        db.execute("RELEASE unit")

    def _fail(self, group: Sequence[Unit], error: Exception) -> None:
        logger.error("%d units were not written: %s", len(group), error)
        for unit in group:
            unit.error = error


def connect(path: Path, *, kept_statements: int = 256) -> sqlite3.Connection:
    """The writer's connection: what it commits is there after a power cut, too.

    Args:
        kept_statements: How many stay prepared, each with the texts that were bound to it last.
    """
    db = sqlite3.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=kept_statements,
        timeout=10,
    )
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    # What statements note for as long as they run would go to files beyond 64 KiB.
    db.execute("PRAGMA temp_store=MEMORY")
    # Checkpoints have their own moment.
    db.execute("PRAGMA wal_autocheckpoint=0")
    db.execute(f"PRAGMA journal_size_limit={LOG_BYTES_KEPT}")
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Generator[None]:
    """What is executed inside is committed, or nothing of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # SQLite itself rolls back after some errors.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise

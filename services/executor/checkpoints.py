"""Moves what was committed from the write-ahead log into the database, at quiet moments."""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

_UNITS_WHEN_QUIET = 500
_UNITS_AT_MOST = 2_000
# Of 4 KiB.
_MOST_FRAMES = 8_000
# A log that was moved keeps so much of its file, which is written over faster than anew. A file
# that is larger has more in it than that.
LOG_BYTES_KEPT = 16 << 20
_MOST_LOG_BYTES = 32 << 20


class Checkpoints:
    """A thread and a connection of their own, so that no commit waits for a checkpoint.

    All methods but the thread's are called in the writer's thread.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._units = 0
        self._frames = 0
        self._log = path.with_name(f"{path.name}-wal")
        self._bytes = 0
        self._begun_at = 0
        self._waited_for = _MOST_LOG_BYTES
        self._idle = False
        # SQLite lets one checkpoint work and tells another at once that it is busy.
        self._at_work = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="executor-checkpoints", daemon=True)
        self._thread.start()

    def wrote(self, db: sqlite3.Connection, units: int) -> None:
        """A group of ``units`` was committed."""
        self._units += units
        self._bytes = self._size()
        self._idle = False
        if self._units >= _UNITS_AT_MOST or self._bytes > self._begun_at + LOG_BYTES_KEPT:
            self._begun_at = self._bytes
            self._begin()
        if self._frames > _MOST_FRAMES or self._bytes > self._waited_for:
            # Under unbroken load the log is only written from its beginning again if nothing is
            # left to move when the next transaction begins; most was moved beside it already.
            self._frames = 0
            self._checkpoint(db)
            # While somebody reads what was before, no more can be done than now and then.
            self._waited_for = self._bytes + _MOST_LOG_BYTES
        elif self._bytes <= LOG_BYTES_KEPT:
            self._begun_at, self._waited_for = 0, _MOST_LOG_BYTES

    def quiet(self) -> None:
        """Nothing waits to be written."""
        if self._units >= _UNITS_WHEN_QUIET or self._bytes > LOG_BYTES_KEPT:
            self._bytes = 0
            self._idle = True
            self._begin()

    def close(self) -> None:
        self._closing = True
        self._wake.set()
        self._thread.join()

    def _begin(self) -> None:
        self._units = 0
        self._wake.set()

    def _run(self) -> None:
        db = sqlite3.connect(self._path, isolation_level=None, timeout=0)
        try:
            while True:
                self._wake.wait()
                self._wake.clear()
                if self._closing:
                    return
                self._frames = self._checkpoint(db)
                self._shorten(db)
        finally:
            db.close()

    def _shorten(self, db: sqlite3.Connection) -> None:
        """Gives the disk back what a burst has taken; not while anybody writes or reads."""
        if self._idle and self._size() > LOG_BYTES_KEPT:
            with suppress(sqlite3.Error), self._at_work:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def _size(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:
            return 0

    def _checkpoint(self, db: sqlite3.Connection) -> int:
        """Moves what no reader still needs; the frames that the log has."""
        try:
            with self._at_work:
                _, frames, _ = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            # The log only grows until the next one; a full disk is told by the writer.
            logger.warning("A checkpoint of %s failed: %s", self._path, error)
            return 0
        return int(frames)

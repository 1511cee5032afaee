"""Executions that are to go, written to files first: Conductor's JSON, a line each, gzipped.

A file is there whole or not at all, on the disk before what is in it goes. What a crash keeps from
going is in another file again.
"""

from __future__ import annotations

import gzip
import logging
import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from services.executor.core.conductor import execution_json
from services.executor.documents import text_of
from services.executor.loading import load_whole
from services.executor.queries import Ended
from services.executor.snapshots import Snapshots

logger = logging.getLogger(__name__)

# As JSON text, before it is compressed.
MOST_CHARS = 64 << 20
_PART = ".part"


class Export:
    """One file of ``folder`` while it is written; see :meth:`done`."""

    def __init__(self, folder: Path, at: datetime) -> None:
        """Raises OSError where nothing can be written there."""
        folder.mkdir(parents=True, exist_ok=True)
        moment = at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        self.path = folder / f"executions-{moment}.ndjson.gz"
        self._part = folder / f"{self.path.name}{_PART}"
        self._file = self._part.open("wb")
        self._zip = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=3, mtime=0)
        self.chars = 0

    def write(self, lines: Sequence[str]) -> None:
        """Add executions."""
        for line in lines:
            self._zip.write(line.encode() + b"\n")
            self.chars += len(line)

    def done(self) -> None:
        """Have it under its name, and on the disk."""
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.rename(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def drop(self) -> None:
        """Leave nothing of it."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)


def clear(folder: Path) -> None:
    """Remove what was not written to its end."""
    for each in folder.glob(f"executions-*.ndjson.gz{_PART}"):
        each.unlink(missing_ok=True)


def lines_of(
    db: sqlite3.Connection, ended: Sequence[Ended], snapshots: Snapshots
) -> list[tuple[Ended, str]]:
    """Executions as lines; what cannot be told, or runs again, is left out."""
    lines = []
    for each in ended:
        try:
            line = _line(db, each, snapshots)
        except sqlite3.Error:
            raise
        except Exception:
            # The outermost loop of an execution's rows: a fault of one must not keep the others.
            logger.exception("Execution %s cannot be exported, and stays.", each[0])
            continue
        if line:
            lines.append((each, line))
    return lines


def _line(db: sqlite3.Connection, ended: Ended, snapshots: Snapshots) -> str:
    execution_id, ended_at = ended
    row = db.execute("SELECT ended_at FROM executions WHERE id = ?", (execution_id,)).fetchone()
    if row is None or row[0] != ended_at:
        return ""
    loaded = load_whole(db, execution_id, snapshots)
    if loaded is None:
        return ""
    execution = loaded.execution
    return text_of(execution_json(execution, loaded.attempts, execution.workflow.document))

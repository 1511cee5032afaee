"""What is to go, written to files first: JSON, a line each, gzipped.

A file is there whole or not at all, on the disk before what is in it goes. What a crash keeps from
going is in another file again.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

_PART = ".part"


class Export:
    """One file of ``folder`` while it is written; see :meth:`done`."""

    def __init__(self, folder: Path, what: str, at: datetime) -> None:
        """A file named after ``what`` it holds. Raises OSError: it cannot be written."""
        folder.mkdir(parents=True, exist_ok=True)
        moment = at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        self.path = folder / f"{what}-{moment}.ndjson.gz"
        self._part = folder / f"{self.path.name}{_PART}"
        self._file = self._part.open("wb")
        self._zip = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=3, mtime=0)
        self.chars = 0

    def write(self, lines: Sequence[str]) -> None:
        """Add lines, each without its end."""
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


def clear(folder: Path, what: str) -> None:
    """Remove what was not written to its end."""
    for each in folder.glob(f"{what}-*.ndjson.gz{_PART}"):
        each.unlink(missing_ok=True)

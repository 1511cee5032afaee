"""Failures within the console itself: the last ones, and a file of them for who is to mend them."""

from __future__ import annotations

import os
import time
import traceback
from collections import deque
from pathlib import Path

NAME = "failures.log"
# Beyond, the file is begun anew, and the one before is kept beside it.
MOST_BYTES = 256 * 1024
MOST_KEPT = 20


class Failures:
    """Errors that nobody expects, each with where it came from.

    Attributes:
        last: The newest, oldest first.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / NAME if folder is not None else None
        self.last: deque[Exception] = deque(maxlen=MOST_KEPT)

    def add(self, doing: str, error: Exception) -> str:
        """Keep an error, and what was being done.

        Returns:
            What an operator is told of it.
        """
        self.last.append(error)
        told = f"The console failed at this ({doing}): {type(error).__name__}: {error}"
        return f"{told[:500]}\n{self._kept(doing, error)}".rstrip()

    def _kept(self, doing: str, error: Exception) -> str:
        if self._path is None:
            return ""
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > MOST_BYTES:
                self._path.replace(self._path.with_suffix(".1.log"))
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8", errors="replace") as file:
                file.write(f"{when} {doing}\n{''.join(traceback.format_exception(error))}\n")
        except OSError as fault:
            return f"{self._path} cannot be written: {fault.strerror or fault}."
        return f"{self._path} has the whole of it."

"""The keys by which the services of a cluster trust each other: the first signs, all verify.

They are read again when their file changes, so that they can be changed without a restart.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from services.process import StartupError
from services.sealing import keys_in

_LOOK_SECONDS = 1.0

Keys = Callable[[], Sequence[bytes]]
"""The keys as they are now; one at least."""

logger = logging.getLogger(__name__)


def keys_of(given: bytes | Keys) -> Keys:
    """One key that stays, or those that change."""
    if isinstance(given, bytes):
        one = (given,)
        return lambda: one
    return given


class ClusterKeys:
    """Those in a file: one in each line.

    Args:
        path: Its keys have 32 bytes or more.

    Raises:
        StartupError: They cannot be read, or are too short.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        # Before the file is read: what changes meanwhile is seen afterwards.
        self._seen = self._stamp()
        self._keys = tuple(keys_in(path))
        self._looked = monotonic()

    def __call__(self) -> Sequence[bytes]:
        """The keys, as the file had them a second ago at most."""
        now = self._monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._look()
        return self._keys

    def _look(self) -> None:
        seen = self._stamp()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._keys = tuple(keys_in(self._path))
        except StartupError as error:
            # Half of it may be written, or it is gone: nobody is to be locked out by that.
            logger.warning("The cluster's keys stay as they were: %s", error)
        else:
            logger.info("The cluster's keys were read again: there are %d.", len(self._keys))

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size

"""A file that one process holds for life: whoever has a database or a home says so."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

RETRY_SECONDS = 0.02


class Locked(Exception):
    """Somebody else holds it; the message is one line that says who."""


@contextmanager
def held(path: Path, *, patience_seconds: float = 2.0) -> Generator[None]:
    """Inside, this process alone holds ``path``, whose text is then its process id.

    The lock goes with the process, however that ends; the file stays.

    Args:
        path: Made if need be; nothing else is ever written to it.
        patience_seconds: How long to wait for one that is just dying.

    Raises:
        Locked: Another process has it.
        OSError: The file cannot be made or opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, path, patience_seconds)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Some process holds ``path``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock(descriptor: int, path: Path, patience_seconds: float) -> None:
    # flock cannot wait with a limit, so it is asked again.
    until = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < until:
                time.sleep(RETRY_SECONDS)
                continue
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            raise Locked(
                f"{path.parent} is in use by process {holder or 'unknown'} (it holds {path.name})."
            ) from None
        return

"""Ports that are chosen here: free, and promised to nobody else who chooses by the same rule."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Below those that the system gives to outgoing connections: one of these could have a service's
# port the moment that the service is started, or started again.
CHOSEN_PORTS = range(20_000, 32_768)

# Those that this process has chosen. Between the choice and the service that serves there lie
# moments in which another process chooses: a lock on a file, by its descriptor, tells it.
_CLAIMED: dict[int, int] = {}


def candidates(most: int) -> Iterator[int]:
    """Ports to try, at random, none that this process has claimed."""
    for _ in range(most):
        port = CHOSEN_PORTS.start + secrets.randbelow(len(CHOSEN_PORTS))
        if port not in _CLAIMED:
            yield port


def claim(port: int) -> bool:
    """Have ``port`` until this process ends; False: another of this user's processes has it."""
    if port in _CLAIMED:
        return True
    try:
        file = os.open(_folder() / str(port), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        # Where no such file can be, nobody is told: then a port is only looked at.
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    except OSError:
        # As above: here files cannot be locked.
        os.close(file)
        return True
    _CLAIMED[port] = file
    return True


def listening(host: str, port: int) -> socket.socket:
    """A socket that holds the address; port 0: any. Raises :class:`OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host.strip("[]"), port), family=family)


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"podium-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    there = folder.lstat()
    if there.st_uid != os.getuid() or not stat.S_ISDIR(there.st_mode):
        # Others may write where it is: what is in it could be anything, a pipe that is never read.
        raise PermissionError(errno.EPERM, "It is somebody else's", str(folder))
    return folder

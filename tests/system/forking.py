"""`podium` commands as processes that need not load first what others wrote.

A process that has loaded gRPC and the like, and nothing of ours, forks for each command: to load
that is the larger part of what a command takes. All else is as in a new process: our code is loaded
anew, with the environment, folder and outputs that the command is given, and it ends by itself.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

MODULES = ("asyncio", "click", "grpc", "grpc.aio", "grpc_status.rpc_status", "ruamel.yaml")
# Processes of theirs name where they came from.
ALONE = ("up", "serve", "demo", "tui")
# What an interpreter, or gRPC, has looked at before the command is known.
EARLY = ("PYTHON", "LANG", "LC_", "GRPC_")


def early() -> dict[str, str]:
    """What of the environment cannot be given later."""
    return {name: value for name, value in os.environ.items() if name.startswith(EARLY)}


class Forker:
    """The process that forks; it ends with the one that asks it to."""

    def __init__(self) -> None:
        self.early = early()
        self._folder = tempfile.TemporaryDirectory()
        self._path = str(Path(self._folder.name) / "socket")
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, self._path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        atexit.register(self._close)
        with self._process.stdout as ready:
            assert ready.readline()

    def run(self, words: Sequence[str], files: Sequence[int], seconds: float) -> int:
        """The exit code of a command, as subprocess has it; raises subprocess.TimeoutExpired."""
        asked = {"words": words, "folder": str(Path.cwd()), "environment": dict(os.environ)}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(seconds)
            connection.connect(self._path)
            socket.send_fds(connection, [b"\n"], files)
            connection.sendall(json.dumps(asked).encode())
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile() as told:
                pid = int(told.readline())
                try:
                    return int(told.readline())
                except TimeoutError:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(list(words), seconds) from None

    def _close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()


_begun: list[Forker] = []
_beginning = threading.Lock()


def command(
    *words: str, text: str | None = None, seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """A `podium` command: how it ended and what it printed. Raises subprocess.TimeoutExpired."""
    with _beginning:
        if not _begun:
            _begun.append(Forker())
    (forker,) = _begun
    if not {*words[:1]}.difference(ALONE) or forker.early != early():
        return subprocess.run(
            [sys.executable, "-m", "tui", *words],
            input=text,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3)]
        files[0].write(text or "")
        files[0].seek(0)
        code = forker.run(words, [file.fileno() for file in files], seconds)
        printed = []
        for file in files[1:]:
            file.seek(0)
            printed.append(file.read())
    return subprocess.CompletedProcess(list(words), code, *printed)


# The other side


def serve(path: str) -> None:
    """Fork for each who comes, until the standard input ends; return in each command's process."""
    for module in MODULES:
        import_module(module)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(16)
        os.write(1, b"ready\n")
        while server.fileno() in select.select([server.fileno(), 0], [], [])[0]:
            connection, _ = server.accept()
            if not os.fork():
                server.close()
                _become(connection)
                return
            connection.close()
    os._exit(0)


def _become(connection: socket.socket) -> None:
    """Return in the process of the command; tell, in the one beside it, what comes of that."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection, connection.makefile() as said:
        asked: dict[str, Any] = json.loads(said.read())
        pid = os.fork()
        if pid:
            connection.sendall(f"{pid}\n".encode())
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            with suppress(BrokenPipeError):
                connection.sendall(f"{code}\n".encode())
            os._exit(0)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    sys.argv = ["podium", *asked["words"]]


if __name__ == "__main__":
    serve(sys.argv[1])
    runpy.run_module("tui", run_name="__main__", alter_sys=True)

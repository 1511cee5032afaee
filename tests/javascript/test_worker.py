"""A worker outlives neither its parent nor its socket, whatever it is doing."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import services.javascript
from services.javascript import worker

PROGRAM = str(Path(worker.__file__))
ROOT = str(Path(services.javascript.__file__).parents[2])
PARENT = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from services.javascript import pool

async def main():
    async with pool(1, deadline=timedelta(seconds=25)) as scripts:
        await scripts.evaluate("1", "{}", name="first")
        print(Path("/proc/thread-self/children").read_text(), flush=True)
        await scripts.evaluate("while (true);", "{}", name="endless")

asyncio.run(main())
"""


def ends(descriptor: int) -> bool:
    """Whether the process of a pidfd ends within ten seconds."""
    ready, _, _ = select.select([descriptor], [], [], 10)
    os.close(descriptor)
    return bool(ready)


@contextmanager
def started(parent: int) -> Generator[tuple[subprocess.Popen[bytes], socket.socket]]:
    ours, theirs = socket.socketpair()
    arguments = [sys.executable, "-P", PROGRAM, str(theirs.fileno()), str(parent), str(200 << 20)]
    with theirs:
        process = subprocess.Popen(arguments, pass_fds=[theirs.fileno()])
    with process, ours:
        try:
            yield process, ours
        finally:
            process.kill()


def endless() -> bytes:
    source = b"while (true);"
    head = worker.REQUEST.pack(len(source) + 3, worker.EVALUATE, 1, len(source))
    return head + b"$" + source + b"{}"


def test_a_killed_parent_takes_a_looping_worker_with_it() -> None:
    """Takes half a second: a whole parent is started and killed."""
    environment = {**os.environ, "PYTHONPATH": ROOT}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=environment
    ) as parent:
        assert parent.stdout is not None
        (child,) = map(int, parent.stdout.readline().split())
        watched = os.pidfd_open(child)
        spent = Path(f"/proc/{child}/stat")
        before = spent.read_text()
        while spent.read_text() == before:
            # It is looping once its processor time grows.
            select.select([], [], [], 0.01)

        parent.send_signal(signal.SIGKILL)

        assert ends(watched)


def test_a_looping_worker_ends_with_its_socket() -> None:
    with started(os.getpid()) as (process, connection):
        assert worker.READY in connection.recv(worker.REPLY.size)
        connection.sendall(endless())
        connection.close()

        assert process.wait(10) == 0


def test_a_worker_ends_when_its_socket_does_before_it_is_ready() -> None:
    with started(os.getpid()) as (process, connection):
        connection.close()

        assert process.wait(10) == 0


def test_a_worker_whose_parent_is_already_gone_does_not_start() -> None:
    with started(os.getpid() + 1) as (process, _):
        assert process.wait(10) == 1


def test_a_worker_imports_nothing_of_the_services() -> None:
    command = [sys.executable, "-P", "-X", "importtime", PROGRAM]
    said = subprocess.run([*command, "0", "0", "0"], capture_output=True, check=False).stderr

    assert b"grpc" not in said
    assert b"services" not in said.replace(PROGRAM.encode(), b"")


def test_a_worker_sees_no_setting_of_the_service() -> None:
    os.environ["PODIUM_TEST_SECRET"] = "hidden"
    try:
        environment = subprocess.run(
            [sys.executable, "-c", SHOW], capture_output=True, check=True, text=True, cwd=ROOT
        ).stdout
    finally:
        del os.environ["PODIUM_TEST_SECRET"]

    assert "PATH" in environment
    assert "PODIUM_TEST_SECRET" not in environment


SHOW = """
import asyncio
from pathlib import Path
from services.javascript import pool

async def main():
    async with pool(1) as scripts:
        await scripts.evaluate("1", "{}", name="first")
        (child,) = Path("/proc/thread-self/children").read_text().split()
        print(Path(f"/proc/{child}/environ").read_text())

asyncio.run(main())
"""

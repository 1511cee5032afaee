"""One script worker seen from its parent: started, asked, measured and ended."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from services.javascript import worker
from services.javascript.replies import Reply
from services.process import child_environment

_PROGRAM = Path(__file__).with_name("worker.py")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Python sets aside all that a read may bring: a large one costs 20 µs, used or not.
_FIRST_BYTES = 4 << 10
_MORE_BYTES = 256 << 10


class Child:
    """A worker process and the socket to it.

    It must be made on the main thread: the kernel ends a worker with the thread that made it.
    Whoever makes one calls :meth:`kill`, then :meth:`reaped`.
    """

    def __init__(
        self,
        heap_bytes: int,
        on_reply: Callable[[Child, Reply], None],
        on_death: Callable[[Child], None],
    ) -> None:
        """Start a worker; its first reply is ``READY``.

        Args:
            heap_bytes: What V8 may use before it ends a script by itself.
            on_reply: Called in the event loop with each reply.
            on_death: Called in the event loop, once, when the worker ended by itself.

        Raises:
            OSError: The system gives no process or no descriptor.
        """
        self._loop = asyncio.get_running_loop()
        self._on_reply = on_reply
        self._on_death = on_death
        self._connection, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = _start(theirs, heap_bytes)
        except OSError:
            self._connection.close()
            raise
        self._connection.setblocking(False)
        self._statm = os.open(f"/proc/{self._process.pid}/statm", os.O_RDONLY)
        self._received = bytearray()
        self._unsent = memoryview(b"")
        self._open = True
        self._rest_bytes = 0
        self.calls = 0
        self._loop.add_reader(self._connection.fileno(), self.receive)

    @property
    def pid(self) -> int:
        return self._process.pid

    def rest(self) -> None:
        """Take the present size as that of a worker with nothing to do."""
        self._rest_bytes = self._resident_bytes()

    def grown_bytes(self) -> int:
        """How much larger the worker is than at rest."""
        return self._resident_bytes() - self._rest_bytes

    def _resident_bytes(self) -> int:
        try:
            pages = os.pread(self._statm, 128, 0).split(maxsplit=2)[1]
        except (ProcessLookupError, IndexError):
            # It is gone: the end of its socket tells so.
            return 0
        return int(pages) * _PAGE_BYTES

    def ask(self, request: bytes) -> None:
        """Send ``request``, at once or as fast as the worker takes it."""
        self.calls += 1
        self._unsent = memoryview(request)
        if not self._sent():
            self._loop.add_writer(self._connection.fileno(), self._send_more)

    def _sent(self) -> bool:
        """Send what the worker takes now; whether that was all."""
        try:
            self._unsent = self._unsent[self._connection.send(self._unsent) :]
        except BlockingIOError:
            return False
        except OSError:
            # The reading side sees the same end, after the replies that came before it.
            return True
        return not self._unsent

    def _send_more(self) -> None:
        if self._sent():
            self._loop.remove_writer(self._connection.fileno())

    def receive(self) -> None:
        """Take what the worker has sent, if anything."""
        try:
            data = self._connection.recv(_MORE_BYTES if self._received else _FIRST_BYTES)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self.kill()
            self._on_death(self)
            return
        self._received += data
        if len(self._received) >= worker.REPLY.size:
            self._deliver()

    def _deliver(self) -> None:
        length, kind = worker.REPLY.unpack_from(self._received)
        end = worker.REPLY.size + length
        if len(self._received) >= end:
            text = bytes(self._received[worker.REPLY.size : end])
            del self._received[:end]
            self._on_reply(self, Reply(kind, text))

    def kill(self) -> None:
        """End the worker, whatever it does; a second time does nothing."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._connection.fileno())
            self._loop.remove_writer(self._connection.fileno())
            self._connection.close()
            os.close(self._statm)
            self._process.kill()

    async def reaped(self) -> None:
        """Return when the killed process is gone; freeing what it held takes the kernel a while."""
        await asyncio.to_thread(self._process.wait)


def _start(connection: socket.socket, heap_bytes: int) -> subprocess.Popen[bytes]:
    arguments = (connection.fileno(), os.getpid(), heap_bytes)
    return subprocess.Popen(
        # -P: the program's own folder must not hide what it imports.
        [sys.executable, "-P", str(_PROGRAM), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(connection.fileno(),),
        env=child_environment(),
    )

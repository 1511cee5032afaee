"""A program in a pseudo terminal: what it paints, when, and what that costs it."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 30.0
STOP_SECONDS = 10.0

# Terminal's answer to nothing: programs that ask it get none, as from a plain one.
ENVIRONMENT = {
    "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
}  # fmt: skip
_ESCAPE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")


class Terminal:
    """The terminal of one program. All that it writes is read at once, by a thread.

    Attributes:
        begun: When the program was started (seconds, monotonic).
        written: Bytes that it has written so far.
    """

    def __init__(self, command: Sequence[str], columns: int, lines: int) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._heard = threading.Condition()
        self._chunks: list[tuple[float, bytes]] = []
        self.written = 0
        self.begun = time.monotonic()
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=os.environ | ENVIRONMENT,
            start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._master, 1 << 16)
            except OSError:
                # How a pseudo terminal says that nobody writes to it any more.
                return
            with self._heard:
                self._chunks.append((time.monotonic(), chunk))
                self.written += len(chunk)
                self._heard.notify_all()

    def mark(self) -> int:
        """This moment, for :meth:`until`: only what is written from here on counts."""
        with self._heard:
            return len(self._chunks)

    def until(
        self, holds: Callable[[bytes], object], mark: int = 0, limit: float = PATIENCE_SECONDS
    ) -> float:
        """When what was written since ``mark`` first came to hold (seconds, monotonic).

        Raises:
            TimeoutError: It did not within ``limit`` seconds; with the end of what was written.
        """
        end = time.monotonic() + limit
        seen, at = b"", mark
        while True:
            with self._heard:
                if at == len(self._chunks) and not self._heard.wait(end - time.monotonic()):
                    raise TimeoutError(f"never painted; last: {plain(seen)[-2000:]!r}")
                fresh, at = self._chunks[at:], len(self._chunks)
            for when, chunk in fresh:
                seen += chunk
                if holds(seen):
                    return when
            if time.monotonic() > end:
                raise TimeoutError(f"never painted; last: {plain(seen)[-2000:]!r}")

    def shows(self, *texts: str, mark: int = 0, limit: float = PATIENCE_SECONDS) -> float:
        """When all of ``texts`` had been painted since ``mark`` (seconds, monotonic)."""
        wanted = [text.encode() for text in texts]
        return self.until(lambda seen: all(text in plain(seen) for text in wanted), mark, limit)

    def since(self, mark: int) -> bytes:
        """What was written since ``mark``."""
        with self._heard:
            return b"".join(chunk for _, chunk in self._chunks[mark:])

    def press(self, keys: str) -> float:
        """Press keys; when that was (seconds, monotonic)."""
        at = time.monotonic()
        os.write(self._master, keys.encode())
        return at

    @property
    def cpu_seconds(self) -> float:
        """CPU time that the program has used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def resident_megabytes(self) -> float:
        """Resident memory of the program."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def close(self) -> None:
        """End the program, and wait until it is gone."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reading.join(STOP_SECONDS)
        os.close(self._master)


@contextmanager
def terminal(command: Sequence[str], columns: int = 160, lines: int = 48) -> Iterator[Terminal]:
    """``python -m command…`` in a terminal of its own."""
    opened = Terminal([sys.executable, "-m", *command], columns, lines)
    try:
        yield opened
    finally:
        opened.close()


def plain(written: bytes) -> bytes:
    """What was written, without escape sequences."""
    return _ESCAPE.sub(b"", written)

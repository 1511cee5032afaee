"""The console on a terminal of its own: how it leaves it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

SHOWN_AGAIN, NO_MOUSE = b"\x1b[?1049l", b"\x1b[?1000l"


def test_what_is_told_to_end_gives_the_terminal_back(tmp_path: Path) -> None:
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "tui", "tui", "--home", str(tmp_path)]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "TERM": "xterm-256color"}
    console = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=environment)
    os.close(its)
    try:
        # The first paint comes after all that a terminal is told before it.
        _read(ours, b"No suite runs")
        console.send_signal(signal.SIGTERM)
        told = _read(ours, SHOWN_AGAIN)

        assert NO_MOUSE in told + _read(ours, b"")
        assert console.wait(timeout=20.0) == 128 + signal.SIGTERM
    finally:
        console.kill()
        console.wait()
        os.close(ours)


def test_what_would_be_painted_into_a_file_says_that_it_needs_a_terminal(tmp_path: Path) -> None:
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "tui", "tui", "--home", str(tmp_path)]
    try:
        ended = subprocess.run(
            command, stdin=its, stdout=its, stderr=subprocess.PIPE, timeout=20.0, check=False
        )
    finally:
        os.close(its)
        os.close(ours)

    assert ended.returncode == 1
    assert b"needs a terminal" in ended.stderr


def _read(terminal: int, wanted: bytes) -> bytes:
    """What the console writes until ``wanted`` came; empty: until it ends."""
    told = b""
    while not wanted or wanted not in told:
        try:
            told += os.read(terminal, 65_536)
        except OSError:
            # Nobody has the other end any more.
            break
    return told

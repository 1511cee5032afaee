"""A terminal that tests type in and read, as a person does: a program in a tmux of its own.

Nothing waits for time: whoever types next has seen on the screen what the keys before did.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 60.0
LOOKS_EVERY_SECONDS = 0.03
# How large the terminal is that the tests run in says nothing of this one.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "TMUX")}


class Terminal:
    """The terminal of one program.

    Args:
        socket: Of the tmux server.
    """

    def __init__(self, socket: Path) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", os.devnull]

    def run(
        self, command: Sequence[str], size: tuple[int, int], environment: Mapping[str, str]
    ) -> None:
        """Start the program; its screen stays when it has ended."""
        given = [word for pair in environment.items() for word in ("-e", "=".join(pair))]
        width, height = map(str, size)
        self._tell("new-session", "-d", *given, "-x", width, "-y", height, shlex.join(command),
                   ";", "set-option", "remain-on-exit", "on")  # fmt: skip

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names for them: ``Enter``, ``C-s``, ``S-Down``."""
        self._tell("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text as it is."""
        self._tell("send-keys", "-l", "--", text)

    def screen(self) -> str:
        """What is shown now."""
        return self._tell("capture-pane", "-p")

    def shows(self, *texts: str) -> str:
        """The screen, once all of ``texts`` are on it; fails with it where they never are."""
        return self._until(lambda screen: all(text in screen for text in texts), f"{texts}")

    def shows_no(self, *texts: str) -> str:
        """The screen, once none of ``texts`` is on it any more."""
        return self._until(lambda screen: not any(text in screen for text in texts), f"no {texts}")

    def _until(self, holds: Callable[[str], bool], what: str) -> str:
        limit = time.monotonic() + PATIENCE_SECONDS
        while not holds(screen := self.screen()):
            assert time.monotonic() < limit, f"never shown: {what}\n{screen}"
            time.sleep(LOOKS_EVERY_SECONDS)
        return screen

    def close(self) -> None:
        """End the program and its tmux server."""
        self._tell("kill-server")

    def _tell(self, *words: str) -> str:
        done = subprocess.run(
            [*self._tmux, *words], env=_ENVIRONMENT, capture_output=True, text=True, timeout=30,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def terminal(
    command: Sequence[str], environment: Mapping[str, str], size: tuple[int, int] = (120, 40)
) -> Iterator[Terminal]:
    """A terminal in which ``command`` runs; ``environment`` comes on top of the tests' own."""
    # A socket's path is short, and those of tests are not.
    with tempfile.TemporaryDirectory(prefix="podium-tmux-") as folder:
        opened = Terminal(Path(folder) / "socket")
        opened.run(command, size, {"TERM": "tmux-256color", **environment})
        try:
            yield opened
        finally:
            opened.close()

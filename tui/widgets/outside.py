"""Programs of the user's that take the terminal for a while: a pager, an editor."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

_AS_IT_WAS = "The text is as it was."


@dataclass(frozen=True, slots=True)
class Edited:
    """What came back of an editor.

    Attributes:
        text: None: it is to stay as it was.
        problem: Why, as a sentence; empty if there was none.
    """

    text: str | None
    problem: str = ""


def page(app: App[Any], text: str, suffix: str = ".txt") -> str:
    """Show ``text`` in ``$PAGER``; what went wrong as a sentence, or nothing."""
    command = _command(os.environ, ("PAGER",), "less")
    try:
        with _written(text, suffix) as file:
            return _run(app, [*command, str(file)])
    except OSError as error:
        return f"No file can be written for {command[0]}: {error.strerror}."


def edit(app: App[Any], text: str, suffix: str) -> Edited:
    """Let ``text`` be edited in ``$VISUAL`` or ``$EDITOR``."""
    command = _command(os.environ, ("VISUAL", "EDITOR"), "vi")
    try:
        with _written(text, suffix) as file:
            problem = _run(app, [*command, str(file)])
            back = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return Edited(None, f"What came back is no UTF-8. {_AS_IT_WAS}")
    except OSError as error:
        return Edited(None, f"The file for {command[0]} is lost: {error.strerror}. {_AS_IT_WAS}")
    if problem:
        return Edited(None, f"{problem} {_AS_IT_WAS}")
    # Editors end the last line, which is no change.
    return Edited(None if back in (text, f"{text}\n") else back)


def _command(environment: Mapping[str, str], names: Sequence[str], otherwise: str) -> list[str]:
    written = next((environment[name] for name in names if environment.get(name)), otherwise)
    try:
        return shlex.split(written) or [otherwise]
    except ValueError:
        return [written]


@contextmanager
def _written(text: str, suffix: str) -> Iterator[Path]:
    """A file with ``text`` that only the user may read, for as long as it is needed."""
    number, name = tempfile.mkstemp(prefix="podium-", suffix=suffix)
    file = Path(name)
    try:
        with os.fdopen(number, "wb") as stream:
            stream.write(text.encode("utf-8", "backslashreplace"))
        yield file
    finally:
        file.unlink(missing_ok=True)


def _run(app: App[Any], command: Sequence[str]) -> str:
    """Run ``command`` with the terminal; how it failed, or nothing."""
    try:
        with app.suspend(), _deaf_to_interrupts():
            return _outcome(command)
    except SuspendNotSupported:
        return "This terminal cannot be lent to another program."


def _outcome(command: Sequence[str]) -> str:
    # What is raised in here would leave the app suspended.
    try:
        code = subprocess.run(command, check=False).returncode
    except OSError as error:
        return f"{command[0]} cannot be run: {error.strerror}."
    if code < 0:
        return f"{command[0]} was ended by signal {-code}."
    return f"{command[0]} ended with {code}." if code else ""


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Ctrl-C is for the program that has the terminal; that one is not to ignore it."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

"""Where the console's own files are, and reading and writing them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from services.home import write_private
from tui.settings.model import Fault, Settings
from tui.settings.parsing import Known, Parsed, parse

VARIABLE = "PODIUM_CONSOLE_CONFIG"
MOST_BYTES = 256 * 1024


def settings_path(environment: Mapping[str, str]) -> Path:
    """The console's settings: ``$PODIUM_CONSOLE_CONFIG``, else below ``$XDG_CONFIG_HOME``."""
    if given := environment.get(VARIABLE):
        return Path(given)
    return _folder(environment, "XDG_CONFIG_HOME", ".config") / "console.toml"


def state_folder(environment: Mapping[str, str]) -> Path:
    """What the console keeps by itself: history, saved views, screenshots."""
    return _folder(environment, "XDG_STATE_HOME", ".local/state")


def _folder(environment: Mapping[str, str], variable: str, otherwise: str) -> Path:
    given = environment.get(variable, "")
    # A relative one is to be ignored, says the standard.
    base = Path(given) if given and Path(given).is_absolute() else Path.home() / otherwise
    return base / "podium"


def read(path: Path, known: Known | None = None, *, wanted: bool = False) -> Parsed:
    """The settings in ``path``; those of no file where there is none.

    Args:
        known: What the file may name.
        wanted: Whether there must be a file.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            return _broken(f"{path} is too big for settings.")
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return _broken(f"There is no {path}.") if wanted else Parsed(Settings())
    except UnicodeDecodeError:
        return _broken(f"{path} is no UTF-8 text.")
    except OSError as error:
        return _broken(f"{path} cannot be read: {error.strerror or error}.")
    return parse(text, known)


def _broken(message: str) -> Parsed:
    return Parsed(Settings(), (Fault(0, message),))


class Kept:
    """Lines that are kept on disk, newest last: a history, and views saved by name.

    Without a folder, or where it cannot be written, they are kept while the console is open.
    """

    def __init__(self, folder: Path | None, name: str, most: int = 500) -> None:
        self._path = folder / name if folder is not None else None
        self._most = most
        self.lines = self._read()
        self.fault = ""

    def _read(self) -> list[str]:
        if self._path is None:
            return []
        try:
            with self._path.open("rb") as file:
                # What is older than that is not missed.
                file.seek(max(0, os.fstat(file.fileno()).st_size - MOST_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            # The first use, or a folder that is not for us: :meth:`add` says so.
            return []
        # What no line of ours has is of another program, or of none: terminals would obey it.
        return [line for line in text.split("\n") if line and line.isprintable()][-self._most :]

    def add(self, line: str) -> None:
        """Keep a line as the newest; the same one is kept once."""
        line = " ".join(line.split())
        if not line or len(line) > 4_000:
            return
        self.lines = [each for each in self.lines if each != line][-(self._most - 1) :]
        self.lines.append(line)
        self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._path, "\n".join(self.lines) + "\n")
        except OSError as error:
            self.fault = f"{self._path} cannot be written: {error.strerror or error}."

"""A backup's manifest: what is in it, as of when, and what it takes to read it (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import MAXYEAR, UTC, datetime
from typing import Any

from services.backups.parts import BackupError

NAME = "manifest.json"
FORMAT = 1
MOST_BYTES = 1 << 20
# Of a version, or the id of a key.
_LONGEST_WORD = 100
_FIRST_YEAR = 1970
_SENSELESS = (
    ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError,
)  # fmt: skip
_WORDS = {"taken_at": "takenAt", "written_by": "writtenBy"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a backup.

    Attributes:
        sha256: Of its content, hexadecimal.
        taken_at: When it was copied, as of ISO 8601; all that was committed before is in it.
        epoch, revision: How the database stood; empty and 0 of what is none.
        migrations: The last that the database has had; empty: it is none.
        written_by: The versions of Podium that have opened it.
    """

    name: str
    bytes: int
    sha256: str
    taken_at: str
    epoch: str = ""
    revision: int = 0
    schema: str = ""
    written_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        podium: The version that made it.
        keys: The ids of the keys in secret.key, not the keys: the first one seals.
    """

    podium: str
    made_at: datetime
    entries: tuple[Entry, ...]
    keys: tuple[str, ...] = ()

    def text(self) -> str:
        """As the file in the backup."""
        return json.dumps({"format": FORMAT, **self.document()}, indent=2) + "\n"

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "podium": self.podium,
            "madeAt": self.made_at.isoformat(),
            "entries": [_told(entry) for entry in self.entries],
            "keys": list(self.keys),
        }

    def entry(self, name: str) -> Entry | None:
        """The file of that name."""
        return next((each for each in self.entries if each.name == name), None)


def read(text: bytes) -> Manifest:
    """The manifest that a backup has. Raises :class:`BackupError`: it makes no sense."""
    try:
        told = json.loads(text)
        if int(told["format"]) > FORMAT:
            raise BackupError(
                f"The backup was made by Podium {_word(told['podium'])}, in a form that this "
                "version does not know; use that version."
            )
        entries = tuple(_entry(each) for each in told["entries"])
        made_at = datetime.fromisoformat(told["madeAt"]).astimezone(UTC)
        if not _FIRST_YEAR <= made_at.year < MAXYEAR:
            raise ValueError("no time at which a backup was made")
        return Manifest(_word(told["podium"]), made_at, entries, tuple(map(_word, told["keys"])))
    except _SENSELESS as error:
        raise BackupError("The backup's manifest makes no sense: it is no backup.") from error


def _word(told: object) -> str:
    """What is shown as it is. Raises ValueError: it is more than a word."""
    text = str(told)
    if not text.isprintable() or len(text) > _LONGEST_WORD:
        raise ValueError("more than a word")
    return text


def _told(entry: Entry) -> dict[str, Any]:
    return {_WORDS.get(name, name): value for name, value in asdict(entry).items()}


def _entry(told: Mapping[str, Any]) -> Entry:
    if int(told["bytes"]) < 0:
        raise ValueError("less than nothing")
    return Entry(
        str(told["name"]),
        int(told["bytes"]),
        str(told["sha256"]),
        str(told["takenAt"]),
        str(told["epoch"]),
        int(told["revision"]),
        str(told["schema"]),
        tuple(map(str, told["writtenBy"])),
    )

"""What was written in an editor and not stored, kept on disk until it is: it outlives a crash."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FOLDER = "drafts"
MOST_CHARACTERS = 5_000_000
MOST_DRAFTS = 50


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A text that is not stored.

    Attributes:
        context: The console's, of the suite that it is for.
        name: Of the definition that was read; empty: it is new. So is ``version``, then 0.
        etag: Of the definition that was read.
        base: The document that was read, JSON text.
        at: When it was written, UTC, as people read it.
    """

    context: str
    kind: str
    name: str
    version: int
    language: str
    etag: str
    base: str
    text: str
    at: str

    @property
    def key(self) -> str:
        """What it is a draft of, as the name of a file."""
        parts = "\0".join((self.context, self.kind, self.name, str(self.version)))
        return hashlib.sha256(parts.encode("utf-8", "backslashreplace")).hexdigest()[:32]


class Drafts:
    """Texts that are not stored, one a definition. Without a folder none are kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder / FOLDER if folder is not None else None

    def keep(self, draft: Unsaved) -> str:
        """Keep it instead of an earlier one; why it cannot be kept, or nothing."""
        if self._folder is None or len(draft.text) + len(draft.base) > MOST_CHARACTERS:
            return ""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(self._folder / f"{draft.key}.json", json.dumps(asdict(draft)))
            self._let_go(self._folder)
        except OSError as error:
            return f"{self._folder} cannot be written: {error.strerror or error}."
        return ""

    def find(self, draft: Unsaved) -> Unsaved | None:
        """What is kept of the definition that ``draft`` is of."""
        if self._folder is None:
            return None
        try:
            said = json.loads((self._folder / f"{draft.key}.json").read_text("utf-8"))
            found = Unsaved(**{each.name: said[each.name] for each in fields(Unsaved)})
        except (OSError, ValueError, LookupError, TypeError):
            # There is none, or it is none that was written whole.
            return None
        return found if found.key == draft.key and _is_sound(found) else None

    def drop(self, draft: Unsaved) -> None:
        """It is stored, or not wanted."""
        if self._folder is not None:
            try:
                (self._folder / f"{draft.key}.json").unlink(missing_ok=True)
            except OSError:
                # It is offered once more: nothing is lost by that.
                return

    @staticmethod
    def _write(path: Path, text: str) -> None:
        # Without waiting for the disk, as keys do: it is written while somebody types.
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        partial.replace(path)

    @staticmethod
    def _let_go(folder: Path) -> None:
        kept = sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime)
        for each in kept[:-MOST_DRAFTS]:
            each.unlink(missing_ok=True)


def _is_sound(draft: Unsaved) -> bool:
    texts = (draft.context, draft.kind, draft.name, draft.etag, draft.base, draft.text, draft.at)
    return all(isinstance(each, str) for each in texts) and draft.language in ("json", "yaml")

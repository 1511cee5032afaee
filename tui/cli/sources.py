"""Documents from files and folders, each with the line on which it begins."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from podium.registry.v1 import registry_pb2
from services.json_text import DocumentError, Json, parse_json
from services.yaml_documents import Lines, read_documents
from tui.views.faults import PlacedFault

# What is put at once fits one message.
LARGEST_BYTES = 31 << 20
MOST_FILES = 20_000
MOST_DOCUMENTS = 10_000
SUFFIXES = (".json", ".yaml", ".yml")
# In a folder, it says of which kinds the folder has all that there is to be.
SCOPE = ".podium.json"


@dataclass(slots=True)
class Sources:
    """What stands in files.

    Attributes:
        documents: In the order of the files and within them.
        origins: Where each begins: ``FILE:LINE``.
        lines: Of what is in each, as far as they are known.
        puts: The documents as the registry takes them.
        faults: Why some cannot be read.
        folders: Whether any of the files came from a folder.
        kinds: Those that the folders say they manage; empty where they do not say.
    """

    documents: list[Json] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    lines: list[Lines] = field(default_factory=list)
    puts: list[registry_pb2.DocumentPut] = field(default_factory=list)
    faults: list[PlacedFault] = field(default_factory=list)
    folders: bool = False
    kinds: set[str] = field(default_factory=set)

    def parts(self) -> dict[str, tuple[Json, Lines]]:
        """By origin, each document and its lines; none of several that begin on one line."""
        alone = Counter(self.origins)
        parts = zip(self.origins, self.documents, self.lines, strict=True)
        return {at: (document, lines) for at, document, lines in parts if alone[at] == 1}


class _TooMuch(Exception):
    """More than can be put at once."""


class _TooLarge(Exception):
    """One file alone is more than that."""


def read(paths: Sequence[Path]) -> Sources:
    """Everything in ``paths``: files, ``-`` for standard input, and folders with all below them.

    In a folder, files that end in ``.yaml``, ``.yml`` and ``.json`` count, in the order of their
    names; hidden ones do not. A file that is reached by two links is read once.
    """
    sources = Sources()
    try:
        for path in paths:
            if str(path) != "-" and path.is_dir():
                _read_folder(path, sources)
            else:
                _read_file(path, sources, empty_is_a_fault=True)
    except _TooMuch as error:
        sources.faults.append(PlacedFault(_named(path), "", str(error)))
    _drop_placeholders(sources)
    sources.puts = [
        registry_pb2.DocumentPut(document=json.dumps(document, ensure_ascii=False), origin=origin)
        for document, origin in zip(sources.documents, sources.origins, strict=True)
    ]
    if sum(put.ByteSize() for put in sources.puts) > LARGEST_BYTES:
        detail = f"all documents together are larger than {LARGEST_BYTES >> 20} MiB"
        sources.faults.append(PlacedFault("", "", detail))
    return sources


def _read_folder(folder: Path, sources: Sources) -> None:
    sources.folders = True
    _read_scope(folder / SCOPE, sources)
    before = len(sources.documents), len(sources.faults)
    for number, file in enumerate(_files(folder, sources)):
        if number >= MOST_FILES:
            raise _TooMuch(f"holds more than {MOST_FILES} files")
        _read_file(file, sources, empty_is_a_fault=False)
    if before == (len(sources.documents), len(sources.faults)):
        detail = f"holds no document: no {', '.join(SUFFIXES)} file below it has one"
        sources.faults.append(PlacedFault(_named(folder), "", detail))


def _read_scope(file: Path, sources: Sources) -> None:
    try:
        # To open a pipe is to wait for who writes to it.
        if not stat.S_ISREG(file.stat().st_mode):
            raise OSError("is no regular file")
        said = parse_json(_text(file))
    except FileNotFoundError:
        return
    except (DocumentError, UnicodeDecodeError, OSError, _TooLarge) as error:
        sources.faults.append(PlacedFault(_named(file), "", f"cannot be read: {error}"))
        return
    kinds = said.get("manages") if isinstance(said, dict) else None
    if isinstance(kinds, list) and kinds:
        sources.kinds.update(map(str, kinds))
    else:
        detail = """must be like {"manages": ["workflow", "service"]}, or ["*"] for every kind"""
        sources.faults.append(PlacedFault(_named(file), "", detail))


def _files(folder: Path, sources: Sources) -> Iterator[Path]:
    """The files below ``folder``, each once, whatever links lead to it."""
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        try:
            status = path.stat()
            below = sorted(path.iterdir()) if stat.S_ISDIR(status.st_mode) else []
        except OSError as error:
            sources.faults.append(_unreadable(path, error))
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        if stat.S_ISREG(status.st_mode):
            yield path
        # The first of them is looked at next.
        waiting.extend(each for each in reversed(below) if _counts(each))


def _counts(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    try:
        return path.suffix.lower() in SUFFIXES or path.is_dir()
    except OSError:
        # Whoever looks at it next is told why, and tells.
        return True


def _read_file(file: Path, sources: Sources, *, empty_is_a_fault: bool) -> None:
    try:
        found = read_documents(_text(file))
    except DocumentError as error:
        sources.faults.append(PlacedFault(f"{_named(file)}:{error.line}", "", error.detail))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        sources.faults.append(PlacedFault(f"{_named(file)}:{line}", "", "is no UTF-8 text"))
    except _TooLarge:
        detail = f"is larger than {LARGEST_BYTES >> 20} MiB"
        sources.faults.append(PlacedFault(_named(file), "", detail))
    except OSError as error:
        sources.faults.append(_unreadable(file, error))
    else:
        if not found and empty_is_a_fault:
            sources.faults.append(PlacedFault(_named(file), "", "holds no document"))
        sources.documents.extend(each.document for each in found)
        sources.lines.extend(each.lines for each in found)
        sources.origins.extend(f"{_named(file)}:{each.line}" for each in found)
        if len(sources.documents) > MOST_DOCUMENTS:
            raise _TooMuch(f"more than {MOST_DOCUMENTS} documents cannot be put at once")


def _text(file: Path) -> str:
    """Raises _TooLarge, UnicodeDecodeError and OSError."""
    if str(file) == "-":
        said = sys.stdin.buffer.read(LARGEST_BYTES + 1)
    else:
        with file.open("rb") as opened:
            said = opened.read(LARGEST_BYTES + 1)
    if len(said) > LARGEST_BYTES:
        raise _TooLarge
    return said.decode("utf-8")


def _unreadable(path: Path, error: OSError) -> PlacedFault:
    return PlacedFault(_named(path), "", f"cannot be read: {error.strerror or error}")


def _named(path: Path) -> str:
    """``path`` as text that can be sent and printed: a file's name is any bytes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _drop_placeholders(sources: Sources) -> None:
    """Leave out a secret without a value, as exported, where another document gives the value."""
    given = {name for each in sources.documents if (name := _secret(each, with_value=True))}
    keep = [_secret(each, with_value=False) not in given for each in sources.documents]
    for values in (sources.documents, sources.origins, sources.lines):
        values[:] = [each for each, kept in zip(values, keep, strict=True) if kept]  # type: ignore[misc]


def _secret(document: Json, *, with_value: bool) -> str | None:
    """The name of the secret that ``document`` is; None if it is none, or not of that sort."""
    if not isinstance(document, dict) or document.get("kind") != "secret":
        return None
    name = document.get("name")
    has_value = document.get("value") is not None
    return name if isinstance(name, str) and has_value is with_value else None

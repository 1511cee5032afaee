"""Looks through the databases of a suite, or of a backup, for what is wrong; changes nothing."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from services.backups import archive
from services.backups.parts import NEEDED_KEY, PARTS, BackupError, Part, Places
from services.process import StartupError
from services.sealing import Sealer, Unsealable, sealer_of
from services.versions import StorageTooNew, refuse_newer

_MOST_SAID = 5
_RESTORE = "Restore a backup."
# A file beside the database says who reads it: it may be sound.
_BESIDE = (
    "Look where its folder can be written to, or at a copy of it: SQLite keeps a note beside it."
)
_OF_THE_FOLDER = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Attributes:
        where: The file.
        what, way_out: Sentences.
    """

    where: str
    what: str
    way_out: str


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a look.

    Attributes:
        looked_at: The files.
        unsealed: Why sealed texts were not tried; empty: they were.
    """

    looked_at: tuple[str, ...]
    findings: tuple[Finding, ...]
    unsealed: str = ""


def suite(places: Places, *, thorough: bool) -> Report:
    """Look through the databases at ``places``, as they stand at one moment each.

    Args:
        thorough: Whether every index is compared with its table, too, which takes longer.
    """
    return _looked(places.databases, places.files.get(NEEDED_KEY), thorough=thorough)


def backup(file: Path, secret_key: Path | None, *, thorough: bool) -> Report:
    """Look through a backup: whether it is whole, and what is in it.

    Args:
        secret_key: Which may be in the backup, too.

    Raises:
        BackupError: It is no backup, is cut off, or was changed.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="podium-check-") as name:
            folder = Path(name)
            archive.unpack(file, folder)
            inside = folder / NEEDED_KEY
            key = inside if inside.exists() else secret_key
            databases = {part.name: folder / part.file for part in PARTS}
            return _looked(databases, key, thorough=thorough, within=f"{file}: ")
    except OSError as error:
        raise BackupError(
            f"{error.filename or file}: {error.strerror or error}; to look through a backup takes "
            "room for its databases in the folder for temporary files (TMPDIR)."
        ) from error


def _looked(
    databases: Mapping[str, Path], key: Path | None, *, thorough: bool, within: str = ""
) -> Report:
    opens, unsealed = _opener(key)
    names: list[str] = []
    found: list[Finding] = []
    for part in PARTS:
        path = databases[part.name]
        where = f"{within}{path.name}" if within else str(path)
        names.append(where)
        found += [Finding(where, *each) for each in _of_part(part, path, opens, thorough=thorough)]
    return Report(tuple(names), tuple(found), unsealed)


def _opener(key: Path | None) -> tuple[Callable[[str], bool] | None, str]:
    if key is None:
        return None, "There is no secret.key to try: --secret-key-file names one."
    try:
        return opener(sealer_of(key)), ""
    except StartupError as error:
        return None, str(error)


def opener(sealer: Sealer) -> Callable[[str], bool]:
    """Whether it opens a sealed text."""

    def opens(sealed: str) -> bool:
        try:
            sealer.open(sealed)
        except Unsealable:
            return False
        return True

    return opens


def _of_part(
    part: Part, path: Path, opens: Callable[[str], bool] | None, *, thorough: bool
) -> Iterator[tuple[str, str]]:
    if not os.access(path, os.R_OK):
        yield "It cannot be read by you.", "Look as the user that the suite runs as, or as root."
        return
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=10, isolation_level=None)) as db:
            # All of it as of one moment, though the suite writes.
            db.execute("BEGIN")
            yield from _of_file(db, thorough=thorough)
            yield from _of_content(part, path, Database(db), opens)
    except sqlite3.Error as error:
        beside = getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_THE_FOLDER
        yield f"It cannot be read: {error}.", _BESIDE if beside else _RESTORE


def _of_file(db: sqlite3.Connection, *, thorough: bool) -> Iterator[tuple[str, str]]:
    pragma = "integrity_check" if thorough else "quick_check"
    for (said,) in db.execute(f"PRAGMA {pragma}({_MOST_SAID})").fetchall():
        if said != "ok":
            yield f"The file is damaged: {said}.", _RESTORE
    for table, row, parent, _ in db.execute("PRAGMA foreign_key_check").fetchmany(_MOST_SAID):
        yield f"Row {row} of {table} refers to what is not in {parent}.", _RESTORE


def _of_content(
    part: Part, path: Path, database: Database, opens: Callable[[str], bool] | None
) -> Iterator[tuple[str, str]]:
    try:
        refuse_newer(path, database, part.migrations)
    except StorageTooNew as error:
        yield str(error), "Look with the version that wrote it."
        return
    if not database.table("meta").exists():
        yield f"It is no database of Podium's {part.name}, or has nothing in it yet.", _RESTORE
        return
    yield from part.findings(database, opens)

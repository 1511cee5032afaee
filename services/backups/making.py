"""Makes a backup of a suite, while it runs or not, in one file.

Each database is copied as of one moment by SQLite itself, read only; whoever writes goes on.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from sqlite_utils import Database

from services.backups import archive
from services.backups.manifest import Entry, Manifest
from services.backups.parts import NEEDED_KEY, PARTS, BackupError, Part, Places
from services.home import KEYS
from services.process import StartupError
from services.sealing import sealer_of
from services.versions import applied, this_version, written_by

_MEGABYTE = 1_000_000
# How the names of a database's files end.
_BESIDE = ("", "-wal", "-shm", ".lock")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be backed up.

    Attributes:
        with_keys: Whether the keys are in it, too.
        now: The time of day, UTC.
    """

    places: Places
    with_keys: bool
    now: Callable[[], datetime]


def to_file(wanted: Wanted, target: Path) -> Manifest:
    """Make a backup at ``target``, whole or not at all; what was there is replaced.

    Raises:
        BackupError: It cannot be made; there is no file of that name that was not there before.
    """
    target = Path(os.path.realpath(target))
    _check_target(wanted.places, target)
    with _scratch(target.parent, f".{target.name}.", target) as folder:
        manifest = _gathered(wanted, folder)
        packed = folder / "packed"
        with archive.private(packed) as file:
            archive.write(file, manifest, folder)
        packed.replace(target)
        archive.sync(target.parent)
    return manifest


def _check_target(places: Places, target: Path) -> None:
    """Refuse to replace what is no backup. Raises :class:`BackupError`."""
    if target.is_dir():
        raise BackupError(f"{target} is a folder; name a file in it.")
    if target.exists() and not target.is_file():
        raise BackupError(f"{target} is no file; - is standard output.")
    for source in (*places.databases.values(), *places.files.values()):
        own = Path(os.path.realpath(source))
        if target.parent == own.parent and target.name.removeprefix(own.name) in _BESIDE:
            raise BackupError(f"{target} belongs to the suite; name another file.")


def to_stream(wanted: Wanted, stream: IO[bytes]) -> Manifest:
    """Make a backup and write it to ``stream``. Raises :class:`BackupError`."""
    with _scratch(Path(tempfile.gettempdir()), ".podium-backup.", None) as folder:
        manifest = _gathered(wanted, folder)
        archive.write(stream, manifest, folder)
        stream.flush()
    return manifest


@contextmanager
def scratch(parent: Path, prefix: str, suffix: str) -> Generator[Path]:
    """A folder for what is not done yet; gone afterwards, and with it what others have left."""
    _sweep(parent, prefix, suffix)
    folder = Path(tempfile.mkdtemp(suffix, f"{prefix}{os.getpid()}.", parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _scratch(parent: Path, prefix: str, target: Path | None) -> Generator[Path]:
    """As :func:`scratch`. Raises :class:`BackupError`, in words about ``target``."""
    try:
        with scratch(parent, prefix, ".partial") as folder:
            yield folder
    except BrokenPipeError:
        raise
    except (OSError, sqlite3.Error) as error:
        raise _failed(error, parent, target) from error


def _failed(error: OSError | sqlite3.Error, parent: Path, target: Path | None) -> BackupError:
    unmade = f"{target} was not made" if target else "No backup was made"
    if is_full(error):
        free = shutil.disk_usage(parent).free // _MEGABYTE
        elsewhere = "" if target else ", or where standard output goes"
        return BackupError(
            f"{unmade}: there is no room in {parent} ({free:,} MB are left){elsewhere}; it takes "
            "as much as the databases, and half as much again while it is made."
        )
    if isinstance(error, OSError):
        return BackupError(f"{unmade}: {error.filename or parent}: {error.strerror or error}.")
    return BackupError(
        f"{unmade}: a database cannot be read ({error}); podium check says what is wrong."
    )


def is_full(error: Exception) -> bool:
    """Whether there was no room on the disk."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def _sweep(parent: Path, prefix: str, suffix: str) -> None:
    """Drop what those have left that were killed."""
    for left in parent.glob(f"{_escaped(prefix)}*{suffix}"):
        number = left.name[len(prefix) :].partition(".")[0]
        if number.isdecimal() and not _lives(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def _escaped(text: str) -> str:
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in text)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _gathered(wanted: Wanted, folder: Path) -> Manifest:
    """The manifest of what is copied into ``folder``."""
    begun = wanted.now()
    entries = [_copied(part, wanted, folder) for part in PARTS]
    files = wanted.places.files
    small = [name for name in files if wanted.with_keys or name not in KEYS]
    entries += _small(files, small, wanted, folder)
    return Manifest(this_version(), begun, tuple(entries), _key_ids(files))


def _key_ids(files: Mapping[str, Path]) -> tuple[str, ...]:
    """Of the keys that seal and open."""
    if NEEDED_KEY not in files:
        return ()
    try:
        return sealer_of(files[NEEDED_KEY]).key_ids
    except StartupError as error:
        raise BackupError(f"No backup was made: {error}") from error


def _copied(part: Part, wanted: Wanted, folder: Path) -> Entry:
    target, taken = folder / part.file, wanted.now().isoformat()
    copy(wanted.places.databases[part.name], target)
    size, sha256 = archive.digest(target)
    with closing(Database(target)) as database:
        schema, standing = applied(database, part.migrations), part.standing(database)
        versions = tuple(written_by(database))
    last = schema[-1] if schema else ""
    return Entry(
        part.file, size, sha256, taken, standing["epoch"], standing["revision"], last, versions
    )


def copy(source: Path, target: Path) -> None:
    """Copy a database, as it stands at one moment, while others write to it."""
    address = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=10, isolation_level=None)) as db:
        db.execute("VACUUM INTO ?", (str(target),))


def _small(
    files: Mapping[str, Path], names: Iterable[str], wanted: Wanted, folder: Path
) -> Iterable[Entry]:
    for name in names:
        shutil.copyfile(files[name], folder / name)
        yield Entry(name, *archive.digest(folder / name), wanted.now().isoformat())

"""Which versions of Podium have written a database, and whether this one can read it.

A database says it by the migrations that it has: one that is not known here was made by a later
version. The versions themselves are noted beside, so that it can be said which.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from services.process import StartupError

_TABLE = "podium_versions"


class StorageTooNew(StartupError):
    """A later version of the software has written the file."""


def this_version() -> str:
    """The version of the software that runs."""
    return metadata.version("podium")


def bring_up_to_date(path: Path, database: Database, migrations: Migrations) -> None:
    """Apply what ``database`` has not had yet, and note that this version wrote it.

    Raises:
        StorageTooNew: A later version has written it; nothing was changed.
    """
    refuse_newer(path, database, migrations)
    migrations.apply(database)
    _note(database)


def refuse_newer(path: Path, database: Database, migrations: Migrations) -> None:
    """Raises :class:`StorageTooNew` where ``database`` has a migration that is not known here."""
    unknown = unknown_migrations(database, migrations)
    if unknown:
        raise StorageTooNew(
            f"{path} was written by {_writer(database)} (it has {unknown[0]!r}), and this is "
            f"Podium {this_version()}; use that version, or restore a backup of this one."
        )


def unknown_migrations(database: Database, migrations: Migrations) -> list[str]:
    """The migrations that ``database`` has had and this version does not know."""
    known = set(names(migrations))
    return [name for name in applied(database, migrations) if name not in known]


def names(migrations: Migrations) -> list[str]:
    """Every migration by name, in order: those that are pending on an empty database."""
    return [each.name for each in migrations.pending(Database(memory=True))]


def applied(database: Database, migrations: Migrations) -> list[str]:
    """The migrations of that set which ``database`` has had, in order."""
    return [each.name for each in migrations.applied(database)]


def written_by(database: Database) -> list[str]:
    """The versions that have opened ``database``, the last new one at the end."""
    if not database.table(_TABLE).exists():
        return []
    rows = database.execute(f"SELECT version FROM {_TABLE} ORDER BY first_at, rowid")
    return [str(row[0]) for row in rows]


def _writer(database: Database) -> str:
    versions = [each for each in written_by(database) if each != this_version()]
    return f"Podium {versions[-1]}" if versions else "a later version of Podium"


def _note(database: Database) -> None:
    version = this_version()
    if version in written_by(database):
        return
    with database.atomic():
        database.execute(
            f"CREATE TABLE IF NOT EXISTS {_TABLE} "
            "(version TEXT NOT NULL UNIQUE, first_at TEXT NOT NULL) STRICT"
        )
        # Another connection to the file may have been first.
        database.execute(
            f"INSERT OR IGNORE INTO {_TABLE} VALUES (?, ?)",
            (version, datetime.now(UTC).isoformat()),
        )

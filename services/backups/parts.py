"""What a backup is made of: the databases that must not be lost, and what goes with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from services.home import KEYS, PORTS

# Small files of a home that go with its databases; those of KEYS only where that is asked for.
FILES = (PORTS, *KEYS)
# What secrets are sealed with: without it, what is restored cannot be read.
NEEDED_KEY = "secret.key"


class BackupError(Exception):
    """It cannot be done; the message is a sentence that says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Part:
    """A database that must not be lost.

    Attributes:
        name: Of the service that it belongs to.
    """

    name: str

    @property
    def file(self) -> str:
        return f"{self.name}.db"

    @property
    def variable(self) -> str:
        return f"PODIUM_{self.name.upper()}_DATABASE"

    @property
    def migrations(self) -> Migrations:
        """Every migration of the database."""
        found: Migrations = self._of_service("migrations").migrations
        return found

    def standing(self, database: Database) -> dict[str, Any]:
        """Its ``epoch`` and ``revision``."""
        found: dict[str, Any] = self._of_service("restored").standing(database)
        return found

    def renew(self, database: Database, made_at: int, now: int, *, held: bool) -> int:
        """Make of a copy a database that others cannot take for the one that it is a copy of.

        Args:
            made_at: When the copy was made, and ``now``, in microseconds since the epoch.
            held: Whether what was under way waits until it is resumed.

        Returns:
            How many executions were under way.
        """
        renew: Callable[..., int] = self._of_service("restored").renew
        return renew(database, made_at, now, held=held)

    def findings(self, database: Database, opens: Callable[[str], bool] | None) -> Iterator[Any]:
        """What does not hold of its content: pairs of what, and the way out.

        Args:
            opens: Whether the key opens a sealed text; None: there is no key.
        """
        found: Iterator[Any] = self._of_service("integrity").findings(database, opens)
        return found

    def sealed(self, database: Database) -> Iterator[str]:
        """Every sealed text that is in it."""
        found: Iterator[str] = self._of_service("integrity").sealed(database)
        return found

    def _of_service(self, module: str) -> Any:
        # Found by name: this floor knows no service.
        return import_module(f"services.{self.name}.{module}")


# In the order in which they are copied: definitions that executions refer to are newer than those,
# never older.
PARTS = tuple(Part(name) for name in ("executor", "registry"))


@dataclass(frozen=True, slots=True)
class Places:
    """Where a suite keeps what a backup is made of.

    Attributes:
        databases: By the service's name.
        files: By name in a home, those of :data:`FILES` that are there.
    """

    databases: Mapping[str, Path]
    files: Mapping[str, Path]


def places(home: Path, given: Mapping[str, Path | None], secret_key: Path | None) -> Places:
    """Where the suite of ``home`` keeps its databases, or where ``given`` says.

    Raises:
        BackupError: One of the databases is not there.
    """
    databases = {part.name: given.get(part.name) or home / part.file for part in PARTS}
    for part in PARTS:
        if not databases[part.name].exists():
            raise BackupError(
                f"There is no {databases[part.name]}. A suite's databases are read where they are:"
                f" name its home with --home, or give --{part.name}-database ({part.variable}) on"
                " the machine that has it."
            )
    files = {name: home / name for name in FILES if (home / name).is_file()}
    if secret_key is not None:
        files[NEEDED_KEY] = secret_key
    return Places(databases, files)

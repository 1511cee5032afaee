"""Makes a home of a backup: beside the place where it is to be, then there at once."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from services.backups import archive
from services.backups.checking import opener
from services.backups.making import is_full, scratch
from services.backups.manifest import Manifest
from services.backups.parts import NEEDED_KEY, PARTS, BackupError
from services.home import CERTIFICATES, KEYS, PORTS
from services.locks import Locked, held
from services.process import StartupError
from services.sealing import sealer_of
from services.versions import StorageTooNew, refuse_newer

_LOCK = "suite.lock"
# What is locked while a suite or one of its services has it.
_OWNED = (_LOCK, "registry.db.lock", "executor.db.lock", "edge.db.lock")
_ASIDE = ("swapped", "before")
_PATIENCE_SECONDS = 0.3
_MICROSECOND = timedelta(microseconds=1)
# Of renameat2(2): both names are swapped at once.
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be restored, and how.

    Attributes:
        home: Where it is to be; resolved.
        replace: Whether a suite's data may be there already; it is moved aside.
        resume: Whether executions that were under way go on at once.
        now: The time of day, UTC.
    """

    file: Path
    home: Path
    replace: bool
    resume: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it.

    Attributes:
        aside: Where what was there before is now; None: there was nothing.
        under_way: How many executions were under way when the backup was made.
        key_missing: The ids of the keys that the home needs and has not; empty: it has.
    """

    manifest: Manifest
    aside: Path | None
    under_way: int
    key_missing: tuple[str, ...]


def restore(order: Order) -> Done:
    """Restore a backup. Killed half-way, it leaves the home as it was or as it is to be.

    Raises:
        BackupError: It cannot be done; the home is as it was.
    """
    home = order.home
    if home.is_mount():
        raise BackupError(
            f"{home} is a mount point, which cannot be replaced at once; restore into a folder in "
            "it, and have --home or the settings of the services name that."
        )
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            there = home.exists()
            if there:
                _own(stack, home)
                _check_free(order)
            prefix = f".{home.name}.restoring."
            stage = stack.enter_context(scratch(home.parent, prefix, ""))
            manifest, under_way = _prepared(order, stage)
            # Nobody starts what is there before all of it is.
            stack.enter_context(held(stage / _LOCK))
            missing = _with_files(order, manifest, stage)
            archive.sync(stage)
            aside = None
            if there:
                aside = _put_aside(stage, order)
            else:
                _put_anew(stage, home)
            return Done(manifest, aside, under_way, missing)
    except (OSError, sqlite3.Error) as error:
        raise _failed(error, order) from error


def _failed(error: OSError | sqlite3.Error, order: Order) -> BackupError:
    if is_full(error):
        free = shutil.disk_usage(order.home.parent).free // 1_000_000
        return BackupError(
            f"There is no room to restore in {order.home.parent} ({free:,} MB are left); "
            f"{order.home} is as it was."
        )
    if isinstance(error, OSError):
        said = f"{error.filename or order.home}: {error.strerror or error}"
    else:
        said = f"{order.file} has a database that cannot be used ({error})"
    return BackupError(f"{said}; {order.home} is as it was.")


def _own(stack: ExitStack, home: Path) -> None:
    """Hold all that a running suite holds. Raises :class:`BackupError`: one runs."""
    if not home.is_dir():
        raise BackupError(f"{home} is no folder.")
    for name in _OWNED:
        if name != _LOCK and not (home / name).exists():
            continue
        try:
            stack.enter_context(held(home / name, patience_seconds=_PATIENCE_SECONDS))
        except Locked as error:
            raise BackupError(f"{str(error).rstrip('.')}: stop it before.") from error


def _check_free(order: Order) -> None:
    there = [part.file for part in PARTS if (order.home / part.file).exists()]
    if there and not order.replace:
        raise BackupError(
            f"{order.home} has {' and '.join(there)} already; --replace moves what is there aside, "
            "or name another home."
        )


def _prepared(order: Order, stage: Path) -> tuple[Manifest, int]:
    """The backup's files in ``stage``, its databases ready to be gone on with."""
    manifest = archive.unpack(order.file, stage)
    made_at, now = _micros(manifest.made_at), _micros(order.now)
    under_way = 0
    for part in PARTS:
        path = stage / part.file
        with closing(Database(path)) as database:
            _refuse_newer(order, manifest, database, part.name)
            with database.atomic():
                under_way += part.renew(database, made_at, now, held=not order.resume)
        _synced(path)
    return manifest, under_way


def _refuse_newer(order: Order, manifest: Manifest, database: Database, name: str) -> None:
    part = next(part for part in PARTS if part.name == name)
    try:
        refuse_newer(Path(part.file), database, part.migrations)
    except StorageTooNew as error:
        raise BackupError(f"{order.file}, made by Podium {manifest.podium}: {error}") from error


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def _synced(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _with_files(order: Order, manifest: Manifest, stage: Path) -> tuple[str, ...]:
    """Add what the home has of keys and addresses; the ids of the keys that are missing."""
    for name in (PORTS, *KEYS):
        kept, own = order.home / name, stage / name
        # Addresses are those of the machine; keys those of the databases.
        if kept.is_file() and (name == PORTS or not own.exists()):
            own.unlink(missing_ok=True)
            shutil.copyfile(kept, own)
            own.chmod(0o600)
            _synced(own)
    if (order.home / CERTIFICATES).is_dir():
        # Whoever calls from afar trusts the authority in it.
        shutil.copytree(order.home / CERTIFICATES, stage / CERTIFICATES)
        for each in (stage / CERTIFICATES).iterdir():
            _synced(each)
        archive.sync(stage / CERTIFICATES)
    if not (stage / NEEDED_KEY).exists():
        return manifest.keys
    _check_opens(order, manifest, stage)
    return ()


def _check_opens(order: Order, manifest: Manifest, stage: Path) -> None:
    """Raises :class:`BackupError` where the keys of the home open not all that is sealed."""
    key = order.home / NEEDED_KEY
    try:
        sealer = sealer_of(stage / NEEDED_KEY)
    except StartupError as error:
        raise BackupError(str(error).replace(str(stage), str(order.home))) from error
    for part in PARTS:
        with closing(Database(stage / part.file)) as database:
            unopened = not all(map(opener(sealer), part.sealed(database)))
        if unopened:
            raise BackupError(
                f"The backup was sealed with the key {' or '.join(manifest.keys) or 'of another'}, "
                f"and {key} has {', '.join(sealer.key_ids)}: put the right one there, behind the "
                "one that is there, or restore into another home. Nothing was changed."
            )


def _put_anew(stage: Path, home: Path) -> None:
    """Have ``stage`` be the home, unless somebody else has made one meanwhile."""
    stage.rename(home)
    archive.sync(home.parent)


def _put_aside(stage: Path, order: Order) -> Path | None:
    """Have ``stage`` be the home; where what was there is now, unless it was nothing."""
    home = order.home
    # What was there must never be under a name that the next restore clears away, and what is to
    # be never under one that says that it was there.
    moment = f"{order.now:%Y%m%dT%H%M%S.%fZ}"
    swapped, aside = (home.with_name(f"{home.name}.{word}-{moment}") for word in _ASIDE)
    stage.rename(swapped)
    try:
        _exchange(swapped, home)
    except OSError:
        swapped.rename(stage)
        raise
    swapped.rename(aside)
    archive.sync(home.parent)
    if all(each.name in (_LOCK, PORTS, CERTIFICATES, *KEYS) for each in aside.iterdir()):
        shutil.rmtree(aside)
        return None
    return aside


def _exchange(one: Path, other: Path) -> None:
    """Swap two folders at once: at every moment there is one of them under each name."""
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    try:
        failed = libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
        number = ctypes.get_errno()
    except AttributeError:
        failed, number = -1, errno.ENOSYS
    if not failed:
        return
    if number not in (errno.ENOSYS, errno.EINVAL):
        raise OSError(number, os.strerror(number), str(other))
    # A system that cannot: for a moment there is none, and what was there is beside it.
    between = one.with_name(f"{one.name}.old")
    other.rename(between)
    one.rename(other)
    between.rename(one)

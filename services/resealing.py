"""What is sealed in a database, sealed anew once the first key is another one.

It is done a page at a time, each in a transaction of its own, and begins anew wherever it was
broken off: what is sealed by the first key says so. Afterwards the file is written anew, so that
neither free pages nor the log of SQLite hold what the former key could open.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from sqlite_utils import Database

from podium.common.v1 import sealing_pb2 as pb
from services.errors import Unavailable
from services.sealing import Sealer, Unsealable, sealed_by
from services.storage import Storage

logger = logging.getLogger(__name__)

# How soon a key that was put into the file is taken.
_LOOK_SECONDS = 1.0
_AGAIN_SECONDS = 10.0
_PAGE = 200
_MOST_THINGS = 1_000

Place = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that is sealed.

    Attributes:
        kind: ``secret``, ``signing key``, ….
        place: Where it is, among its own.
        seals: The sealed texts in it.
    """

    kind: str
    name: str
    place: Place
    seals: tuple[str, ...]


class Store(Protocol):
    """Where sealed things are."""

    kinds: tuple[str, ...]

    def page(self, db: Database, kind: str, after: Place | None, most: int) -> list[Thing]:
        """Things of a kind in order of their place, behind ``after``."""

    def write(self, db: Database, thing: Thing, seals: tuple[str, ...]) -> None:
        """Have ``thing`` hold ``seals`` in place of those that it has, if it has them still."""


class Resealing:
    """Keeps what is in one database sealed by the first key; get one from :func:`resealing`."""

    def __init__(
        self, storage: Storage, store: Store, sealer: Sealer, done: Callable[[], None]
    ) -> None:
        self._storage, self._store, self._sealer = storage, store, sealer
        self._done = done
        self._due = asyncio.Event()
        self._due.set()
        # Of those that no key opens: told once.
        self._told: set[tuple[str, str]] = set()

    def wake(self) -> None:
        """Something may have come that was sealed by another key."""
        self._due.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._due.wait()
            if not (self._sealer.refresh() or self._due.is_set()):
                continue
            self._due.clear()
            try:
                await self._reseal()
            except (sqlite3.Error, Unavailable) as error:
                logger.warning("Not everything is sealed by the first key yet: %s", error)
                self._due.set()
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _reseal(self) -> None:
        key_id = self._sealer.key_id
        for kind in self._store.kinds:
            after: Place | None = None
            while True:
                work = partial(self._page, kind=kind, after=after)
                after = await self._storage.transact(work)
                if after is None:
                    break
        if await self._storage.transact(_is_unclean):
            await self._storage.rewrite()
            await self._storage.transact(_clean)
        self._done()
        if key_id == self._sealer.key_id and not await self._storage.transact(self._others):
            self._sealer.forget()

    def _page(self, db: Database, kind: str, after: Place | None) -> Place | None:
        """Seal a page anew; where the next one begins, None: nowhere."""
        things = self._store.page(db, kind, after, _PAGE)
        for thing in things:
            seals = tuple(map(partial(self._resealed, thing), thing.seals))
            if seals != thing.seals:
                self._store.write(db, thing, seals)
                # With what it tells of: a process that dies between leaves it to the next one.
                _mark_unclean(db)
        return things[-1].place if len(things) == _PAGE else None

    def _resealed(self, thing: Thing, seal: str) -> str:
        try:
            return self._sealer.resealed(seal)
        except Unsealable:
            if (thing.kind, thing.name) not in self._told:
                self._told.add((thing.kind, thing.name))
                logger.error("No key opens the %s %r.", thing.kind, thing.name)
            return seal

    def _others(self, db: Database) -> bool:
        return any(key_id != self._sealer.key_id for _, key_id in self._everything(db))

    def _everything(self, db: Database) -> Iterator[tuple[Thing, str]]:
        for kind in self._store.kinds:
            after: Place | None = None
            while things := self._store.page(db, kind, after, _PAGE):
                after = things[-1].place
                yield from ((thing, sealed_by(seal)) for thing in things for seal in thing.seals)

    async def standing(self) -> pb.Sealing:
        """Which key seals what, and which of them is not needed any more."""
        return await self._storage.transact(self._standing)

    def _standing(self, db: Database) -> pb.Sealing:
        counts = dict.fromkeys(self._sealer.key_ids, 0)
        told: dict[tuple[str, str, str], None] = {}
        for thing, key_id in self._everything(db):
            counts[key_id] = counts.get(key_id, 0) + 1
            told[thing.kind, thing.name, key_id] = None
        first = self._sealer.key_id
        unclean = _is_unclean(db)
        # Those by other keys first: they are what is waited for.
        things = sorted(told, key=lambda each: (each[2] == first, each))
        ids = list(self._sealer.key_ids)
        return pb.Sealing(
            keys=[
                pb.SealingKey(
                    id=key_id,
                    line=ids.index(key_id) + 1 if key_id in ids else 0,
                    seals=count,
                    needed=key_id == first or count > 0 or unclean,
                )
                for key_id, count in counts.items()
            ],
            things=[
                pb.SealedThing(kind=kind, name=name, key_id=key_id)
                for kind, name, key_id in things[:_MOST_THINGS]
            ],
            more_things=max(0, len(things) - _MOST_THINGS),
            unclean=unclean,
        )


# A number in the head of the file, which is written and undone as rows are.
def _is_unclean(db: Database) -> bool:
    return bool(db.execute("PRAGMA user_version").fetchone()[0])


def _mark_unclean(db: Database) -> None:
    db.execute("PRAGMA user_version = 1")


def _clean(db: Database) -> None:
    db.execute("PRAGMA user_version = 0")


@asynccontextmanager
async def resealing(
    storage: Storage, store: Store, sealer: Sealer, done: Callable[[], None] = lambda: None
) -> AsyncGenerator[Resealing]:
    """Everything in ``store`` is sealed by the first key of ``sealer``, soon, while inside.

    Args:
        done: Called when the database has been looked through.
    """
    keeping = Resealing(storage, store, sealer, done)
    task = asyncio.create_task(keeping.run(), name="seal anew")
    try:
        yield keeping
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

"""Entries in a service's own database until the registry has them.

An entry is a row of the transaction that does what it tells of, so that nothing is done without it.
Rows go to the registry in order, as often as it takes: by its uid it knows a repeat.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from random import uniform
from typing import Any, Protocol

from google.protobuf.message import DecodeError

from podium.registry.v1 import registry_pb2 as pb
from services.auditing.calling import Calling
from services.auditing.entries import ALLOWED, Entry
from services.auditing.wire import from_message, to_message
from services.errors import (
    DeadlineExceeded,
    InvalidDefinition,
    InvalidRequest,
    ServiceError,
    TooLarge,
    Unavailable,
    Unwritable,
)
from services.rpc import raising_ours

logger = logging.getLogger(__name__)

Row = tuple[Any, ...]
Record = Callable[..., Awaitable[pb.RecordAuditEntriesResponse]]

# Refusals that wait while the registry is away; of more only the log of the service tells.
MOST_REFUSED = 10_000
TABLE = (
    "CREATE TABLE audit_outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, "
    "entry BLOB NOT NULL, refused INTEGER NOT NULL, held INTEGER NOT NULL) STRICT"
)
INDEX = "CREATE INDEX audit_outbox_refused ON audit_outbox (seq) WHERE refused = 1"
PUT = "INSERT OR IGNORE INTO audit_outbox (uid, entry, refused, held) VALUES (?, ?, ?, ?)"
_PUT_REFUSED = (
    "INSERT OR IGNORE INTO audit_outbox (uid, entry, refused, held) SELECT ?, ?, ?, ? "
    f"WHERE (SELECT count(*) FROM audit_outbox WHERE refused = 1) < {MOST_REFUSED}"
)
_FIRST = "SELECT seq, entry FROM audit_outbox WHERE held = 0 ORDER BY seq LIMIT ?"
_DROP = "DELETE FROM audit_outbox WHERE seq = ?"
_LET_GO = "UPDATE audit_outbox SET entry = ?, refused = ?, held = 0 WHERE uid = ?"
_FORGET = "DELETE FROM audit_outbox WHERE uid = ? AND held = 1"

# What the registry says to an entry that it never takes; or nobody can read it.
_INVALID = (InvalidRequest, InvalidDefinition, TooLarge, DecodeError)

_AT_ONCE = 200
_CALL_SECONDS = 10.0
_LOOK_SECONDS = 30.0
_SAY_SECONDS = 60.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 10.0


def row_of(entry: Entry, *, held: bool = False) -> Row:
    """The row of an entry, for :data:`PUT`; one that is held is not sent before it is let go."""
    message = to_message(entry, with_uid=True)
    return entry.uid, message.SerializeToString(), int(entry.outcome != ALLOWED), int(held)


def changed(told: Calling, before: str, after: str, what: str) -> tuple[str, Row]:
    """The statement, with its row, that keeps the entry of a call: how something stood, and stands.

    Args:
        what: What it was done to, in a few words.
    """
    detail = "; ".join(filter(None, (what, told.asked)))
    return PUT, row_of(told.entry(detail, before=before, after=after))


def put(db: sqlite3.Connection, entry: Entry) -> None:
    """Keep an entry; of a refusal that is one too many nothing."""
    row = row_of(entry)
    db.execute(_PUT_REFUSED if row[2] else PUT, row)


def hold(db: sqlite3.Connection, entry: Entry) -> None:
    """Keep an entry of what is about to be done; it is not sent before it is let go."""
    db.execute(PUT, row_of(entry, held=True))


def let_go(db: sqlite3.Connection, entry: Entry) -> None:
    """Have an entry that was held sent, as it is now."""
    uid, blob, refused, _ = row_of(entry)
    db.execute(_LET_GO, (blob, refused, uid))


def forget(db: sqlite3.Connection, uid: str) -> None:
    """Keep nothing of an entry that was held: nothing was done."""
    db.execute(_FORGET, (uid,))


def let_all_go(db: sqlite3.Connection) -> None:
    """Have those sent that a process before this one held."""
    for uid, blob in db.execute("SELECT uid, entry FROM audit_outbox WHERE held = 1").fetchall():
        message = pb.AuditEntry.FromString(blob)
        message.detail = f"{message.detail} It was broken off: the service ended."
        let_go(db, from_message(message))
        logger.info("What was under way of %s was broken off.", uid)


def first(db: sqlite3.Connection, most: int = _AT_ONCE) -> list[tuple[int, bytes]]:
    """The oldest entries that are to be sent."""
    return [(int(seq), bytes(blob)) for seq, blob in db.execute(_FIRST, (most,))]


def drop(db: sqlite3.Connection, seqs: Sequence[int]) -> None:
    """Forget entries: the registry has them."""
    for seq in seqs:
        db.execute(_DROP, (seq,))


class Rows(Protocol):
    """The table of one service."""

    async def first(self) -> list[tuple[int, bytes]]:
        """The oldest entries that are to be sent."""

    async def drop(self, seqs: Sequence[int]) -> None:
        """Forget entries."""


class Sender:
    """Sends entries as they come, in order.

    Args:
        record: The registry's ``RecordAuditEntries``.

    Attributes:
        dropped: How many entries the registry would not take, which are in the service's log alone.
    """

    def __init__(
        self, rows: Rows, record: Record, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._rows = rows
        self._record = record
        self._news = asyncio.Event()
        self._monotonic = monotonic
        self._said = -math.inf
        self.dropped = 0

    def wake(self) -> None:
        """There may be new ones."""
        self._news.set()

    @asynccontextmanager
    async def sending(self) -> AsyncGenerator[None]:
        """They are sent while inside; what is left is sent by the next process."""
        task = asyncio.create_task(self.run(), name="send entries of the audit log")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def run(self) -> None:
        """Send for ever."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            self._news.clear()
            try:
                sent = await self._some()
            except ServiceError as error:
                self._say(error)
            except Exception:
                # The outermost loop of the log: whatever broke, it is tried again.
                if self._may_say():
                    logger.exception("Entries of the audit log could not be sent, and wait.")
            else:
                pause = _FIRST_PAUSE_SECONDS
                if not sent:
                    await self._waited()
                continue
            await asyncio.sleep(pause * uniform(0.5, 1.0))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _say(self, error: ServiceError) -> None:
        """Why entries wait; that the registry is away is said elsewhere."""
        away = isinstance(error, Unavailable | DeadlineExceeded)
        if (isinstance(error, Unwritable) or not away) and self._may_say():
            logger.error(
                "The registry does not take entries of the audit log, which wait: %s: %s",
                error.reason(),
                error.detail,
            )

    def _may_say(self) -> bool:
        """Once a minute."""
        now = self._monotonic()
        if now - self._said < _SAY_SECONDS:
            return False
        self._said = now
        return True

    async def _waited(self) -> None:
        """There is news; or it is time to look, for what nobody waits for is told by nobody."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._news.wait()

    async def _some(self) -> bool:
        rows = await self._rows.first()
        if not rows:
            return False
        try:
            await self._send(rows)
        except _INVALID:
            # One of them is at fault: it must not keep the others.
            for row in rows:
                await self._send_alone(row)
        await self._rows.drop([seq for seq, _ in rows])
        return True

    async def _send_alone(self, row: tuple[int, bytes]) -> None:
        try:
            await self._send([row])
        except _INVALID as error:
            self.dropped += 1
            logger.error(
                "The registry takes no such entry of the audit log, so it is dropped (%d by now): "
                "%s %s",
                self.dropped,
                error.detail if isinstance(error, ServiceError) else error,
                _shown(row[1]),
            )

    async def _send(self, rows: Sequence[tuple[int, bytes]]) -> None:
        entries = [pb.AuditEntry.FromString(blob) for _, blob in rows]
        request = pb.RecordAuditEntriesRequest(entries=entries)
        with raising_ours():
            await self._record(request, timeout=_CALL_SECONDS)


def _shown(blob: bytes) -> str:
    try:
        return str(pb.AuditEntry.FromString(blob))
    except DecodeError:
        return f"(of {len(blob):,} bytes that are no entry)"

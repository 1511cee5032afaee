"""The audit log, live: the newest entries, then each as it is written.

A watcher holds the id of the last entry that it has looked at and reads on from there; nothing is
queued for it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from itertools import islice

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.auditing import Entry
from services.auditing.wire import to_message
from services.errors import InvalidRequest, Overloaded, Unavailable
from services.registry import audit
from services.registry.audit_queries import Wanted, keeping
from services.registry.changes import Changes, comes
from services.registry.key_calls import moment
from services.registry.permissions import Caller
from services.rights import EDITOR, OPERATOR

MOST_WATCHERS = 64
MOST_ENTRIES = 200
NEWEST = 100
MOST_NEWEST = 1_000
_MOST_ACTIONS = 100


def wanted_entries(asked: pb.AuditFilter) -> Wanted:
    """What a filter asks for.

    Raises:
        InvalidRequest: It names what is no moment, or too much.
    """
    if len(asked.actions) > _MOST_ACTIONS:
        raise InvalidRequest(f"A filter has at most {_MOST_ACTIONS} actions.")
    # What ages are measured from stays the moment at which it was asked.
    keeps = keeping(asked.query, datetime.now(UTC)) if asked.query else None
    return Wanted(
        asked.principal,
        tuple(asked.actions),
        asked.kind,
        asked.name,
        moment(asked.since, "since") if asked.HasField("since") else None,
        moment(asked.until, "until") if asked.HasField("until") else None,
        keeps,
    )


class AuditWatch:
    """The watchers of one audit log; :class:`Changes` wakes them."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._watchers = 0

    async def watch(
        self, caller: Caller, request: pb.WatchAuditEntriesRequest
    ) -> AsyncGenerator[pb.WatchAuditEntriesResponse]:
        """The newest entries, or those since the token; then each until the end.

        Raises:
            InvalidRequest: The filter or the number makes no sense.
            Overloaded: There are :data:`MOST_WATCHERS` already.
            PermissionDenied: The caller may read the log no longer.
            Unauthenticated: The caller's key was revoked.
            Unavailable: The registry stops.
        """
        if request.newest < 0:
            raise InvalidRequest("newest must not be negative.")
        watch = _Watch(self._changes, caller, request)
        if self._watchers >= MOST_WATCHERS:
            raise Overloaded(f"The registry has {MOST_WATCHERS} watchers of its log already.")
        self._watchers += 1
        try:
            async with aclosing(watch.events()) as events:
                async for event in events:
                    yield event
        finally:
            self._watchers -= 1


class _Watch:
    """One watcher's way through the log."""

    def __init__(
        self, changes: Changes, caller: Caller, request: pb.WatchAuditEntriesRequest
    ) -> None:
        self._changes = changes
        self._caller = caller
        self._wanted = wanted_entries(request.filter)
        self._newest = min(request.newest or NEWEST, MOST_NEWEST)
        self._known_before = bool(request.resume.epoch)
        same = request.resume.epoch == changes.epoch
        # None: a snapshot is due. 0 is the token of a snapshot that was broken off.
        self._place = request.resume.revision or None if same else None

    async def events(self) -> AsyncGenerator[pb.WatchAuditEntriesResponse]:
        behind = True
        while True:
            news = self._changes.news
            if not self._changes.open:
                raise Unavailable("The registry is stopping.")
            read = await self._changes.storage.transact(self._read)
            # After the reading: what was read may tell of the right being taken.
            self._caller = self._caller.as_of_now()
            self._caller.check_role(EDITOR, OPERATOR)
            if read is None:
                behind = True
                async with aclosing(self._snapshot()) as snapshot:
                    async for event in snapshot:
                        yield event
                continue
            entries, self._place, more = read
            if entries:
                behind = True
                yield self._event(entries=_message(entries))
            if more:
                continue
            if behind:
                behind = False
                yield self._event(caught_up=pb.CaughtUp())
            elif not await comes(news, self._changes.heartbeat_seconds):
                yield self._event(heartbeat=pb.Heartbeat())

    def _read(self, db: Database) -> tuple[list[Entry], int, bool] | None:
        """Some entries since the place, the place after them, and whether there are more.

        None: a snapshot is due.
        """
        oldest, last = audit.ids(db)
        if self._place is None or not oldest - 1 <= self._place <= last:
            return None
        entries, behind = audit.since(db, self._place, last, MOST_ENTRIES, self._wanted)
        return entries, behind or last, bool(behind)

    async def _snapshot(self) -> AsyncGenerator[pb.WatchAuditEntriesResponse]:
        self._place = 0
        yield self._event(snapshot_started=pb.SnapshotStarted(compacted=self._known_before))
        self._known_before = True
        last = (await self._changes.storage.transact(audit.ids))[1]
        # Exclusive, as the newest is to be among them.
        behind, left = last + 1, self._newest
        while behind and left > 0:
            entries, behind = await self._changes.storage.transact(
                partial(self._newest_of, behind=behind, most=left)
            )
            left -= len(entries)
            for some in _parts(entries):
                yield self._event(entries=_message(some))
        self._place = last

    def _newest_of(self, db: Database, behind: int, most: int) -> tuple[list[Entry], int]:
        return audit.listed(db, behind, most, self._wanted)

    def _event(self, **event: object) -> pb.WatchAuditEntriesResponse:
        token = pb.ResumeToken(epoch=self._changes.epoch, revision=self._place or 0)
        return pb.WatchAuditEntriesResponse(resume=token, **event)  # type: ignore[arg-type]


def _parts(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    left = iter(entries)
    while some := list(islice(left, MOST_ENTRIES)):
        yield some


def _message(entries: Sequence[Entry]) -> pb.AuditEntries:
    return pb.AuditEntries(entries=map(to_message, entries))

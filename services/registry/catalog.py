"""The definitions that a caller may read, live: what a console shows of them.

Like :mod:`services.registry.changes`, whose places and bounds it shares; but what each watcher is
told follows its own rights, at every moment those that it has then. Nothing is kept of what a
watcher was told: whether it knew of what it may read no longer is read from the history.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.errors import Overloaded, Unavailable
from services.registry import store, writeonly
from services.registry.changes import Changes, comes, first
from services.registry.definition_calls import check_kinds
from services.registry.messages import to_message
from services.registry.permissions import Caller
from services.registry.store import Key, Stored

MOST_WATCHERS = 256
MOST_STATES = 200
MOST_BYTES = 1 << 20
# What stands before each state in a message.
_FRAME_BYTES = 8


class _Forgotten(Exception):
    """History no longer says what the caller could read."""


@dataclass(frozen=True, slots=True)
class _Page:
    """What a caller is told of some states.

    Attributes:
        told: In their order; a removal is one for the caller.
        last: The last state that was read, told or not; None if there was none.
        whole: Whether there are no more for now.
        revision: The place after it, where what has changed was read.
    """

    told: tuple[Stored, ...]
    last: Stored | None
    whole: bool
    revision: int = 0


# By whom what may be read no longer was changed: every removal is somebody's.
_NOBODY = ""


class Catalog:
    """The watchers of what may be read; :class:`Changes` wakes them."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._watchers = 0

    async def watch(
        self, caller: Caller, request: pb.WatchCatalogRequest
    ) -> AsyncGenerator[pb.WatchCatalogResponse]:
        """A snapshot, or what has changed since the token; then changes until the end.

        Raises:
            InvalidRequest: There is no such kind.
            PermissionDenied: There is nothing that the caller could read.
            Overloaded: There are :data:`MOST_WATCHERS` already.
            Unauthenticated: The caller's key was revoked.
            Unavailable: The registry stops.
        """
        check_kinds(request.kinds)
        if self._watchers >= MOST_WATCHERS:
            raise Overloaded(f"The registry has {MOST_WATCHERS} watchers of the catalog already.")
        self._watchers += 1
        try:
            async with aclosing(_Watch(self._changes, caller, request).events()) as events:
                async for event in events:
                    yield event
        finally:
            self._watchers -= 1


class _Watch:
    """One caller's way through the history."""

    def __init__(self, changes: Changes, caller: Caller, request: pb.WatchCatalogRequest) -> None:
        caller.check_reads()
        self._changes = changes
        self._caller = caller
        self._kinds = tuple(sorted(set(request.kinds)))
        self._documents = not request.without_documents
        self._epoch = self._epoch_now()
        self._known_before = bool(request.resume.epoch)
        # None: a snapshot is due. Revision 0 is the token of a snapshot that was broken off.
        same = request.resume.epoch == self._epoch
        self._place = request.resume.revision or None if same else None

    async def events(self) -> AsyncGenerator[pb.WatchCatalogResponse]:
        behind = True
        while True:
            news = self._changes.news
            page = await self._read(self._changed) if self._place is not None else None
            if page is None:
                behind = True
                async with aclosing(self._snapshot()) as snapshot:
                    async for event in snapshot:
                        yield event
                continue
            behind = behind or page.last is not None
            for changes in self._messages(page.told):
                self._place = changes.states[-1].definition.revision
                yield self._event(changes=changes)
            self._place = page.revision
            if not page.whole:
                continue
            if behind:
                behind = False
                yield self._event(caught_up=pb.CaughtUp())
            elif not await comes(news, self._changes.heartbeat_seconds):
                yield self._event(heartbeat=pb.Heartbeat())

    async def _snapshot(self) -> AsyncGenerator[pb.WatchCatalogResponse]:
        """All that may be read; broken off, with no place, when the rights change meanwhile."""
        self._place = 0
        begun = await self._changes.storage.transact(store.revision)
        yield self._event(snapshot_started=pb.SnapshotStarted(compacted=self._known_before))
        self._known_before = True
        for kind in self._kinds or ("",):
            after, whole = None, False
            while not whole:
                page = await self._read(partial(self._listed, kind=kind, after=after))
                if page is None:
                    return
                for changes in self._messages(page.told):
                    yield self._event(changes=changes)
                after, whole = page.last.key if page.last else None, page.whole
        # What changed meanwhile is told again behind the snapshot, from where that began.
        self._place = begun

    async def _read(self, page: Callable[[Database, Caller], _Page]) -> _Page | None:
        """A page for the caller as it is now; None, and no place, where a snapshot is due.

        Raises:
            Unavailable: The registry stops.
        """
        if not self._changes.open:
            raise Unavailable("The registry is stopping.")
        caller = self._caller
        try:
            read = await self._changes.storage.transact(lambda db: page(db, caller))
        except _Forgotten:
            self._place = None
            return None
        # After the reading: what was read may stand in the very commit that took the right to it.
        self._caller = caller.as_of_now()
        if self._caller == caller:
            return read
        self._caller.check_reads()
        self._epoch = self._epoch_now()
        self._place = None
        return None

    def _listed(self, db: Database, caller: Caller, *, kind: str, after: Key | None) -> _Page:
        states, whole = first(store.listed(db, kind, after), MOST_STATES, MOST_BYTES)
        told = tuple(filter(caller.may_read, states))
        return _Page(told, states[-1] if states else None, whole)

    def _changed(self, db: Database, caller: Caller) -> _Page:
        last = store.revision(db)
        if self._place is None or not store.compacted(db) <= self._place <= last:
            raise _Forgotten
        states, whole = first(store.changes(db, self._place), MOST_STATES, MOST_BYTES)
        wanted = (each for each in states if not self._kinds or each.kind in self._kinds)
        told = tuple(filter(None, (seen(db, state, caller) for state in wanted)))
        end = states[-1] if states else None
        return _Page(told, end, whole, last if whole or end is None else end.revision)

    def _messages(self, states: Iterable[Stored]) -> Iterator[pb.CatalogChanges]:
        """``states`` in as few messages as their bytes allow; none where there are no states."""
        message, size = pb.CatalogChanges(), 0
        for state in states:
            document = writeonly.readable_text(state) if self._documents else ""
            told = pb.DefinitionState(
                definition=to_message(state, document),
                deleted=state.deleted,
                out_of_sight=state.deleted and state.updated_by == _NOBODY,
            )
            size += told.ByteSize() + _FRAME_BYTES
            if message.states and size > MOST_BYTES:
                yield message
                message, size = pb.CatalogChanges(), told.ByteSize() + _FRAME_BYTES
            message.states.append(told)
        if message.states:
            yield message

    def _event(self, **event: object) -> pb.WatchCatalogResponse:
        token = pb.ResumeToken(epoch=self._epoch, revision=self._place or 0)
        return pb.WatchCatalogResponse(resume=token, **event)  # type: ignore[arg-type]

    def _epoch_now(self) -> str:
        """The store's epoch, and what else a token is good for."""
        application = self._caller.application
        rights = sorted(application.roles) if application else []
        grants = [
            (sorted(grant.access), grant.kind, grant.name)
            for grant in (application.grants if application else ())
        ]
        said = repr((rights, grants, self._kinds, self._documents))
        return f"{self._changes.epoch}.{sha256(said.encode()).hexdigest()[:16]}"


def seen(db: Database, state: Stored, caller: Caller) -> Stored | None:
    """``state`` of the history as ``caller`` is told of it; None if not at all.

    What it could read until then and can no longer, is told as removed.

    Raises:
        _Forgotten: Nobody knows whether it could.
    """
    if caller.may("READ", state.kind, state.name):
        return state
    if not state.deleted and caller.may_read(state):
        return state
    # A removal has no tags to go by, and a new definition has nobody who knew of it.
    if not state.deleted and state.created_at == state.updated_at:
        return None
    before = next(store.history(db, *state.key, before=state.revision), None)
    if before is None:
        raise _Forgotten
    if before.deleted or not caller.may_read(before):
        return None
    if state.deleted:
        return state
    # As it was when it could be read last: who changed it since, and when, is not for the caller.
    return replace(
        before, revision=state.revision, document="", etag="", updated_by=_NOBODY, deleted=True
    )

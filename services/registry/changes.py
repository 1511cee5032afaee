"""What has changed, to everyone who watches, as soon as it is committed.

A watcher holds a place, a revision, and reads on from there in the history; nothing is queued for
it. So one that reads slowly costs nothing, and one that history has left behind begins again
with a snapshot.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services.errors import Overloaded, Unavailable
from services.registry import store
from services.registry.messages import to_message
from services.registry.store import Key, Stored
from services.storage import Storage

MOST_WATCHERS = 256
_PAGE_BYTES = 1 << 20
_PAGE_STATES = 500

Form = Callable[[Stored], str | None]
"""The document as a watcher may see it; None hides that there is one."""


@dataclass(frozen=True, slots=True)
class _Page:
    """Some states, in order; ``whole`` says that there are no more for now."""

    states: tuple[Stored, ...]
    whole: bool
    revision: int


class Changes:
    """The watchers of one store; :meth:`tell` wakes them.

    Attributes:
        news: Set, and replaced, when something is committed.
        trust: What holds now; another object only when it says something else.
        open: False once every watch is to end.
    """

    def __init__(self, storage: Storage, epoch: str, heartbeat: timedelta) -> None:
        self.storage = storage
        self.epoch = epoch
        self.heartbeat_seconds = heartbeat.total_seconds()
        self.trust = pb.Trust()
        self.news = asyncio.Event()
        self.open = True
        self._watchers = 0

    def tell(self, trust: pb.Trust) -> None:
        """Something was committed; ``trust`` is what holds now."""
        if trust != self.trust:
            self.trust = trust
        self.wake()

    def close(self) -> None:
        """End every watch."""
        self.open = False
        self.wake()

    def wake(self) -> None:
        """Have every watcher look."""
        self.news.set()
        self.news = asyncio.Event()

    async def watch(
        self, resume: pb.ResumeToken | None, kinds: Collection[str], form: Form
    ) -> AsyncGenerator[pb.WatchDefinitionsResponse]:
        """A snapshot, or what has changed since ``resume``; then changes until the end.

        Raises:
            Overloaded: There are :data:`MOST_WATCHERS` already.
            Unavailable: The registry stops.
        """
        if self._watchers >= MOST_WATCHERS:
            raise Overloaded(f"The registry has {MOST_WATCHERS} watchers already.")
        self._watchers += 1
        try:
            async with aclosing(_Watch(self, resume, frozenset(kinds), form).events()) as events:
                async for event in events:
                    yield event
        finally:
            self._watchers -= 1


class _Watch:
    """One watcher's way through the history."""

    def __init__(
        self, changes: Changes, resume: pb.ResumeToken | None, kinds: frozenset[str], form: Form
    ) -> None:
        self._changes = changes
        self._kinds = kinds
        self._form = form
        self._told_trust: pb.Trust | None = None
        self._known_before = resume is not None and bool(resume.epoch)
        same = resume is not None and resume.epoch == changes.epoch
        # None: a snapshot is due. Revision 0 is the token of a snapshot that was broken off.
        self._place = resume.revision if resume is not None and same and resume.revision else None

    async def events(self) -> AsyncGenerator[pb.WatchDefinitionsResponse]:
        behind = True
        while True:
            news = self._changes.news
            if not self._changes.open:
                raise Unavailable("The registry is stopping.")
            if self._told_trust is not self._changes.trust:
                self._told_trust = self._changes.trust
                yield self._event(trust=self._told_trust)
            page = await self._changes.storage.transact(self._changes_page)
            if page is None:
                behind = True
                async with aclosing(self._snapshot()) as snapshot:
                    async for event in snapshot:
                        yield event
                continue
            behind = behind or bool(page.states)
            for event in self._as_changes(page.states):
                yield event
            self._place = page.revision
            if not page.whole:
                continue
            if behind:
                behind = False
                yield self._event(caught_up=pb.CaughtUp())
            elif not await comes(news, self._changes.heartbeat_seconds):
                yield self._event(heartbeat=pb.Heartbeat())

    async def _snapshot(self) -> AsyncGenerator[pb.WatchDefinitionsResponse]:
        self._place, after = 0, None
        begun = await self._changes.storage.transact(store.revision)
        yield self._event(snapshot_started=pb.SnapshotStarted(compacted=self._known_before))
        self._known_before = True
        while True:
            # What changes meanwhile is told again behind the snapshot, from where that began.
            page = await self._changes.storage.transact(partial(_snapshot_page, after=after))
            for event in self._as_changes(page.states, token=0):
                yield event
            if page.whole:
                break
            after = page.states[-1].key
        self._place = begun

    def _changes_page(self, db: Database) -> _Page | None:
        """What has changed since the place; None if that is no longer known."""
        last = store.revision(db)
        if self._place is None or not store.compacted(db) <= self._place <= last:
            return None
        states, whole = first(store.changes(db, self._place))
        return _Page(states, whole, last if whole else states[-1].revision)

    def _as_changes(
        self, states: Iterable[Stored], token: int | None = None
    ) -> Iterable[pb.WatchDefinitionsResponse]:
        for state in states:
            if self._kinds and state.kind not in self._kinds:
                continue
            document = self._form(state)
            if document is None:
                continue
            change = pb.DefinitionChange(
                definition=to_message(state, document), deleted=state.deleted
            )
            self._place = state.revision if token is None else token
            yield self._event(change=change)

    def _event(self, **event: object) -> pb.WatchDefinitionsResponse:
        token = pb.ResumeToken(epoch=self._changes.epoch, revision=self._place or 0)
        return pb.WatchDefinitionsResponse(resume=token, **event)  # type: ignore[arg-type]


def _snapshot_page(db: Database, after: Key | None) -> _Page:
    states, whole = first(store.listed(db, after=after))
    return _Page(states, whole, 0)


def first(
    states: Iterable[Stored], most: int = _PAGE_STATES, most_bytes: int = _PAGE_BYTES
) -> tuple[tuple[Stored, ...], bool]:
    """As many as go together, one at least, and whether these are all."""
    taken: list[Stored] = []
    size = 0
    for state in states:
        size += len(state.document)
        if taken and (len(taken) >= most or size > most_bytes):
            return tuple(taken), False
        taken.append(state)
    return tuple(taken), True


async def comes(news: asyncio.Event, seconds: float) -> bool:
    """Whether there is news within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return False
    return True

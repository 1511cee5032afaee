"""The executor's entries of the audit log: their table, and that of one operation on many."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from podium.executor.v1 import executor_pb2 as pb
from services import auditing
from services.auditing import Entry, calling, outbox
from services.auditing.calling import names_of
from services.executor.store import Store
from services.executor.writer import Writer

_NAMED = 5
DONE, ALREADY, REFUSED, FAILED = WORDS = ("done", "so already", "refused", "failed")

Counted = Counter[str]


class OutboxRows:
    """The table of entries that the registry has not yet."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def first(self) -> list[tuple[int, bytes]]:
        """The oldest entries that are to be sent."""
        return await self._store.readers.read(outbox.first)

    async def drop(self, seqs: Sequence[int]) -> None:
        """Forget entries: the registry has them."""
        await self._store.writer.chore(lambda db: outbox.drop(db, seqs))

    async def put(self, entry: Entry) -> None:
        """Keep an entry of what nothing else is stored of.

        Raises:
            Unwritable: The disk is full, or the like.
        """
        await self._store.writer.chore(lambda db: outbox.put(db, entry))

    async def let_all_go(self) -> None:
        """Have those sent that the process before this one held."""
        await self._store.writer.chore(outbox.let_all_go)


class Audited:
    """Keeps one entry of an operation on many, which is there before the first is touched."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    @asynccontextmanager
    async def noted(
        self, request: pb.OperateExecutionsRequest, ids: Sequence[str]
    ) -> AsyncGenerator[Counted]:
        """How many were :data:`DONE` and so on, which is counted inside; they are told at the end.

        Inside, no execution has an entry of its own.
        """
        told, counted = calling.current.get(), Counted()
        if told is None:
            yield counted
            return
        said = f"{told.action} on {_meant(request, ids)}"
        entry = told.entry(f"{said}.", name=ids[0] if len(ids) == 1 else "")
        await self._writer.chore(lambda db: outbox.hold(db, entry))
        told.noted = True
        calling.current.set(None)
        whole = False
        try:
            yield counted
            whole = True
        finally:
            calling.current.set(told)
            tail = _told(counted, len(ids), whole=whole)
            done = replace(
                entry, detail=f"{said}: {tail}", outcome=_outcome(counted), count=max(len(ids), 1)
            )
            if whole and done.outcome != auditing.ALLOWED:
                # Refusals are few, however often somebody tries: this one is not written here.
                told.verdict = done
                written = self._writer.chore(lambda db: outbox.forget(db, done.uid))
            else:
                written = self._writer.chore(lambda db: outbox.let_go(db, done))
            if whole:
                await written


def _meant(request: pb.OperateExecutionsRequest, ids: Sequence[str]) -> str:
    if request.query:
        return f"{len(ids):,} executions of the query {request.query[:200]!r}"
    if len(ids) == 1:
        return f"execution {ids[0]}"
    return f"{len(ids):,} executions ({names_of(ids, _NAMED)})"


def _outcome(counted: Counted) -> str:
    """Of what came of each: it is refused, or fails, where it does for all."""
    if counted[DONE] or counted[ALREADY]:
        return auditing.ALLOWED
    if counted[REFUSED]:
        return auditing.DENIED
    return auditing.FAILED if counted[FAILED] else auditing.ALLOWED


def _told(counted: Counted, all_: int, *, whole: bool) -> str:
    parts = [f"{counted[word]:,} {word}" for word in WORDS if counted[word]]
    left = all_ - counted.total()
    if not whole and left:
        parts.append(f"{left:,} left, for it was broken off")
    return f"{', '.join(parts) or 'nothing'}."

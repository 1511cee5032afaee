"""Gives deliveries that came before their task waited to the task, once it does.

Nothing is missed: a delivery without a taker is kept, and a task that begins to wait looks for it,
one after the other under the lock of the webhook's shelf. After a crash each delivery that is kept
looks for its taker again. Nothing is given twice: a delivery that was given is kept no more, in
the transaction that notes whose it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from services.errors import ServiceError
from services.executor.core.commands import Listen
from services.executor.core.jsonpath import TooCostly
from services.executor.core.model import Json
from services.executor.eventing import kept_rows, waits
from services.executor.eventing.rows import Message, payload_of
from services.executor.eventing.shelf import Kept, Shelf
from services.executor.eventing.waits import WEBHOOK
from services.executor.launching import Launching, Note
from services.executor.store import Store
from services.executor.timers import now as utc_now

logger = logging.getLogger(__name__)

_AT_ONCE = 32
_RETRY_SECONDS = 0.5
# Whose time is over goes when the next one comes.
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)

End = Callable[[Message, Mapping[str, Json], int, str], Awaitable[None]]
"""Ends the task that is the target, with what the message tells, and notes that."""

Claim = Callable[[Message, int, str], Note]


class Early:
    """The deliveries that nobody waited for.

    Args:
        keeps: By a webhook's name, how long.
        claim: The note that a message is a target's.
    """

    def __init__(
        self,
        store: Store,
        launching: Launching,
        keeps: Callable[[str], timedelta],
        claim: Claim,
        end: End,
    ) -> None:
        self._store = store
        self._launching = launching
        self._keeps = keeps
        self._claim = claim
        self._end = end
        self._shelves: dict[str, Shelf] = {}
        self._listening: deque[tuple[str, Listen]] = deque()
        self._wanted = asyncio.Event()

    @property
    def listening(self) -> int:
        """How many have begun to wait that nothing was looked for yet."""
        return len(self._listening)

    def shelf(self, name: str) -> Shelf | None:
        """That of a webhook; None: it keeps nothing."""
        if not self._keeps(name):
            return None
        return self._shelves.setdefault(name, Shelf())

    def listen(self, execution_id: str, listen: Listen) -> None:
        """A task has begun to wait."""
        shelf = self._shelves.get(listen.webhook)
        if shelf is not None and not shelf.idle:
            self._listening.append((execution_id, listen))
            self._wanted.set()

    async def keep(self, shelf: Shelf, name: str, message: Message) -> None:
        """Nobody waits for it: keep it. The caller has the lock."""
        now = utc_now()
        until = now + self._keeps(name)
        gone = shelf.put(Kept(message.seq, until, len(message.payload)), now)
        notes = [kept_rows.keep_note(message.seq, until)]
        notes += [kept_rows.keep_note(seq, None) for seq in gone]
        await self._launching.write(notes)

    async def run(self) -> None:
        """Give what is kept to those who begin to wait, until cancelled."""
        await self.recover()
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self.give()

    async def recover(self) -> None:
        """Go on where the process before has ended."""
        await self._surely(self._recover)

    async def give(self) -> None:
        """Look for what is kept for those who have begun to wait."""
        while self._listening:
            execution_id, listen = self._listening.popleft()
            await self._surely(partial(self._look, execution_id, listen))

    async def _look(self, execution_id: str, listen: Listen) -> None:
        shelf, target = self._shelves[listen.webhook], f"{execution_id} {listen.task_id}"
        async with shelf.lock:
            while unread := shelf.unread(listen.paths)[:_AT_ONCE]:
                read = await self._store.loaders.read(kept_rows.digests, unread, listen.paths)
                shelf.learn(listen.paths, read)
            seq = shelf.find(listen.paths, listen.digest, utc_now())
            message = None if seq is None else await self._given(shelf, seq, target)
        if message is not None:
            await self._surely(partial(self._tell, message, target))

    async def _given(self, shelf: Shelf, seq: int, target: str) -> Message | None:
        """The delivery, which is the target's now; None: it has been dropped meanwhile."""
        message = await self._store.loaders.read(kept_rows.message, seq)
        if message is not None:
            claim = self._claim(message, 0, target)
            await self._launching.write([claim, kept_rows.keep_note(seq, None)])
        shelf.take(seq)
        return message

    async def _tell(self, message: Message, target: str) -> None:
        await self._end(message, await payload_of(message), 0, target)

    async def _recover(self) -> None:
        """Go on with what was given, and look whom that is for which is kept."""
        for seq, target in await self._store.loaders.read(kept_rows.given):
            message = await self._store.loaders.read(kept_rows.message, seq)
            if message is not None:
                await self._surely(partial(self._tell, message, target))
        kept = await self._store.loaders.read(kept_rows.kept)
        for event, each in kept:
            shelf = self._shelves.setdefault(event.removeprefix(WEBHOOK), Shelf())
            shelf.put(each, _BEFORE_ALL)
        for event, each in kept:
            await self._surely(partial(self._offer, event.removeprefix(WEBHOOK), each))

    async def _offer(self, name: str, kept: Kept) -> None:
        shelf, target = self._shelves[name], ""
        async with shelf.lock:
            message = await self._store.loaders.read(kept_rows.message, kept.seq)
            if message is None or kept.until <= utc_now():
                return
            takers = await self._takers(name, await payload_of(message))
            if takers:
                target = " ".join(takers[0])
                await self._given(shelf, kept.seq, target)
        if target:
            await self._surely(partial(self._tell, message, target))

    async def _takers(self, name: str, payload: Mapping[str, Json]) -> Sequence[tuple[str, str]]:
        try:
            find = partial(waits.matching, only_matched=True)
            return await self._store.loaders.read(find, name, payload)
        except TooCostly:
            return ()

    async def _surely(self, call: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await call()
            except ServiceError as error:
                logger.warning("What was sent to webhooks has to wait: %s", error)
            except Exception:
                # The outermost loop of who waits: a fault of one must not end every other one.
                logger.exception("Looking for what was sent to a webhook broke.")
                return None
            await asyncio.sleep(_RETRY_SECONDS)

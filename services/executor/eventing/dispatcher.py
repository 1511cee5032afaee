"""Hands messages to event handlers, each at least once: what was told is rows until all is done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress

from services.errors import Overloaded, ServiceError
from services.executor.core.model import Json
from services.executor.eventing import rows
from services.executor.eventing.acting import Acting, Doing, Tell
from services.executor.eventing.handlers import Handler, is_true, listening
from services.executor.eventing.rows import Message, Run, payload_of
from services.executor.eventing.waits import WEBHOOK
from services.executor.eventing.waking import Waking
from services.executor.launching import Launching, Prepared
from services.executor.store import Store
from services.executor.timers import now as utc_now
from services.javascript import NoWorker, ScriptFailed, Scripts
from services.replica import Replica

logger = logging.getLogger(__name__)

KIND = "event"
MOST_AT_ONCE = 32
_FIRST_RETRY_SECONDS = 0.1
_LONGEST_RETRY_SECONDS = 30.0
_AGAIN_SECONDS = 5.0
# A message that breaks its handling so often, for no fault of the disk, is let go.
_MOST_BREAKAGES = 3


class Dispatcher:
    """Sees to it that every message is handled."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        store: Store,
        replica: Replica,
        scripts: Scripts,
        launching: Launching,
        tell: Tell,
    ) -> None:
        self._tasks = tasks
        self._store = store
        self._replica = replica
        self._scripts = scripts
        self._launching = launching
        self._acting = Acting(launching, tell, self._note)
        self.waking = Waking(store, replica, launching, tell)
        self._handlers: dict[str, tuple[Handler, ...]] | None = None
        self._unsubscribe = replica.subscribe(self._changed)
        self._last = 0
        self._under_way: set[asyncio.Task[None]] = set()
        self._wanted = asyncio.Event()
        self._open = True

    def __len__(self) -> int:
        """How many messages are being handled."""
        return len(self._under_way)

    def wake(self) -> None:
        """A message was stored."""
        self._wanted.set()

    def close(self) -> None:
        """Begin nothing more; what is half-done is gone on with by the next process."""
        self._open = False
        self._unsubscribe()
        self._wanted.set()
        for task in self._under_way:
            task.cancel()

    async def run(self) -> None:
        """Hand messages on until :meth:`close`."""
        while self._open:
            self._wanted.clear()
            room = MOST_AT_ONCE - len(self._under_way)
            found = await self._waiting(room)
            for message in found or ():
                self._last = message.seq
                self._begin(message)
            if found is None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_AGAIN_SECONDS):
                        await self._wanted.wait()
            elif len(found) < room or not room:
                await self._wanted.wait()

    async def _waiting(self, room: int) -> Sequence[Message] | None:
        """The next messages; None: they cannot be read just now."""
        if not room:
            return ()
        try:
            return await self._store.loaders.read(rows.waiting, self._last, room)
        except ServiceError as error:
            logger.warning("What was told cannot be read just now: %s", error)
            return None

    def _begin(self, message: Message) -> None:
        if not self._open:
            return
        task = self._tasks.create_task(self._handled(message))
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._wanted.set()

    def _changed(self, change: object) -> None:
        if change is None or getattr(change, "kind", "") == KIND:
            self._handlers = None

    def _listening(self, event: str) -> tuple[Handler, ...]:
        if self._handlers is None:
            self._handlers = _readable(self._replica)
        return self._handlers.get(event, ())

    # One message.

    async def _handled(self, message: Message) -> None:
        delay, breakages = _FIRST_RETRY_SECONDS, 0
        while self._open:
            try:
                await self.handle(message)
                return
            except (ServiceError, NoWorker) as error:
                logger.warning("The event %s has to wait: %s", message.event, error)
            except Exception:
                # The outermost loop of a message: its fault must not end every other one.
                breakages += 1
                logger.exception("Handling the event %s broke.", message.event)
                if breakages >= _MOST_BREAKAGES:
                    await self._let_go(message)
                    return
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_RETRY_SECONDS)

    async def _let_go(self, message: Message) -> None:
        with suppress(ServiceError):
            await self._launching.write([rows.done_note(message, utc_now())])

    async def handle(self, message: Message) -> None:
        """Do all that is to be done about a message. Raises :class:`ServiceError`: try again."""
        handlers = self._listening(message.event)
        is_sent = message.event.startswith(WEBHOOK)
        if handlers or is_sent:
            payload = await payload_of(message)
            done = await self._store.loaders.read(rows.runs_of, message.id)
            if is_sent:
                await self.waking.wake(message, payload, done)
            for handler in handlers:
                await self._by(handler, message, payload, done)
        await self._launching.write([rows.done_note(message, utc_now())])

    async def _by(
        self,
        handler: Handler,
        message: Message,
        payload: Mapping[str, Json],
        done: Mapping[tuple[str, int], tuple[str, str]],
    ) -> None:
        if (handler.name, rows.LEFT) in done:
            return
        begun = any(name == handler.name for name, _ in done)
        if not begun and not await self._applies(handler, message):
            return
        for number in range(len(handler.actions)):
            outcome, target = done.get((handler.name, number), ("", ""))
            if outcome in ("", rows.UNDER_WAY):
                await self._acting.do(Doing(message, payload, handler, number, target))

    async def _applies(self, handler: Handler, message: Message) -> bool:
        """Whether its condition holds; if not, that is noted."""
        if not handler.condition:
            return True
        name = f"condition of the event handler {handler.name}"
        outcome, reason = rows.SKIPPED, "The condition is not true."
        try:
            value = await self._scripts.evaluate(
                handler.condition, message.payload, name=name, group=f"event:{handler.name}"
            )
            if is_true(value):
                return True
        except NoWorker as error:
            raise Overloaded(error.detail) from error
        except (ScriptFailed, ValueError) as failure:
            outcome, reason = rows.FAILED, str(failure)
        run = Run(
            message.id, message.event, handler.name, 0, rows.CONDITION, outcome, "", reason,
            utc_now(),
        )  # fmt: skip
        await self._launching.write([rows.run_note(run)])
        _log(run)
        return False

    async def _note(
        self, doing: Doing, outcome: str, target: str, reason: str, *starts: Prepared
    ) -> None:
        message = doing.message
        run = Run(
            message.id, message.event, doing.handler.name, doing.number, doing.action.name, outcome,
            target, reason, utc_now(),
        )  # fmt: skip
        await self._launching.write([rows.run_note(run)], *starts)
        _log(run)


def _readable(replica: Replica) -> dict[str, tuple[Handler, ...]]:
    """The handlers by event; one that cannot be read is told in the log."""
    documents = []
    for stored in replica.all(KIND):
        try:
            Handler.of(stored.document)
        except (KeyError, TypeError, AttributeError) as error:
            logger.error("The event handler %r cannot be read: %s", stored.name, error)
        else:
            documents.append(stored.document)
    return listening(documents)


def _log(run: Run) -> None:
    if run.outcome == rows.UNDER_WAY:
        return
    said = "The event handler %r did %s about %s: %s %s"
    level = logging.WARNING if run.outcome == rows.FAILED else logging.INFO
    what = run.reason or run.target
    logger.log(level, said, run.handler, run.name, run.event, run.outcome, what)

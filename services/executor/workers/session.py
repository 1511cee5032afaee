"""The executor's end of a worker's stream: tasks out as it has room, its words in."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import grpc

from podium.worker.v1 import worker_pb2 as pb
from services.access import Principal
from services.errors import InvalidRequest, Overloaded, ServiceError, Unavailable
from services.executor.actors import Reply, Told
from services.executor.core.events import TaskUpdated
from services.executor.core.model import Execution, Task
from services.executor.documents import LARGE_CHARS, plain
from services.executor.hands import Taker
from services.executor.texts import short
from services.executor.workers.handing import result_event, word_event
from services.executor.workers.working import MOST_NAME_CHARS, Working, document, parsed
from services.pacing import Pace

logger = logging.getLogger(__name__)

Write = Callable[[pb.WorkResponse], Awaitable[None]]
Said = pb.TaskResult | pb.TaskWord
_Unread = str | pb.Answer | pb.Task

_MOST_OFFERS = 1000
_MOST_SLOTS = 10_000
_MOST_UNREAD_BYTES = 256 << 20
_MOST_UNTOLD_BYTES = 32 << 20
_MOST_BYTES_A_MESSAGE = 8 << 20
# What each takes up in memory beside what is sent of it, roughly.
_FRAME_BYTES = 256
_MOST_DETAIL_CHARS = 4096
_LAST_WORDS_SECONDS = 5.0


class WorkSession(Taker):
    """One stream of a worker.

    Args:
        caller: Who opened it.
    """

    def __init__(self, working: Working, caller: Principal) -> None:
        super().__init__()
        self._working = working
        self.caller = caller
        self.exclusive = False
        self._slots: dict[str, int] = {}
        # What it has and has not answered, and what it is still at from before though that has
        # ended: the queue that it takes a slot of.
        self._had: dict[str, str] = {}
        # How often it was given those of them anew before its answer was through: it gives one
        # back, and is the next to have it.
        self._again: Counter[str] = Counter()
        # Those with results that are not answered: their hands are free once they have ended.
        self._said: set[str] = set()
        self._tasks: deque[pb.Task] = deque()
        self._answers: deque[pb.Answer] = deque()
        self._gone: deque[str] = deque()
        self._unread = 0
        # Bytes of what it has said that is not stored yet.
        self._untold = 0
        self._room = asyncio.Event()
        self._wake = asyncio.Event()
        self._greeted = False
        self._stopping = False
        # It let the time of a task pass, and has said nothing since.
        self._silent = False
        self._over = asyncio.Event()
        self._fault: ServiceError | None = None

    # Its life.

    def greet(self, hello: pb.Hello) -> None:
        """It says who it is, and what it does.

        Raises:
            ServiceError: It may not, or says it wrongly.
        """
        if len(hello.offers) > _MOST_OFFERS or not hello.offers:
            raise InvalidRequest(f"A hello must have 1 to {_MOST_OFFERS} offers.")
        self.worker_id = short(hello.worker_id, "worker_id", MOST_NAME_CHARS)
        if not self.worker_id:
            raise InvalidRequest("A hello must say the worker_id.")
        self.exclusive = hello.exclusive
        for offer in hello.offers:
            if not 0 < offer.slots <= _MOST_SLOTS:
                raise InvalidRequest(f"slots must be from 1 to {_MOST_SLOTS:,}.")
            if len(offer.at_work) > _MOST_SLOTS:
                raise InvalidRequest(f"An offer may have {_MOST_SLOTS:,} tasks at_work.")
            queue = self._working.queue(self.caller, offer.task_type, offer.domain)
            self._slots[queue] = self._slots.get(queue, 0) + offer.slots
            self._had.update(dict.fromkeys(offer.at_work, queue))
        self._greeted = True

    def begin(self, holds: Iterable[str]) -> None:
        """It takes tasks from now on; ``holds`` are those that it has from before."""
        queues, kept = self._working.queues, {*holds, *self._had}
        for task_id, held in queues.held.by(self.worker_id):
            if task_id in kept and held.queue in self._slots:
                kept.discard(task_id)
                self._had[task_id] = held.queue
                queues.taken_over(task_id, self)
            elif self.exclusive and task_id not in kept:
                queues.let_go(task_id, self.worker_id)
        free = {name: slots - self._used(name) for name, slots in self._slots.items()}
        queues.join(self, free)
        for task_id in kept:
            self._has_gone(task_id)
        self._wake.set()

    def _used(self, queue: str) -> int:
        return sum(1 for each in self._had.values() if each == queue)

    def end(self) -> None:
        """End the stream; what the worker has stays with it."""
        if not self._over.is_set():
            self._over.set()
            self._working.queues.leave(self, self._slots)
            self._wake.set()

    async def converse(self, requests: AsyncIterator[pb.WorkRequest], write: Write) -> None:
        """Take what the worker says, and tell it what there is, until either has enough.

        Raises:
            ServiceError: It says what makes no sense, or does not read.
        """
        reading = asyncio.create_task(self._read(requests))
        writing = asyncio.create_task(self._write(write))
        try:
            await self._over.wait()
            reading.cancel()
            # Whoever does not read would be told the last of it never.
            await asyncio.wait((writing,), timeout=_LAST_WORDS_SECONDS)
        finally:
            self.end()
            reading.cancel()
            writing.cancel()
            faults = await asyncio.gather(reading, writing, return_exceptions=True)
        for fault in (self._fault, *faults):
            if isinstance(fault, Exception):
                raise fault

    async def _write(self, write: Write) -> None:
        pace = Pace()
        try:
            await write(pb.WorkResponse())
            while not self._over.is_set() or self._answers:
                await self._wake.wait()
                await pace.turn()
                self._wake.clear()
                while self._tasks or self._answers or self._gone:
                    await write(self.next_message())
                if self._stopping and not self._had:
                    break
        except grpc.aio.InternalError:
            logger.info("The worker %s is gone.", self.worker_id)
        finally:
            self.end()

    # What it hears.

    async def _read(self, requests: AsyncIterator[pb.WorkRequest]) -> None:
        try:
            async for request in requests:
                await self.take(request)
                while self._untold > _MOST_UNTOLD_BYTES:
                    # It says more than the disk takes.
                    self._room.clear()
                    await self._room.wait()
        finally:
            self.end()

    async def take(self, request: pb.WorkRequest) -> None:
        """Do as one of its messages says. Raises :class:`InvalidRequest`: it makes no sense."""
        if request.HasField("hello"):
            raise InvalidRequest("There is one hello, in the first message.")
        if self._silent:
            self._silent = False
            self._working.queues.resume(self, self._slots)
        for result in request.results:
            if result.task_id in self._had:
                self._said.add(result.task_id)
            await self._say(result, result_event, partial(self._answered, result.task_id))
        for word in request.words:
            await self._say(word, word_event, partial(self._heard, word.task_id))
        for task_id in request.let_go:
            self._let_go(task_id)
        if request.stopping and not self._stopping:
            self._stopping = True
            self._working.queues.leave(self, self._slots)
            self._wake.set()

    async def _say(self, said: Said, make: Callable[..., TaskUpdated], reply: Reply) -> None:
        text, size = said.output, said.ByteSize()
        event = partial(make, said, self.worker_id)
        self._untold += size

        def told(what: Told | ServiceError) -> None:
            self._untold -= size
            self._room.set()
            reply(what)

        try:
            # Not awaited where it is short: that would be a turn of the loop for each.
            output = parsed(text) if len(text) < LARGE_CHARS else await document(text)
            self._working.tell(self.caller, said.execution_id, said.task_id, output, event, told)
        except ServiceError as error:
            told(error)

    def _let_go(self, task_id: str) -> None:
        if task_id in self._had:
            self._working.queues.let_go(task_id, self.worker_id)
            self._free(task_id)

    def _answered(self, task_id: str, told: Told | ServiceError) -> None:
        """What became of a result."""
        if isinstance(told, Unavailable | Overloaded):
            # It comes again.
            self._answer(task_id, told)
            return
        self._answer(task_id, told if isinstance(told, ServiceError) else None)
        if task_id in self._said:
            self._free(task_id)

    def _heard(self, task_id: str, told: Told | ServiceError) -> None:
        if isinstance(told, ServiceError):
            self._answer(task_id, told, word=True)

    def _answer(self, task_id: str, error: ServiceError | None, *, word: bool = False) -> None:
        answer = pb.Answer(task_id=task_id, word=word)
        if error is not None:
            answer.code, answer.reason = error.code.value[0], error.reason()
            answer.detail = plain(error.detail)[:_MOST_DETAIL_CHARS]
        self._answers.append(answer)
        self._more_unread(answer)

    def _more_unread(self, what: _Unread) -> None:
        self._unread += _size(what)
        if self._unread > _MOST_UNREAD_BYTES and self._fault is None:
            logger.warning("The worker %s does not read: its stream is ended.", self.worker_id)
            self._fault = Overloaded("The worker does not read what it is told.")
            self.end()
        self._wake.set()

    def _free(self, task_id: str) -> None:
        """The worker has a free hand more."""
        queue = self._had.get(task_id)
        self._said.discard(task_id)
        if queue is None:
            return
        if task_id in self._again:
            self._again -= Counter({task_id: 1})
        else:
            self._has_no_more(task_id)
        self._working.queues.free(self, queue)

    def _has_no_more(self, task_id: str) -> None:
        self._had.pop(task_id)
        if self._stopping and not self._had:
            self._wake.set()

    # What it is told, as a Taker.

    def given(self, execution: Execution, task: Task) -> None:
        if self._over.is_set() or self._stopping:
            self._working.queues.let_go(task.id, self.worker_id, task.poll_count)
            return
        message = self._working.hand(execution, task)
        if message is None:
            self._working.queues.free(self, task.queue)
            return
        if task.id in self._had:
            self._again[task.id] += 1
        self._had[task.id] = task.queue
        self._tasks.append(message)
        self._more_unread(message)

    def ended(self, task: Task) -> None:
        self._working.done(task.id)
        # Its own result is answered after this: that is no news to it.
        is_news = task.id in self._had and task.id not in self._said
        if is_news and not self._over.is_set():
            self._has_gone(task.id)

    def _has_gone(self, task_id: str) -> None:
        self._gone.append(task_id)
        self._more_unread(task_id)

    def late(self) -> None:
        if not self._silent:
            # It may have stopped, though its stream stands: others get what it would lose.
            self._silent = True
            self._working.queues.rest(self, self._slots)

    def done_with(self, task_id: str) -> int:
        hands = self._again.pop(task_id, 0)
        if task_id in self._said:
            # What it has said of it is answered when others know where they are.
            self._said.discard(task_id)
            self._has_no_more(task_id)
            hands += 1
        return hands

    def next_message(self) -> pb.WorkResponse:
        """What there is to be told, as much of it as a message holds."""
        message, size = pb.WorkResponse(), 0
        self._drop_what_is_answered()
        for waiting, into in (
            (self._gone, message.ended),
            (self._answers, message.answers),
            (self._tasks, message.tasks),
        ):
            size = _moved(waiting, into, size)
            if waiting:
                break
        self._unread -= size
        return message

    def _drop_what_is_answered(self) -> None:
        """Of that it is no news that it has ended."""
        answered = {answer.task_id for answer in self._answers}
        told = [id for id in self._gone if id in answered]
        if told:
            self._gone = deque(id for id in self._gone if id not in answered)
            self._unread -= sum(map(_size, told))


def _size(what: _Unread) -> int:
    own = 4 * len(what) if isinstance(what, str) else what.ByteSize()
    return own + _FRAME_BYTES


def _moved(waiting: deque[Any], into: Any, size: int) -> int:
    """``size`` of a message with as much of what is ``waiting`` as it holds."""
    while waiting:
        more = _size(waiting[0])
        # None but a first one is put where it might make a message too large.
        if size and size + more > _MOST_BYTES_A_MESSAGE:
            break
        size += more
        into.append(waiting.popleft())
    return size

"""The executor's end of the edge's stream of workers that speak HTTP: asks in, answers out."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from itertools import chain, repeat

from podium.worker.v1 import worker_pb2 as pb
from services.access import Principal, Reach, application_principal, reach
from services.errors import Overloaded, PermissionDenied, ServiceError
from services.executor.actors import Told
from services.executor.documents import LARGE_CHARS, plain
from services.executor.workers.polled import Poll
from services.executor.workers.words import Words, wanted
from services.executor.workers.working import Working
from services.pacing import Pace
from services.replica import Replica
from services.rights import RIGHTS, rpc

logger = logging.getLogger(__name__)

Write = Callable[[pb.RelayResponse], Awaitable[None]]

# Polls and updates need the same.
_RIGHT = RIGHTS[rpc("worker.PollTasks")]
_MOST_OPEN = 100_000
_MOST_UNREAD_BYTES = 256 << 20
_MOST_BYTES_A_MESSAGE = 8 << 20
_ANSWER_BYTES = 256
_ANY_POLL_COUNT = 2**31
_MOST_DETAIL_CHARS = 4096


class RelaySession:
    """One stream of the edge.

    Args:
        check_serving: Raises :class:`ServiceError` while nothing is handed out.
    """

    def __init__(
        self,
        working: Working,
        words: Words,
        replica: Replica,
        check_serving: Callable[[], None],
    ) -> None:
        self.working = working
        self.words = words
        self._replica = replica
        self._check_serving = check_serving
        self._open: dict[int, _Asked] = {}
        self.edge_id = ""
        self._out: deque[tuple[pb.RelayAnswer, int]] = deque()
        self._unread = 0
        self._wake = asyncio.Event()
        self._ended = False

    def end(self) -> None:
        """End the stream; who polls is told that there is nothing."""
        self._ended = True
        self._wake.set()

    async def converse(self, requests: AsyncIterator[pb.RelayRequest], write: Write) -> None:
        """Answer ``requests`` until they end or :meth:`end` is called."""
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read(requests, tasks))
            pace = Pace()
            try:
                await write(pb.RelayResponse())
                while not self._ended or self._out:
                    await self._wake.wait()
                    await pace.turn()
                    self._wake.clear()
                    while self._out:
                        await write(self._next_message())
            finally:
                reading.cancel()
                # What nobody has said to be taken is lost with the stream.
                for asked in list(self._open.values()):
                    asked.leave()

    async def _read(
        self, requests: AsyncIterator[pb.RelayRequest], tasks: asyncio.TaskGroup
    ) -> None:
        try:
            async for request in requests:
                if request.HasField("hello"):
                    self.edge_id = request.hello.edge_id
                    self.working.settle(self.edge_id, _handed(request.hello))
                for ask in request.asks:
                    self._take(ask, tasks)
        finally:
            self.end()

    def _take(self, ask: pb.RelayAsk, tasks: asyncio.TaskGroup) -> None:
        number, kind = ask.number, ask.WhichOneof("ask")
        if kind == "end":
            asked = self._open.get(number)
            if asked is not None:
                asked.taken() if ask.end == pb.RELAY_END_TAKEN else asked.leave()
            return
        if number in self._open:
            return
        asked = self._open[number] = _Asked(self, number)
        try:
            if len(self._open) > _MOST_OPEN:
                raise Overloaded("Too many workers ask at once.")
            caller = self.caller(ask.on_behalf_of)
            if kind == "poll":
                self._check_serving()
                asked.poll(ask.poll, caller)
            else:
                self._update(asked, ask.update, caller, tasks)
        except ServiceError as error:
            asked.refuse(error)
        except Exception:
            # The outermost loop of an ask: all others are on the same stream.
            logger.exception("What a worker asked over HTTP broke.")
            asked.refuse(ServiceError("The executor failed."))

    def _update(
        self, asked: _Asked, update: pb.RelayUpdate, caller: Principal, tasks: asyncio.TaskGroup
    ) -> None:
        if len(update.update.result.output) >= LARGE_CHARS:
            tasks.create_task(asked.update_later(update, caller))
        else:
            asked.update(update, caller)

    def caller(self, application_id: str) -> Principal:
        """Whose rights count. Raises :class:`PermissionDenied`: it has none."""
        application = self._replica.application(application_id)
        if application is None:
            raise PermissionDenied(
                f"There is no application {application_id!r}.", unknown_application=application_id
            )
        if not application.enabled:
            raise PermissionDenied(f"The application {application_id!r} is paused.")
        if reach(application, _RIGHT) is Reach.NONE:
            raise PermissionDenied(
                f"The application {application_id!r} may not call this: it takes {_RIGHT}.",
                application=application_id,
            )
        return application_principal(application_id)

    def post(self, answer: pb.RelayAnswer, size: int = 0) -> None:
        """Have it sent with all others of this tick."""
        self._out.append((answer, size + _ANSWER_BYTES))
        self._unread += size + _ANSWER_BYTES
        if self._unread > _MOST_UNREAD_BYTES:
            logger.warning("The stream of HTTP workers is ended: the edge does not read.")
            self._out.clear()
            self._unread = 0
            self.end()
        elif not self._wake.is_set():
            self._wake.set()

    def _next_message(self) -> pb.RelayResponse:
        message, size = pb.RelayResponse(), 0
        while self._out:
            answer, bytes_ = self._out[0]
            # None but a first one is put where it might make a message too large.
            if size and size + bytes_ > _MOST_BYTES_A_MESSAGE:
                break
            self._out.popleft()
            size += bytes_
            message.answers.append(answer)
        self._unread -= size
        return message

    def forget(self, number: int) -> None:
        self._open.pop(number, None)


def _handed(hello: pb.RelayHello) -> dict[str, int]:
    """By task the poll count when it was handed over last; of an edge that says none, any."""
    counts = chain(hello.handed_poll_counts, repeat(_ANY_POLL_COUNT))
    return dict(zip(hello.handed_task_ids, counts, strict=False))


class _Asked:
    """One poll, or one word, until it is answered and what it was given is taken."""

    __slots__ = (
        "_caller", "_left", "_number", "_poll", "_session", "_stored", "_tasks", "_worker_id",
    )  # fmt: skip

    def __init__(self, session: RelaySession, number: int) -> None:
        self._session = session
        self._number = number
        self._poll: Poll | None = None
        self._caller = ""
        self._tasks: list[pb.Task] = []
        self._worker_id = ""
        self._left = False
        # Its word is.
        self._stored = False

    def poll(self, request: pb.PollTasksRequest, caller: Principal) -> None:
        """Wait for tasks. Raises :class:`ServiceError`: it may not."""
        queue, worker_id, count, seconds = wanted(self._session.working, request, caller)
        self._wait(caller, queue, worker_id, count).begin(seconds)

    def _wait(self, caller: Principal, queue: str, worker_id: str, count: int) -> Poll:
        self._caller, self._worker_id = caller.application_id, worker_id
        self._poll = Poll(self._session.working, worker_id, queue, count, self._given)
        self._poll.carrier = self._session.edge_id
        return self._poll

    async def update_later(self, update: pb.RelayUpdate, caller: Principal) -> None:
        """As :meth:`update`, of a long one."""
        try:
            output = await self._session.words.read(update.update)
            if not self._left:
                self._tell(update, caller, output)
        except ServiceError as error:
            self.refuse(error)
        except Exception:
            logger.exception("What a worker said over HTTP broke.")
            self.refuse(ServiceError("The executor failed."))

    def update(self, update: pb.RelayUpdate, caller: Principal) -> None:
        """Have the word told. Raises :class:`ServiceError`: it makes no sense."""
        self._tell(update, caller, self._session.words.read_now(update.update))

    def _tell(self, update: pb.RelayUpdate, caller: Principal, output: object) -> None:
        request = update.update
        if update.next and not request.extend_lease:
            queue, worker_id = self._session.words.place_of(request, caller)
            if queue:
                # It is there before the word, so that what follows from that is its at once, and
                # it is answered when both are stored.
                self._wait(caller, queue, worker_id, 1).begin(None)
        told = partial(self._told, update, caller)
        try:
            self._session.words.tell(request, caller, output, told, self._word_id())
        except ServiceError as error:
            self.refuse(error)

    def _word_id(self) -> str:
        """The same on every stream of the edge; empty: it has not said who it is."""
        edge_id = self._session.edge_id
        return f"{edge_id} {self._number}" if edge_id else ""

    def _told(self, update: pb.RelayUpdate, caller: Principal, told: Told | ServiceError) -> None:
        """What became of the word."""
        if self._left:
            return
        if isinstance(told, ServiceError):
            self.refuse(told)
            return
        self._stored = True
        if self._poll is not None:
            self._poll.end()
        elif not update.next or update.update.extend_lease:
            self._given([])
        else:
            self._poll_after(update, caller, told)

    def _poll_after(self, update: pb.RelayUpdate, caller: Principal, told: Told) -> None:
        """Nobody had the task that was spoken of."""
        queue, worker_id = self._session.words.place_after(update.update, caller, told)
        if queue:
            self._wait(caller, queue, worker_id, 1).begin(0)
        else:
            self._given([])

    def _given(self, tasks: list[pb.Task]) -> None:
        self._tasks = tasks
        try:
            self._check_still(tasks)
        except ServiceError as error:
            if not self._stored:
                self.refuse(error)
                return
            # The word was taken: only what comes next is not the worker's.
            self._go_back()
            tasks = []
        if not tasks:
            self._left = True
            self._session.forget(self._number)
        size = sum(task.ByteSize() for task in tasks)
        self._session.post(pb.RelayAnswer(number=self._number, tasks=tasks), size)

    def _check_still(self, tasks: list[pb.Task]) -> None:
        """Raises :class:`ServiceError`: the right was taken while it waited."""
        if tasks:
            caller = self._session.caller(self._caller)
            self._session.working.check_right(caller, tasks[0].task_type)

    def refuse(self, error: ServiceError) -> None:
        """Say what is wrong."""
        if self._left:
            return
        self.leave()
        detail = plain(error.detail)[:_MOST_DETAIL_CHARS]
        answer = pb.RelayAnswer(
            number=self._number, code=error.code.value[0], reason=error.reason(), detail=detail
        )
        self._session.post(answer)

    def taken(self) -> None:
        """The worker has the tasks."""
        if self._tasks:
            self._left = True
            self._session.forget(self._number)

    def leave(self) -> None:
        """Nobody waits any more: what it was given goes back."""
        self._left = True
        self._session.forget(self._number)
        if self._poll is not None:
            self._poll.leave()
        self._go_back()

    def _go_back(self) -> None:
        queues = self._session.working.queues
        for task in self._tasks:
            queues.let_go(task.task_id, self._worker_id, task.poll_count)

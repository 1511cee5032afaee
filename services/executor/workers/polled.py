"""Tasks for those who ask for them one call at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from podium.worker.v1 import worker_pb2 as pb
from services.executor.core.model import Execution, Task
from services.executor.hands import Taker
from services.executor.workers.working import Working

# A message holds 32 MiB at most: a single task, or several that have less together.
_MOST_BYTES = 8 << 20


class Poll(Taker):
    """One call: what is there when it comes, else the first that comes while it waits.

    Args:
        settled: Told once of the tasks that are the worker's now, unless it leaves before.
    """

    comes_again = True

    def __init__(
        self,
        working: Working,
        worker_id: str,
        queue: str,
        count: int,
        settled: Callable[[list[pb.Task]], None],
    ) -> None:
        super().__init__()
        self._working = working
        self.worker_id = worker_id
        self._queue = queue
        self._count = count
        self._settled = settled
        self._tasks: list[pb.Task] = []
        self._timer: asyncio.TimerHandle | None = None
        self._begun = self._leaving = self._over = self._patient = False

    def begin(self, seconds: float | None) -> None:
        """Wait for as long; None: for all that it wants, until :meth:`end`."""
        self._patient = seconds is None
        self._working.queues.join(self, {self._queue: self._count})
        self._begun = True
        if seconds == 0:
            self.end()
        elif seconds is not None and not self._over:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self.end)
        self._look()

    def end(self) -> None:
        """Wait for no more than what is being stored."""
        if self._over or self._leaving:
            return
        self._leaving = True
        self._working.queues.leave(self, (self._queue,))
        self._look()

    def leave(self) -> None:
        """Whoever asked is gone: what it has goes back. Settled, it has nothing to say in it."""
        if self._over:
            return
        self._stop()
        _go_back(self._tasks, self._working, self.worker_id)

    def _stop(self) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if not self._leaving:
            self._working.queues.leave(self, (self._queue,))

    def given(self, execution: Execution, task: Task) -> None:
        if self._over:
            self._working.queues.let_go(task.id, self.worker_id, task.poll_count)
            return
        message = self._working.hand(execution, task, detailed=True)
        if message is not None:
            self._tasks.append(message)
        elif not self._leaving:
            self._working.queues.free(self, task.queue)
        self._look()

    def voided(self) -> None:
        self._look()

    def ended(self, task: Task) -> None:
        self._working.done(task.id)

    def _look(self) -> None:
        done = self._leaving or (self._tasks and not self._patient)
        if done and self._begun and not self.reserved and not self._over:
            self._stop()
            settled, tasks = self._settled, self._as_many_as_fit()
            # It is known for as long as somebody has one of the tasks, which may be large.
            self._settled, self._tasks = _said_already, []
            settled(tasks)

    def _as_many_as_fit(self) -> list[pb.Task]:
        """What one answer holds; the others go back to their queue."""
        size = 0
        for number, task in enumerate(self._tasks):
            size += task.ByteSize()
            if size > _MOST_BYTES and number:
                _go_back(self._tasks[number:], self._working, self.worker_id)
                return self._tasks[:number]
        return self._tasks


def _go_back(tasks: Iterable[pb.Task], working: Working, worker_id: str) -> None:
    """The worker does not do them."""
    for task in tasks:
        working.queues.let_go(task.task_id, worker_id, task.poll_count)


def _said_already(tasks: list[pb.Task]) -> None:
    """Nobody waits for what is settled."""


async def polled(
    working: Working, worker_id: str, queue: str, count: int, seconds: float
) -> list[pb.Task]:
    """The tasks that are the worker's now; after ``seconds``, none."""
    answer: asyncio.Future[list[pb.Task]] = asyncio.get_running_loop().create_future()

    def settled(tasks: list[pb.Task]) -> None:
        if answer.cancelled():
            # Whoever asked is gone.
            _go_back(tasks, working, worker_id)
        else:
            answer.set_result(tasks)

    poll = Poll(working, worker_id, queue, count, settled)
    poll.begin(seconds)
    try:
        return await answer
    except asyncio.CancelledError:
        poll.leave()
        if answer.done() and not answer.cancelled():
            _go_back(answer.result(), working, worker_id)
        raise

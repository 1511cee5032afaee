"""Tasks for those who ask for them one call at a time."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from podium.worker.v1 import worker_pb2 as pb
from services.executor.core.model import Execution, Task
from services.executor.hands import Taker
from services.executor.workers.working import Working


class Poll(Taker):
    """One call: what is there when it comes, else the first that comes while it waits."""

    def __init__(self, working: Working, worker_id: str, queue: str, count: int) -> None:
        super().__init__()
        self._working = working
        self.worker_id = worker_id
        self._queue = queue
        self._count = count
        self._tasks: list[pb.Task] = []
        self._settled = asyncio.Event()
        self._leaving = self._over = False

    async def tasks(self, seconds: float) -> list[pb.Task]:
        """The tasks that are the worker's now; after ``seconds``, none."""
        queues = self._working.queues
        try:
            queues.join(self, {self._queue: self._count})
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._settled.wait()
            self._leaving = True
            queues.leave(self, (self._queue,))
            # What is reserved for it is being stored.
            while self.reserved:
                self._settled.clear()
                await self._settled.wait()
        except BaseException:
            # Whoever asked is gone.
            for task in self._tasks:
                queues.let_go(task.task_id, self.worker_id)
            raise
        finally:
            self._over = True
            queues.leave(self, (self._queue,))
        return self._tasks

    def given(self, execution: Execution, task: Task) -> None:
        if self._over:
            self._working.queues.let_go(task.id, self.worker_id)
            return
        message = self._working.hand(execution, task)
        if message is not None:
            self._tasks.append(message)
        self._look()

    def voided(self) -> None:
        self._look()

    def ended(self, task: Task) -> None:
        self._working.done(task.id)

    def _look(self) -> None:
        if not self.reserved and (self._tasks or self._leaving):
            self._settled.set()

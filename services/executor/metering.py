"""Counts what the engine does, second by second, for as long as the process runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping

from services.executor.core.model import ExecutionStatus, Task
from services.executor.engine import Engine
from services.executor.metrics.history import History
from services.executor.writer import Writer


class Metering:
    """Where everything that is counted comes together.

    Attributes:
        history: What was counted.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, writer: Writer, engine: Engine) -> None:
        self._loop = loop
        self._writer = writer
        self._engine = engine
        self._decisions = 0
        self.history = History()
        # For those who wait for the next second.
        self._turned = asyncio.Event()
        self._due = loop.time() + 1
        self._handle = loop.call_at(self._due, self._turn)

    def moved(self, before: ExecutionStatus | None, after: ExecutionStatus) -> None:
        """An execution went from a status to another; None: it is new."""
        counter = self.history.counter
        was_open = before is not None and not before.final
        if not after.final and not was_open:
            counter.started += 1
        elif after.final and (before is None or was_open):
            counter.started += before is None
            counter.add_ended(after.value)

    def tasks_ended(self, tasks: Iterable[Task], before: Mapping[str, Task]) -> None:
        """Of these, which have ended, some may have ended ``before``."""
        for task in tasks:
            known = before.get(task.ref)
            if known is None or known.id != task.id or not known.status.final:
                self.history.counter.add_task(task.kind)

    def late(self, seconds: float) -> None:
        """The loop was late by so much just now."""
        self.history.counter.add_lag(max(seconds, 0.0))

    async def turned(self) -> None:
        """Return when the second that is counted now has passed."""
        await self._turned.wait()

    def close(self) -> None:
        """Count no more; whoever waits for the next second waits no longer."""
        self._handle.cancel()
        self._turned.set()

    def _turn(self) -> None:
        commits = self._writer.commits
        while commits:
            self.history.counter.add_commit(*commits.popleft())
        decisions = self._engine.decisions
        self.history.counter.decisions = decisions - self._decisions
        self._decisions = decisions
        self.history.turn(int(time.time()) - 1)
        # Seconds that a loop was too late for did not pass for it.
        self._due = max(self._due + 1, self._loop.time())
        self._handle = self._loop.call_at(self._due, self._turn)
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()

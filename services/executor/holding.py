"""What a restored executor leaves alone until an operator has had a look at it.

Its executions that were under way wait, each until it is resumed or ended: with their timers, with
the calls that were interrupted, and with the tasks that no worker has. Schedules, event handlers
and webhooks wait for the last of them: they would tell again what was told after the backup was
made.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from functools import partial

from services.executor import restored
from services.executor.core.model import Execution, ExecutionStatus
from services.executor.restored import Restoration
from services.executor.writer import Writer

logger = logging.getLogger(__name__)

Interrupted = tuple[str, str, int]


class Holding:
    """Who waits since the store was restored; of a store that was not, nobody.

    Attributes:
        restoration: When that was.
    """

    def __init__(self, restoration: Restoration, writer: Writer) -> None:
        self.restoration = restoration
        self._writer = writer
        self._held = dict(restoration.held)
        self._running = sum(self._held.values())
        self._released = asyncio.Event()
        if not self._running:
            self._released.set()

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._held)

    def __contains__(self, execution_id: object) -> bool:
        return execution_id in self._held

    @property
    def running(self) -> int:
        """How many wait that ran when the backup was made."""
        return self._running

    @property
    def is_released(self) -> bool:
        """Whether schedules, event handlers and webhooks are at work."""
        return self._released.is_set()

    def free(self, interrupted: Iterable[Interrupted]) -> list[Interrupted]:
        """Those calls whose executions do not wait."""
        return [each for each in interrupted if each[0] not in self._held]

    async def then(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Do ``work`` once nobody waits any more."""
        await self._released.wait()
        await work()

    def goes_on(self, execution: Execution) -> bool:
        """Whether an execution that waited is let go, having been resumed or ended."""
        if execution.status is ExecutionStatus.PAUSED:
            return False
        self._running -= self._held.pop(execution.id)
        # If that fails its row stays, which is passed over once it is paused no more.
        self._writer.chore(partial(restored.let_go, execution.id)).add_done_callback(_seen)
        if not self._running and not self._released.is_set():
            logger.warning("All executions that waited since the restore have gone on or ended.")
            self._released.set()
        return True


def _seen(done: asyncio.Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        logger.warning("A row of what was restored stays: %s", error)

"""Loads executions for the engine: what is due together is read together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from services.executor import loading
from services.executor.actors import Actor
from services.executor.readers import Readers
from services.executor.snapshots import Snapshots

logger = logging.getLogger(__name__)

Found = loading.Loaded | BaseException | None

_MOST_READS = 2
_MOST_TOGETHER = 32


class Loads:
    """Reads actors' rows, a few groups at a time; who comes meanwhile is in the next group.

    Args:
        found: Told of each actor, in the loop: its execution, None where there is none, or why
            it cannot be read.
    """

    def __init__(
        self, readers: Readers, snapshots: Snapshots, found: Callable[[Actor, Found], None]
    ) -> None:
        self._readers = readers
        self._snapshots = snapshots
        self._found = found
        self._loop = asyncio.get_running_loop()
        self._wanted: list[Actor] = []
        self._reads = 0

    def want(self, actor: Actor) -> None:
        """Load ``actor`` soon."""
        self._wanted.append(actor)
        if self._reads < _MOST_READS:
            self._reads += 1
            # What else is due in this tick is read with it.
            self._loop.call_soon(self._read)

    def _read(self) -> None:
        group = self._wanted[:_MOST_TOGETHER]
        del self._wanted[:_MOST_TOGETHER]
        if not group:
            self._reads -= 1
            return
        ids = [actor.id for actor in group]
        reading = self._readers.read(loading.load, ids, self._snapshots)
        reading.add_done_callback(lambda loaded: self._loaded(group, loaded))

    def _loaded(
        self,
        group: Sequence[Actor],
        reading: asyncio.Future[list[loading.Loaded | Exception | None]],
    ) -> None:
        # While they were read others have gathered.
        self._read()
        if reading.cancelled():
            return
        error = reading.exception()
        found: Sequence[Found] = [error] * len(group) if error else reading.result()
        for actor, loaded in zip(group, found, strict=True):
            try:
                self._found(actor, loaded)
            except Exception:
                # The outermost loop of an execution: the others must hear of theirs.
                logger.exception("Execution %s broke.", actor.id)

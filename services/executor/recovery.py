"""What the process before this one has left in the store, read before anything else happens."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from services.errors import ServiceError
from services.executor import breaker_rows, feed_rows, kinship, queries, restored, turn_rows
from services.executor.breaking.breakers import Said
from services.executor.carried import Carried
from services.executor.engine import Engine
from services.executor.holding import Holding
from services.executor.kinship import Unheard
from services.executor.restored import Restoration
from services.executor.scheduling import rows as schedule_rows
from services.executor.scheduling.scheduler import Known
from services.executor.store import Store
from services.executor.turn_rows import Turns

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PATIENCE = timedelta(minutes=1)
_FIRST_RETRY_SECONDS = 0.1
_LONGEST_RETRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Left:
    """How all stands.

    Attributes:
        head, floor: The last revision of the feed, and the one before the oldest that is kept.
        counts: By status, how many executions there are.
        open: By workflow, how many have not ended.
        held: By key, how many of them hold a slot.
        crowds: By key, how many hold one among those of their workflow.
        interrupted: (execution id, task id, call number) of effects that were under way.
        not_begun: Executions that another one has started.
        unheard: Ends that nobody was told of.
        turns: Who waits for a worker, or has one.
        schedules: How far each schedule is.
        breakers: What operators have said of circuit breakers, by host.
        restoration: Who waits since the store was restored.
    """

    head: int
    floor: int
    counts: Mapping[str, int]
    open: Mapping[str, int]
    held: Mapping[bytes, int]
    crowds: Mapping[bytes, int]
    interrupted: Sequence[tuple[str, str, int]]
    not_begun: Sequence[str]
    unheard: Unheard
    turns: Turns
    schedules: Known
    breakers: Mapping[str, Said]
    restoration: Restoration

    def go_on(self, engine: Engine, holding: Holding) -> None:
        """Have what was half-done go on, but for those that wait."""
        engine.queues.recover(self.turns, holding)
        engine.carried = Carried(self.turns)
        engine.recover(holding.free(self.interrupted), self.not_begun)
        engine.kin.recover(self.unheard)
        engine.queues.go_on()


async def left(store: Store) -> Left:
    """As the store has it, however often that has to be tried."""
    (head, floor), counts, held, interrupted, not_begun, unheard = await asyncio.gather(
        store.readers.read(feed_rows.revisions),
        _surely(store, queries.counts),
        _surely(store, queries.slots_held),
        _surely(store, queries.interrupted),
        _surely(store, queries.not_begun),
        _surely(store, kinship.unheard),
    )
    return Left(
        head,
        floor,
        counts,
        await _surely(store, queries.open_of_workflows),
        held,
        await _surely(store, queries.crowds),
        interrupted,
        not_begun,
        unheard,
        await _surely(store, turn_rows.turns),
        await _surely(store, schedule_rows.known),
        await _surely(store, breaker_rows.said),
        await _surely(store, restored.restoration),
    )


async def _surely(store: Store, read: Callable[[sqlite3.Connection], T]) -> T:
    """What ``read`` returns, however often it has to be tried."""
    delay = _FIRST_RETRY_SECONDS
    while True:
        try:
            return await store.loaders.read(read, within=_PATIENCE)
        except ServiceError as error:
            logger.warning("What was left half-done cannot be read just now: %s", error)
        await asyncio.sleep(delay)
        delay = min(2 * delay, _LONGEST_RETRY_SECONDS)

"""Tells receivers of the ends of executions: what is due is sent, what waits is rows.

Deliveries have limits of their own, so that no receiver holds up the calls of tasks, nor one that
does not answer the deliveries to others. Of what is due only so much is held here; the rest is read
again when there is room.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from services.errors import ServiceError, Unavailable
from services.executor import queries
from services.executor.admission import Lanes
from services.executor.core.events import TimerKey
from services.executor.core.webhooks import (
    DELAYS,
    Attempt,
    Delivery,
    DeliveryStatus,
    Webhook,
    judged,
)
from services.executor.effects import WEBHOOK, Effect, HandOff
from services.executor.effects.webhook import Telling
from services.executor.rows import Row, moment
from services.executor.store import Store
from services.executor.timers import Timers, now as utc_now
from services.executor.units import Unit
from services.executor.webhook_rows import (
    NEXT_AT,
    RECEIVER,
    attempted_row,
    delivery_of,
    webhook_of,
)

logger = logging.getLogger(__name__)

_NAME = "webhook"
# What cannot be read or written just now is tried again.
_AGAIN = timedelta(seconds=10)
_FAULT = "The attempt broke within the executor, whose log says how."


@dataclass(frozen=True, slots=True)
class Terms:
    """How deliveries are made.

    Attributes:
        delays: Between the attempts of one.
        per_receiver, in_all: Under way at once.
        held_per_receiver, held: Those and the ones that wait for their turn in memory.
        ahead: How many of the next minute are known beforehand.
    """

    delays: Sequence[timedelta] = DELAYS
    per_receiver: int = 16
    in_all: int = 256
    held_per_receiver: int = 128
    held: int = 4096
    ahead: int = 1000


@dataclass(slots=True, eq=False)
class _Turn:
    """One delivery from when it was due to when its attempt is stored."""

    execution_id: str
    receiver: str
    task: asyncio.Task[None] | None = None


class Deliveries:
    """Makes deliveries as they come due, and notes what becomes of them.

    Args:
        effects: That of the name ``webhook`` is used.
        handing_off: What goes with an attempt (execution id, task id, time).
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        store: Store,
        effects: Mapping[str, Effect],
        handing_off: Callable[[str, str, datetime], HandOff],
        terms: Terms | None = None,
    ) -> None:
        self._tasks = tasks
        self._store = store
        self._effects = effects
        self._handing_off = handing_off
        self._terms = terms or Terms()
        self._loop = asyncio.get_running_loop()
        self._lanes = Lanes(self._terms.per_receiver, self._terms.in_all)
        self._turns: dict[str, _Turn] = {}
        # By receiver, what is held, and in all; of whom there are more that are due in the rows.
        self._held: Counter[str] = Counter()
        self._held_in_all = 0
        self._full: set[str] = set()
        self._crowded = False
        self._open = True
        self.timers = Timers(self._loop, self._read, self._due, most=self._terms.ahead)

    def __len__(self) -> int:
        """How many attempts are under way."""
        return sum(turn.task is not None for turn in self._turns.values())

    def committed(self, rows: Sequence[Row]) -> None:
        """These rows of ``webhooks`` were put; what was being told of an end before is void."""
        for row in rows:
            execution_id, receiver, at = row[0], row[RECEIVER], row[NEXT_AT]
            turn = self._turns.pop(execution_id, None)
            if turn is not None and turn.task is not None:
                turn.task.cancel()
            self._place(execution_id, receiver, None if at is None else moment(at))

    def close(self) -> None:
        """Begin nothing new and cancel all; the rows say what is due: the next start goes on."""
        self._open = False
        self.timers.close()
        for turn in self._turns.values():
            if turn.task is not None:
                turn.task.cancel()
        self._turns.clear()

    def _place(self, execution_id: str, receiver: str, at: datetime | None) -> None:
        key = TimerKey(receiver, _NAME)
        if at is None:
            self.timers.disarm(execution_id, key)
        else:
            self.timers.arm(execution_id, key, at)

    # What is due, within the limits.

    async def _read(self, until: int, limit: int) -> Sequence[Row]:
        if self._crowded:
            return ()
        passed_over = json.dumps(sorted(self._full))
        return await self._store.loaders.read(queries.webhooks_due, until, limit, passed_over)

    def _due(self, execution_id: str, key: TimerKey) -> None:
        receiver = key.task_id
        if not self._open:
            return
        if not self._has_room(receiver):
            self.timers.disarm(execution_id, key)
            return
        turn = self._turns[execution_id] = _Turn(execution_id, receiver)
        self._held[receiver] += 1
        self._held_in_all += 1
        self._lanes.enter(receiver, partial(self._enter, turn))

    def _has_room(self, receiver: str) -> bool:
        if self._held[receiver] >= self._terms.held_per_receiver:
            self._full.add(receiver)
        if self._held_in_all >= self._terms.held:
            self._crowded = True
        # Until the rows are read again: those that wait there are not to be overtaken for ever by
        # what ends, or fails again, just now.
        return receiver not in self._full and not self._crowded

    def _enter(self, turn: _Turn) -> None:
        if self._open and self._turns.get(turn.execution_id) is turn:
            turn.task = self._tasks.create_task(self._make(turn))
            # Not in the coroutine: one that is cancelled before it begins never runs.
            turn.task.add_done_callback(lambda _: self._left(turn))
        else:
            # Not at once: whoever lets it in is not done counting.
            self._loop.call_soon(self._left, turn)

    def _left(self, turn: _Turn) -> None:
        receiver = turn.receiver
        self._lanes.leave(receiver)
        self._held_in_all -= 1
        self._held[receiver] -= 1
        left = self._held[receiver]
        if not left:
            del self._held[receiver]
        if receiver in self._full and left <= self._terms.held_per_receiver // 2:
            self._full.remove(receiver)
            self.timers.look()
        if self._crowded and self._held_in_all <= self._terms.held // 2:
            self._crowded = False
            self.timers.look()

    # One attempt.

    async def _make(self, turn: _Turn) -> None:
        execution_id = turn.execution_id
        try:
            following = await self._attempted(execution_id)
        except ServiceError as error:
            logger.warning("The webhook of execution %s has to wait: %s", execution_id, error)
            following = utc_now() + _AGAIN
        except Exception:
            # The outermost loop of a delivery: its fault must not end every other one.
            logger.exception("The webhook of execution %s broke.", execution_id)
            following = utc_now() + _AGAIN
        if self._turns.get(execution_id) is turn:
            del self._turns[execution_id]
            self._place(execution_id, turn.receiver, following)

    async def _attempted(self, execution_id: str) -> datetime | None:
        """Try once and store what came of it; when it is to be tried again."""
        row = await self._store.loaders.read(queries.webhook, execution_id)
        if row is None:
            return None
        webhook, delivery = webhook_of(row), delivery_of(row)
        if delivery.next_at is None or delivery.next_at > utc_now() + _AGAIN:
            return delivery.next_at
        attempt = await self._perform(execution_id, webhook, delivery)
        after = judged(delivery, attempt, self._terms.delays, utc_now(), random.random())
        await self._stored(attempted_row(execution_id, after))
        _log(execution_id, webhook, after)
        return after.next_at

    async def _perform(self, execution_id: str, webhook: Webhook, delivery: Delivery) -> Attempt:
        telling = Telling(webhook.url, webhook.secret_name, delivery.id, delivery.body)
        handoff = self._handing_off(execution_id, "", utc_now())
        try:
            attempt = await self._effects[WEBHOOK].perform(telling, handoff)
        except Exception:
            # A fault of ours counts as an attempt: the same one might meet it for ever.
            logger.exception("The webhook of execution %s broke.", execution_id)
            return Attempt(error=_FAULT)
        return attempt if isinstance(attempt, Attempt) else Attempt(error=_FAULT)

    async def _stored(self, row: Row) -> None:
        written: asyncio.Future[None] = self._loop.create_future()

        def done(unit: Unit) -> None:
            if written.cancelled():
                return
            if unit.error is None:
                written.set_result(None)
            else:
                written.set_exception(Unavailable(f"It was not written: {unit.error}."))

        self._store.writer.submit(Unit(done, attempted=[row], size=len(row[2])))
        await written


def _log(execution_id: str, webhook: Webhook, delivery: Delivery) -> None:
    told = "The end of execution %s was told to %s, at attempt %d."
    again = "The end of execution %s was not told to %s at attempt %d: %s Tried again at %s."
    never = "The end of execution %s is not told to %s: given up after attempt %d: %s"
    named = (execution_id, webhook.receiver, delivery.attempts)
    match delivery.status:
        case DeliveryStatus.DELIVERED:
            logger.info(told, *named)
        case DeliveryStatus.GIVEN_UP:
            logger.warning(never, *named, delivery.last_error)
        case DeliveryStatus.PENDING:
            logger.info(again, *named, delivery.last_error, delivery.next_at)

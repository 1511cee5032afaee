"""Where starts come in: of those with one idempotency key one begins, and slots are waited for.

A start is in one of these states: it joins another one with its key that is not stored yet; it is
looked up, whether its execution is there; it waits for a slot; or the engine has it. Until then it
can be taken out, and nothing has begun.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace

from services.errors import ServiceError, Unavailable
from services.executor import queries, statements
from services.executor.actors import Reply, Told
from services.executor.answers import attaching, joining, stopping
from services.executor.core.copies import changed
from services.executor.engine import Engine
from services.executor.orders import Order
from services.executor.readers import Readers
from services.executor.slots import Slots, Turn
from services.executor.timers import now, wall

logger = logging.getLogger(__name__)

Leave = Callable[[], bool]
"""Takes the start out; False: it has begun, or has been answered."""


def _has_begun() -> bool:
    return False


class Entrance:
    """Starts executions by the engine."""

    def __init__(self, engine: Engine, loaders: Readers, slots: Slots) -> None:
        self.engine = engine
        self.loaders = loaders
        self.slots = slots
        # By key, or by the execution's id, the first of those that are not stored.
        self.firsts: dict[bytes, _Entry] = {}
        self.closed = False

    def start(self, order: Order, reply: Reply) -> Leave:
        """Begin an execution, at once or when there is a slot for it, or attach to one.

        ``reply`` is told what :meth:`Engine.start` tells, and ConcurrencyLimited where there is
        no slot and no place to wait for one.
        """
        if not order.key and order.slot is None:
            self.engine.start(order, reply)
            return _has_begun
        entry = _Entry(self, order, reply)
        entry.enter()
        return entry.leave

    def close(self) -> None:
        """Begin nothing more; whoever waits is told, and asks again elsewhere or later."""
        self.closed = True
        for entry in list(self.firsts.values()):
            entry.turn_away()


class _Entry:
    """One start until it is answered."""

    __slots__ = ("_begun", "_entrance", "_first", "_name", "_reply", "_turn", "joined", "order")

    def __init__(self, entrance: Entrance, order: Order, reply: Reply) -> None:
        self._entrance = entrance
        self._reply = reply
        self._name = order.key or order.execution.id.encode()
        self._first: _Entry | None = None
        self._turn: Turn | None = None
        self._begun = False
        self.order = order
        self.joined: dict[_Entry, None] = {}

    def enter(self) -> None:
        first = self._entrance.firsts.setdefault(self._name, self)
        if first is not self:
            self._first = first
            first.joined[self] = None
            return
        self._first = None
        self._find_room()

    def leave(self) -> bool:
        """Take it out, unless it has begun; those who have joined it go on without it."""
        if self._begun:
            return False
        self._begun = True
        if self._first is not None:
            del self._first.joined[self]
            return True
        if self._turn is not None:
            self._entrance.slots.leave(self._turn)
        for entry in self._take_joined():
            entry.enter()
        return True

    def turn_away(self) -> None:
        """It does not begin any more, nor do those who have joined it."""
        if not self._begun:
            if self._turn is not None:
                self._entrance.slots.leave(self._turn)
            self._answer(stopping())

    # What the first of a key does.

    def _find_room(self, *, looked_up: bool = False) -> None:
        order, slots = self.order, self._entrance.slots
        if self._entrance.closed:
            self._answer(stopping())
        elif order.slot is None or self._entrance.engine.is_known(order.execution.id):
            self._begin(order, self._answer)
        elif slots.take(order.slot):
            self._begin(order, self._settle)
        elif (order.key or order.again) and not looked_up:
            self._look_up()
        else:
            self._wait()

    def _wait(self) -> None:
        if self.order.slot is None:
            return
        turn = Turn(self.order.slot.key, self._begin_late, self.order.size)
        try:
            self._entrance.slots.wait(self.order.slot, turn)
            self._turn = turn
        except ServiceError as error:
            self._answer(error)

    def _begin_late(self) -> None:
        """Its turn has come: its time begins now."""
        begun = changed(self.order.execution, created_at=now(), updated_at=now())
        self._begin(replace(self.order, execution=begun), self._settle)

    def _begin(self, order: Order, reply: Reply) -> None:
        self._begun, self._turn = True, None
        try:
            self._entrance.engine.start(order, reply)
        except Exception:
            # The outermost loop of a start: whoever has made room for it must not be harmed.
            logger.exception("A start of execution %s broke.", order.execution.id)
            reply(ServiceError("Something went wrong inside; the executor's log says what."))

    def _settle(self, told: Told | ServiceError) -> None:
        if self.order.slot is not None:
            self._entrance.slots.settle(self.order.slot.key)
        self._answer(told)

    def _answer(self, told: Told | ServiceError) -> None:
        self._begun = True
        joined = self._take_joined()
        self._reply(told)
        for entry in joined:
            entry._follow(told, self.order.refs)

    def _take_joined(self) -> list[_Entry]:
        """Let others begin by its key, and whoever has joined it go."""
        if self._entrance.firsts.get(self._name) is self:
            del self._entrance.firsts[self._name]
        joined, self.joined = list(self.joined), {}
        return joined

    def _follow(self, told: Told | ServiceError, refs: tuple[str, ...]) -> None:
        """The one that it has joined was answered so."""
        self._begun = True
        if isinstance(told, Told):
            self._attach(told.after.id, refs if told.refs is None else told.refs)
        else:
            self._reply(told)

    def _attach(self, execution_id: str, refs: tuple[str, ...]) -> None:
        order = self.order
        attach = joining(order, refs, self._reply) if order.key else attaching(order, self._reply)
        self._entrance.engine.tell(execution_id, None, attach)

    # Whether its execution is there already, which is asked only where there is no slot for it.

    def _look_up(self) -> None:
        order = self.order
        reading = self._entrance.loaders.read(_holder, order.execution.id, order.key, wall())
        reading.add_done_callback(self._looked_up)

    def _looked_up(self, reading: asyncio.Future[statements.Holder | None]) -> None:
        if self._begun or reading.cancelled():
            return
        error = reading.exception()
        if error is not None:
            told = error if isinstance(error, ServiceError) else Unavailable(str(error))
            self._answer(told)
        elif (held := reading.result()) is None:
            self._find_room(looked_up=True)
        else:
            self._begun = True
            for entry in (self, *self._take_joined()):
                entry._follow_stored(held)

    def _follow_stored(self, held: statements.Holder) -> None:
        self._begun = True
        self._attach(*held)


def _holder(
    db: sqlite3.Connection, execution_id: str, key: bytes, at: int
) -> statements.Holder | None:
    if key and (held := statements.holder(db, key, at)):
        return held
    return (execution_id, ()) if queries.is_there(db, execution_id) else None

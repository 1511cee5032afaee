"""Where starts come in: of those with one idempotency key one begins, and slots are waited for.

All starts with one key, or one id, that are not answered yet are a flight. The first of them is
looked up, whether its execution is there, or waits for a slot, or the engine has it; the others
are told what it comes to. Only while the first waits can they be taken out: before, their
execution may be there; later, it is.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from services.errors import AlreadyExists, KeyReused, Overloaded, ServiceError, Unavailable
from services.executor import queries, statements
from services.executor.actors import Reply, Told
from services.executor.answers import attaching, joining, stopping
from services.executor.core.copies import changed
from services.executor.engine import Engine
from services.executor.orders import Order, Strategy
from services.executor.readers import Readers
from services.executor.slots import MOST_WAITING_CHARS, Slot, Slots, Turn, no_room
from services.executor.timers import now, wall

logger = logging.getLogger(__name__)

Refusal = Callable[[str], ServiceError | None]
Leave = Callable[[], bool]
"""Takes the start out; False: it has begun, or is told in a moment whether it has."""


def _has_begun() -> bool:
    return False


class Entrance:
    """Starts executions by the engine.

    Args:
        most_chars: Of the inputs of those that have joined another one.
        refusal: Why nothing of a workflow may begin; None: it may.
    """

    def __init__(
        self,
        engine: Engine,
        loaders: Readers,
        slots: Slots,
        most_chars: int = MOST_WAITING_CHARS,
        refusal: Refusal = lambda workflow: None,
    ) -> None:
        self.engine = engine
        self.loaders = loaders
        self.slots = slots
        self.most_chars = most_chars
        self.refusal = refusal
        self.joined_chars = 0
        # By key, or by the execution's id.
        self.flights: dict[bytes, _Flight] = {}
        self.closed = False

    def start(self, order: Order, reply: Reply) -> Leave:
        """Begin an execution, at once or when there is a slot for it, or attach to one.

        ``reply`` is told what :meth:`Engine.start` tells, and ConcurrencyLimited where there is
        no slot and no place to wait for one; Overloaded where nothing of its workflow may begin.
        """
        full = self.refusal(order.execution.workflow.name)
        if not order.key and order.slot is None:
            if full is None or self.engine.is_known(order.execution.id):
                self.engine.start(order, reply)
            else:
                self._attach_only(order, reply, full)
            return _has_begun
        name, entry = order.key or order.execution.id.encode(), _Entry(order, reply)
        flight = self.flights.get(name)
        if flight is not None:
            flight.join(entry)
        elif full is not None:
            self._attach_only(order, reply, full)
            return _has_begun
        else:
            flight = self.flights[name] = _Flight(self, name, entry)
            flight.find_room()
        return partial(flight.leave, entry)

    def _attach_only(self, order: Order, reply: Reply, full: ServiceError) -> None:
        """What was begun before is told to whoever asks for it again; nothing else begins."""
        anew = order.strategy is Strategy.FAIL_ON_RUNNING
        reading = self.loaders.read(_holder, order.execution.id, order.key, wall(), anew)

        def read(reading: asyncio.Future[statements.Holder | None]) -> None:
            if reading.cancelled():
                return
            error = reading.exception()
            if error is not None:
                reply(error if isinstance(error, ServiceError) else Unavailable(str(error)))
            elif (held := reading.result()) is None:
                reply(full)
            else:
                self.attach(order, reply, *held)

        reading.add_done_callback(read)

    def attach(self, order: Order, reply: Reply, execution_id: str, refs: tuple[str, ...]) -> None:
        """Tell what the execution comes to that is there by the key or id of ``order``."""
        heard = joining(order, refs, reply) if order.key else attaching(order, reply)
        self.engine.tell(execution_id, None, heard)

    def close(self) -> None:
        """Begin nothing more; whoever waits is told, and asks again elsewhere or later."""
        self.closed = True
        for flight in list(self.flights.values()):
            flight.turn_away()


class _Entry:
    """One start until it is answered.

    Attributes:
        leaves: It is to begin no more, should nothing be there that it attaches to.
    """

    __slots__ = ("answered", "leaves", "order", "reply")

    def __init__(self, order: Order, reply: Reply) -> None:
        self.order = order
        self.reply = reply
        self.answered = False
        self.leaves = False

    def answer(self, told: Told | ServiceError) -> None:
        self.answered = True
        self.reply(told)


class _Flight:
    """Starts with one name; the first of them for all."""

    __slots__ = ("_entrance", "_first", "_joined", "_looking", "_name", "_turn")

    def __init__(self, entrance: Entrance, name: bytes, first: _Entry) -> None:
        self._entrance = entrance
        self._name = name
        self._first = first
        self._joined: OrderedDict[_Entry, None] = OrderedDict()
        # One of these, until the engine has it.
        self._looking = False
        self._turn: Turn | None = None

    @property
    def joined(self) -> int:
        """How many wait for what the first one comes to."""
        return len(self._joined)

    def join(self, entry: _Entry) -> None:
        """Be told what the first one comes to."""
        entrance, size = self._entrance, entry.order.size
        if entrance.joined_chars + size > entrance.most_chars:
            entry.answer(Overloaded("Too much waits for starts with the same key."))
            return
        entrance.joined_chars += size
        self._joined[entry] = None

    def leave(self, entry: _Entry) -> bool:
        """Take it out while the first waits for a slot; the others go on without it."""
        if entry.answered:
            return False
        if self._turn is None:
            entry.leaves = True
            return False
        entry.answered = True
        if entry is self._first:
            self._hand_on()
        else:
            self._drop(entry)
        return True

    def turn_away(self) -> None:
        """None of them begins any more, unless the engine has it."""
        if self._turn is not None:
            self._entrance.slots.leave(self._turn)
        elif not self._looking:
            return
        self._answer(stopping())

    # What the first one does.

    def find_room(self, *, looked_up: bool = False) -> None:
        """Let the first one begin, or wait for a slot."""
        order, slots = self._first.order, self._entrance.slots
        if self._entrance.closed:
            self._answer(stopping())
        elif order.slot is None or self._entrance.engine.is_known(order.execution.id):
            self._begin(order, self._answer)
        elif slots.take(order.slot):
            self._begin(order, self._settle)
        elif (order.key or order.again) and not looked_up:
            self._look_up()
        else:
            self._wait(order.slot)

    def _wait(self, slot: Slot) -> None:
        turn = Turn(slot.key, self._begin_late, self._first.order.size)
        try:
            self._entrance.slots.wait(slot, turn)
            self._turn = turn
        except ServiceError as error:
            self._answer(error)

    def _begin_late(self) -> None:
        """Its turn has come: its time begins now."""
        order = self._first.order
        begun = changed(order.execution, created_at=now(), updated_at=now())
        self._begin(replace(order, execution=begun), self._settle)

    def _begin(self, order: Order, reply: Reply) -> None:
        self._turn = None
        try:
            self._entrance.engine.start(order, reply)
        except Exception:
            # The outermost loop of a start: whoever has made room for it must not be harmed.
            logger.exception("A start of execution %s broke.", order.execution.id)
            reply(ServiceError("Something went wrong inside; the executor's log says what."))

    def _settle(self, told: Told | ServiceError) -> None:
        if self._first.order.slot is not None:
            self._entrance.slots.settle(self._first.order.slot.key)
        self._answer(told)

    def _answer(self, told: Told | ServiceError) -> None:
        """It is what the first one comes to, and so do the others."""
        first = self._first
        if isinstance(told, (KeyReused, AlreadyExists)) and self._joined:
            # That is about its own request: the others may be what was asked for before.
            self._first = self._next()
            self._look_up()
            first.answer(told)
            return
        joined = self._end()
        first.answer(told)
        for entry in joined:
            if isinstance(told, Told):
                refs = first.order.refs if told.refs is None else told.refs
                self._attach(entry, told.after.id, refs)
            else:
                entry.answer(told)

    def _attach(self, entry: _Entry, execution_id: str, refs: tuple[str, ...]) -> None:
        entry.answered = True
        self._entrance.attach(entry.order, entry.reply, execution_id, refs)

    # Who is in it.

    def _end(self) -> list[_Entry]:
        """Let others begin by its name; those who have joined the first one."""
        del self._entrance.flights[self._name]
        self._looking, self._turn = False, None
        joined = list(self._joined)
        for entry in joined:
            self._drop(entry)
        return joined

    def _next(self) -> _Entry:
        entry = next(iter(self._joined))
        self._drop(entry)
        return entry

    def _drop(self, entry: _Entry) -> None:
        del self._joined[entry]
        self._entrance.joined_chars -= entry.order.size

    def _hand_on(self) -> None:
        """Without the first one the next goes on where it was, if they wait in one line."""
        turn, self._turn = self._turn, None
        successor = self._next() if self._joined else None
        if turn is not None:
            if successor is not None and _waits_in(turn.key, successor.order):
                self._first, self._turn = successor, turn
                return
            self._entrance.slots.leave(turn)
        if successor is None:
            self._end()
        else:
            self._first = successor
            self.find_room(looked_up=True)

    # Whether its execution is there already, which is asked only where there is no slot for it.

    def _look_up(self) -> None:
        self._looking, order = True, self._first.order
        loaders = self._entrance.loaders
        anew = order.strategy is Strategy.FAIL_ON_RUNNING
        reading = loaders.read(_holder, order.execution.id, order.key, wall(), anew)
        reading.add_done_callback(self._looked_up)

    def _looked_up(self, reading: asyncio.Future[statements.Holder | None]) -> None:
        if not self._looking or reading.cancelled():
            return
        self._looking = False
        error = reading.exception()
        if error is not None:
            self._answer(error if isinstance(error, ServiceError) else Unavailable(str(error)))
        elif (held := reading.result()) is None:
            self._go_on_without([each for each in (*self._joined, self._first) if each.leaves])
        else:
            for entry in (self._first, *self._end()):
                self._attach(entry, *held)

    def _go_on_without(self, leaving: Sequence[_Entry]) -> None:
        """Nothing is there: whoever was to be taken out meanwhile is, the others go on."""
        first = self._first
        for entry in leaving:
            if entry is not first:
                self._drop(entry)
        if first.leaves:
            self._hand_on()
        else:
            self.find_room(looked_up=True)
        for entry in leaving:
            entry.answer(no_room())


def _waits_in(key: bytes, order: Order) -> bool:
    return order.slot is not None and order.slot.key == key


def _holder(
    db: sqlite3.Connection, execution_id: str, key: bytes, at: int, anew: bool
) -> statements.Holder | None:
    if key and (held := statements.holder(db, key, at, anew=anew)):
        return held
    return (execution_id, ()) if queries.is_there(db, execution_id) else None

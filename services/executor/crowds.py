"""Executions of one workflow side by side: those beyond its limit are stored, and wait.

A slot is held from the first task to the end, which rows say; who waits for one is an execution
without tasks. After a crash each of these comes here again, in the order in which it was stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from services.errors import ConcurrencyLimited
from services.executor.core.crowds import has_begun, held_by, key_of
from services.executor.core.events import Event, Started, Terminated
from services.executor.core.model import Execution, ExecutionStatus
from services.executor.slots import Slot, Slots, Turn

# They are rows: here each is an id.
_MOST_WAITING = 10_000_000


class Crowds:
    """Who may begin.

    Args:
        held: By key, how many executions hold a slot as it is.
        begin: Called with the id of one whose turn has come; :meth:`let_in` will say so.
    """

    def __init__(self, held: Mapping[bytes, int], begin: Callable[[str], None]) -> None:
        self.slots = Slots(held)
        self._begin = begin
        self._waiting: dict[str, Turn] = {}
        # By id, the key of a slot that is kept for one which is about to begin.
        self._granted: dict[str, bytes] = {}

    def let_in(self, execution: Execution) -> bool:
        """Whether one that has not begun may; else it is in line, and called when it is its turn.

        Raises:
            ConcurrencyLimited: Its workflow wants it to be refused instead.
        """
        limit, id = execution.workflow.rate_limit, execution.id
        if limit is None or id in self._granted:
            return True
        if id in self._waiting:
            return False
        slot = Slot(key_of(execution), limit.at_once, _MOST_WAITING)
        if self.slots.take(slot):
            self._granted[id] = slot.key
            return True
        if limit.rejects:
            raise ConcurrencyLimited(
                f"As many executions of the workflow {execution.workflow.name!r} run at once as "
                "its rateLimitConfig allows."
            )
        turn = Turn(slot.key, partial(self._called, id, slot.key))
        self.slots.wait(slot, turn)
        self._waiting[id] = turn
        return False

    def admitted(self, event: Event, execution: Execution, is_start: bool) -> Event:
        """What becomes of ``event``: one that begins the execution says whether it may.

        Args:
            is_start: It is not stored yet, and can still be refused.

        Raises:
            ConcurrencyLimited: It is refused.
        """
        if not isinstance(event, Started) or has_begun(execution) or execution.status.final:
            return event
        try:
            return Started(admitted=self.let_in(execution))
        except ConcurrencyLimited as full:
            if is_start:
                raise
            return Terminated(full.detail)

    def _called(self, id: str, key: bytes) -> None:
        del self._waiting[id]
        self._granted[id] = key
        self._begin(id)

    def committed(self, before: Execution, after: Execution) -> None:
        """An execution stands otherwise now, and that is stored."""
        held, holds = held_by(before), held_by(after)
        if held != holds:
            for key, change in ((holds, 1), (held, -1)):
                if key:
                    self.slots.count(key, change)
        self.let_go(after.id)
        if after.status.final or has_begun(after):
            if (turn := self._waiting.pop(after.id, None)) is not None:
                self.slots.leave(turn)
        elif after.status is ExecutionStatus.RUNNING and after.id not in self._waiting:
            # It was paused when its turn came.
            self._begin(after.id)

    def let_go(self, id: str) -> None:
        """What was kept for it is not any more: it has begun, or it does not now."""
        if (key := self._granted.pop(id, None)) is not None:
            self.slots.settle(key)

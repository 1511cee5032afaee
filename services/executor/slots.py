"""Executions side by side, by key: who holds a slot, and who waits for one. No IO.

A slot is held by an execution from its start to its end: counted here, and known by the
execution's own row, so that a restart counts the same. Whoever waits is in memory only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from services.errors import ConcurrencyLimited, Overloaded

MOST_WAITING_CHARS = 64 << 20
# In one step of those that look at all keys, for which every execution waits: a millisecond or so.
WALKED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Slot:
    """What a start asks for.

    Attributes:
        limit: How many executions may hold a slot of ``key``; the newest start's counts.
        most_waiting: How many starts may wait for one; 0: none.
    """

    key: bytes
    limit: int
    most_waiting: int = 0


@dataclass(slots=True, eq=False)
class Turn:
    """Somebody who waits.

    Attributes:
        begin: Called once, with a slot taken for it: :meth:`Slots.settle` must follow.
        size: Characters that it keeps in memory.
    """

    key: bytes
    begin: Callable[[], None]
    size: int = 0


@dataclass(frozen=True, slots=True)
class SlotUse:
    """How the slots of a key are used; ``limit`` 0: it is not known yet."""

    key: bytes
    limit: int
    held: int
    waiting: int


@dataclass(slots=True)
class _Line:
    """Of one key.

    Attributes:
        held: By executions that are stored and have not ended.
        taken: By starts that are about to be stored.
        waiting: In order.
    """

    limit: int = 0
    held: int = 0
    taken: int = 0
    waiting: dict[Turn, None] = field(default_factory=dict)
    advancing: bool = False

    @property
    def has_room(self) -> bool:
        return self.held + self.taken < self.limit


def no_room() -> ConcurrencyLimited:
    """What is said to whoever has no slot, and no place to wait for one any more."""
    return ConcurrencyLimited("As many executions run at once as may.")


class Slots:
    """All lines by key; one that nobody is in is forgotten.

    Args:
        held: By key, how many executions hold a slot as it is.
    """

    def __init__(
        self, held: Mapping[bytes, int] | None = None, most_chars: int = MOST_WAITING_CHARS
    ) -> None:
        self._lines = {key: _Line(held=count) for key, count in (held or {}).items()}
        self._most_chars = most_chars
        self._chars = 0

    def __len__(self) -> int:
        """How many keys are known."""
        return len(self._lines)

    def held(self, key: bytes) -> int:
        """How many executions hold a slot of ``key``."""
        line = self._lines.get(key)
        return line.held if line else 0

    def waiting(self, key: bytes) -> int:
        """How many wait for one."""
        line = self._lines.get(key)
        return len(line.waiting) if line else 0

    def uses(self, keys: Collection[bytes] = ()) -> Iterator[list[SlotUse]]:
        """How the slots of ``keys`` are used, or of all, in steps; others may come in between."""
        asked = iter(keys or list(self._lines))
        while some := list(islice(asked, WALKED_AT_ONCE)):
            lines = [(key, line) for key in some if (line := self._lines.get(key))]
            yield [
                SlotUse(key, line.limit, line.held + line.taken, len(line.waiting))
                for key, line in lines
            ]

    def take(self, slot: Slot) -> bool:
        """Take a slot for a start, if there is one; :meth:`settle` must follow."""
        line = self._lines.setdefault(slot.key, _Line())
        line.limit = slot.limit
        # A limit that was raised lets those in first who have waited.
        self._advance(slot.key, line)
        if not line.has_room:
            self._forget_if_empty(slot.key, line)
            return False
        line.taken += 1
        self._lines[slot.key] = line
        return True

    def settle(self, key: bytes) -> None:
        """The start is stored, and counted where it has not ended; or it is not."""
        line = self._lines[key]
        line.taken -= 1
        self._advance(key, line)

    def count(self, key: bytes, change: int) -> None:
        """So many more executions hold a slot; an operator may bring it over the limit."""
        line = self._lines.setdefault(key, _Line())
        line.held += change
        self._advance(key, line)

    def wait(self, slot: Slot, turn: Turn) -> None:
        """Stand in line.

        Raises:
            ConcurrencyLimited: There is no place in it.
            Overloaded: What waits in all the lines is too large.
        """
        line = self._lines.setdefault(slot.key, _Line())
        line.limit = slot.limit
        try:
            if len(line.waiting) >= slot.most_waiting:
                raise no_room()
            if self._chars + turn.size > self._most_chars:
                raise Overloaded("Too much waits for other executions to end.")
            line.waiting[turn] = None
            self._chars += turn.size
        finally:
            self._forget_if_empty(slot.key, line)

    def leave(self, turn: Turn) -> None:
        """Wait no longer; a second time changes nothing."""
        line = self._lines.get(turn.key)
        if line is not None and turn in line.waiting:
            self._call(line, turn)
            self._forget_if_empty(turn.key, line)

    def _call(self, line: _Line, turn: Turn) -> None:
        del line.waiting[turn]
        self._chars -= turn.size

    def _advance(self, key: bytes, line: _Line) -> None:
        """Let in whoever is first in line while there is room."""
        if line.advancing:
            # One that began has failed at once: the loop below goes on.
            return
        line.advancing = True
        try:
            while line.waiting and line.has_room:
                turn = next(iter(line.waiting))
                self._call(line, turn)
                line.taken += 1
                turn.begin()
        finally:
            line.advancing = False
        self._forget_if_empty(key, line)

    def _forget_if_empty(self, key: bytes, line: _Line) -> None:
        if not (line.held or line.taken or line.waiting or line.advancing):
            self._lines.pop(key, None)

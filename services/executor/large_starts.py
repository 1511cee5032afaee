"""Starts with large inputs: how much of them is held at once, and how much is worked on.

What is read of an input, decided on and written takes ten times its text, until it is stored. Side
by side many would be done no sooner than a few after another: the others wait as texts.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

from services.errors import Overloaded

MOST_HELD_CHARS = 256 << 20
MOST_HELD_CHARS_OF_ONE = 128 << 20
MOST_AT_WORK_CHARS = 32 << 20

Leave = Callable[[], None]


class LargeStarts:
    """Lets in what there is room for; the rest waits in order, or is refused.

    Args:
        most_held: Characters of all inputs, from when they come until whoever sent them is told.
        most_of_one: Of these, of one application: others have room.
        most_at_work: Of these, of those that are read, decided on or written; one alone may be
            larger.
    """

    def __init__(
        self,
        most_held: int = MOST_HELD_CHARS,
        most_of_one: int = MOST_HELD_CHARS_OF_ONE,
        most_at_work: int = MOST_AT_WORK_CHARS,
    ) -> None:
        self._most_held = most_held
        self._most_of_one = most_of_one
        self._most_at_work = most_at_work
        self.held = 0
        self._held_by: Counter[str] = Counter()
        self.at_work = 0
        self._line: deque[_Turn] = deque()

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._line)

    @contextmanager
    def holding(self, chars: int, application_id: str) -> Generator[None]:
        """An input of so many is held inside. Raises :class:`Overloaded`: there is no room."""
        own = self._held_by[application_id]
        if own + chars > self._most_of_one:
            raise _no_room(f"of the application {application_id!r}", own, self._most_of_one)
        if self.held + chars > self._most_held:
            raise _no_room("together", self.held, self._most_held)
        self.held += chars
        self._held_by[application_id] += chars
        try:
            yield
        finally:
            self.held -= chars
            self._held_by[application_id] -= chars
            if not self._held_by[application_id]:
                del self._held_by[application_id]

    @asynccontextmanager
    async def working(self, chars: int) -> AsyncGenerator[Leave]:
        """Inside, it is its turn: until the end, or until what is yielded is called."""
        turn = _Turn(self, chars)
        self._line.append(turn)
        self._call_in()
        try:
            await turn.come
            yield turn.leave
        finally:
            turn.leave()

    def left(self, turn: _Turn) -> None:
        """``turn`` is over, or will not be taken."""
        if turn.has_begun:
            self.at_work -= turn.chars
        else:
            self._line.remove(turn)
        self._call_in()

    def _call_in(self) -> None:
        while self._line:
            chars = self._line[0].chars
            if self.at_work and self.at_work + chars > self._most_at_work:
                return
            self.at_work += chars
            self._line.popleft().begin()


def _no_room(whose: str, chars: int, most: int) -> Overloaded:
    return Overloaded(
        f"Starts with large inputs {whose} have {chars >> 20} Mi characters, and may have "
        f"{most >> 20}; try again in a moment."
    )


class _Turn:
    """One start's."""

    __slots__ = ("_is_over", "_of", "chars", "come", "has_begun")

    def __init__(self, of: LargeStarts, chars: int) -> None:
        self._of = of
        self.chars = chars
        self.come: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.has_begun = False
        self._is_over = False

    def begin(self) -> None:
        self.has_begun = True
        # Whoever has just stopped waiting leaves in a moment.
        if not self.come.done():
            self.come.set_result(None)

    def leave(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._of.left(self)

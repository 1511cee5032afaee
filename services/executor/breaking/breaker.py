"""One circuit breaker (pure): whether a call to its host goes out now, or is refused at once.

Closed, all calls go out, and their outcomes are counted over a window of time. Open, none does, for
a while. Half open, a few do, on trial: all of them good close it, one that fails opens it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_SLOTS = 10
LONGEST_OPEN_SECONDS = 60.0


class State(StrEnum):
    """How a breaker stands."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


class Mode(StrEnum):
    """What an operator has said of a breaker."""

    AUTOMATIC = "AUTOMATIC"
    OPEN = "OPEN"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When breakers open, and for how long.

    Attributes:
        percent: So many calls of a window must have failed, of a hundred; 0: none ever opens.
        calls: Of fewer calls in a window nothing is concluded.
        window: Seconds.
        open_for: Seconds until the first trial. Twice as long after each trial that fails, at most
            :data:`LONGEST_OPEN_SECONDS`.
        trials: How many calls go out on trial, side by side.
    """

    percent: float = 50.0
    calls: int = 20
    window: float = 10.0
    open_for: float = 5.0
    trials: int = 3


class Breaker:
    """The breaker of one host. Times are seconds of a clock that never goes back.

    Attributes:
        state: As it stood when it was last asked; see :meth:`stands`.
        since: When it came to stand so.
        until: Open: when trials begin.
    """

    __slots__ = (
        "_good", "_opened", "_slots", "_thresholds", "_trials", "_turn", "host", "mode",
        "opened_by", "since", "state", "until",
    )  # fmt: skip

    def __init__(
        self, host: str, thresholds: Thresholds, now: float, mode: Mode = Mode.AUTOMATIC
    ) -> None:
        self.host = host
        self._thresholds = thresholds
        self._turn = 0
        self.set(mode, now)

    def set(self, mode: Mode, now: float) -> None:
        """An operator's word; it begins anew, with nothing counted."""
        self.mode = mode
        self._opened = 0
        self._begin(State.OPEN if mode is Mode.OPEN else State.CLOSED, now)

    def enter(self, now: float) -> int | None:
        """A permit for a call, to be given to :meth:`leave`; None: it is refused."""
        if self.state is State.CLOSED:
            return self._turn
        if self.mode is Mode.OPEN or (self.state is State.OPEN and now < self.until):
            return None
        if self.state is State.OPEN:
            self._begin(State.HALF_OPEN, now)
        if self._trials + self._good >= self._thresholds.trials:
            return None
        self._trials += 1
        return self._turn

    def leave(self, permit: int, good: bool | None, now: float) -> bool:
        """A call has ended; whether the breaker stands otherwise for that.

        Args:
            good: None: it says nothing of the host, as one that was given up.
        """
        # What went out before the breaker last turned says nothing of how the host is now.
        if permit != self._turn:
            return False
        if self.state is State.HALF_OPEN:
            return self._tried(good, now)
        if good is not None:
            self._count(good, now)
            if not good and self._is_too_much(now):
                self._open(now)
                return True
        return False

    def stands(self, now: float) -> State:
        """How it stands: half open, too, where it only waits for the next call to be so."""
        due = self.state is State.OPEN and self.mode is Mode.AUTOMATIC and now >= self.until
        return State.HALF_OPEN if due else self.state

    def wait(self, now: float) -> float:
        """In how many seconds a call that is refused now may do better."""
        if self.mode is Mode.OPEN or self.state is not State.OPEN:
            return self._thresholds.open_for if self.mode is Mode.OPEN else 1.0
        return max(self.until - now, 0.0)

    def counted(self, now: float) -> tuple[int, int]:
        """How many calls ended within the window, and how many of them failed.

        Open, they are those that it was opened by.
        """
        if self.state is not State.CLOSED:
            return self.opened_by
        first = int(now / self._width) - _SLOTS
        slots = [slot for slot in self._slots if slot[0] > first]
        return sum(slot[1] for slot in slots), sum(slot[2] for slot in slots)

    @property
    def _width(self) -> float:
        return self._thresholds.window / _SLOTS

    def _begin(self, state: State, now: float) -> None:
        self._turn += 1
        self._trials = self._good = 0
        self.state, self.since, self.until = state, now, now
        if state is State.CLOSED or self.mode is not Mode.AUTOMATIC:
            self.opened_by = (0, 0)
            # (which tenth of a window, calls, of those failed)
            self._slots = [[-1, 0, 0] for _ in range(_SLOTS)]

    def _open(self, now: float) -> None:
        if self.state is State.CLOSED:
            self.opened_by = self.counted(now)
        wait = self._thresholds.open_for * 2 ** min(self._opened, 20)
        self._opened += 1
        self._begin(State.OPEN, now)
        self.until = now + min(wait, max(LONGEST_OPEN_SECONDS, self._thresholds.open_for))

    def _tried(self, good: bool | None, now: float) -> bool:
        self._trials -= 1
        if good is None:
            return False
        if not good:
            self._open(now)
            return True
        self._good += 1
        if self._good < self._thresholds.trials:
            return False
        self._opened = 0
        self._begin(State.CLOSED, now)
        return True

    def _count(self, good: bool, now: float) -> None:
        tenth = int(now / self._width)
        slot = self._slots[tenth % _SLOTS]
        if slot[0] != tenth:
            slot[:] = (tenth, 0, 0)
        slot[1] += 1
        slot[2] += not good

    def _is_too_much(self, now: float) -> bool:
        given = self._thresholds
        if self.mode is not Mode.AUTOMATIC or not given.percent:
            return False
        calls, failed = self.counted(now)
        return calls >= given.calls and failed * 100 >= given.percent * calls

"""Letters on their way to executions, and alarms: what a process has in memory, and loses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from services.executor.actors import Letter
from services.executor.core.events import (
    ChildEnded,
    ChildReopened,
    LetGo,
    Retried,
    Started,
    Taken,
    Terminated,
)

Addressed = tuple[str, Letter]

# What comes twice without harm, however soon: nobody counts it.
REPEATABLE = (Started, ChildEnded, Terminated, Taken)


class Post:
    """Letters by execution; those for one arrive in the order in which they were sent."""

    def __init__(self) -> None:
        self._letters: list[Addressed] = []

    def __bool__(self) -> bool:
        return bool(self._letters)

    def send(self, execution_id: str, letter: Letter) -> None:
        """It is on its way."""
        self._letters.append((execution_id, letter))

    def following(self) -> Addressed:
        """The next to arrive: whichever is the first by its words, after a crash too.

        Turns come last: after a crash it is not known when somebody was to have his.
        """
        others = [each for each in self._letters if not isinstance(each[1].event, Taken)]
        return self._took(min(_heads(others or self._letters), key=_order))

    def any(self, luck: Random) -> Addressed:
        """Another one: letters to different executions overtake each other."""
        return self._took(luck.choice([*_heads(self._letters)]))

    def joining(self, execution_id: str) -> list[Letter]:
        """What has come for it meanwhile, and may be decided together with something."""
        found: list[Addressed] = []
        for each in self._letters:
            if each[0] == execution_id:
                if not each[1].joins:
                    break
                found.append(each)
        for each in found:
            self._took(each)
        return [letter for _, letter in found]

    def of(self, kind: type) -> list[Addressed]:
        """Those with events of that type."""
        found = [each for each in self._letters if isinstance(each[1].event, kind)]
        for each in found:
            self._took(each)
        return found

    def _took(self, addressed: Addressed) -> Addressed:
        # By identity: two may say the same.
        place = next(n for n, each in enumerate(self._letters) if each is addressed)
        return self._letters.pop(place)


def _heads(letters: Iterable[Addressed]) -> Iterable[Addressed]:
    """Of each execution the letter that was sent first."""
    first: dict[str, Addressed] = {}
    for each in letters:
        first.setdefault(each[0], each)
    return first.values()


def _order(addressed: Addressed) -> tuple[int, str, str]:
    """By what it says and to whom, not by when it was sent."""
    execution_id, event = addressed[0], addressed[1].event
    return _RANKS[type(event)], execution_id, getattr(event, "task_id", "")


_RANKS: Mapping[type, int] = {
    kind: rank
    for rank, kind in enumerate(
        (type(None), Started, ChildEnded, Terminated, ChildReopened, Retried, LetGo, Taken)
    )
}


@dataclass(eq=False)
class Alarm:
    """What was to be called at a time."""

    at: datetime
    ring: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        """It is not called."""
        self.cancelled = True


class Clock:
    """The time of a life, as what waits for it sees a loop.

    Attributes:
        was_set_back: Once, at least.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.was_set_back = False
        self._jumped = 0
        self._alarms: list[Alarm] = []

    def time(self) -> float:
        """Seconds since the epoch."""
        return self.now.timestamp()

    def call_later(self, delay: float, call: Callable[..., None], *arguments: object) -> Alarm:
        """As a loop does."""
        alarm = Alarm(self.now + timedelta(seconds=delay), lambda: call(*arguments))
        self._alarms.append(alarm)
        return alarm

    def elapsed(self) -> float:
        """Seconds of a clock that nobody sets."""
        return self.time() - self._jumped

    def jump(self, seconds: int) -> None:
        """Somebody sets it, or the machine has slept."""
        self.now += timedelta(seconds=seconds)
        self._jumped += seconds
        self.was_set_back = self.was_set_back or seconds < 0

    @property
    def alarms(self) -> list[Alarm]:
        """Those that will be called, the first to come first."""
        self._alarms = [each for each in self._alarms if not each.cancelled]
        return sorted(self._alarms, key=lambda alarm: alarm.at)

    def ring(self) -> None:
        """The next alarm is called, and it is that late."""
        alarm = self.alarms[0]
        alarm.cancelled = True
        self.now = max(self.now, alarm.at)
        alarm.ring()

    def forget(self) -> None:
        """The process that wanted to be called is gone."""
        self._alarms.clear()

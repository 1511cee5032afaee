"""A kind in a test of a workflow: what its tasks would do outside, somebody has said beforehand.

Not in the table: :func:`mocked` makes kinds of those that are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from services.executor.core.events import ChildEnded, TaskUpdated
from services.executor.core.kind import Finished, Kind, Next, View, Waiting
from services.executor.core.model import Json, Task, TaskStatus
from services.executor.kinds.table import Table

# What holds others together, or only sets the course, is done as it is.
_DONE_ITSELF = frozenset(
    ("DECISION", "DO_WHILE", "DYNAMIC", "EXCLUSIVE_JOIN", "FORK_JOIN", "FORK_JOIN_DYNAMIC", "JOIN",
     "SET_VARIABLE", "SWITCH", "TERMINATE")
)  # fmt: skip
_TIMER = "mock"


@dataclass(frozen=True, slots=True)
class Mock:
    """How an attempt is to end.

    Attributes:
        after: How long it takes.
    """

    status: TaskStatus
    output: Mapping[str, Json] = field(default_factory=dict)
    after: timedelta = timedelta()


class Mocks:
    """What tasks are to come to, by reference: each attempt takes the next one.

    Args:
        given: In a loop ``ref__2`` names the task of one round, and wins over ``ref``.

    Attributes:
        missing: The refs of those that would have done something outside and had none.
    """

    def __init__(self, given: Mapping[str, Iterable[Mock]]) -> None:
        self._left = {ref: deque(mocks) for ref, mocks in given.items()}
        self._taken: dict[str, Mock] = {}
        self.missing: set[str] = set()
        self._untouched = {ref for ref, mocks in self._left.items() if mocks}

    def of(self, task: Task) -> Mock | None:
        """What an attempt takes, the same whenever it is asked; None: there is none."""
        mock = self._taken.get(task.id)
        if mock is None:
            named = task.ref if self._left.get(task.ref) else task.step
            if left := self._left.get(named):
                mock = self._taken[task.id] = left.popleft()
                self._untouched.discard(named)
        return mock

    @property
    def unused(self) -> list[str]:
        """The refs of which nothing was taken."""
        return sorted(self._untouched)


def mocked(kinds: Mapping[str, Kind], mocks: Mocks) -> Mapping[str, Kind]:
    """``kinds``, none of which does anything outside."""
    table = {
        name: kind if name in _DONE_ITSELF else Mocked(kind, mocks) for name, kind in kinds.items()
    }
    return Table(table, others=table["SIMPLE"])


class Mocked(Kind):
    """Another kind, with what its tasks come to; what has no mock waits."""

    def __init__(self, kind: Kind, mocks: Mocks) -> None:
        self._kind = kind
        self._mocks = mocks
        self.retried = kind.retried
        self.reopened = kind.reopened
        self.fails_with_its_tasks = kind.fails_with_its_tasks

    def begin(self, view: View) -> Next:
        mock = self._mocks.of(view.task)
        if mock is None:
            return self._inside(view, self._kind.begin(view))
        if mock.status is TaskStatus.IN_PROGRESS:
            return Waiting(output=dict(mock.output))
        if mock.after > timedelta():
            due = view.now + mock.after
            return Waiting(timers=((_TIMER, due),), next_at=due)
        return _finished(mock)

    def fired(self, view: View, timer: str) -> Next:
        mock = self._mocks.of(view.task) if timer == _TIMER else None
        return _finished(mock) if mock else self._inside(view, self._kind.fired(view, timer))

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        return self._inside(view, self._kind.computed(view, label, value, error))

    def joined(self, view: View) -> Next:
        return self._inside(view, self._kind.joined(view))

    def timed_out(self, view: View, reason: str) -> Finished:
        return self._kind.timed_out(view, reason)

    def updated(self, view: View, update: TaskUpdated) -> Next:
        return self._kind.updated(view, update)

    def child_ended(self, view: View, child: ChildEnded) -> Next:
        return self._kind.child_ended(view, child)

    def _inside(self, view: View, following: Next) -> Next:
        """``following`` without what it would do outside: the task waits for good."""
        outside = isinstance(following, Waiting) and (following.perform or following.queue)
        if outside:
            self._mocks.missing.add(view.task.ref)
            return Waiting()
        return following


def _finished(mock: Mock) -> Finished:
    reason = "" if mock.status.successful else "It was mocked to fail."
    return Finished(mock.status, output=dict(mock.output), reason=reason)

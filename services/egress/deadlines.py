"""Limits on whole calls, kept by one timer for all of them: one for each costs more."""

from __future__ import annotations

import asyncio
from operator import itemgetter
from types import TracebackType
from typing import Self


class Deadlines:
    """The limits that run now. The timer is set for the earliest, and is let be when that ends."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._running: set[Deadline] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0

    def within(self, seconds: float | None) -> Deadline:
        """A context that raises TimeoutError after ``seconds``; None: no limit."""
        return Deadline(self, None if seconds is None else self._loop.time() + seconds)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def begin(self, deadline: Deadline, when: float) -> None:
        self._running.add(deadline)
        if self._timer is None or when < self._next:
            self._set(when)

    def end(self, deadline: Deadline) -> None:
        self._running.discard(deadline)

    def _set(self, when: float) -> None:
        self.close()
        self._next = when
        self._timer = self._loop.call_at(when, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        limits = [(each.when, each) for each in self._running if each.when is not None]
        due = [(when, deadline) for when, deadline in limits if when <= now]
        # Several may be due where the loop was late: each in its turn.
        for _, deadline in sorted(due, key=itemgetter(0)):
            self._running.discard(deadline)
            deadline.expire()
        if len(due) < len(limits):
            self._set(min(when for when, _ in limits if when > now))


class Deadline:
    """One call's limit: as ``asyncio.timeout``, for the task that enters it."""

    __slots__ = ("_cancelling", "_expired", "_kept_by", "_task", "when")

    def __init__(self, kept_by: Deadlines, when: float | None) -> None:
        self._kept_by = kept_by
        self.when = when
        self._expired = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline is a task's")
        self._task = task
        self._cancelling = task.cancelling()
        if self.when is not None:
            self._kept_by.begin(self, self.when)
        return self

    def expire(self) -> None:
        self._expired = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self._kept_by.end(self)
        # Cancelled by another too, the task is to end.
        if (
            self._expired
            and self._task.uncancel() <= self._cancelling
            and kind is asyncio.CancelledError
        ):
            raise TimeoutError from error

"""What was done from this console: when, to what, as which command, and what came of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from tui.live.collection import Collection

MOST_ENTRIES = 1_000
MOST_RESULTS = 50


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What came of an action for one record.

    Attributes:
        detail: Where it stands, or why not.
    """

    id: str
    ok: bool
    detail: str = ""


class ActionState(StrEnum):
    """Where an action stands."""

    SENT = "SENT"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class ActionEntry:
    """One action.

    Attributes:
        id: Rises from action to action.
        at: When it was sent, UTC.
        title: E.g. ``Retry 3 executions``.
        command: The same as a command line.
        detail: What came of it: an error, or how many were done.
    """

    id: str
    at: datetime
    title: str
    command: str
    state: ActionState = ActionState.SENT
    detail: str = ""


class ActionLog:
    """The last actions, newest last."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.collection: Collection[ActionEntry] = Collection(MOST_ENTRIES)
        self._results: dict[str, Collection[ItemResult]] = {}
        self._numbers = itertools.count(1)
        self._now = now

    def sent(self, title: str, command: str) -> ActionEntry:
        """An action is on its way."""
        entry = ActionEntry(f"{next(self._numbers):06}", self._now(), title, command)
        self.collection.put([entry])
        return entry

    def results(self, entry_id: str) -> Collection[ItemResult]:
        """What came of an action for each of its records; of the oldest it is forgotten."""
        if entry_id not in self._results:
            self._results[entry_id] = Collection()
            while len(self._results) > MOST_RESULTS:
                del self._results[next(iter(self._results))]
        return self._results[entry_id]

    def done(self, entry: ActionEntry, detail: str = "") -> None:
        """The service has done it."""
        self.collection.put([replace(entry, state=ActionState.DONE, detail=detail)])

    def failed(self, entry: ActionEntry, detail: str) -> None:
        """The service has not, or not all of it."""
        self.collection.put([replace(entry, state=ActionState.FAILED, detail=detail)])

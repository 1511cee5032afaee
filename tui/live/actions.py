"""What was done from this console: when, to what, as which command, and what came of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from tui.live.collection import Collection
from tui.live.results import Results, in_all

MOST_ENTRIES = 1_000
# Of so many actions, and of so many records in all, what came of each is kept.
MOST_RESULTS = 50
MOST_RECORDS = 50_000


class ActionState(StrEnum):
    """Where an action stands."""

    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
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
        self._results: dict[str, Results] = {}
        self._numbers = itertools.count(1)
        self._now = now

    def sent(self, title: str, command: str) -> ActionEntry:
        """An action is on its way."""
        entry = ActionEntry(f"{next(self._numbers):06}", self._now(), title, command)
        self.collection.put([entry])
        return entry

    def begin(self, title: str, command: str, before: Mapping[str, Any]) -> tuple[str, Results]:
        """An action on records, which stand at ``before`` by id, is on its way.

        Returns:
            The id of its entry, and what comes of it; of the oldest actions that is forgotten.
        """
        while self._results and (
            len(self._results) >= MOST_RESULTS or in_all(self._results.values()) > MOST_RECORDS
        ):
            self._results.pop(next(iter(self._results))).let_go()
        entry = self.sent(title, command)
        self._results[entry.id] = Results(before)
        return entry.id, self._results[entry.id]

    def results(self, entry_id: str) -> Results:
        """What came of an action for each of its records; of the oldest it is forgotten."""
        return self._results.get(entry_id) or Results()

    def tell(self, entry_id: str, results: Results) -> None:
        """Say in the entry of an action how far it is."""
        entry = self.collection.get(entry_id)
        if entry is not None:
            state, detail = _standing(results)
            self.collection.put([replace(entry, state=state, detail=detail)])

    def done(self, entry: ActionEntry, detail: str = "") -> None:
        """The service has done it."""
        self.collection.put([replace(entry, state=ActionState.DONE, detail=detail)])

    def failed(self, entry: ActionEntry, detail: str) -> None:
        """The service has not, or not all of it."""
        self.collection.put([replace(entry, state=ActionState.FAILED, detail=detail)])


def _standing(results: Results) -> tuple[ActionState, str]:
    """Where an action stands by what came of its records, and that in words."""
    parts = [f"{results.done:,} of {results.count:,}"]
    if results.accepted:
        parts.append(f"{results.accepted:,} accepted")
    if results.failed:
        parts.append(f"{results.failed:,} failed: {results.first_failure}")
    if results.unanswered:
        state = ActionState.SENT
    elif results.accepted:
        state = ActionState.ACCEPTED
    else:
        state = ActionState.FAILED if results.failed else ActionState.DONE
    return state, ", ".join(parts)

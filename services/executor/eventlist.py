"""Pages of what happened to one execution."""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.executor import feed_rows
from services.executor.events import Happened, Known, What, remembered
from services.executor.loading import Loaded
from services.executor.rows import micros
from services.executor.searches import Searches
from services.executor.states import (
    EXECUTION_STATUS,
    REASON_CHARS,
    TASK_STATUS,
    poll_state,
    task_facts,
    timestamp,
)

_DEFAULT_PAGE = 200
_LARGEST_PAGE = 1000
_LONGEST_NUMBER = 18

# Of pages that were told and may be gone on from: some 20 MB.
_MOST_KEPT = 100
_MOST_TASKS_KEPT = 100_000

Place = tuple[int, int]

_KINDS = {
    What.EXECUTION: pb.EVENT_KIND_EXECUTION,
    What.TASK: pb.EVENT_KIND_TASK,
    What.POLL: pb.EVENT_KIND_POLL,
    What.PROGRESS: pb.EVENT_KIND_PROGRESS,
}


@dataclass(frozen=True, slots=True)
class Full:
    """Where a page was full.

    Attributes:
        revision: That of the first event behind it; others of the same may be on it.
        known: Where all stood before that revision.
        compacted: As the page had it.
    """

    revision: int
    known: Known
    compacted: bool


class EventList:
    """Pages of events, each of which goes on where the one before it was full.

    Where that is not known any more, what was told is looked through again.
    """

    def __init__(self, searches: Searches) -> None:
        self._searches = searches
        self._full: OrderedDict[tuple[str, str], Full] = OrderedDict()
        self._tasks = 0

    async def page(
        self, loaded: Loaded, request: pb.ListExecutionEventsRequest
    ) -> pb.ListExecutionEventsResponse:
        """The page that ``request`` asks for, of the execution as it was ``loaded``.

        Raises:
            InvalidRequest: The token is none of ours.
            DeadlineExceeded: There are too many changes to be looked through.
        """
        size = min(request.page.page_size or _DEFAULT_PAGE, _LARGEST_PAGE)
        if size < 0:
            raise InvalidRequest("page_size must not be negative.")
        token, execution_id = request.page.page_token, loaded.execution.id
        after, full = _place(token), self._full.get((execution_id, token))
        answer, full = await self._searches.read(_page, loaded, after, size, full)
        if full is not None:
            self._keep((execution_id, answer.next_page_token), full)
        return answer

    def _keep(self, page: tuple[str, str], full: Full) -> None:
        self._tasks += len(full.known.tasks)
        if (same := self._full.pop(page, None)) is not None:
            self._tasks -= len(same.known.tasks)
        self._full[page] = full
        while len(self._full) > _MOST_KEPT or self._tasks > _MOST_TASKS_KEPT:
            _, oldest = self._full.popitem(last=False)
            self._tasks -= len(oldest.known.tasks)


def _page(
    db: sqlite3.Connection, loaded: Loaded, after: Place, size: int, full: Full | None
) -> tuple[pb.ListExecutionEventsResponse, Full | None]:
    """The events behind ``after``; with them, where there are more."""
    past = _past(db, loaded, full)
    found = [each for each in past.before if each.place > after]
    behind = None
    if len(found) <= size:
        behind = _fill(found, past, after, size)
    token = ".".join(map(str, found[size - 1].place)) if behind or len(found) > size else ""
    answer = pb.ListExecutionEventsResponse(
        events=map(_event, found[:size]), next_page_token=token, compacted=past.compacted
    )
    return answer, behind


def _fill(found: list[Happened], past: _Past, after: Place, size: int) -> Full | None:
    """Put into ``found`` what fits into it; with that, where there are more; None: nowhere."""
    known = past.known
    for revision, text in past.rows:
        state = json.loads(text)
        stood = known.standing(state)
        for each in known.follow(revision, state):
            if each.place <= after:
                continue
            if len(found) == size:
                known.restore(stood)
                return Full(revision, known, past.compacted)
            found.append(each)
    return None


@dataclass(frozen=True, slots=True)
class _Past:
    """What there is to be told of.

    Attributes:
        before: What the attempts remember of the time before the changes; ``known``: where all
            stood then.
        rows: The changes, read as they are taken.
        compacted: Whether something is remembered only.
    """

    before: Sequence[Happened]
    known: Known
    rows: Iterator[tuple[int, str]]
    compacted: bool


def _past(db: sqlite3.Connection, loaded: Loaded, full: Full | None) -> _Past:
    execution = loaded.execution
    last = micros(execution.updated_at)
    if full is not None and full.revision > feed_rows.revisions(db)[1]:
        # Others may go on from there, too.
        known = Known(full.known.status, dict(full.known.tasks))
        rows = feed_rows.changes_of(db, execution.id, 0, last, since=full.revision)
        return _Past((), known, rows, full.compacted)
    # What was before a restart is told for as long as it is kept.
    first = 0 if execution.restarts else micros(execution.created_at)
    changes = feed_rows.changes_of(db, execution.id, first, last)
    row = next(changes, None)
    rows = changes if row is None else chain([row], changes)
    if row is not None and _is_all(db, row):
        return _Past((), Known(), rows, compacted=False)
    attempts = ((task, task_facts(task)) for task in loaded.attempts)
    until = float("inf") if row is None else _made_at(row)
    before, known = remembered(execution, attempts, until)
    return _Past(before, known, rows, compacted=True)


def _made_at(row: tuple[int, str]) -> int:
    at: int = json.loads(row[1])[0][5]
    return at


def _is_all(db: sqlite3.Connection, row: tuple[int, str]) -> bool:
    """Whether the changes of an execution are kept from its beginning; ``row`` is the first."""
    created_at: int = json.loads(row[1])[0][4]
    return feed_rows.kept_since(db) < created_at


def _event(happened: Happened) -> pb.ExecutionEvent:
    event = pb.ExecutionEvent(
        at=timestamp(happened.at),
        kind=_KINDS[happened.what],
        reason=happened.reason[:REASON_CHARS],
        revision=happened.place[0],
        poll=poll_state(happened.poll),
    )
    if happened.task is None:
        event.execution_from = EXECUTION_STATUS[happened.before or "UNSPECIFIED"]
        event.execution_to = EXECUTION_STATUS[happened.after]
        return event
    facts = happened.task
    event.task_id, event.ref, event.task_kind = facts[:3]
    event.attempt, event.iteration = facts[5:7]
    if happened.what is What.TASK:
        event.task_from = TASK_STATUS[happened.before or "UNSPECIFIED"]
        event.task_to = TASK_STATUS[happened.after]
    if happened.what is What.PROGRESS:
        event.progress = facts[15]
    return event


def _place(token: str) -> Place:
    if not token:
        return (-1, -1)
    revision, dot, number = token.partition(".")
    digits = revision.isdecimal() and number.isdecimal()
    if not dot or not digits or max(map(len, (revision, number))) > _LONGEST_NUMBER:
        raise InvalidRequest("page_token is none that this listing gave.")
    return int(revision), int(number)

"""Pages of what happened to one execution."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from itertools import chain, islice

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.executor import queries
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

Place = tuple[int, int]

_KINDS = {
    What.EXECUTION: pb.EVENT_KIND_EXECUTION,
    What.TASK: pb.EVENT_KIND_TASK,
    What.POLL: pb.EVENT_KIND_POLL,
    What.PROGRESS: pb.EVENT_KIND_PROGRESS,
}


async def page(
    searches: Searches, loaded: Loaded, request: pb.ListExecutionEventsRequest
) -> pb.ListExecutionEventsResponse:
    """The page that ``request`` asks for, of the execution as it was ``loaded``.

    Raises:
        InvalidRequest: The token is none of ours.
        DeadlineExceeded: There are too many changes to be looked through.
    """
    size = min(request.page.page_size or _DEFAULT_PAGE, _LARGEST_PAGE)
    if size < 0:
        raise InvalidRequest("page_size must not be negative.")
    after = _place(request.page.page_token)
    return await searches.read(_page, loaded, after, size)


def _page(
    db: sqlite3.Connection, loaded: Loaded, after: Place, size: int
) -> pb.ListExecutionEventsResponse:
    happened, compacted = _happened(db, loaded)
    found = list(islice((each for each in happened if each.place > after), size + 1))
    token = ".".join(map(str, found[size - 1].place)) if len(found) > size else ""
    return pb.ListExecutionEventsResponse(
        events=map(_event, found[:size]), next_page_token=token, compacted=compacted
    )


def _happened(db: sqlite3.Connection, loaded: Loaded) -> tuple[Iterator[Happened], bool]:
    """All events, read as they are taken, and whether the first of them are remembered only."""
    execution = loaded.execution
    created = micros(execution.created_at)
    # What was before a restart is told for as long as it is kept.
    first = 0 if execution.restarts else created
    changes = queries.changes_of(db, execution.id, first, micros(execution.updated_at))
    row = next(changes, None)
    until = float("inf") if row is None else _made_at(row)
    if row is not None and _is_all(db, row):
        return _followed(Known(), chain([row], changes)), False
    attempts = ((task, task_facts(task)) for task in loaded.attempts)
    before, known = remembered(execution, attempts, until)
    rows = changes if row is None else chain([row], changes)
    return chain(before, _followed(known, rows)), True


def _followed(known: Known, rows: Iterator[tuple[int, str]]) -> Iterator[Happened]:
    for revision, state in rows:
        yield from known.follow(revision, json.loads(state))


def _made_at(row: tuple[int, str]) -> int:
    at: int = json.loads(row[1])[0][5]
    return at


def _is_all(db: sqlite3.Connection, row: tuple[int, str]) -> bool:
    """Whether the changes of an execution are kept from its beginning; ``row`` is the first."""
    created_at: int = json.loads(row[1])[0][4]
    return queries.kept_since(db) < created_at


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

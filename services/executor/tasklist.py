"""Tasks of whichever executions, page by page."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from functools import partial

from podium.executor.v1 import executor_pb2 as pb
from services.access import EVERY, Sight
from services.executor import listed, ordering, totals
from services.executor.conditions import TASK_TABLE, condition
from services.executor.documents import value_of
from services.executor.finding import CROWD, MANY, common, crowded
from services.executor.listing import aliases, known_total, page_size, parsed, passed_over
from services.executor.ordering import Order, Place
from services.executor.queries import LAST_POLL
from services.executor.rows import Row
from services.executor.searches import Searches
from services.executor.seeing import in_sight
from services.executor.snapshots import Snapshots
from services.executor.states import EXECUTION_STATUS, REASON_CHARS, task_state, timestamp
from services.query import Query, micros
from services.query.tasks import TASKS

_LONGEST = timedelta(seconds=10)
# As states.task_facts has them, then what else is told, then the keys of the order.
_COLUMNS = f"""
    tasks.id, tasks.ref, tasks.kind, tasks.name, tasks.status, tasks.attempt, tasks.iteration,
    tasks.sequence, tasks.poll_count, tasks.scheduled_at, tasks.started_at, tasks.ended_at,
    tasks.next_at, substr(tasks.reason, 1, {REASON_CHARS}), {LAST_POLL},
    executions.id, executions.workflow, executions.version, executions.correlation_id,
    executions.status, tasks.worker_id, tasks.updated_at
"""
_SEQUENCE, _FACTS, _KEYS_FROM = 7, 15, 22
_BY_TIME = "executions.created_at"


async def page(
    searches: Searches,
    request: pb.SearchTasksRequest,
    now: datetime,
    within: timedelta = _LONGEST,
    sight: Sight = EVERY,
    snapshots: Snapshots | None = None,
) -> pb.SearchTasksResponse:
    """The page that ``request`` asks for.

    Args:
        now: What ages in the query are measured from.
        sight: The workflows of whose executions tasks are listed.
        snapshots: What documents are made with.

    Raises:
        InvalidRequest: The token is none of ours, or the query or the order makes no sense.
        TooLarge: The document of one is.
        DeadlineExceeded: To find a page of what is asked for takes too long.
    """
    size, offset = page_size(request.page.page_size), passed_over(request)
    by = partial(ordering.tasks_by, request.order_by, aliases(TASKS))
    order, before = ordering.going_on(by, request.page.page_token, micros(now))
    wanted = in_sight(parsed(request.query, TASKS), sight)
    told = snapshots if request.documents else None
    rows, documents = await searches.search(
        _told, wanted, now, before, size, order, offset, told,
        within=within, telling=told is not None,
    )  # fmt: skip
    shown = rows[: size if told is None else len(documents)]
    response = pb.SearchTasksResponse(tasks=map(_task, shown))
    for task, document in zip(response.tasks, documents, strict=False):
        task.document = document
    if len(rows) > len(shown):
        response.next_page_token = order.token(shown[-1][_KEYS_FROM:])
    if request.count_total:
        known = known_total(request, len(rows), size)
        total = known or await totals.of_tasks(searches, wanted, now)
        response.total, response.total_is_bound = total
    return response


def _told(
    db: sqlite3.Connection,
    query: Query,
    now: datetime,
    before: Place | None,
    size: int,
    order: Order,
    offset: int,
    snapshots: Snapshots | None,
) -> tuple[list[Row], list[str]]:
    """As :func:`found`, one more than ``size``, and the documents of them where they are told."""
    rows = found(db, query, now, before, size + 1, order, offset)
    if snapshots is None:
        return rows, []
    places = [(row[_FACTS], row[_SEQUENCE]) for row in rows[:size]]
    return rows, listed.task_documents(db, places, snapshots)


def found(
    db: sqlite3.Connection,
    query: Query,
    now: datetime,
    before: Place | None,
    limit: int,
    order: Order,
    offset: int = 0,
) -> list[Row]:
    """Rows of what a :class:`pb.FoundTask` says, and the keys of the order."""
    # In a join the index has no order.
    many = CROWD if order.keys[0] == _BY_TIME else MANY
    known = crowded(db, query, TASK_TABLE) | common(db, query, TASK_TABLE, many)
    sql, values = condition(query, now, known, TASK_TABLE)
    beyond, place = order.beyond(before)
    if before is not None and not order.text:
        # Keys of two tables lead into no index.
        beyond, place = f"AND executions.created_at <= ? {beyond}", (before[0], *place)
    return db.execute(
        f"SELECT {_COLUMNS}{order.columns()} FROM {TASK_TABLE.source} "
        f"WHERE {sql} {beyond}ORDER BY {order.clause()} LIMIT ? OFFSET {offset:d}",
        (*values, *place, limit),
    ).fetchall()


def _task(row: Row) -> pb.FoundTask:
    facts = list(row[:_FACTS])
    facts[14] = None if facts[14] is None else value_of(facts[14])
    execution_id, workflow, version, correlation_id, status, worker, updated_at = row[
        _FACTS:_KEYS_FROM
    ]
    return pb.FoundTask(
        task=task_state(facts),
        execution_id=execution_id,
        workflow_name=workflow,
        workflow_version=version,
        correlation_id=correlation_id,
        execution_status=EXECUTION_STATUS[status],
        worker_id=worker,
        updated_at=timestamp(updated_at),
    )

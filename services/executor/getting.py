"""One execution as `GetExecution` tells it: whole or without tasks, a page of those, its state."""

from __future__ import annotations

import asyncio
import json
import sqlite3

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest, TooLarge
from services.executor import finding, listed, loading
from services.executor.readers import Readers
from services.executor.seeing import not_there
from services.executor.showing import whole
from services.executor.snapshots import Snapshots
from services.executor.states import TASK_STATUS_NAME, execution_state, state_of
from services.rpc import MAX_MESSAGE_BYTES

_MOST_TASKS = 1000
_USUAL_TASKS = 100
# The rest of a message is states, which are short.
_MOST_BYTES = MAX_MESSAGE_BYTES - (4 << 20)
_THESE = "FROM tasks WHERE execution_id = ? AND status IN (SELECT value FROM json_each(?))"
_COUNT = f"SELECT count(*) {_THESE}"
_PLACES = f"SELECT execution_id, sequence {_THESE} ORDER BY sequence LIMIT ? OFFSET ?"


async def got(
    readers: Readers, snapshots: Snapshots, request: pb.GetExecutionRequest
) -> pb.GetExecutionResponse:
    """What is asked for of an execution that the caller may see.

    Raises:
        InvalidRequest: The page makes no sense.
        NotFound: There is no such execution.
        TooLarge: It is more than a message holds.
    """
    if request.state_only:
        told = await readers.read(_state, request)
    elif request.HasField("task_page"):
        _check(request.task_page)
        told = await readers.read(_page, request, snapshots)
    else:
        told = await _whole(readers, snapshots, request)
    if told is None:
        raise not_there(request.execution_id)
    return told


async def _whole(
    readers: Readers, snapshots: Snapshots, request: pb.GetExecutionRequest
) -> pb.GetExecutionResponse | None:
    with_tasks = not request.without_tasks
    loaded = await readers.read(_loaded, request, snapshots)
    if loaded is None:
        return None
    if not loaded.takes_long:
        return whole(loaded, with_tasks=with_tasks)
    # What is not shown weighs, too; of what is much too large nothing is written.
    if loaded.weight <= 2 * MAX_MESSAGE_BYTES:
        told = await asyncio.to_thread(whole, loaded, with_tasks=with_tasks)
        if told.ByteSize() <= MAX_MESSAGE_BYTES:
            return told
    raise TooLarge(
        "The execution is more than a message holds: ask for it without its tasks, and for those "
        "a page at a time."
    )


def _state(
    db: sqlite3.Connection, request: pb.GetExecutionRequest
) -> pb.GetExecutionResponse | None:
    row = finding.state_of_one(db, request.execution_id)
    return None if row is None else pb.GetExecutionResponse(state=execution_state(row))


def _loaded(
    db: sqlite3.Connection, request: pb.GetExecutionRequest, snapshots: Snapshots
) -> loading.Loaded | None:
    if request.without_tasks:
        return loading.load_without_tasks(db, request.execution_id, snapshots)
    return loading.load_whole(db, request.execution_id, snapshots, 2 * MAX_MESSAGE_BYTES)


def _check(page: pb.TaskPage) -> None:
    if page.start < 0 or not 0 <= page.count <= _MOST_TASKS:
        raise InvalidRequest(
            f"A page of tasks starts at 0 or later, and has at most {_MOST_TASKS:,}."
        )
    if not set(page.statuses) <= set(TASK_STATUS_NAME):
        raise InvalidRequest("A status of the page of tasks is none that there is.")


def _page(
    db: sqlite3.Connection, request: pb.GetExecutionRequest, snapshots: Snapshots
) -> pb.GetExecutionResponse | None:
    loaded = loading.load_bare(db, request.execution_id, snapshots)
    if loaded is None:
        return None
    page = request.task_page
    wanted = page.statuses or TASK_STATUS_NAME
    these = (request.execution_id, json.dumps([TASK_STATUS_NAME[each] for each in wanted]))
    (total,) = db.execute(_COUNT, these).fetchone()
    places = db.execute(_PLACES, (*these, page.count or _USUAL_TASKS, page.start)).fetchall()
    documents = listed.task_documents(db, places, snapshots, _MOST_BYTES)
    if len(documents) < len(places):
        raise TooLarge(
            f"Those {len(places)} tasks are more than a message holds: ask for "
            f"{len(documents)} at once."
        )
    return pb.GetExecutionResponse(
        state=state_of(loaded.execution, loaded.origin),
        task_documents=documents,
        task_total=total,
    )

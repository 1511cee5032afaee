"""One execution as it happens: its state, its tasks, and its document read again as it changes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.executor.v1 import executor_pb2 as pb
from services.errors import NotFound, ServiceError, Unavailable
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.sources import Source

if TYPE_CHECKING:
    from tui.clients import Clients

CALL_SECONDS = 15.0
# A document is read again at most so often, and never for more than a part of the time.
LEAST_PAUSE_SECONDS = 0.5
PAUSE_FOR_EACH_SECOND = 4.0
_OPEN = frozenset((pb.EXECUTION_STATUS_RUNNING, pb.EXECUTION_STATUS_PAUSED))


class Task(NamedTuple):
    """One attempt of a task."""

    id: str
    state: pb.TaskState


class Facts(NamedTuple):
    """What is known of the execution beside its tasks.

    Attributes:
        text: The execution as Conductor writes one, JSON text; empty: not read yet.
        document: The same as a value.
        problem: Why the document could not be read.
    """

    state: pb.ExecutionState | None = None
    text: str = ""
    document: dict[str, Any] | None = None
    problem: str = ""


async def _watch(clients: Clients, query: str, tasks: Collection[Task], line: Line) -> None:
    """Follow the execution whose id ``query`` is, until it ends; then rest until it may go on."""
    changed = asyncio.Event()
    reading = asyncio.create_task(_read_again(clients, query, tasks, changed))
    try:
        await _follow(clients, query, tasks, line, changed)
    except NotFound as error:
        # The service answers, and there is nothing to come back for; nor does it run on, where it
        # was there before: another copy of the database has it no more.
        tasks.place = None
        tasks.facts["execution"] = facts_of(tasks)._replace(state=None, problem=error.detail)
        await line.rest()
        return
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    await _read(clients, query, tasks)
    if facts_of(tasks).problem:
        # Nothing more is told of it: without its last document it is not all here.
        raise Unavailable(facts_of(tasks).problem)
    await line.rest()


async def _follow(
    clients: Clients, id_: str, tasks: Collection[Task], line: Line, changed: asyncio.Event
) -> None:
    request = pb.WatchExecutionRequest(execution_id=id_, resume=tasks.place)
    with raising_ours():
        await _take(clients.executor.WatchExecution(request), tasks, line, changed)


async def _take(
    changes: AsyncIterable[pb.WatchExecutionResponse], tasks: Collection[Task], line: Line,
    changed: asyncio.Event,
) -> None:  # fmt: skip
    async for change in changes:
        if tasks.place is None or change.compacted:
            tasks.replace({})
        tasks.place = change.resume
        facts = facts_of(tasks)
        tasks.facts["execution"] = facts._replace(state=change.execution)
        tasks.put(Task(task.task_id, task) for task in change.tasks)
        # It has no heartbeat: the list of executions, followed beside it, shows a dead line.
        line.live(_lag(change.execution), quiet=True)
        changed.set()
        if change.execution.status not in _OPEN:
            tasks.place = None
            return


def _lag(state: pb.ExecutionState) -> float | None:
    if state.status not in _OPEN:
        return None
    return time.time() - state.updated_at.seconds - state.updated_at.nanos / 1e9


async def _read_again(
    clients: Clients, id_: str, tasks: Collection[Task], changed: asyncio.Event
) -> None:
    while True:
        await changed.wait()
        changed.clear()
        began = time.monotonic()
        await _read(clients, id_, tasks)
        took = time.monotonic() - began
        await asyncio.sleep(max(LEAST_PAUSE_SECONDS, PAUSE_FOR_EACH_SECOND * took))


async def _read(clients: Clients, id_: str, tasks: Collection[Task]) -> None:
    """The document; where it cannot be had, why: the stream goes on without it."""
    request = pb.GetExecutionRequest(execution_id=id_)
    try:
        with raising_ours():
            answer = await clients.executor.GetExecution(request, timeout=CALL_SECONDS)
    except ServiceError as error:
        _problem(tasks, error)
        return
    document = await asyncio.to_thread(json.loads, answer.document)
    tasks.facts["execution"] = facts_of(tasks)._replace(
        text=answer.document, document=document, problem=""
    )


def _problem(tasks: Collection[Task], error: ServiceError) -> None:
    tasks.facts["execution"] = facts_of(tasks)._replace(problem=error.detail)


def facts_of(tasks: Collection[Task]) -> Facts:
    """What is known of the execution whose tasks these are."""
    facts: Facts = tasks.facts.get("execution", Facts())
    return facts


SOURCE: Source[Task] = Source("execution", "executor", _watch)

"""``/api/tasks``: what workers poll for, and what they say of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from podium.worker.v1 import worker_pb2 as pb
from services.edge.bodies import aside
from services.edge.call import JSON, Answer, Call
from services.edge.management.conductor.asking import Asked, as_text, asked
from services.edge.management.conductor.polled import task_text, tasks_text
from services.edge.management.conductor.task_results import read_result
from services.edge.management.page import Page
from services.edge.relay import Given, Tasks
from services.errors import NotFound

if TYPE_CHECKING:
    from services.edge.management.pages import Management

T = TypeVar("T")

_UNSTORED = (b"cache-control", b"no-store")
_HEADERS = (JSON, _UNSTORED)
_NO_CONTENT = Answer(204, b"", (_UNSTORED,))
_NONE = Answer(200, b"[]", _HEADERS)
_MOST_MILLISECONDS = 5_000
# As the executor has it.
_MOST_POLLED = 1_000


async def poll(call: Call, management: Management, task_type: str) -> Answer:
    """GET a task: 200 with one that is there, else 204."""
    request = asked(call, management)
    wanted = _wanted(request, task_type, count=1, milliseconds=0)
    return await _polled(request, wanted, _task)


async def poll_batch(call: Call, management: Management, task_type: str) -> Answer:
    """GET tasks: 200 with those that are there, or that come in time; there may be none.

    Who asks for none, as one whose hands are full may, is answered at once.
    """
    request = asked(call, management)
    query = request.query
    milliseconds = min(query.whole("timeout", 100), _MOST_MILLISECONDS)
    count = query.whole("count", 1, most=_MOST_POLLED)
    wanted = _wanted(request, task_type, count, milliseconds)
    return await _polled(request, wanted, _all)


async def _polled(
    request: Asked, wanted: pb.PollTasksRequest, answer: Callable[[Tasks], Awaitable[Answer]]
) -> Answer:
    """``answer`` with what there is."""
    cycle, relay = request.call.cycle, request.management.relay
    if request.call.method == "HEAD" or not wanted.count:
        # The answer carries no task: one would be nobody's for as long as its time lasts.
        return await answer([])
    given = await relay.poll(wanted, request.application_id, cycle)
    with relay.handing(given, cycle):
        return await answer(given.tasks)


async def _all(tasks: Tasks) -> Answer:
    if not tasks:
        return _NONE
    return Answer(200, await aside(_size(tasks), _encoded, tasks_text, tasks), _HEADERS)


def _wanted(request: Asked, task_type: str, count: int, milliseconds: int) -> pb.PollTasksRequest:
    wanted = pb.PollTasksRequest(
        task_type=task_type,
        worker_id=request.query.text("workerid"),
        domain=request.query.text("domain"),
        count=count,
    )
    wanted.timeout.FromMilliseconds(milliseconds)
    return wanted


async def update(call: Call, management: Management) -> Answer:
    """POST a TaskResult: 200 with the task's id as text; one of a task that has ended is passed.

    Raises:
        Problem: 400; 404 for an unknown task; 409 from a worker while another one has the task.
    """
    word, _ = await _said(asked(call, management), following=False)
    return as_text(word.result.task_id)


async def update_and_poll(call: Call, management: Management) -> Answer:
    """As :func:`update`; 200 with the next task for the same worker, 204 where there is none."""
    _, given = await _said(asked(call, management), following=True)
    with management.relay.handing(given, call.cycle):
        return await _task(given.tasks)


async def _said(request: Asked, *, following: bool) -> tuple[pb.UpdateTaskRequest, Given]:
    body = await request.bytes()
    word = await aside(len(body), read_result, body)
    said, relay = pb.RelayUpdate(update=word, next=following), request.management.relay
    try:
        return word, await relay.update(said, request.application_id, request.call.cycle)
    except NotFound as error:
        # Conductor's sentence, which clients may look for.
        task_id = word.result.task_id
        raise NotFound(f"Task not found for taskId: {task_id}", task_id=task_id) from error


async def _task(tasks: Tasks) -> Answer:
    if not tasks:
        return _NO_CONTENT
    return Answer(200, await aside(_size(tasks), _encoded, task_text, tasks[0]), _HEADERS)


def _size(tasks: Tasks) -> int:
    return sum(task.ByteSize() for task in tasks)


def _encoded(make: Callable[[T], str], of: T) -> bytes:
    return make(of).encode()


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/api/tasks/poll/{tasktype}", poll),
    ("GET", "/api/tasks/poll/batch/{tasktype}", poll_batch),
    ("POST", "/api/tasks", update),
    ("POST", "/api/tasks/update-v2", update_and_poll),
)

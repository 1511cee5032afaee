"""``/api/tasks``: one task by its id, what was logged for it, and how the queues stand."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from podium.worker.v1 import worker_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import (
    Asked,
    as_json,
    as_text,
    asked,
    json_text,
    nothing,
    shown,
)  # fmt: skip
from services.edge.management.conductor.fields import refused
from services.edge.management.page import Page
from services.edge.mapping import not_utf8
from services.errors import NotFound

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_NO_CONTENT = Answer(204, b"", ((b"cache-control", b"no-store"),))


async def task(call: Call, management: Management, task_id: str) -> Answer:
    """GET one attempt: 200 with a Task. Raises :class:`Problem`: 404."""
    request = asked(call, management)
    wanted = pb.GetTaskRequest(task_id=task_id)
    told = await request.ask(request.stubs.workers.GetTask, wanted)
    return json_text(told.document)


async def log(call: Call, management: Management, task_id: str) -> Answer:
    """POST a line, as text: 200 without a body. Raises :class:`Problem`: 400, 404."""
    request = asked(call, management)
    line = _line(await request.bytes())
    wanted = pb.AddTaskLogRequest(task_id=task_id, lines=[line], lenient=True)
    with _telling_of(task_id):
        await request.ask(request.stubs.workers.AddTaskLog, wanted)
    return nothing()


def _line(body: bytes) -> str:
    """What the user has logged: it is sent as JSON, as JSON without its quotes, or as it is."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise not_utf8() from None
    # What ends with a quote has lost that, too, and only its escape is left.
    for written in (text, f'"{text}"', f'"{text}""'):
        try:
            read = json.loads(written)
        except ValueError:
            continue
        if isinstance(read, str):
            text = read
            break
    if not text:
        raise refused("", "The body must be the line to log, as text")
    # Half of a pair of surrogates is no character.
    return text.encode("utf-8", "replace").decode()


async def logs(call: Call, management: Management, task_id: str) -> Answer:
    """GET what was logged, the oldest first: 200 with a list, 204 where there is nothing."""
    request = asked(call, management)
    wanted = pb.ListTaskLogsRequest(task_id=task_id)
    with _telling_of(task_id):
        told = await request.ask(request.stubs.workers.ListTaskLogs, wanted)
    lines = [
        {"log": each.line, "taskId": task_id, "createdTime": each.at.ToMilliseconds()}
        for each in told.lines
    ]
    return as_json(lines) if lines else _NO_CONTENT


@contextmanager
def _telling_of(task_id: str) -> Generator[None]:
    """Inside, what is not there is told in Conductor's sentence, which clients may look for."""
    try:
        yield
    except NotFound as error:
        raise NotFound(f"Task not found for taskId: {task_id}", task_id=task_id) from error


async def sizes(call: Call, management: Management) -> Answer:
    """GET how many tasks wait, by the types that are asked for: 0 where there is no queue."""
    request = asked(call, management)
    wanted, told = request.query.several("taskType"), await _queues(request)
    known = {each.task_type: each.size for each in told.queues if not each.domain}
    return as_json({name: known.get(name, 0) for name in wanted})


async def size(call: Call, management: Management) -> Answer:
    """GET how many tasks of one queue wait, as a number."""
    request = asked(call, management)
    query = request.query
    # As they isolate workers: the type has what tells them from others at its end.
    namespace, group = query.text("executionNamespace"), query.text("isolationGroupId")
    suffix = f"{namespace and f'@{namespace}'}{group and f'-{group}'}"
    wanted, told = (query.wanted("taskType") + suffix, query.text("domain")), await _queues(request)
    return as_json(sum(each.size for each in told.queues if _place(each) == wanted))


async def all_sizes(call: Call, management: Management) -> Answer:
    """GET how many tasks wait, by queue: ``domain:type`` where it is in a domain."""
    told = await _queues(asked(call, management))
    return await shown(told.ByteSize(), lambda: {_name(each): each.size for each in told.queues})


async def verbose(call: Call, management: Management) -> Answer:
    """GET the same with how many are at work: ``{queue: {"default": {"size", "uacked"}}}``."""
    told = await _queues(asked(call, management))
    return await shown(told.ByteSize(), lambda: {_name(each): _both(each) for each in told.queues})


async def poll_data(call: Call, management: Management) -> Answer:
    """GET which workers have asked for tasks of a type, the last first."""
    request = asked(call, management)
    wanted, told = request.query.wanted("taskType"), await _queues(request)
    queues = [each for each in told.queues if each.task_type == wanted]
    return await shown(told.ByteSize(), lambda: _seen(queues))


async def all_poll_data(call: Call, management: Management) -> Answer:
    """GET the same of all types."""
    told = await _queues(asked(call, management))
    return await shown(told.ByteSize(), lambda: _seen(told.queues))


async def requeue(call: Call, management: Management, task_type: str) -> Answer:
    """POST: 200 with how many tasks were taken from workers without a stream, as text."""
    request = asked(call, management)
    wanted = pb.RequeueTasksRequest(task_type=task_type)
    told = await request.ask(request.stubs.workers.RequeueTasks, wanted)
    return as_text(str(told.count))


async def _queues(request: Asked) -> pb.ListQueuesResponse:
    return await request.ask(request.stubs.workers.ListQueues, pb.ListQueuesRequest())


def _place(queue: pb.Queue) -> tuple[str, str]:
    return queue.task_type, queue.domain


def _both(queue: pb.Queue) -> dict[str, dict[str, int]]:
    return {"default": {"size": queue.size, "uacked": queue.running}}


def _name(queue: pb.Queue) -> str:
    return f"{queue.domain}:{queue.task_type}" if queue.domain else queue.task_type


def _seen(queues: Iterable[pb.Queue]) -> list[dict[str, object]]:
    """``PollData`` of each worker of each queue."""
    seen: list[dict[str, object]] = [
        {
            "queueName": queue.task_type,
            "domain": queue.domain or None,
            "workerId": worker.worker_id,
            "lastPollTime": worker.last_seen_at.ToMilliseconds(),
        }
        for queue in queues
        for worker in queue.workers
    ]
    return sorted(seen, key=_last_poll, reverse=True)


def _last_poll(seen: dict[str, object]) -> int:
    return int(str(seen["lastPollTime"]))


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/api/tasks/{taskId}", task),
    ("POST", "/api/tasks/{taskId}/log", log),
    ("GET", "/api/tasks/{taskId}/log", logs),
    ("GET", "/api/tasks/queue/sizes", sizes),
    ("GET", "/api/tasks/queue/size", size),
    ("GET", "/api/tasks/queue/all", all_sizes),
    ("GET", "/api/tasks/queue/all/verbose", verbose),
    ("GET", "/api/tasks/queue/polldata", poll_data),
    ("GET", "/api/tasks/queue/polldata/all", all_poll_data),
    ("POST", "/api/tasks/queue/requeue/{taskType}", requeue),
)

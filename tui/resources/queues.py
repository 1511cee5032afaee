"""Queues: who waits for workers, by task type, and how long."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from podium.worker.v1 import worker_pb2 as pb
from services.errors import ServiceError
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.polling import CALL_SECONDS, Reading, polled
from tui.live.sources import Source
from tui.resources.model import Action, Cell, Column, Danger, ItemResult, Opening, Resource, Tab
from tui.views.addresses import Address
from tui.views.queues import Queue, queues
from tui.views.standing import left
from tui.views.task_queries import of_queue

if TYPE_CHECKING:
    from tui.clients import Clients

EVERY_SECONDS = 1.0


async def _read(clients: Clients, query: str, known: Collection[Any]) -> Reading:
    told = await clients.workers.ListQueues(pb.ListQueuesRequest(), timeout=CALL_SECONDS)
    return Reading(queues(told), {})


SOURCE: Source[Queue] = polled("queues", "executor", _read, EVERY_SECONDS)


async def _requeue(
    clients: Clients, rows: Sequence[Queue], answers: Mapping[str, str]
) -> AsyncIterator[ItemResult]:
    for row in rows:
        request = pb.RequeueTasksRequest(task_type=row.type, domain=row.domain)
        try:
            with raising_ours():
                told = await clients.workers.RequeueTasks(request, timeout=CALL_SECONDS)
        except ServiceError as error:
            yield ItemResult(row.id, False, error.detail)
        else:
            yield ItemResult(row.id, True, f"{told.count:,} put back")


def _command(rows: Sequence[Queue], answers: Mapping[str, str]) -> str:
    return " && ".join(
        shlex.join(["podium", "requeue", f"--domain={row.domain}", "--", row.type]) for row in rows
    )


REQUEUE: Action[Queue] = Action(
    "queues.requeue", "r", "Requeue", "Put back what workers have that are gone.",
    _requeue, _command, applies=lambda row: row.running > 0,
    effect=lambda rows: "Tasks of workers that are not connected go to others.",
    danger=Danger.ASKS,
)  # fmt: skip


def _size(row: Queue, now: float) -> Cell:
    waits = row.size and not row.active
    return Cell(f"{row.size:,}", "warning" if waits else "text" if row.size else "muted")


def _oldest(row: Queue, now: float) -> Cell:
    return Cell(left(now - row.oldest) if row.oldest is not None else "", "muted")


def _seen(row: Queue, now: float) -> Cell:
    if row.connected:
        return Cell("now", "success")
    seen = left(now - row.seen) if row.seen is not None else "never"
    return Cell(seen, "success" if row.active else "warning")


def _tasks(row: Queue) -> Address:
    return Address("task-runs", query=of_queue(row.type))


RESOURCE: Resource[Queue] = Resource(
    name="queues",
    aliases=("queue",),
    title="Queues",
    help="""\
## Queues

Tasks that wait for workers, by type and domain: how many, since when, how many are at work, and
whether anybody comes for them. WORKERS are those that are connected or have polled within ten
seconds; those that are too busy to ask are seen by RUNNING. `o` lists its tasks, `r` puts back what
workers have that are gone. Read once a second.
""",
    columns=(
        Column("queue", "QUEUE", 18, lambda row, _: Cell(row.id), lambda row: row.id, flex=3,
               priority=9),
        Column("size", "WAITING", 8, _size, lambda row: row.size, priority=9, right=True),
        Column("oldest", "OLDEST", 8, _oldest, lambda row: -(row.oldest or 0.0), priority=7,
               right=True, ticks=True),
        Column("running", "RUNNING", 8, lambda row, _: Cell(f"{row.running:,}"),
               lambda row: row.running, priority=8, right=True),
        Column("workers", "WORKERS", 8, lambda row, _: Cell(f"{row.active:,}"),
               lambda row: row.active, priority=8, right=True),
        Column("seen", "SEEN", 8, _seen, lambda row: row.seen or 0.0, priority=6, right=True,
               ticks=True),
    ),
    source=SOURCE,
    fields={"type": lambda row: row.type, "domain": lambda row: row.domain},
    text=lambda row: row.id,
    tabs=(Tab("json", "JSON", "record-json"),),
    openings=(
        Opening("queues.tasks", "o", "Tasks", "Its tasks that wait or are at work.", leads=_tasks),
    ),
    actions=(REQUEUE,),
    sort="size",
    reverse=True,
)  # fmt: skip

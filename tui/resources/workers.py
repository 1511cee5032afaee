"""Workers: who does tasks, which, and how many they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from podium.worker.v1 import worker_pb2 as pb
from tui.live.collection import Collection
from tui.live.polling import CALL_SECONDS, Reading, polled
from tui.live.sources import Source
from tui.resources.model import Cell, Column, Opening, Resource, Tab
from tui.views.addresses import Address
from tui.views.queues import Worker, workers
from tui.views.standing import left
from tui.views.task_queries import of_worker

if TYPE_CHECKING:
    from tui.clients import Clients

EVERY_SECONDS = 1.0


async def _read(clients: Clients, query: str, known: Collection[Any]) -> Reading:
    told = await clients.workers.ListQueues(pb.ListQueuesRequest(), timeout=CALL_SECONDS)
    return Reading(workers(told), {})


SOURCE: Source[Worker] = polled("workers", "executor", _read, EVERY_SECONDS)


def _seen(row: Worker, now: float) -> Cell:
    seen = "now" if row.connected else left(now - row.seen)
    return Cell(seen, "success" if row.active else "muted")


def _tasks(row: Worker) -> Address:
    return Address("task-runs", query=of_worker(str(row.document["workerId"])))


RESOURCE: Resource[Worker] = Resource(
    name="workers",
    aliases=("worker",),
    title="Workers",
    help="""\
## Workers

Those that have done tasks, or asked for some: for which queues, how many they have, and when they
were last heard of. `o` lists the tasks that one has. Read once a second.
""",
    columns=(
        Column("worker", "WORKER", 20, lambda row, _: Cell(row.id), lambda row: row.id, flex=3,
               priority=9),
        Column("queues", "QUEUES", 18, lambda row, _: Cell(" ".join(row.types), "muted"),
               lambda row: row.types, flex=3, priority=7),
        Column("running", "RUNNING", 8, lambda row, _: Cell(f"{row.running:,}"),
               lambda row: row.running, priority=8, right=True),
        Column("seen", "SEEN", 8, _seen, lambda row: row.seen, priority=8, right=True, ticks=True),
    ),
    source=SOURCE,
    fields={"worker": lambda row: row.id, "queue": lambda row: " ".join(row.types)},
    text=lambda row: f"{row.id} {' '.join(row.types)}",
    tabs=(Tab("json", "JSON", "record-json"),),
    openings=(
        Opening("workers.tasks", "o", "Tasks", "The tasks that it has, and has had.",
                leads=_tasks),
    ),
    sort="worker",
)  # fmt: skip

"""Queues of workers, and those who work, as an operator reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from podium.worker.v1 import worker_pb2 as pb
from tui.views.durations import age, iso
from tui.views.tables import table
from tui.views.visible import in_one_line


class Queue(NamedTuple):
    """A queue. Times are epoch seconds.

    Attributes:
        oldest: Since when its first task waits; None: it is empty.
        active: How many workers have their stream open, or have polled within ten seconds.
        connected: Whether the stream of one is open, or a poll waits, at this moment.
        seen: When the last of its workers was heard of; None: none was.
    """

    id: str
    type: str
    domain: str
    size: int
    oldest: float | None
    running: int
    active: int
    connected: bool
    seen: float | None
    document: Mapping[str, Any]


class Worker(NamedTuple):
    """A worker; a row for all queues that it works for."""

    id: str
    types: tuple[str, ...]
    active: bool
    connected: bool
    running: int
    seen: float
    document: Mapping[str, Any]


def name_of(queue: pb.Queue) -> str:
    """As people write it: the type, with its domain before it.

    One without a domain whose type has a colon begins with one: it is no other's domain.
    """
    apart = queue.domain or ":" in queue.task_type
    return f"{queue.domain}:{queue.task_type}" if apart else queue.task_type


def queues(told: pb.ListQueuesResponse) -> list[Queue]:
    """A row for each."""
    return [_queue(each) for each in told.queues]


def _queue(each: pb.Queue) -> Queue:
    seen = [_at(worker.last_seen_at) for worker in each.workers]
    return Queue(
        id=name_of(each),
        type=each.task_type,
        domain=each.domain,
        size=each.size,
        oldest=_at(each.oldest_at) if each.HasField("oldest_at") else None,
        running=each.running,
        active=sum(worker.active for worker in each.workers),
        connected=any(worker.connected for worker in each.workers),
        seen=max(seen, default=None),
        document=document(each),
    )


def workers(told: pb.ListQueuesResponse) -> list[Worker]:
    """A row for each, in order of their ids."""
    found: dict[str, list[tuple[str, pb.Worker]]] = {}
    for queue in told.queues:
        for worker in queue.workers:
            found.setdefault(worker.worker_id, []).append((name_of(queue), worker))
    return [_worker(id, each) for id, each in sorted(found.items())]


def _worker(id: str, at: Sequence[tuple[str, pb.Worker]]) -> Worker:
    last = max((worker.last_seen_at for _, worker in at), key=_at)
    row = Worker(
        id=id or "(no id)",
        types=tuple(name for name, _ in at),
        active=any(worker.active for _, worker in at),
        connected=any(worker.connected for _, worker in at),
        running=sum(worker.running for _, worker in at),
        seen=_at(last),
        document={},
    )
    told = {"workerId": id, "queues": list(row.types), "connected": row.connected,
            "active": row.active, "running": row.running,
            "lastSeenAt": iso(last.ToDatetime(UTC))}  # fmt: skip
    return row._replace(document=told)


def document(queue: pb.Queue) -> dict[str, Any]:
    """A queue as data."""
    told: dict[str, Any] = {
        "taskType": queue.task_type,
        "domain": queue.domain or None,
        "size": queue.size,
        "oldestAt": iso(queue.oldest_at.ToDatetime(UTC)) if queue.HasField("oldest_at") else None,
        "running": queue.running,
        "workers": [
            {
                "workerId": each.worker_id,
                "connected": each.connected,
                "active": each.active,
                "running": each.running,
                "lastSeenAt": iso(each.last_seen_at.ToDatetime(UTC)),
            }
            for each in queue.workers
        ],
    }
    return {name: value for name, value in told.items() if value is not None}


def no_queue(type_: str) -> str:
    """That there is no queue of a type or name, or none at all where ``type_`` is empty."""
    if type_:
        return (
            f"There is no queue '{in_one_line(type_)}': no such task waits for a worker, and none "
            "was asked for by one."
        )
    return "There are no queues: no task waits for a worker, and none was seen."


def queue_lines(rows: Iterable[Queue], now: float) -> Iterator[str]:
    """A head, and a line for each queue."""
    head = ("QUEUE", "WAITING", "OLDEST", "RUNNING", "WORKERS", "LAST SEEN")
    yield from table([head, *(_queue_cells(row, now) for row in rows)])


def _queue_cells(row: Queue, now: float) -> Sequence[str]:
    oldest = age(now - row.oldest) if row.oldest is not None else "-"
    seen = "now" if row.connected else age(now - row.seen) if row.seen is not None else "never"
    return (
        in_one_line(row.id), f"{row.size:,}", oldest, f"{row.running:,}", f"{row.active:,}", seen
    )  # fmt: skip


def worker_lines(rows: Iterable[Worker], now: float) -> Iterator[str]:
    """A head, and a line for each worker."""
    head = ("WORKER", "QUEUES", "RUNNING", "LAST SEEN")
    yield from table([head, *(_worker_cells(row, now) for row in rows)])


def _worker_cells(row: Worker, now: float) -> Sequence[str]:
    seen = "now" if row.connected else age(now - row.seen)
    return in_one_line(row.id), in_one_line(" ".join(row.types)), f"{row.running:,}", seen


def _at(stamp: Timestamp) -> float:
    return stamp.ToNanoseconds() / 1e9

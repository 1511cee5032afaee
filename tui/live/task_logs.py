"""What was logged for one attempt of a task: read again and again while that goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from podium.worker.v1 import worker_pb2 as pb
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.polling import CALL_SECONDS, READ_AT
from tui.live.sources import Source
from tui.views.task_log import KEPT

if TYPE_CHECKING:
    from tui.clients import Clients

EVERY_SECONDS = 1.0
# The service looks through the whole execution for it: most of the time belongs to others.
PAUSE_FOR_EACH_SECOND = 4.0
MOST = 2 * KEPT
_ENDED = "ended"


class LogLine(NamedTuple):
    """One line; ``at`` is when the executor heard of it, in epoch seconds."""

    id: str
    at: float
    line: str


def log_query(execution_id: str, task_id: str, *, ended: bool) -> str:
    """Which log is meant: that of an attempt that has ended is read once."""
    return "/".join((execution_id, task_id, *((_ENDED,) if ended else ())))


async def _watch(clients: Clients, query: str, lines: Collection[LogLine], line: Line) -> None:
    execution_id, task_id, *ended = query.split("/")
    request = pb.ListTaskLogsRequest(execution_id=execution_id, task_id=task_id)
    while True:
        began = time.monotonic()
        with raising_ours():
            told = await clients.workers.ListTaskLogs(request, timeout=CALL_SECONDS)
        took = time.monotonic() - began
        lines.facts[READ_AT] = time.time()
        lines.replace({each.id: each for each in _lines(told)})
        await line.rest(None if ended else max(EVERY_SECONDS, PAUSE_FOR_EACH_SECOND * took))


def _lines(told: pb.ListTaskLogsResponse) -> list[LogLine]:
    return [
        LogLine(str(number), each.at.ToNanoseconds() / 1e9, each.line)
        for number, each in enumerate(told.lines)
    ]


SOURCE: Source[LogLine] = Source("task-log", "executor", _watch, most=MOST, every=EVERY_SECONDS)

"""Tasks of all executions: searched again and again while they are shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from podium.common.v1 import page_pb2
from podium.executor.v1 import executor_pb2 as pb
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.polling import READ_AT
from tui.live.sources import Source, Watch
from tui.views.found_tasks import FoundTask, found_task

if TYPE_CHECKING:
    from tui.clients import Clients

MOST = 1_000
PAGE = 500
EVERY_SECONDS = 2.0
# A search may take all of the service's time for one: most of it belongs to others.
PAUSE_FOR_EACH_SECOND = 9.0
CALL_SECONDS = 15.0


async def _search(clients: Clients, query: str, rows: Collection[FoundTask]) -> None:
    """Take in the newest :data:`MOST` that match, and how many there are."""
    request = pb.SearchTasksRequest(
        page=page_pb2.PageRequest(page_size=PAGE), query=query, count_total=True
    )
    found: list[FoundTask] = []
    while True:
        with raising_ours():
            told = await clients.executor.SearchTasks(request, timeout=CALL_SECONDS)
        found += map(found_task, told.tasks)
        if request.count_total:
            rows.facts["total"] = (told.total, told.total_is_bound)
        if not told.next_page_token or len(found) >= MOST:
            break
        request.page.page_token, request.count_total = told.next_page_token, False
    rows.replace({row.id: row for row in found})
    rows.facts[READ_AT] = time.time()


def _searched(query_of: Callable[[str], str]) -> Watch:
    async def watch(clients: Clients, query: str, rows: Collection[Any], line: Line) -> None:
        while True:
            began = time.monotonic()
            await _search(clients, query_of(query), rows)
            took = time.monotonic() - began
            await line.rest(max(EVERY_SECONDS, PAUSE_FOR_EACH_SECOND * took))

    return watch


SOURCE: Source[FoundTask] = Source(
    "found-tasks", "executor", _searched(lambda query: query),
    most=MOST + PAGE, takes_query=True, asks_all=True, every=EVERY_SECONDS,
)  # fmt: skip
# The query is the id of one.
ONE: Source[FoundTask] = Source(
    "found-task", "executor", _searched(lambda id_: f'id:"{id_}"'), every=EVERY_SECONDS
)

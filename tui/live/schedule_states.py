"""How schedules stand beside their definitions: read every few seconds, from the executor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection as Many
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.common.v1 import page_pb2
from podium.executor.v1 import schedules_pb2 as pb
from services.errors import ServiceError
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.polling import CALL_SECONDS
from tui.live.sources import Watch

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from tui.clients import Clients

EVERY_SECONDS = 3.0
# Of more of them it is not told.
MOST = 1_000
_STATES = "schedule states"
UNKNOWN = "why schedule states are not known"


class ScheduleState(NamedTuple):
    """When a schedule comes next, and what its last run came to; None: never. Epoch seconds.

    Attributes:
        outcome: Of the last run, in a word: ``STARTED``.
    """

    next_at: float | None
    last_at: float | None
    outcome: str


def with_states(definitions: Watch, outcome: Callable[[pb.ScheduleRun], str]) -> Watch:
    """Follows ``definitions``, whose rows have a field ``beside``, and puts their states there.

    While the executor is away rows have the states that were known.
    """

    async def watch(clients: Clients, query: str, rows: Collection[Any], line: Line) -> None:
        def fill(ids: Many[str]) -> None:
            states = rows.facts.get(_STATES, {})
            found = [(rows.get(id_), states.get(id_)) for id_ in ids]
            # What is put here is heard of again, and then it is as it should be.
            rows.put(
                row._replace(beside=state)
                for row, state in found
                if row is not None and state is not None and row.beside != state
            )

        with rows.heard_by(fill):
            reading = asyncio.create_task(_read_again(clients, rows, fill, outcome))
            try:
                await definitions(clients, query, rows, line)
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    return watch


async def _read_again(
    clients: Clients, rows: Collection[Any], fill: Callable[[Many[str]], None],
    outcome: Callable[[pb.ScheduleRun], str],
) -> None:  # fmt: skip
    request = pb.ListSchedulesRequest(page=page_pb2.PageRequest(page_size=MOST), next_runs=1)
    while True:
        try:
            with raising_ours():
                told = await clients.executor.ListSchedules(request, timeout=CALL_SECONDS)
        except ServiceError as error:
            # The list is the registry's: it goes on with what was known.
            rows.facts[UNKNOWN] = error.detail
        else:
            rows.facts[UNKNOWN] = ""
            rows.facts[_STATES] = {each.name: _state(each, outcome) for each in told.schedules}
            fill(list(rows.records))
        await asyncio.sleep(EVERY_SECONDS)


def _state(told: pb.ScheduleState, outcome: Callable[[pb.ScheduleRun], str]) -> ScheduleState:
    last = told.last_run if told.HasField("last_run") else None
    return ScheduleState(
        _at(told.next_runs[0]) if told.next_runs else None,
        _at(last.scheduled_at) if last is not None else None,
        outcome(last) if last is not None else "",
    )


def _at(stamp: Timestamp) -> float:
    return stamp.ToNanoseconds() / 1e9

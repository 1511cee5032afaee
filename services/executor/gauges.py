"""The engine's figures as messages: what it did, and how it stands this moment."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.executor.metrics.history import FIVES, MINUTES, SECONDS, Span
from services.executor.runtime import Runtime
from services.executor.states import EXECUTION_STATUS, timestamp
from services.latency import Buckets, quantile

_MOST_HOSTS = 10
# To count what there may be millions of is not done once for each who watches.
_SHARED_SECONDS = 0.5
_LENGTHS: Mapping[int, int] = {pb.ENGINE_HISTORY_TEN_MINUTES: FIVES, pb.ENGINE_HISTORY_DAY: MINUTES}


class Gauges:
    """Answers those who ask for figures."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._history = runtime.metering.history
        # By length of span, then by start: what was told of it. A span that is over stays as it is.
        self._told: dict[int, dict[int, tuple[Span, pb.EngineFigures]]] = {}
        self._stored: asyncio.Future[tuple[int, int, int]] | None = None
        self._stored_at = 0.0

    async def read(self, request: pb.GetEngineMetricsRequest) -> pb.GetEngineMetricsResponse:
        """Raises :class:`InvalidRequest` for a history that there is none of."""
        return pb.GetEngineMetricsResponse(
            history=self._past(request.history),
            recent=figures(self._history.recent(int(time.time()))),
            state=await self._state(),
        )

    async def watch(
        self, request: pb.WatchEngineMetricsRequest
    ) -> AsyncIterator[pb.WatchEngineMetricsResponse]:
        """As :meth:`read`, every second until the executor drains."""
        past = self._past(request.history)
        while not self._runtime.draining:
            spans = self._history.spans(SECONDS, int(time.time()))
            last = figures(spans[-1]) if spans else None
            state = await self._state()
            yield pb.WatchEngineMetricsResponse(state=state, last=last, history=past)
            past = []
            await self._runtime.metering.turned()

    def _past(self, history: int) -> list[pb.EngineFigures]:
        if history == pb.ENGINE_HISTORY_UNSPECIFIED:
            return []
        if history not in _LENGTHS:
            raise InvalidRequest("history is none that there is.")
        length = _LENGTHS[history]
        spans = self._history.spans(length, int(time.time()))
        before, told = self._told.get(length, {}), {}
        for span in spans:
            known = before.get(span.start)
            # One that goes on is another one every second.
            is_same = known is not None and known[0] is span
            told[span.start] = known if known and is_same else (span, figures(span))
        self._told[length] = told
        return [message for _, message in told.values()]

    async def _state(self) -> pb.EngineState:
        runtime = self._runtime
        timers, size, log = await self._read()
        lanes, scripts = runtime.performing.lanes, runtime.scripts.load
        return pb.EngineState(
            at=timestamp(time.time_ns() // 1000),
            counts=[
                pb.StatusCount(status=EXECUTION_STATUS[status], count=count)
                for status, count in runtime.tally.counts().items()
            ],
            active=runtime.engine.active,
            units_waiting=runtime.store.writer.outstanding,
            calls_under_way=lanes.under_way,
            calls_waiting=lanes.waiting,
            # A URI may have a password before the host.
            hosts=[
                pb.HostCalls(host=host.rpartition("@")[2], under_way=under_way, waiting=waiting)
                for host, under_way, waiting in lanes.busiest(_MOST_HOSTS)
            ],
            timers=timers,
            script_workers=scripts.workers,
            scripts_running=scripts.running,
            scripts_waiting=scripts.waiting,
            script_workers_replaced=scripts.replaced,
            database_bytes=size,
            log_bytes=log,
        )

    async def _read(self) -> tuple[int, int, int]:
        """As :func:`_stored`, read once for all who ask within half a second."""
        clock = asyncio.get_running_loop().time()
        old = clock - self._stored_at >= _SHARED_SECONDS
        if self._stored is None or (old and self._stored.done()):
            self._stored = self._runtime.store.readers.read(_stored)
            self._stored_at = clock
        # Whoever leaves, leaves it to the others.
        return await asyncio.shield(self._stored)


def _stored(db: sqlite3.Connection) -> tuple[int, int, int]:
    """How many timers there are, and the bytes of the database and of its log."""
    timers = db.execute("SELECT count(*) FROM timers").fetchone()[0]
    path = db.execute("PRAGMA database_list").fetchone()[2]
    return timers, _size(path), _size(f"{path}-wal")


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except FileNotFoundError:
        return 0


def figures(span: Span) -> pb.EngineFigures:
    """The message of what was counted in a time."""
    counted = span.counter
    commit = partial(_milliseconds, counted.commit_buckets, counted.commit_longest)
    return pb.EngineFigures(
        start=timestamp(span.start * 1_000_000),
        seconds=span.seconds,
        started=counted.started,
        ended=[
            pb.StatusCount(status=EXECUTION_STATUS[status], count=count)
            for status, count in sorted(counted.ended.items())
        ],
        tasks=[pb.KindCount(kind=kind, count=n) for kind, n in sorted(counted.tasks.items())],
        decisions=counted.decisions,
        commits=counted.commits,
        units=counted.units,
        commit_p50_ms=commit(0.5),
        commit_p95_ms=commit(0.95),
        commit_p99_ms=commit(0.99),
        commit_max_ms=1000 * counted.commit_longest,
        lag_p95_ms=_milliseconds(counted.lag_buckets, counted.lag_longest, 0.95),
        lag_max_ms=1000 * counted.lag_longest,
    )


def _milliseconds(buckets: Buckets, longest: float, share: float) -> float:
    """What ``share`` of all took at most: never more than the longest, however wide its bucket."""
    return 1000 * min(quantile(buckets, share), longest)

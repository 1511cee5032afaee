"""The RPCs about metrics: what was asked for, in whole minutes of the last day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from datetime import UTC

from google.protobuf.timestamp_pb2 import Timestamp

from podium.edge.v1 import edge_pb2 as pb
from services.access import EVERY, Sight
from services.edge.auth.model import AuthConfig
from services.edge.definitions import Definitions
from services.edge.metrics.history import MINUTES, Query
from services.edge.metrics.keeping import Metrics
from services.edge.metrics.report import GROUPINGS, MINUTE_SECONDS, report
from services.errors import InvalidRequest, NotFound, Overloaded

WATCH_SECONDS = 2.0
# Whoever may see other services is told of them by then.
_LOOK_SECONDS = 0.5
_MOST_WATCHERS = 32
_ROWS = 1_000
_MOST_ROWS = 10_000
_WATCHED_SECONDS = 3600.0
_DAY_SECONDS = float(MINUTES * MINUTE_SECONDS)


class Reporting:
    """Answers what is asked of metrics.

    Args:
        now: Seconds since 1970.
        watch_seconds: Between two looks for those who watch.
        issued: Names of the keys that issuers sign the tokens of an auth with.
    """

    def __init__(
        self,
        metrics: Metrics,
        definitions: Definitions,
        now: Callable[[], float],
        watch_seconds: float = WATCH_SECONDS,
        issued: Callable[[AuthConfig], Iterable[str]] = lambda config: (),
    ) -> None:
        self._metrics = metrics
        self._definitions = definitions
        self._now = now
        self._watch_seconds = watch_seconds
        self._issued = issued
        self._watchers = 0

    async def get(
        self, request: pb.GetGatewayMetricsRequest, sight: Sight = EVERY
    ) -> pb.GatewayMetricsReport:
        """Of a period of the last day, and of the services in sight.

        Raises:
            InvalidRequest: It ends before it begins, or the limit or the grouping is none.
        """
        now = self._now()
        begin = _seconds(request, "start_time", now - _DAY_SECONDS)
        end = _seconds(request, "end_time", now)
        if end < begin:
            raise InvalidRequest("The period ends before it begins: end_time is before start_time.")
        return await self._report(request.query, begin, end, sight)

    async def watch(
        self,
        request: pb.WatchGatewayMetricsRequest,
        look: Callable[[], Sight] = lambda: EVERY,
    ) -> AsyncGenerator[pb.GatewayMetricsReport]:
        """Of a period up to now, again and again.

        Args:
            look: The services that are told of at that moment; raises where that are none.

        Raises:
            InvalidRequest: The period is not within a day, or as :meth:`get`.
            Overloaded: Too many watch.
        """
        seconds = _WATCHED_SECONDS
        if request.HasField("period"):
            seconds = request.period.seconds + request.period.nanos / 1e9
        if not 0 < seconds <= _DAY_SECONDS:
            raise InvalidRequest("The period must be more than 0 and at most 24 hours.")
        if self._watchers >= _MOST_WATCHERS:
            raise Overloaded(f"Metrics are watched by {_MOST_WATCHERS} already.")
        self._watchers += 1
        try:
            while True:
                seen, now, sight = self._metrics.state, self._now(), look()
                report_ = await self._report(request.query, now - seconds, now, sight)
                if look() != sight:
                    continue
                yield report_
                await self._changed(seen, sight, look)
        finally:
            self._watchers -= 1

    async def _changed(
        self, seen: tuple[int, int], sight: Sight, look: Callable[[], Sight]
    ) -> None:
        """Looked for now and then: to be woken by every request would cost each of them."""
        looked = 0.0
        while True:
            await asyncio.sleep(min(self._watch_seconds, _LOOK_SECONDS))
            looked += _LOOK_SECONDS
            if look() != sight:
                return
            if looked >= self._watch_seconds and self._metrics.state != seen:
                return

    async def _report(
        self, asked: pb.GatewayMetricsQuery, begin: float, end: float, sight: Sight
    ) -> pb.GatewayMetricsReport:
        if asked.group_by not in GROUPINGS:
            raise InvalidRequest(f"group_by has no value {asked.group_by}.")
        if not 0 <= asked.limit <= _MOST_ROWS:
            raise InvalidRequest(f"limit must be from 0 to {_MOST_ROWS:,}.")
        newest = self._metrics.minute
        first = max(int(begin // MINUTE_SECONDS), newest - MINUTES + 1)
        last = min(int(end // MINUTE_SECONDS), newest)
        query = Query(
            first,
            last,
            service=asked.service_id if asked.HasField("service_id") else None,
            method=asked.method.upper() if asked.HasField("method") else None,
            path=asked.path if asked.HasField("path") else None,
            principal=asked.principal if asked.HasField("principal") else None,
            by=GROUPINGS[asked.group_by],
            services=sight.names,
        )
        sums = await self._metrics.sums(query)
        return report(query, sums, self._now(), asked.limit or _ROWS)

    async def key_use(self, auth_id: str) -> list[pb.KeyUse]:
        """When the keys of an auth were last used.

        Raises:
            NotFound: There is no such auth.
        """
        config = self._definitions.auth(auth_id)
        if config is None:
            raise NotFound(f"There is no auth {auth_id!r}.", auth=auth_id)
        told = []
        names = {key.name for key in config.keys.values()}
        for name in sorted(names.union(self._issued(config))):
            use = pb.KeyUse(name=name)
            if (used := await self._metrics.last_used(auth_id, name)) is not None:
                use.last_used_at.FromMicroseconds(int(used * 1e6))
            told.append(use)
        return told


def _seconds(request: pb.GetGatewayMetricsRequest, field: str, without: float) -> float:
    if not request.HasField(field):  # type: ignore[arg-type]
        return without
    moment: Timestamp = getattr(request, field)
    try:
        return moment.ToDatetime(UTC).timestamp()
    except ValueError:
        raise InvalidRequest(f"{field} is no moment.") from None

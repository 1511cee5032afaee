"""What the gateway answers: by the minute for charts, and added up by service, route or key."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.edge.v1 import edge_pb2 as pb
from services.errors import InvalidRequest
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.polling import CALL_SECONDS, Reading, polled
from tui.live.sources import Source
from tui.views.traffic import DAY_MINUTES, MINUTE, Minute, Scope, errors_of, minute_of, scope_of

if TYPE_CHECKING:
    from tui.clients import Clients

EVERY_SECONDS = 2.0
MOST_GROUPS = 1_000
# A request is counted when it is answered: the minute before may still have changed.
OVERLAP_SECONDS = 2 * MINUTE
TOTAL = "total"
# When what was read ends, by the edge's clock, in epoch seconds; and how far that is before ours.
END, AHEAD = "end", "ahead"
BY = {
    "service": pb.GATEWAY_METRICS_GROUPING_SERVICE,
    "route": pb.GATEWAY_METRICS_GROUPING_ROUTE,
    "key": pb.GATEWAY_METRICS_GROUPING_KEY,
}


async def _read(clients: Clients, query: str, known: Collection[Minute]) -> Reading:
    """The last 24 hours of the scope that ``query`` is; after the first time only what is new."""
    request = pb.GetGatewayMetricsRequest(
        query=scope_of(query).query(pb.GATEWAY_METRICS_GROUPING_MINUTE)
    )
    if (end := known.facts.get(END)) is not None:
        request.start_time.FromDatetime(datetime.fromtimestamp(end - OVERLAP_SECONDS, UTC))
    try:
        with raising_ours():
            answer = await clients.edge.GetGatewayMetrics(request, timeout=CALL_SECONDS)
    except InvalidRequest:
        if known.facts.pop(END, None) is None:
            raise
        # Its clock was put back behind what was read: all is read again.
        return await _read(clients, query, known)
    report = answer.report
    news = [minute_of(row) for row in report.rows]
    end = report.end_time.ToNanoseconds() / 1e9
    oldest, newest = end - DAY_MINUTES * MINUTE, report.start_time.seconds
    kept = [each for each in known.records.values() if oldest <= each.at < newest]
    return Reading([*kept, *news], {END: end, AHEAD: end - time.time()})


MINUTES: Source[Minute] = polled("traffic by minute", "edge", _read, EVERY_SECONDS)


class Group(NamedTuple):
    """A service, a route or a key, and what was answered of it within a period.

    Attributes:
        success: From 0 to 1; None: no execution ended.
    """

    id: str
    scope: Scope
    requests: int
    rate: float
    success: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    errors: int
    codes: tuple[tuple[str, int], ...]
    hits: int
    limited: int


def group_of(id_: str, scope: Scope, metrics: pb.GatewayMetrics) -> Group:
    """The row of what was counted."""
    some, ended = metrics.requests > 0, metrics.executions
    return Group(
        id_, scope, metrics.requests, metrics.requests_per_second,
        ended.success_ratio if ended.HasField("success_ratio") else None,
        metrics.latency_p50_ms if some else None,
        metrics.latency_p95_ms if some else None,
        metrics.latency_p99_ms if some else None,
        metrics.errors, errors_of(metrics), metrics.cache_hits, metrics.limited,
    )  # fmt: skip


def groups_query(by: str, period: timedelta) -> str:
    """The query of :data:`GROUPS`: what rows are of, and how long before now they begin."""
    return json.dumps([by, period.total_seconds()])


async def _watch(clients: Clients, query: str, groups: Collection[Group], line: Line) -> None:
    by, seconds = json.loads(query)
    asked = Scope().query(BY[by])
    asked.limit = MOST_GROUPS
    request = pb.WatchGatewayMetricsRequest(query=asked)
    request.period.FromTimedelta(timedelta(seconds=seconds))
    async for change in clients.edge.WatchGatewayMetrics(request):
        report = change.report
        rows = [group_of(TOTAL, Scope(), report.total), *map(_group, report.rows)]
        groups.facts["left off"] = report.rows_left_off
        groups.facts["at"] = time.time()
        groups.replace({row.id: row for row in rows})
        # It tells only what changes: where nothing is called, nothing comes.
        line.live(quiet=True)


def _group(row: pb.GatewayMetricsRow) -> Group:
    scope = Scope(*(_given(row, name) for name in ("service_id", "method", "path", "principal")))
    return group_of(scope.text, scope, row.metrics)


def _given(row: pb.GatewayMetricsRow, name: Any) -> str | None:
    return getattr(row, name) if row.HasField(name) else None


GROUPS: Source[Group] = Source("traffic by group", "edge", _watch)

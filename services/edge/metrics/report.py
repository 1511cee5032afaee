"""What was counted, as it is told over gRPC. No IO."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from podium.edge.v1 import edge_pb2 as pb
from services.edge.metrics.counter import Counter
from services.edge.metrics.history import Key, Query, total
from services.latency import quantile

MINUTE_SECONDS = 60
_KNOWN_ENDINGS = ("completed", "failed", "terminated", "timed_out")

GROUPINGS = {
    pb.GATEWAY_METRICS_GROUPING_UNSPECIFIED: "",
    pb.GATEWAY_METRICS_GROUPING_MINUTE: "minute",
    pb.GATEWAY_METRICS_GROUPING_SERVICE: "service",
    pb.GATEWAY_METRICS_GROUPING_ROUTE: "route",
    pb.GATEWAY_METRICS_GROUPING_KEY: "key",
}

# Which fields of a row say what it is of.
_FIELDS = {
    "service": ("service_id",),
    "route": ("service_id", "method", "path"),
    "key": ("principal",),
}


def report(
    query: Query, sums: Mapping[Key, Counter], now: float, limit: int
) -> pb.GatewayMetricsReport:
    """What ``sums`` say, which ``query`` asked for.

    Args:
        now: Seconds since 1970.
        limit: Rows that are told.
    """
    begin = float(query.first * MINUTE_SECONDS)
    end = max(min((query.last + 1) * MINUTE_SECONDS, now), begin)
    told = pb.GatewayMetricsReport(total=metrics(total(sums), end - begin))
    told.start_time.FromDatetime(_moment(begin))
    told.end_time.FromDatetime(_moment(end))
    if query.by:
        kept = _in_order(query.by, sums, limit)
        told.rows_left_off = len(sums) - len(kept)
        told.rows.extend(_row(query.by, key, sums[key], (begin, end)) for key in kept)
    return told


def _in_order(by: str, sums: Mapping[Key, Counter], limit: int) -> list[Key]:
    """All minutes; of others the busiest."""
    if by == "minute":
        return sorted(sums)
    return sorted(sums, key=lambda key: (-sums[key].requests, key))[:limit]


def _row(by: str, key: Key, counter: Counter, period: tuple[float, float]) -> pb.GatewayMetricsRow:
    begin, end = period
    if isinstance(key, int):
        begin = float(key * MINUTE_SECONDS)
        row = pb.GatewayMetricsRow(
            metrics=metrics(counter, min(begin + MINUTE_SECONDS, end) - begin)
        )
        row.minute.FromDatetime(_moment(begin))
        return row
    row = pb.GatewayMetricsRow(metrics=metrics(counter, end - begin))
    for field, word in zip(_FIELDS[by], key, strict=True):
        setattr(row, field, word)
    return row


def metrics(counter: Counter, seconds: float) -> pb.GatewayMetrics:
    """One counter's, of a period that has ``seconds``."""
    requests = counter.requests
    timed = sum(counter.buckets.values())
    told = pb.GatewayMetrics(
        requests=requests,
        requests_per_second=requests / max(seconds, 1.0),
        errors=counter.errors,
        latency_mean_ms=counter.microseconds / 1000 / timed if timed else 0.0,
        latency_p50_ms=1000 * quantile(counter.buckets, 0.5),
        latency_p95_ms=1000 * quantile(counter.buckets, 0.95),
        latency_p99_ms=1000 * quantile(counter.buckets, 0.99),
        executions=_executions(counter.outcomes),
        cache_hits=counter.cache.get("hit", 0),
        cache=counter.cache,
        limited=sum(counter.limited.values()),
    )
    for (status, problem), count in sorted(
        counter.answers.items(), key=lambda each: (-each[1], each[0])
    ):
        told.answers.add(status=status, problem=problem, count=count)
    return told


def _executions(outcomes: Mapping[str, int]) -> pb.ExecutionCounts:
    told = pb.ExecutionCounts(**outcomes)
    known = sum(outcomes.get(ending, 0) for ending in _KNOWN_ENDINGS)
    if known:
        told.success_ratio = told.completed / known
    return told


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

"""What the gateway has answered, as lines and as data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tui.views.durations import iso
from tui.views.tables import table

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from podium.edge.v1 import edge_pb2

    Report = edge_pb2.GatewayMetricsReport
    Metrics = edge_pb2.GatewayMetrics
    Row = edge_pb2.GatewayMetricsRow

_HEAD = ("REQUESTS", "/S", "ERRORS", "SUCCESS", "P50", "P95", "P99", "CACHED", "LIMITED")
_FIRST_ERROR = 400
_ERRORS_TOLD = 8
# What a row is of where that has no name.
_NO_ROUTE = "(no route)"
_NO_KEY = "(no key)"


def lines(report: Report, of: str) -> Iterator[str]:
    """A report for people; ``of`` says which requests it is about."""
    total = report.total
    yield f"{of}, {_period(report)}"
    yield f"requests    {total.requests:,} ({_rate(total)}/s)"
    yield f"executions  {_executions(total)}"
    p50, p95, p99, mean = map(_ms, _latencies(total))
    yield f"latency     p50 {p50}, p95 {p95}, p99 {p99}, mean {mean}"
    yield f"errors      {_errors(total)}"
    if total.cache:
        yield f"cache       {_named(_in_order(total))}"
    if total.limited:
        yield f"limited     {total.limited:,}"
    if report.rows:
        yield ""
        yield from table([("", *_HEAD), *map(_cells, report.rows)])
    if report.rows_left_off:
        yield f"and {report.rows_left_off:,} more"


def _period(report: Report) -> str:
    begin, end = (_local(stamp) for stamp in (report.start_time, report.end_time))
    return f"{begin:%Y-%m-%d %H:%M} to {end:%H:%M:%S}"


def _local(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC).astimezone()


def _executions(metrics: Metrics) -> str:
    ended = metrics.executions
    counts = {
        "completed": ended.completed,
        "failed": ended.failed,
        "terminated": ended.terminated,
        "timed out": ended.timed_out,
        "unknown": ended.unknown,
    }
    told = _named({name: count for name, count in counts.items() if count}) or "none"
    return f"{_success(metrics)} success: {told}" if ended.HasField("success_ratio") else told


def _errors(metrics: Metrics) -> str:
    if not metrics.errors:
        return "none"
    kinds = [e for e in metrics.answers if e.status >= _FIRST_ERROR or e.problem]
    told = [f"{each.status} {each.problem}".strip() + f" {each.count:,}" for each in kinds]
    left = len(told) - _ERRORS_TOLD
    more = [f"and {left} more kinds"] if left > 0 else []
    share = metrics.errors / metrics.requests
    return f"{metrics.errors:,} ({share:.1%}): {', '.join(told[:_ERRORS_TOLD] + more)}"


def _in_order(metrics: Metrics) -> dict[str, int]:
    """What the cache had; a map of a message is in another order in every process."""
    return dict(sorted(metrics.cache.items()))


def _named(counts: Any) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _cells(row: Row) -> tuple[str, ...]:
    metrics = row.metrics
    return (
        _name(row),
        f"{metrics.requests:,}",
        _rate(metrics),
        f"{metrics.errors:,}",
        _success(metrics),
        *map(_ms, _latencies(metrics)[:3]),
        f"{metrics.cache_hits:,}",
        f"{metrics.limited:,}",
    )


def _name(row: Row) -> str:
    if row.HasField("minute"):
        return f"{_local(row.minute):%H:%M}"
    if row.HasField("principal"):
        return row.principal or _NO_KEY
    if row.HasField("path"):
        return f"{row.method} {row.path}".strip() or _NO_ROUTE
    return row.service_id or _NO_ROUTE


def _success(metrics: Metrics) -> str:
    ended = metrics.executions
    return f"{ended.success_ratio:.1%}" if ended.HasField("success_ratio") else "-"


def _rate(metrics: Metrics) -> str:
    rate = metrics.requests_per_second
    return f"{rate:,.2f}" if rate >= 0.01 or not rate else "<0.01"


def _latencies(metrics: Metrics) -> tuple[float | None, ...]:
    """p50, p95, p99 and the mean, in milliseconds; of no requests there are none."""
    if not metrics.requests:
        return (None,) * 4
    return (
        metrics.latency_p50_ms,
        metrics.latency_p95_ms,
        metrics.latency_p99_ms,
        metrics.latency_mean_ms,
    )


def _ms(value: float | None) -> str:
    """Three digits: ``0.82 ms``, ``14.3 ms``, ``2.5 s``; ``-`` where there is none."""
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value / 1000:.3g} s" if value < 1e6 else f"{value / 1000:.0f} s"
    return f"{value:.3g} ms"


def document(report: Report) -> dict[str, Any]:
    """A report as JSON has it."""
    return {
        "from": iso(report.start_time.ToDatetime(UTC)),
        "to": iso(report.end_time.ToDatetime(UTC)),
        **_fields(report.total),
        "rows": [_key(row) | _fields(row.metrics) for row in report.rows],
        "rowsLeftOff": report.rows_left_off,
    }


def _key(row: Row) -> dict[str, str]:
    if row.HasField("minute"):
        return {"minute": iso(row.minute.ToDatetime(UTC))}
    names = {"service": "service_id", "method": "method", "path": "path", "key": "principal"}
    return {
        name: getattr(row, field)
        for name, field in names.items()
        if row.HasField(field)  # type: ignore[arg-type]
    }


def _fields(metrics: Metrics) -> dict[str, Any]:
    ended = metrics.executions
    latencies = (None if each is None else round(each, 3) for each in _latencies(metrics))
    return {
        "requests": metrics.requests,
        "requestsPerSecond": round(metrics.requests_per_second, 6),
        "errors": metrics.errors,
        "answers": [
            {"status": each.status, "problem": each.problem or None, "count": each.count}
            for each in metrics.answers
        ],
        "latencyMs": dict(zip(("p50", "p95", "p99", "mean"), latencies, strict=True)),
        "executions": {
            "completed": ended.completed,
            "failed": ended.failed,
            "terminated": ended.terminated,
            "timedOut": ended.timed_out,
            "unknown": ended.unknown,
            "successRatio": ended.success_ratio if ended.HasField("success_ratio") else None,
        },
        "cache": _in_order(metrics),
        "cacheHits": metrics.cache_hits,
        "limited": metrics.limited,
    }

"""What the gateway has answered, minute by minute, as charts; and of whom it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from operator import attrgetter
from typing import Any, NamedTuple

from podium.edge.v1 import edge_pb2 as pb
from tui.views.plot import Chart, Series

MINUTE = 60
DAY_MINUTES = 24 * 60
# A minute that has just begun tells no rate.
LEAST_SECONDS = 5
FIRST_ERROR = 400
# As many kinds of errors are told apart in a chart; the rest are "other".
MOST_KINDS = 5
OTHER = "other"
_ERROR_TONES = ("error", "warning", "accent", "primary", "success", "muted")

TITLES: Mapping[str, str] = {
    "requests": "Requests",
    "success": "Success",
    "latency": "Latency",
    "errors": "Errors by code",
    "hits": "Cache hits",
    "limited": "Limited",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which requests are meant; None: all. An empty service is what found no route."""

    service: str | None = None
    method: str | None = None
    path: str | None = None
    principal: str | None = None

    def __str__(self) -> str:
        """As it is shown."""
        if self.principal is not None:
            return self.principal or "(no key)"
        if self.path is not None:
            return f"{self.method or ''} {self.path}".strip() or "(no route)"
        if self.service is not None:
            return self.service or "(no route)"
        return "all requests"

    def query(
        self, by: pb.GatewayMetricsGrouping.ValueType = pb.GATEWAY_METRICS_GROUPING_UNSPECIFIED
    ) -> pb.GatewayMetricsQuery:
        """The same as the gateway is asked for it."""
        return pb.GatewayMetricsQuery(
            service_id=self.service, method=self.method, path=self.path, principal=self.principal,
            group_by=by,
        )  # fmt: skip

    @property
    def text(self) -> str:
        """The same as one line, which :func:`scope_of` reads."""
        return json.dumps([self.service, self.method, self.path, self.principal])


def scope_of(text: str) -> Scope:
    """The scope that ``text`` is. Raises ValueError."""
    return Scope(*json.loads(text))


class Minute(NamedTuple):
    """A minute in which something was answered.

    Attributes:
        id: When it begins, in epoch seconds.
        errors: Counts by HTTP status.
        success: Part of the executions that ended well, from 0 to 1; None: none ended.
    """

    id: str
    requests: int
    errors: tuple[tuple[str, int], ...]
    p50: float
    p95: float
    p99: float
    success: float | None
    hits: int
    limited: int

    @property
    def at(self) -> int:
        """When it begins, in epoch seconds."""
        return int(self.id)


def minute_of(row: pb.GatewayMetricsRow) -> Minute:
    """The minute of a row by minute."""
    metrics = row.metrics
    ended = metrics.executions
    return Minute(
        str(row.minute.seconds),
        metrics.requests,
        errors_of(metrics),
        metrics.latency_p50_ms,
        metrics.latency_p95_ms,
        metrics.latency_p99_ms,
        ended.success_ratio if ended.HasField("success_ratio") else None,
        metrics.cache_hits,
        metrics.limited,
    )


def errors_of(metrics: pb.GatewayMetrics) -> tuple[tuple[str, int], ...]:
    """How many errors there were of each HTTP status, the most frequent first."""
    counts: dict[str, int] = {}
    for answer in metrics.answers:
        if answer.status >= FIRST_ERROR or answer.problem:
            code = str(answer.status)
            counts[code] = counts.get(code, 0) + answer.count
    return tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def charts(
    minutes: Mapping[str, Minute], now: float, span: timedelta, zone: tzinfo
) -> dict[str, Chart]:
    """The charts of :data:`TITLES` over the ``span`` before ``now`` (epoch seconds).

    The minute that goes on counts by as much of it as has passed.
    """
    part = _part(minutes, now, span, zone)
    success = part.values(lambda m: None if m.success is None else 100 * m.success)
    area: dict[str, Any] = {"start": part.start, "unit": "/s", "kind": "area"}
    return {
        "requests": Chart((Series("all", part.rate(lambda m: m.requests), "primary"),), **area),
        "success": Chart((Series("executions", success, "success"),), part.start, unit="%"),
        "latency": Chart(tuple(_latencies(part)), part.start, unit="ms"),
        "errors": Chart(_error_series(part.each, part.lengths), part.start, unit="/s", kind="bars"),
        "hits": Chart((Series("hits", part.rate(lambda m: m.hits), "accent"),), **area),
        "limited": Chart((Series("refused", part.rate(lambda m: m.limited), "warning"),), **area),
    }


@dataclass(frozen=True, slots=True)
class _Part:
    """Minutes one after the other, None where nothing was called; ``lengths`` in seconds."""

    each: Sequence[Minute | None]
    lengths: Sequence[int]
    start: datetime

    def values(self, value: Callable[[Minute], float | None]) -> list[float | None]:
        return [None if minute is None else value(minute) for minute in self.each]

    def rate(self, count: Callable[[Minute], int]) -> list[float | None]:
        """By the second."""
        pairs = zip(self.each, self.lengths, strict=True)
        return [count(minute) / length if minute else 0.0 for minute, length in pairs]


def _part(minutes: Mapping[str, Minute], now: float, span: timedelta, zone: tzinfo) -> _Part:
    steps = max(1, min(DAY_MINUTES, round(span / timedelta(minutes=1))))
    last = int(now) // MINUTE * MINUTE
    begins = range(last - (steps - 1) * MINUTE, last + 1, MINUTE)
    lengths = [*[MINUTE] * (steps - 1), max(LEAST_SECONDS, min(MINUTE, int(now) - last))]
    each = [minutes.get(str(begin)) for begin in begins]
    return _Part(each, lengths, datetime.fromtimestamp(begins[0], zone))


def _latencies(part: _Part) -> Iterator[Series]:
    for name, tone in (("p50", "success"), ("p95", "warning"), ("p99", "error")):
        of = attrgetter(name)
        values = [of(m) if m is not None and m.requests else None for m in part.each]
        yield Series(name, values, tone)


def _error_series(each: Sequence[Minute | None], lengths: Sequence[int]) -> tuple[Series, ...]:
    """A series a status, the most frequent first; rare ones are told together."""
    totals: dict[str, int] = {}
    for minute in each:
        for code, count in minute.errors if minute else ():
            totals[code] = totals.get(code, 0) + count
    ranked = sorted(totals, key=lambda code: (-totals[code], code))
    # One too many would be "other" alone.
    shown = ranked if len(ranked) <= MOST_KINDS + 1 else ranked[:MOST_KINDS]
    names = [*shown, OTHER] if len(shown) < len(ranked) else shown
    values: dict[str, list[float | None]] = {name: [0.0] * len(each) for name in names or ("none",)}
    for place, minute in enumerate(each):
        for code, count in minute.errors if minute else ():
            line = values[code if code in values else OTHER]
            line[place] = (line[place] or 0.0) + count / lengths[place]
    return tuple(
        Series(name, line, _ERROR_TONES[number % len(_ERROR_TONES)])
        for number, (name, line) in enumerate(values.items())
    )

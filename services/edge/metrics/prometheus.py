"""What the gateway has answered since it began, in Prometheus' text format.

Routes stand in labels by their templates, keys never: how many series there are is the author's.
The library is imported with this module: by whoever is asked for the first time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from services.edge.metrics.archive import Place, Totals
from services.edge.metrics.counter import Counter
from services.edge.metrics.gauges import Gauges
from services.latency import below

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4.encode()

_PLACE = ("service", "method", "route")
# From a millisecond to 262 seconds: a route's longest time-out is 300.
_DOUBLINGS = range(19)


def text(totals: Totals, gauges: Gauges) -> bytes:
    """All of it. It takes some 5 µs a line."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Gateway(totals, gauges))
    return generate_latest(registry)


class _Gateway(Collector):
    """Of one moment."""

    def __init__(self, totals: Totals, gauges: Gauges) -> None:
        self._totals = totals
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        yield from _counters(self._totals)
        yield _durations(self._totals)
        yield from _gauges(self._gauges)


def _counters(totals: Totals) -> Iterator[Metric]:
    requests = _family("requests", "Requests that were answered, by status.", "status")
    limited = _family("limited", "Requests that a limit has refused, by problem.", "problem")
    cache = _family("cache", "Requests that asked the cache, by what it had.", "result")
    executions = _family(
        "executions", "Executions that requests began, by how they ended where it is known.",
        "outcome",
    )  # fmt: skip
    for place, counter in totals.items():
        _tell(requests, place, _by_status(counter))
        _tell(limited, place, counter.limited)
        _tell(cache, place, counter.cache)
        _tell(executions, place, counter.outcomes)
    yield from (requests, limited, cache, executions)


def _family(name: str, documentation: str, label: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"podium_gateway_{name}", documentation, labels=(*_PLACE, label))


def _tell(family: CounterMetricFamily, place: Place, counts: Mapping[str, int]) -> None:
    for value, count in counts.items():
        family.add_metric((*place, value), count)


def _by_status(counter: Counter) -> dict[str, int]:
    counts: dict[str, int] = {}
    for (status, _), count in counter.answers.items():
        counts[str(status)] = counts.get(str(status), 0) + count
    return counts


def _durations(totals: Totals) -> Metric:
    family = HistogramMetricFamily(
        "podium_gateway_request_duration_seconds",
        "From a request's headers to its answer.",
        labels=_PLACE,
    )
    for place, counter in totals.items():
        counts = below(counter.buckets, _DOUBLINGS)
        bounds = [(f"{seconds:g}", float(count)) for seconds, count in counts]
        bounds.append(("+Inf", float(sum(counter.buckets.values()))))
        family.add_metric(place, bounds, counter.microseconds / 1e6)
    return family


def _gauges(gauges: Gauges) -> Iterator[Metric]:
    for name, documentation, value in (
        ("requests_in_flight", "Requests that are not answered yet.", gauges.requests_in_flight),
        ("connections", "Connections of clients that are open.", gauges.connections),
        ("session_connected", "Whether the executor is there.", gauges.session_connected),
        (
            "definitions_stale",
            "Whether the registry is away, so that there may be newer definitions.",
            gauges.definitions_stale,
        ),
    ):
        yield GaugeMetricFamily(f"podium_gateway_{name}", documentation, value=float(value))

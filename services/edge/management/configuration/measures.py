"""What was counted of routes, as Orkes' clients read it.

Rates are per second, parts in per cent, latencies in milliseconds. Without a request there is
nothing to tell.
"""

from __future__ import annotations

from http import HTTPStatus

from podium.edge.v1 import edge_pb2 as pb
from services.edge.management.configuration.documents import Document
from services.edge.problems import KINDS

_BEGIN_OF_ERRORS = 400
_REASONS = {499: "Client closed request"}


def measured(metrics: pb.GatewayMetrics) -> Document | None:
    """One route's or service's measures; None where it had no request."""
    if not metrics.requests:
        return None
    shown: Document = {
        "totalRequests": metrics.requests,
        "requestRate": metrics.requests_per_second,
        "avgLatency": metrics.latency_mean_ms,
        "p50Latency": metrics.latency_p50_ms,
        "p95Latency": metrics.latency_p95_ms,
        "p99Latency": metrics.latency_p99_ms,
        "errorRate": 100 * metrics.errors / metrics.requests,
        "errors": [
            {"code": each.status, "reason": _reason(each), "count": each.count}
            for each in metrics.answers
            if each.status >= _BEGIN_OF_ERRORS
        ],
        "cacheHits": metrics.cache_hits,
        "limitHits": metrics.limited,
    }
    # Of the executions whose end is known; there may be none.
    if metrics.executions.HasField("success_ratio"):
        shown["successRate"] = 100 * metrics.executions.success_ratio
    return shown


def _reason(answer: pb.AnswerCount) -> str:
    if answer.problem in KINDS:
        return KINDS[answer.problem].title
    try:
        return _REASONS.get(answer.status) or HTTPStatus(answer.status).phrase
    except ValueError:
        # A status that a route's script has made up.
        return ""

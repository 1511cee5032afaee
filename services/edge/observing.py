"""What requests came to, told to whoever wants each of them: a line, or a span."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from services.activity import Activity
from services.edge.call import Call
from services.spans import SERVER, Span, Spans
from services.tracing import span_of

# The status of a span is an error where it is the server's (OpenTelemetry's conventions for HTTP).
_OUR_FAULT = 500

Record = Callable[[Call, int], None]
"""Told of a request that was answered, with the status of its answer."""


def all_of(records: Sequence[Record]) -> Record:
    """One for all of ``records``."""
    if len(records) == 1:
        return records[0]

    def record(call: Call, status: int) -> None:
        for each in records:
            each(call, status)

    return record


class Lines:
    """A :data:`Record` that has a line written of each.

    Args:
        listener: ``gateway`` or ``management``.
    """

    def __init__(self, activity: Activity, listener: str) -> None:
        self._activity = activity
        self._listener = listener

    def __call__(self, call: Call, status: int) -> None:
        service, method, route = place_of(call)
        caller = call.caller
        fields = {
            "listener": self._listener,
            "request_id": call.request_id,
            "trace_id": call.trace.trace_id if call.trace else "",
            "execution_id": call.execution_id,
            "method": method,
            "service_id": service,
            "route": route,
            "principal": caller.principal if caller else "",
            "status": status,
            "problem": call.problem,
            "cache": call.cache_state,
            "outcome": call.outcome,
            "took_ms": round((time.monotonic() - call.cycle.began) * 1000, 3),
        }
        self._activity.tell(time.time(), "request", fields)


class Spanning:
    """Gives calls a span of their own, and has it sent when they are answered: a :data:`Record`.

    Its attributes are those of OpenTelemetry's semantic conventions for HTTP servers, and ours.
    """

    def __init__(self, spans: Spans, new_id: Callable[[], str]) -> None:
        self._spans = spans
        self._new_id = new_id

    def begin(self, call: Call) -> None:
        """As a part of the caller's trace, or as the first of a new one."""
        if call.trace is None:
            call.trace = self._spans.new(self._new_id())
        else:
            call.parent_span = call.trace.span_id
            call.trace = call.trace.below(span_of(self._new_id()))

    def __call__(self, call: Call, status: int) -> None:
        if call.trace is None:
            return
        ended = time.time()
        service, method, route = place_of(call)
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "podium.service_id": service,
            "podium.request_id": call.request_id,
            "podium.execution_id": call.execution_id,
            "podium.cache": call.cache_state,
            "podium.problem": call.problem,
            "podium.principal": call.caller.principal if call.caller else "",
        }
        begun = ended - (time.monotonic() - call.cycle.began)
        span = Span(
            f"{method} {route}".rstrip(),
            SERVER,
            call.trace,
            call.parent_span,
            begun,
            ended,
            {name: value for name, value in attributes.items() if value != ""},
            (call.problem or str(status)) if status >= _OUR_FAULT else None,
        )
        self._spans.add(span)


def place_of(call: Call) -> tuple[str, str, str]:
    """Service, method, and path template; of what found no route the path may tell a token."""
    if call.route is not None:
        return call.route.service_id, call.route.method, call.route.path
    return call.place or ("", call.method, "")

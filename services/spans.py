"""Spans, sent to a collector: OTLP over HTTP, by the SDK of OpenTelemetry (``podium[otel]``).

What happened is known when it has ended, with both its times; so a span is made then, and its id is
that of the execution or the task. The SDK's own queue bounds what waits for the collector.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING, Any, NamedTuple

from services.process import StartupError
from services.tracing import Trace, span_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

SERVER, CLIENT, INTERNAL = KINDS = ("server", "client", "internal")

# As W3C Trace Context Level 2 has them: the digits of an id that are random in any case.
_RANDOM_DIGITS = 14
_NANOSECONDS = 1_000_000_000
_CLOSE_SECONDS = 2.0


class Span(NamedTuple):
    """What took time.

    Attributes:
        trace: Which trace, and its own id there.
        parent_id: Of the span that it belongs to; empty: it is the first.
        begun: Seconds since 1970, as ``ended``.
        failed: Why it is no success; None: it is one.
    """

    name: str
    kind: str
    trace: Trace
    parent_id: str
    begun: float
    ended: float
    attributes: Mapping[str, str | int | float | bool]
    failed: str | None = None


class Spans:
    """Sends spans of traces that are sampled.

    Args:
        processor: The SDK's; what it is given it sends in a thread of its own.
        ratio: How many of the traces that begin here are sampled, from 0 to 1.
    """

    def __init__(self, processor: SpanProcessor, resource: Any, ratio: float) -> None:
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        self._processor = processor
        self._resource = resource
        self._scope = InstrumentationScope("podium", metadata.version("podium"))
        self._most = int(ratio * 16**_RANDOM_DIGITS)

    def new(self, an_id: str) -> Trace:
        """A trace that begins with what has that id, a UUID that is random at its end."""
        digits = an_id.replace("-", "")
        sampled = int(digits[-_RANDOM_DIGITS:], 16) < self._most
        return Trace(digits, span_of(an_id), "01" if sampled else "00")

    def add(self, span: Span) -> None:
        """Have it sent; where a collector is slow or away, the SDK drops what is too much."""
        if span.trace.sampled:
            self._processor.on_end(self._made(span))

    def _made(self, span: Span) -> Any:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanKind, Status, StatusCode

        kind = {SERVER: SpanKind.SERVER, CLIENT: SpanKind.CLIENT, INTERNAL: SpanKind.INTERNAL}
        context = _context(span.trace)
        parent = _context(span.trace.below(span.parent_id)) if span.parent_id else None
        failed = span.failed is not None
        return ReadableSpan(
            span.name,
            context,
            parent,
            self._resource,
            dict(span.attributes),
            kind=kind[span.kind],
            status=Status(StatusCode.ERROR, span.failed) if failed else Status(StatusCode.UNSET),
            start_time=int(span.begun * _NANOSECONDS),
            end_time=int(max(span.ended, span.begun) * _NANOSECONDS),
            instrumentation_scope=self._scope,
        )


@contextmanager
def exported(service: str, endpoint: str, ratio: float) -> Generator[Spans | None]:
    """Where spans of ``service`` are sent to within the block; None without an ``endpoint``.

    Args:
        endpoint: The collector's URL, as ``http://127.0.0.1:4318/v1/traces``.

    Raises:
        StartupError: The SDK is not installed.
    """
    if not endpoint:
        yield None
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise StartupError(
            f"PODIUM_TRACES_ENDPOINT is set, and {error.name} is not installed: "
            "pip install 'podium[otel]'."
        ) from error
    resource = Resource.create({"service.name": f"podium-{service}"})
    processor = BatchSpanProcessor(OTLPSpanExporter(endpoint))
    # A stranger's tracestate that makes no sense is no warning of ours.
    logging.getLogger("opentelemetry.trace.span").setLevel(logging.ERROR)
    try:
        yield Spans(processor, resource, ratio)
    finally:
        _close(processor)


def _close(processor: SpanProcessor) -> None:
    """Have what waits sent, for as long as the end may take."""
    # The SDK would wait for a collector that hangs: 30 seconds, or for each batch ten.
    closing = threading.Thread(target=processor.shutdown, name="end of spans", daemon=True)
    closing.start()
    closing.join(_CLOSE_SECONDS)


def _context(trace: Trace) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags, TraceState

    return SpanContext(
        int(trace.trace_id, 16),
        int(trace.span_id, 16),
        is_remote=False,
        trace_flags=TraceFlags(int(trace.flags, 16)),
        trace_state=TraceState.from_header([trace.state]) if trace.state else None,
    )

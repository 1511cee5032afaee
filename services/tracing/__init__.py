"""Traces: which call belongs to which, over processes (W3C Trace Context)."""

from services.tracing.context import (
    HEADER,
    STATE_HEADER,
    Trace,
    current,
    of_metadata,
    read,
    span_of,
    to_metadata,
)

__all__ = [
    "HEADER",
    "STATE_HEADER",
    "Trace",
    "current",
    "of_metadata",
    "read",
    "span_of",
    "to_metadata",
]

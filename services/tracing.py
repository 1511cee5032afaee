"""What a call says of the trace that it belongs to: ``traceparent`` and ``tracestate``.

As W3C Trace Context (Level 2) has them. Who does not export spans of its own hands both on as they
came; who does is the parent of what it calls.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import NamedTuple

HEADER = "traceparent"
STATE_HEADER = "tracestate"

# §3.2: the version ff and ids of noughts are none; versions to come may say more behind.
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
    r"(?:\Z|(?<!\A00.{53})-[\x21-\x7e]*\Z)"
)
# §3.3.1.5 asks for 512 characters at least to be handed on; what may stand in it is printable.
_TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}\Z")
_SAMPLED = 1
# Sampled, and random; the others are to be noughts (§3.2.2.5).
_KNOWN_FLAGS = 3
_SPAN_DIGITS = 16


class Trace(NamedTuple):
    """Where in which trace a call stands.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits: of the span that is the parent of what comes.
        flags: Two hexadecimal digits.
        state: What others keep in the trace; empty: nothing.
    """

    trace_id: str
    span_id: str
    flags: str = "00"
    state: str = ""

    @property
    def parent(self) -> str:
        """The value of a ``traceparent`` header."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"

    @property
    def sampled(self) -> bool:
        """Whether its spans are to be kept."""
        return bool(int(self.flags, 16) & _SAMPLED)

    def below(self, span_id: str) -> Trace:
        """The same trace, for what the span of that id calls."""
        return self._replace(span_id=span_id)


# That of the call which is being served, where there is one.
current: ContextVar[Trace | None] = ContextVar("podium_trace", default=None)


def read(parent: str, state: str = "") -> Trace | None:
    """What the two headers say; None where the first is not sound.

    A ``tracestate`` that is not sound is left out (§3.3.1.4), and so are flags that nobody knows.
    """
    found = _TRACEPARENT.match(parent)
    if found is None:
        return None
    trace_id, span_id, flags = found.groups()
    state = state.strip(" ")
    known = f"{int(flags, 16) & _KNOWN_FLAGS:02x}"
    return Trace(trace_id, span_id, known, state if _TRACESTATE.match(state) else "")


def span_of(an_id: str) -> str:
    """The id of the span of what has that id, a UUID: its last 16 digits.

    Whoever knows an execution or a task knows its spans.
    """
    return an_id.replace("-", "")[-_SPAN_DIGITS:]


def to_metadata(trace: Trace | None) -> tuple[tuple[str, str], ...]:
    """Metadata of a call to another service."""
    if trace is None:
        return ()
    parent = (HEADER, trace.parent)
    return (parent, (STATE_HEADER, trace.state)) if trace.state else (parent,)


def of_metadata(metadata: Mapping[str, str]) -> Trace | None:
    """What the caller's metadata says."""
    parent = metadata.get(HEADER)
    return read(parent, metadata.get(STATE_HEADER, "")) if parent else None

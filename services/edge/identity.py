"""A request's identity: its id, the trace that it belongs to, and its path in segments."""

from __future__ import annotations

import re
from collections.abc import Callable

from services import tracing
from services.edge.call import Call
from services.edge.problems import Problem
from services.edge.trie import BadPath, path_segments
from services.origins import Origin

_LONGEST_AGENT = 200
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~:+/=@-]{1,128}\Z")


def identify_with(call: Call, new_id: Callable[[], str]) -> None:
    """Set :attr:`Call.request_id`, ``trace`` and ``segments``.

    An id that the client has sent is kept if it is sound; else ``new_id`` makes one.

    Raises:
        Problem: 400 for a path that cannot be read.
    """
    given = call.header.get(b"x-request-id", b"")
    call.request_id = given.decode() if _REQUEST_ID.match(given) else new_id()
    if parent := call.header.get(b"traceparent"):
        # It may come in parts (RFC 9110 §5.3).
        state = b",".join(value for name, value in call.headers if name == b"tracestate")
        call.trace = tracing.read(parent.decode("latin-1"), state.decode("latin-1"))
    try:
        call.segments = path_segments(call.raw_path)
    except BadPath as error:
        raise Problem("malformed-path", str(error)) from None


def origin_of(call: Call) -> Origin:
    """Where ``call`` came from, as other services are told of what is done for its client."""
    agent = call.header.get(b"user-agent", b"")[:_LONGEST_AGENT].decode("latin-1")
    principal = call.caller.principal if call.caller is not None else ""
    return Origin(call.address, agent, "", principal, call.request_id)

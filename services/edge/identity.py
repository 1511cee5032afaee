"""A request's identity: its id, the trace that it belongs to, and its path in segments."""

from __future__ import annotations

import re
from collections.abc import Callable

from services.edge.call import Call
from services.edge.problems import Problem
from services.edge.trie import BadPath, path_segments

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~:+/=@-]{1,128}\Z")
# W3C Trace Context §3.2: the version ff and ids of noughts are none.
_TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\Z"
)


def identify_with(call: Call, new_id: Callable[[], str]) -> None:
    """Set :attr:`Call.request_id`, ``traceparent`` and ``segments``.

    An id that the client has sent is kept if it is sound; else ``new_id`` makes one.

    Raises:
        Problem: 400 for a path that cannot be read.
    """
    given = call.header.get(b"x-request-id", b"")
    call.request_id = given.decode() if _REQUEST_ID.match(given) else new_id()
    trace = call.header.get(b"traceparent", b"")
    if _TRACEPARENT.match(trace):
        call.traceparent = trace.decode()
    try:
        call.segments = path_segments(call.raw_path)
    except BadPath as error:
        raise Problem("malformed-path", str(error)) from None

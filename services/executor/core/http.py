"""An HTTP call as the kinds ask for it and as they are told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from services.executor.core.model import Json

EFFECT = "http"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is to be sent.

    Strings (also within ``body``) may still hold ``${workflow.secrets.NAME}`` and
    ``${task.callbackUrl}``: they are put in at hand-off and never stored.

    Attributes:
        handoff: What is put in, e.g. ``workflow.secrets.TOKEN``: those that the definition itself
            names, and no other, since text that looks like one may come from a caller. Empty:
            every string is sent as it is. Not empty: strings, and keys in ``body``, are written
            as ``core.references`` has it, so that data which reads like one is sent as data.
        headers: In order; ``Content-Type`` and ``Accept`` included.
        body: A JSON value, sent as the content type says (JSON, form, or text); None: no body.
        idempotency_key: Sent as ``Idempotency-Key``; None: none is sent.
        encode: False sends the URI's query as it stands.
        attempts: How many are sent side by side at most: one more each time that nothing has come
            for ``hedge_delay``. The first success wins.
    """

    method: str
    uri: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    content_type: str = "application/json"
    encode: bool = True
    idempotency_key: str | None = None
    connect_timeout: timedelta = timedelta(seconds=5)
    read_timeout: timedelta = timedelta(seconds=60)
    max_response_bytes: int = 10 << 20
    max_redirects: int = 5
    handoff: frozenset[str] = frozenset()
    attempts: int = 1
    hedge_delay: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, whatever its status.

    Attributes:
        headers: Names in lower case, values in order of arrival.
        body: The JSON value, or the text where it is none; None where there was no body.
        size: Bytes of the body as it came.
    """

    status: int
    reason_phrase: str
    headers: Mapping[str, Sequence[str]]
    body: Json
    duration: timedelta
    size: int = 0


@dataclass(frozen=True, slots=True)
class HttpFailure:
    """There was no usable answer.

    Attributes:
        reason: A sentence that says which: refused, no such host, timed out (and at what),
            closed half-way, larger than its limit, not allowed by the egress policy.
        unknown: The remote may have acted on the request.
        transient: Trying again may help (it is not for a response that is too large, a URI that
            is none, or an address that the policy refuses).
        status: That of the answer whose body was not usable; 0: there was none.
        put_off: The request was not sent, since the circuit breaker of its host is open; it may
            be after so long.
    """

    reason: str
    unknown: bool
    transient: bool
    duration: timedelta
    status: int = 0
    put_off: timedelta | None = None


HttpOutcome = HttpAnswer | HttpFailure

"""The ``http`` effect: an HTTP call, with what only the hand-off may know put in and taken out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import lru_cache, partial
from time import monotonic

from services import tracing
from services.egress.failures import CallFailed
from services.egress.sender import Call, Reply, Sender
from services.egress.uris import target
from services.executor.breaking.breakers import Breakers, host_called
from services.executor.core.http import HttpAnswer, HttpFailure, HttpOutcome, HttpRequest
from services.executor.core.model import Json
from services.executor.effects.bodies import LARGE, NotSendable, decoded, encoded
from services.executor.effects.effect import HandOff
from services.executor.effects.guarding import guarded
from services.executor.effects.handoff import Filling, NotHandedOver
from services.executor.effects.hedging import hedged
from services.executor.effects.masking import Mask
from services.tracing import Trace

USER_AGENT = "podium"

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# What ends a line or a field, or what no field may hold (RFC 9110, 5.5); a tab may stand in it.
_BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# They belong to the connection, which is not the request's to govern.
_OURS = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


class Http:
    """Sends a ``core.http.HttpRequest``; its outcome is a ``core.http.HttpOutcome``."""

    def __init__(self, sender: Sender, breakers: Breakers | None = None) -> None:
        self._sender = sender
        self._breakers = breakers or Breakers()

    async def perform(self, request: object, handoff: HandOff) -> HttpOutcome:
        if not isinstance(request, HttpRequest):
            raise TypeError(f"an HttpRequest is asked for, not {type(request).__name__}")
        # uvloop's own clock goes by milliseconds and stands still within a turn of the loop.
        begun = monotonic()
        mask = Mask()
        try:
            call = prepared(request, handoff, mask)
            reply = await self._reply(request, call)
        except CallFailed as failed:
            return HttpFailure(
                reason=mask.text(failed.reason),
                unknown=failed.unknown,
                transient=failed.transient,
                duration=timedelta(seconds=monotonic() - begun),
                status=failed.status,
                put_off=failed.put_off,
            )
        duration = timedelta(seconds=monotonic() - begun)
        return HttpAnswer(
            status=reply.status,
            reason_phrase=mask.text(reply.reason_phrase),
            headers=_shown(reply.headers, mask),
            body=(
                _value(reply, mask)
                if len(reply.body) < LARGE
                else await asyncio.to_thread(_value, reply, mask)
            ),
            duration=duration,
            size=len(reply.body),
        )

    async def _reply(self, request: HttpRequest, call: Call) -> Reply:
        # As it is before the hand-off: no list of breakers tells a secret.
        host = host_called(request.uri)
        send = partial(guarded, self._breakers, host, partial(self._sender.send, call))
        if request.attempts > 1:
            return await hedged(send, request.attempts, request.hedge_delay.total_seconds())
        return await send()


def prepared(request: HttpRequest, handoff: HandOff, mask: Mask) -> Call:
    """``request`` as it goes out; what was put in is added to ``mask``.

    Raises:
        CallFailed: It cannot go out as it is.
    """
    uri, headers, body = request.uri, request.headers, request.body
    put_in: Iterable[str] = ()
    try:
        if request.handoff:
            filling = Filling(request.handoff, handoff, mask)
            uri, body = filling.uri(uri), filling.value(body)
            headers = {name: filling.text(value) for name, value in headers.items()}
        sent = None if request.body is None else encoded(body, request.content_type)
    except (NotHandedOver, NotSendable) as error:
        raise CallFailed(str(error)) from error
    if mask:
        if basic := target(uri, request.encode)[1]:
            mask.hide(basic.removeprefix("Basic "))
        put_in = (name for name, value in headers.items() if value != request.headers[name])
    return Call(
        method=_method(request.method),
        uri=uri,
        headers=_sent(headers, request, handoff.trace),
        body=sent,
        sensitive=frozenset(name.lower() for name in put_in),
        encode=request.encode,
        connect_timeout=_seconds(request.connect_timeout),
        read_timeout=_seconds(request.read_timeout),
        max_response_bytes=request.max_response_bytes,
        max_redirects=request.max_redirects,
    )


def _sent(headers: Mapping[str, str], request: HttpRequest, trace: Trace | None) -> dict[str, str]:
    sent, names = {}, set()
    for name, value in headers.items():
        lower = _known_by(name)
        if lower in _OURS:
            continue
        # What is printable has no break in it, and is known to be so sooner.
        if not value.isprintable() and _BREAKS.search(value):
            raise CallFailed(
                f"The value of the header '{name}' has a line break or another control "
                "character in it."
            )
        sent[name] = value
        names.add(lower)
    if request.body is not None and "content-type" not in names:
        sent["Content-Type"] = request.content_type
    if request.idempotency_key is not None and "idempotency-key" not in names:
        sent["Idempotency-Key"] = request.idempotency_key
    if "user-agent" not in names:
        sent["User-Agent"] = USER_AGENT
    if trace is not None and tracing.HEADER not in names:
        sent[tracing.HEADER] = trace.parent
        if trace.state:
            sent[tracing.STATE_HEADER] = trace.state
    return sent


@lru_cache(256)
def _known_by(name: str) -> str:
    """A header's name in lower case."""
    lower = name.lower()
    if lower not in _OURS and not _TOKEN.fullmatch(name):
        raise CallFailed(f"{name[:100]!r} cannot be the name of a header.")
    return lower


@lru_cache(64)
def _method(method: str) -> str:
    if not _TOKEN.fullmatch(method):
        raise CallFailed(f"{method[:100]!r} cannot be a method.")
    return method.upper()


def _seconds(limit: timedelta) -> float | None:
    """None, no limit, for zero: as Conductor has it."""
    return limit.total_seconds() or None


def _shown(headers: dict[str, list[str]], mask: Mask) -> dict[str, list[str]]:
    if not mask:
        return headers
    return {
        mask.text(name): [mask.text(each) for each in values] for name, values in headers.items()
    }


def _value(reply: Reply, mask: Mask) -> Json:
    named = reply.headers.get("content-type")
    body = decoded(reply.body, named[0] if named else None)
    return mask.found_in(reply.body).value(body) if mask else body

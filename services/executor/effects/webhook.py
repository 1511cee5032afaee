"""The word of an execution's end, posted to whom it was promised; signed at the last moment."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.egress.failures import CallFailed
from services.egress.sender import Call, Reply, Sender
from services.executor.core.http import HttpAnswer
from services.executor.core.signatures import NoKey, keys_of, signed
from services.executor.core.webhooks import Attempt
from services.executor.effects.effect import HandOff
from services.executor.effects.http import USER_AGENT
from services.executor.kinds.calls import retry_after

WEBHOOK = "webhook"
TIMEOUT_SECONDS = 15.0

_HEADERS = {"Content-Type": "application/json", "User-Agent": USER_AGENT}


@dataclass(frozen=True, slots=True)
class Telling:
    """What is posted.

    Attributes:
        body: JSON text.
    """

    url: str
    secret_name: str
    delivery_id: str
    body: str


class Webhooks:
    """An :class:`~services.executor.effects.effect.Effect` whose outcome is an attempt's.

    A redirect is an answer like any other that is no success.
    """

    def __init__(self, sender: Sender, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._sender = sender
        self._timeout_seconds = timeout_seconds

    async def perform(self, request: object, handoff: HandOff) -> Attempt:
        if not isinstance(request, Telling):
            raise TypeError(f"a Telling is asked for, not {type(request).__name__}")
        secret = handoff.secrets(request.secret_name)
        if secret is None:
            return Attempt(error=f"There is no secret '{request.secret_name}' to sign with.")
        try:
            keys = keys_of(secret)
        except NoKey as fault:
            return Attempt(error=f"The secret '{request.secret_name}' cannot sign: {fault}.")
        body = request.body.encode()
        headers = {**_HEADERS, **signed(keys, request.delivery_id, int(time.time()), body)}
        return await self._sent(Call("POST", request.url, headers, body, head_only=True))

    async def _sent(self, call: Call) -> Attempt:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return _attempt(await self._sender.send(call))
        except TimeoutError:
            return Attempt(error=f"There was no answer within {self._timeout_seconds:g} s.")
        except CallFailed as failed:
            return Attempt(failed.status, failed.reason, lasting=failed.lasting)


def _attempt(reply: Reply) -> Attempt:
    answer = HttpAnswer(reply.status, reply.reason_phrase, reply.headers, None, timedelta())
    success = 200 <= reply.status < 300
    return Attempt(
        reply.status,
        "" if success else f"The receiver answered {reply.status}.",
        retry_after(answer, datetime.now(UTC)),
    )

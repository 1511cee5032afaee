"""What is sent to webhooks, taken in: verified, read, stored once."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any
from urllib.parse import parse_qsl

import grpc

from podium.executor.v1 import executor_pb2_grpc as rpc, webhooks_pb2 as pb
from services.errors import InvalidRequest, NotFound, Unauthenticated
from services.executor.core.identity import derived_id
from services.executor.core.model import Json
from services.executor.documents import LARGE_CHARS, text_of
from services.executor.inbound.verifying import Unverified, Webhook, verified
from services.executor.message_rows import PUT_MESSAGE, is_known, message_row
from services.executor.runtime import Runtime
from services.executor.timers import now
from services.json_text import DocumentError, parse_json
from services.replica import Replica

Context = grpc.aio.ServicerContext[Any, Any]

logger = logging.getLogger(__name__)

KIND = "webhook"
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 1_000


class WebhookCalls(rpc.ExecutorServiceServicer):
    """The call that is about inbound webhooks.

    Attributes:
        _runtime, _replica: Set by whoever has them.
    """

    _runtime: Runtime
    _replica: Replica

    async def ReceiveWebhook(
        self, request: pb.ReceiveWebhookRequest, context: Context
    ) -> pb.ReceiveWebhookResponse:
        delivery = self._verified(request)
        payload = await _payload(request)
        id_ = derived_id(KIND, request.name, delivery or f"request {request.request_id}")
        if await self._runtime.store.loaders.read(is_known, id_):
            return pb.ReceiveWebhookResponse(message_id=id_, known=True)
        event = f"{KIND}:{request.name}"
        text = await asyncio.to_thread(text_of, payload)
        await self._runtime.launching.write(
            [(PUT_MESSAGE, message_row(id_, event, text, 0, now()))]
        )
        self._runtime.dispatcher.wake()
        return pb.ReceiveWebhookResponse(message_id=id_)

    def _verified(self, request: pb.ReceiveWebhookRequest) -> str:
        """The delivery's id, empty where it has none."""
        missing = NotFound("There is no such webhook.")
        stored = self._replica.get(KIND, request.name)
        if stored is None:
            raise missing
        webhook = Webhook.of(stored.document)
        if not webhook.enabled:
            raise missing
        secret = self._runtime.secret(webhook.secret_name) if webhook.secret_name else ""
        if secret is None:
            logger.error("The secret of the webhook %r cannot be had.", request.name)
            raise Unauthenticated("The request cannot be verified.")
        try:
            return verified(webhook, request.headers, request.body, secret, time.time())
        except Unverified as error:
            logger.warning("A request to the webhook %r was refused: %s.", request.name, error)
            raise Unauthenticated("The request could not be verified.") from None


async def _payload(request: pb.ReceiveWebhookRequest) -> dict[str, Json]:
    """What it tells: the fields of an object; anything else under ``body``."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if len(request.body) >= LARGE_CHARS:
        return await asyncio.to_thread(_read, content_type, request.body)
    return _read(content_type, request.body)


def _read(content_type: str, body: bytes) -> dict[str, Json]:
    try:
        text = body.decode()
        if content_type == _FORM:
            return _fields(text)
        value = parse_json(text) if text else {}
    except UnicodeDecodeError:
        raise InvalidRequest("The body is no UTF-8.") from None
    except DocumentError as error:
        raise InvalidRequest(f"The body cannot be taken: {error}.") from error
    return value if isinstance(value, dict) else {"body": value}


def _fields(text: str) -> dict[str, Json]:
    """Those of a form."""
    try:
        found = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise InvalidRequest(f"The body has more than {_MOST_FIELDS:,} fields.") from error
    if any("\0" in each for field in found for each in field):
        # No document holds it.
        raise InvalidRequest("The body must not hold U+0000.")
    return dict(found)

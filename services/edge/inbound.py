"""``POST /-/webhooks/{name}``: somebody tells of something; the executor verifies and stores it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from podium.executor.v1 import webhooks_pb2 as pb
from services.edge.bodies import read_body
from services.edge.call import JSON, Answer, Call
from services.edge.digests import digest
from services.edge.problems import Problem, challenge, retry_after
from services.edge.windows import Window
from services.errors import Unauthenticated

if TYPE_CHECKING:
    from services.edge.gateway import Gateway

LONGEST_NAME = 128
_LONGEST_VALUE = 4096
_MINUTE_SECONDS = 60.0
# What any verifier reads beside the headers that a definition names.
_READ = (
    "content-type", "webhook-id", "webhook-timestamp", "webhook-signature", "x-hub-signature-256",
    "x-github-delivery", "stripe-signature", "x-slack-signature", "x-slack-request-timestamp",
)  # fmt: skip
_UNVERIFIED = "The request could not be verified: the signature, or the secret, does not hold."


async def receive(call: Call, gateway: Gateway, name: str) -> Answer:
    """202: it is stored, and will be told; 200: it was before.

    Raises:
        Problem: 400 a body that cannot be read, 401 not verified, 404, 413, 429 too often.
        ServiceError: 503 executor away.
    """
    definition = _definition(gateway, name)
    _count(gateway, name, definition)
    most = min(int(definition.get("maxBodyBytes") or 1 << 20), gateway.body_limits.most_bytes)
    body = await read_body(call, replace(gateway.body_limits, most_bytes=most))
    request = pb.ReceiveWebhookRequest(
        name=name, headers=_headers(call, definition), body=body, request_id=gateway.new_id()
    )
    try:
        told = await gateway.executor.receive_webhook(request)
    except Unauthenticated:
        raise Problem("unauthenticated", _UNVERIFIED, headers=(challenge(),)) from None
    text = json.dumps({"id": told.message_id}).encode()
    return Answer(200 if told.known else 202, text, (JSON,))


def _definition(gateway: Gateway, name: str) -> dict[str, Any]:
    stored = gateway.definitions.replica.get("webhook", name) if len(name) <= LONGEST_NAME else None
    if stored is None or stored.document.get("enabled") is False:
        raise Problem("not-found")
    return stored.document


def _count(gateway: Gateway, name: str, definition: dict[str, Any]) -> None:
    """Raises :class:`Problem` (429): those were too many within a minute."""
    window = Window(int(definition.get("requestsPerMinute") or 600), _MINUTE_SECONDS)
    (standing,) = gateway.windows.take([(digest("webhook", name), window)], gateway.monotonic())
    if not standing.allowed:
        raise Problem("rate-limited", headers=(retry_after(standing.seconds),))


def _headers(call: Call, definition: dict[str, Any]) -> dict[str, str]:
    verifier = definition.get("verifier") or {}
    named = (verifier.get("header"), definition.get("idHeader"))
    wanted = {*_READ, *(str(each).lower() for each in named if each)}
    found = {name: call.header.get(name.encode(), b"")[:_LONGEST_VALUE] for name in wanted}
    return {name: value.decode("latin-1") for name, value in found.items() if value}

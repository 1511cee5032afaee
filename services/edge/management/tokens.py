"""``POST /api/token``: an access key into a signed token. Needs no token itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from podium.registry.v1 import registry_pb2
from services import origins
from services.edge.bodies import read_body
from services.edge.call import JSON, Answer, Call
from services.edge.management.refusals import refusal
from services.edge.mapping import parse_body
from services.edge.problems import Problem, challenge
from services.errors import Fault, InvalidRequest, Unauthenticated
from services.json_text import Json
from services.rpc import raising_ours

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_SECONDS = 5.0
# Of somebody who has proved nothing yet; a key and its secret are far shorter.
_MOST_BYTES = 4096
_NAMES = ("keyId", "keySecret")
_SHUT = "The keyId and the keySecret are none of an access key that opens something."


async def issue(call: Call, management: Management) -> Answer:
    """``{"keyId", "keySecret"}`` into ``{"token", "expiresAt"}`` (milliseconds since 1970).

    Raises:
        Problem: 400 for a body without the two, 401 for a key that does not hold, 413 for a body
            that holds much more.
        ServiceError: 429 after too many of them, 503 when the
            registry is away.
    """
    most = min(_MOST_BYTES, management.body_limits.most_bytes)
    limits = replace(management.body_limits, most_bytes=most, advice="")
    body = parse_body(await read_body(call, limits))
    key_id, secret = _key_in(body)
    request = registry_pb2.IssueTokenRequest(key_id=key_id, key_secret=secret)
    try:
        with raising_ours():
            issued = await management.registry.IssueToken(
                request, timeout=_SECONDS, metadata=origins.metadata()
            )
    except Unauthenticated:
        raise Problem("unauthenticated", _SHUT, headers=(challenge(),)) from None
    document = {"token": issued.token, "expiresAt": issued.expires_at.ToMilliseconds()}
    return Answer(200, json.dumps(document).encode(), (JSON, (b"cache-control", b"no-store")))


def _key_in(body: Json) -> tuple[str, str]:
    """The key's id and its secret. Raises :class:`Problem`: 400, with what is not there."""
    given = body if isinstance(body, dict) else {}
    faults = [
        Fault(name, "must be given, a text") for name in _NAMES
        if not isinstance(given.get(name), str)
    ]  # fmt: skip
    if not isinstance(body, dict):
        faults = [Fault("", 'The body must be {"keyId": "…", "keySecret": "…"}')]
    if faults:
        raise refusal(InvalidRequest("The body has no key.", faults))
    key_id, secret = (str(given[name]) for name in _NAMES)
    return key_id, secret

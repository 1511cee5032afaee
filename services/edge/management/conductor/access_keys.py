"""Access keys of applications, and whose token a caller shows, as Orkes' clients ask for them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from podium.registry.v1 import access_pb2, registry_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor.applications import UNKNOWN, application_shown
from services.edge.management.conductor.asking import Asked, as_json, asked, nothing, shown
from services.edge.management.conductor.putting import known
from services.edge.management.page import Page
from services.errors import NotFound

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_LISTED_BYTES = 200


async def list_all(call: Call, management: Management, application_id: str) -> Answer:
    """GET: 200 with a list of ``{"id", "status", "createdAt"}``, those that are not revoked.

    One whose time has passed is INACTIVE.
    """
    keys = await _keys(asked(call, management), application_id)
    now = time.time()
    return await shown(len(keys) * _LISTED_BYTES, lambda: [_shown(each, now) for each in keys])


async def create(call: Call, management: Management, application_id: str) -> Answer:
    """POST: 200 with ``{"id", "secret"}``; the secret is told this once."""
    request = asked(call, management)
    with known(UNKNOWN.format(application_id)):
        made = await request.ask(
            request.stubs.registry.CreateAccessKey,
            pb.CreateAccessKeyRequest(application_id=application_id),
        )
    return as_json({"id": made.access_key.key_id, "secret": made.key_secret})


async def delete(call: Call, management: Management, application_id: str, key_id: str) -> Answer:
    """DELETE: 200; every token that was issued for the key is void."""
    request = asked(call, management)
    keys = await _keys(request, application_id)
    if key_id not in {each.key_id for each in keys}:
        raise _unknown(key_id)
    revoking = pb.RevokeAccessKeyRequest(key_id=key_id)
    await request.ask(request.stubs.registry.RevokeAccessKey, revoking)
    return nothing()


async def application_of(call: Call, management: Management, key_id: str) -> Answer:
    """GET: 200 with the application that has the key."""
    request = asked(call, management)
    for each in await _keys(request, ""):
        if each.key_id == key_id:
            return as_json(
                application_shown(await request.registry.get("application", each.application_id))
            )
    raise _unknown(key_id)


async def own(call: Call, management: Management) -> Answer:
    """GET: 200 with the caller, as Orkes' ``ConductorUser``."""
    request = asked(call, management)
    told = await request.ask(request.stubs.registry.GetOwnAccess, access_pb2.GetOwnAccessRequest())
    access = told.access
    return as_json(
        {
            "id": access.principal,
            "name": access.name or request.application_id,
            "applicationUser": True,
            "roles": [{"name": role} for role in access.roles],
            "groups": [],
        }
    )


async def _keys(request: Asked, application_id: str) -> Sequence[pb.AccessKey]:
    wanted = pb.ListAccessKeysRequest(application_id=application_id)
    with known(UNKNOWN.format(application_id)):
        told = await request.ask(request.stubs.registry.ListAccessKeys, wanted)
    return [each for each in told.access_keys if not each.HasField("revoked_at")]


def _shown(key: pb.AccessKey, now: float) -> dict[str, object]:
    ended = key.HasField("expires_at") and key.expires_at.ToMilliseconds() <= now * 1000
    return {
        "id": key.key_id,
        "status": "INACTIVE" if ended else "ACTIVE",
        "createdAt": key.created_at.ToMilliseconds(),
    }


def _unknown(key_id: str) -> NotFound:
    return NotFound(f"Access key '{key_id}' not found")


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/api/applications/{id}/accessKeys", list_all),
    ("POST", "/api/applications/{id}/accessKeys", create),
    ("DELETE", "/api/applications/{applicationId}/accessKeys/{keyId}", delete),
    ("GET", "/api/applications/key/{accessKeyId}", application_of),
    ("GET", "/api/token/userInfo", own),
)

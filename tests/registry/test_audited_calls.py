"""Each RPC of the registry that changes something is one entry, allowed or denied."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.auditing.methods import CHANGES, short
from services.errors import PermissionDenied
from tests.registry.registries import WORKFLOW, Running, get, put

if TYPE_CHECKING:
    from podium.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub

METHODS = sorted(short(method) for method in CHANGES if ".registry." in method)
AUTH = {"kind": "auth", "id": "partners", "authenticationType": "API_KEY",
        "applicationId": "admin",
        "apiKeys": [{"name": each, "key": f"pk_{each * 40}"} for each in "ab"]}  # fmt: skip


async def _put(registry: Running) -> Any:
    return pb.PutDefinitionsRequest(puts=[pb.DocumentPut(document=json.dumps(WORKFLOW))])


async def _rollback(registry: Running) -> Any:
    await put(registry.admin, WORKFLOW)
    first = await get(registry.admin, "workflow", "checkout")
    await put(registry.admin, {**WORKFLOW, "description": "new"})
    return pb.RollbackDefinitionRequest(kind="workflow", name="checkout", revision=first.revision)


async def _delete(registry: Running) -> Any:
    await put(registry.admin, WORKFLOW)
    return pb.DeleteDefinitionRequest(kind="workflow", name="checkout")


def _of_auth(request: type[Any], **fields: Any) -> Callable[[Running], Awaitable[Any]]:
    async def made(registry: Running) -> Any:
        await put(registry.admin, AUTH)
        return request(auth_id="partners", **fields)

    return made


def _of_key(request: type[Any]) -> Callable[[Running], Awaitable[Any]]:
    async def made(registry: Running) -> Any:
        made = await registry.admin.CreateAccessKey(
            pb.CreateAccessKeyRequest(application_id="admin")
        )
        return request(key_id=made.access_key.key_id)

    return made


async def _create_key(registry: Running) -> Any:
    return pb.CreateAccessKeyRequest(application_id="admin")


async def _rotate(registry: Running) -> Any:
    return pb.RotateSigningKeysRequest()


REQUESTS: dict[str, Callable[[Running], Awaitable[Any]]] = {
    "PutDefinitions": _put,
    "RollbackDefinition": _rollback,
    "DeleteDefinition": _delete,
    "CreateApiKey": _of_auth(pb.CreateApiKeyRequest, name="c"),
    "RollApiKey": _of_auth(pb.RollApiKeyRequest, name="a"),
    "RevokeApiKey": _of_auth(pb.RevokeApiKeyRequest, name="a"),
    "CreateAccessKey": _create_key,
    "RollAccessKey": _of_key(pb.RollAccessKeyRequest),
    "RevokeAccessKey": _of_key(pb.RevokeAccessKeyRequest),
    "RotateSigningKeys": _rotate,
}


async def newest(registry: Running, after: int = 0) -> list[pb.AuditEntry]:
    answer = await registry.admin.ListAuditEntries(pb.ListAuditEntriesRequest())
    return [each for each in answer.entries if each.id > after]


async def called(stub: RegistryServiceAsyncStub, method: str, request: Any) -> None:
    with rpc.raising_ours():
        await getattr(stub, method)(request)


@pytest.mark.parametrize("method", METHODS)
async def test_each_change_is_one_entry_when_allowed_and_one_when_denied(
    registry: Running, method: str
) -> None:
    viewer = await registry.application("viewer", roles=["VIEWER"])
    request = await REQUESTS[method](registry)
    before = (await newest(registry))[0].id

    for _ in range(2):
        with pytest.raises(PermissionDenied):
            await called(viewer, method, request)
    await called(registry.admin, method, request)

    allowed, denied = await newest(registry, before)
    assert (denied.outcome, denied.principal, denied.method) == (
        pb.AUDIT_OUTCOME_DENIED, "application:viewer", method,
    )  # fmt: skip
    assert (allowed.outcome, allowed.principal, allowed.method) == (
        pb.AUDIT_OUTCOME_ALLOWED, "application:admin", method,
    )  # fmt: skip
    assert (allowed.source, allowed.key_id) == ("127.0.0.1", "admin-key")


async def test_a_refusal_on_the_way_is_an_entry_of_what_was_to_be_changed(
    registry: Running,
) -> None:
    await put(registry.admin, {**AUTH, "id": "shop-keys"})
    grant = {"target": {"type": "auth", "id": "shop-keys"}, "access": ["UPDATE"]}
    limited = await registry.application("limited", permissions=[grant])
    before = (await newest(registry))[0].id
    request = pb.CreateApiKeyRequest(auth_id="shop-keys", name="mine")
    with pytest.raises(PermissionDenied, match="callers act as it"):
        await called(limited, "CreateApiKey", request)
    (entry,) = await newest(registry, before)

    assert (entry.action, entry.kind, entry.name) == ("create-key", "auth", "shop-keys")
    assert "callers act as it" in entry.detail

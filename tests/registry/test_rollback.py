"""Earlier states: read, put again, and kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import (
    Conflict,
    InvalidDefinition,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    Stale,
)
from services.registry import store
from tests.registry.registries import WORKFLOW, Running, document, get, put, running, settings
from tests.registry.test_puts import APPLICATION, AUTH, SERVICE
from tests.registry.test_writeonly import KEY_A, KEY_B, auth, keys

BASE = (WORKFLOW, APPLICATION, AUTH)


async def rollback(registry: Running, kind: str, name: str, revision: int, **fields: Any) -> Any:
    """Raises our errors."""
    request = pb.RollbackDefinitionRequest(kind=kind, name=name, revision=revision, **fields)
    with rpc.raising_ours():
        return (await registry.admin.RollbackDefinition(request)).result


async def revision(registry: Running, kind: str, name: str) -> int:
    return (await get(registry.admin, kind, name)).revision


async def delete(registry: Running, kind: str, name: str) -> None:
    request = pb.DeleteDefinitionRequest(kind=kind, name=name)
    await registry.admin.DeleteDefinition(request)


async def test_an_earlier_state_is_read_by_its_revision(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    first = await revision(registry, "workflow", "checkout")
    await put(registry.admin, {**WORKFLOW, "description": "new"})

    request = pb.GetDefinitionRequest(kind="workflow", name="checkout", revision=first)
    with rpc.raising_ours():
        found = (await registry.admin.GetDefinition(request)).definition

    assert found.revision == first
    assert "description" not in json.loads(found.document)
    for name, number in (("other", first), ("checkout", first + 99)):
        with pytest.raises(NotFound, match="There is no revision"), rpc.raising_ours():
            await registry.admin.GetDefinition(
                pb.GetDefinitionRequest(kind="workflow", name=name, revision=number)
            )


async def test_an_earlier_state_is_stored_again_as_a_new_revision(registry: Running) -> None:
    await put(registry.admin, *BASE, SERVICE)
    first = await get(registry.admin, "service", "orders")
    await put(registry.admin, {**SERVICE, "enabled": False})

    result = await rollback(registry, "service", "orders", first.revision)

    now = await get(registry.admin, "service", "orders")
    assert result.outcome == pb.OUTCOME_CHANGED
    assert now.document == first.document == result.definition.document
    assert json.loads(result.before)["enabled"] is False
    assert now.revision > first.revision + 1
    (entry, *_) = (await registry.admin.ListAuditEntries(pb.ListAuditEntriesRequest())).entries
    assert entry.action == "rollback"
    assert entry.detail == (
        f"Rolled service 'orders' back to revision {first.revision}, as {now.revision}."
    )


async def test_what_was_deleted_is_there_again(registry: Running) -> None:
    await put(registry.admin, *BASE, SERVICE)
    first = await revision(registry, "service", "orders")
    await delete(registry, "service", "orders")

    result = await rollback(registry, "service", "orders", first)

    assert result.outcome == pb.OUTCOME_CREATED
    assert (await document(registry.admin, "service", "orders"))["path"] == SERVICE["path"]


async def test_the_revision_of_a_deletion_is_refused(registry: Running) -> None:
    await put(registry.admin, *BASE, SERVICE)
    first = await revision(registry, "service", "orders")
    await delete(registry, "service", "orders")

    with pytest.raises(Conflict, match="was deleted: choose one before it"):
        await rollback(registry, "service", "orders", first + 1)
    request = pb.GetDefinitionRequest(kind="service", name="orders", revision=first + 1)
    with pytest.raises(NotFound, match="was deleted"), rpc.raising_ours():
        await registry.admin.GetDefinition(request)


async def test_a_version_is_rolled_back_by_itself(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    first = await revision(registry, "workflow", "checkout")
    await put(registry.admin, {**WORKFLOW, "description": "new"}, {**WORKFLOW, "version": 2})

    result = await rollback(registry, "workflow", "checkout", first)

    assert result.definition.version == 1
    assert (await get(registry.admin, "workflow", "checkout")).version == 2


async def test_an_earlier_state_must_work_with_what_is_there_now(registry: Running) -> None:
    await put(registry.admin, *BASE, SERVICE)
    first = await revision(registry, "service", "orders")
    await put(registry.admin, {**SERVICE, "routes": []})
    await delete(registry, "workflow", "checkout")

    with pytest.raises(InvalidDefinition) as caught:
        await rollback(registry, "service", "orders", first)

    assert str(caught.value.faults[0]) == (
        f"revision {first}: routes[0].mappedWorkflow.name: there is no workflow 'checkout'"
    )


async def test_what_is_so_already_changes_nothing_and_a_dry_run_neither(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    first = await revision(registry, "workflow", "checkout")

    same = await rollback(registry, "workflow", "checkout", first)
    await put(registry.admin, {**WORKFLOW, "description": "new"})
    tried = await rollback(registry, "workflow", "checkout", first, dry_run=True)

    assert same.outcome == pb.OUTCOME_UNCHANGED
    assert tried.outcome == pb.OUTCOME_CHANGED
    assert (await document(registry.admin, "workflow", "checkout"))["description"] == "new"


async def test_keys_that_were_revoked_open_nothing_again(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[KEY_A]))
    first = await revision(registry, "auth", "partners")
    await put(registry.admin, auth(apiKeys=[KEY_B], description="new"))
    before = await keys(registry)

    await rollback(registry, "auth", "partners", first)

    assert await keys(registry) == before
    assert "description" not in await document(registry.admin, "auth", "partners")


async def test_a_state_without_keys_takes_none_away(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[]))
    first = await revision(registry, "auth", "partners")
    await put(registry.admin, auth(apiKeys=[KEY_B], description="new"))

    await rollback(registry, "auth", "partners", first)

    assert len(await keys(registry)) == 1


async def test_an_auth_that_was_shut_stays_shut(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[KEY_A]))
    first = await revision(registry, "auth", "partners")
    await put(registry.admin, auth(apiKeys=[], description="shut"))

    result = await rollback(registry, "auth", "partners", first)

    assert not result.generated_keys
    assert await keys(registry) == []
    assert "description" not in await document(registry.admin, "auth", "partners")


async def test_a_deleted_auth_comes_back_with_a_new_key(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[KEY_A]))
    first = await revision(registry, "auth", "partners")
    await delete(registry, "auth", "partners")

    result = await rollback(registry, "auth", "partners", first)

    (key,) = result.generated_keys
    assert key.key != KEY_A


async def test_secrets_are_not_brought_back(registry: Running) -> None:
    await put(registry.admin, {"kind": "secret", "name": "TOKEN", "value": "one"})

    with pytest.raises(Conflict, match="put it again"):
        await rollback(registry, "secret", "TOKEN", await revision(registry, "secret", "TOKEN"))


async def test_etags_and_kinds_are_checked(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    first = await get(registry.admin, "workflow", "checkout")
    await put(registry.admin, {**WORKFLOW, "description": "new"})

    with pytest.raises(Stale):
        await rollback(registry, "workflow", "checkout", first.revision, etag=first.etag)
    with pytest.raises(InvalidRequest, match="no kind"):
        await rollback(registry, "nonsense", "checkout", 1)
    with pytest.raises(NotFound):
        await rollback(registry, "workflow", "checkout", 0)


async def test_only_who_may_put_rolls_back(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    viewer = await registry.application("viewer", roles=["VIEWER"])

    with pytest.raises(PermissionDenied):
        await rollback(Running("", viewer, viewer), "workflow", "checkout", 2)


async def test_every_state_of_a_service_is_kept_after_its_end_too(tmp_path: Path) -> None:
    """History is let go of every few commits here, so some dozens show it."""
    count = store.KEPT_STATES + 10
    async with running(settings(tmp_path, kept_revisions=5)) as registry:
        await put(registry.admin, *BASE)
        for number in range(count):
            await put(
                registry.admin,
                {**SERVICE, "description": f"{number}"},
                {**WORKFLOW, "description": f"{number}"},
            )
        await delete(registry, "service", "orders")
        for number in range(20):
            await put(registry.admin, {**WORKFLOW, "description": f"again {number}"})

        async def states(kind: str, name: str) -> list[pb.DefinitionState]:
            request = pb.ListDefinitionHistoryRequest(kind=kind, name=name)
            return list((await registry.admin.ListDefinitionHistory(request)).states)

        kept = await states("service", "orders")
        assert len(kept) == count + 1
        assert len(await states("workflow", "checkout")) < count
        await rollback(registry, "service", "orders", kept[-1].definition.revision)
        assert (await document(registry.admin, "service", "orders"))["description"] == "0"

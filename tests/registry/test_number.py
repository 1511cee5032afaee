"""How many definitions a registry takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services.errors import Overloaded
from services.rpc import raising_ours
from tests.registry.registries import WORKFLOW, put, running, settings


def version(number: int, **more: Any) -> dict[str, Any]:
    return {**WORKFLOW, "version": number, **more}


async def test_what_is_new_beyond_the_number_is_not_stored_and_what_is_there_may_be_changed(
    tmp_path: Path,
) -> None:
    # With the first administrator's application.
    async with running(settings(tmp_path, definitions=3)) as registry:
        await put(registry.admin, version(1), version(2))
        for dry_run in (True, False):
            with pytest.raises(Overloaded, match="delete or prune some, or raise") as caught:
                await put(registry.admin, version(3), dry_run=dry_run)
            assert caught.value.metadata["limit"] == "PODIUM_REGISTRY_DEFINITIONS"

        (changed,) = await put(registry.admin, version(2, description="Another one."))
        assert changed.outcome == pb.OUTCOME_CHANGED
        await delete(registry.admin, 1)
        await put(registry.admin, version(3))


async def test_below_what_is_stored_all_of_it_may_still_be_changed_and_deleted(
    tmp_path: Path,
) -> None:
    async with running(settings(tmp_path)) as registry:
        await put(registry.admin, version(1), version(2), version(3))
    async with running(settings(tmp_path, definitions=1)) as registry:
        await put(registry.admin, version(2, description="Another one."))
        await delete(registry.admin, 3)
        with pytest.raises(Overloaded):
            await put(registry.admin, version(4))


async def delete(stub: Any, number: int) -> None:
    with raising_ours():
        await stub.DeleteDefinition(
            pb.DeleteDefinitionRequest(kind="workflow", name="checkout", version=number)
        )

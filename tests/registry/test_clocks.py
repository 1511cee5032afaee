"""The registry while its clock is set by hours, forward and back."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from podium.registry.v1 import registry_pb2 as pb
from services.errors import Unauthenticated
from services.rpc import raising_ours
from tests.registry.registries import (
    ADMIN_SECRET,
    WORKFLOW,
    Running,
    get,
    put,
    running,
    settings,
)


@contextmanager
def clock_set(hours: float) -> Generator[None]:
    """Within, the clock on the wall goes on from another time; no other clock does."""
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=hours), tick=True):
        yield


async def test_the_audit_log_has_its_order_and_its_chain_whatever_the_clock_says(
    registry: Running,
) -> None:
    for number, hours in enumerate((0, -3, 3, 0)):
        with clock_set(hours):
            admin = await registry.with_key("admin-key", ADMIN_SECRET)
            await put(admin, {**WORKFLOW, "description": f"the {number}th"})
    listed = await registry.admin.ListAuditEntries(
        pb.ListAuditEntriesRequest(filter=pb.AuditFilter(name="checkout"))
    )
    checked = await registry.admin.CheckAuditLog(pb.CheckAuditLogRequest())

    after = [each.revision for each in listed.entries]
    assert (len(after), after) == (4, sorted(after, reverse=True))
    assert not checked.broken


async def test_the_newest_put_is_the_newest_though_the_clock_was_set_back(
    registry: Running,
) -> None:
    (before,) = await put(registry.admin, {**WORKFLOW, "description": "before"})
    with clock_set(-3):
        (after,) = await put(registry.admin, {**WORKFLOW, "description": "after"})
        found = await get(registry.admin, "workflow", "checkout")

    assert "after" in found.document
    assert after.definition.revision > before.definition.revision


@pytest.mark.parametrize("hours", [-3, 3])
async def test_a_token_that_the_clock_has_left_behind_is_refused_and_a_new_one_holds(
    tmp_path: Path, hours: int
) -> None:
    async with running(settings(tmp_path)) as registry:
        issued = await registry.anybody.IssueToken(
            pb.IssueTokenRequest(key_id="admin-key", key_secret=ADMIN_SECRET)
        )
    with clock_set(hours):
        # Another process: this one knows the token no more.
        async with running(settings(tmp_path)) as registry:
            request = pb.GetDefinitionRequest(kind="application", name="admin")
            bearer = (("authorization", f"Bearer {issued.token}"),)
            with pytest.raises(Unauthenticated), raising_ours():
                await registry.anybody.GetDefinition(request, metadata=bearer)

            await registry.admin.GetDefinition(request)


async def test_a_key_holds_until_its_end_by_the_clock_of_the_moment(registry: Running) -> None:
    made = await registry.admin.CreateAccessKey(_ending(registry, timedelta(hours=2)))
    key = made.access_key.key_id, made.key_secret
    with clock_set(3), pytest.raises(Unauthenticated), raising_ours():
        await registry.with_key(*key)

    await registry.with_key(*key)


def _ending(registry: Running, after: timedelta) -> pb.CreateAccessKeyRequest:
    request = pb.CreateAccessKeyRequest(application_id="admin")
    request.expires_at.FromDatetime(datetime.now(UTC) + after)
    return request

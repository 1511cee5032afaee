"""Watching definitions: snapshot, resume, compaction, trust, heartbeat, a watcher that is slow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.access import Verifier
from services.errors import Overloaded, Unauthenticated, Unavailable
from services.registry import changes
from services.replica import following
from tests.registry.registries import (
    ADMIN_SECRET,
    CLUSTER_KEY,
    WORKFLOW,
    Running,
    names,
    put,
    running,
    settings,
    until,
)

if TYPE_CHECKING:
    from podium.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub

Events = AsyncIterator[pb.WatchDefinitionsResponse]


def watching(
    stub: RegistryServiceAsyncStub, resume: pb.ResumeToken | None = None, *kinds: str
) -> Events:
    request = pb.WatchDefinitionsRequest(resume=resume, kinds=kinds)
    return aiter(stub.WatchDefinitions(request))


def secret(name: str) -> dict[str, str]:
    return {"kind": "secret", "name": name, "value": "v"}


async def test_a_new_watch_has_trust_a_snapshot_and_then_every_change(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    events = watching(registry.service("executor"))

    told = await until(events, "caught_up")
    await put(registry.admin, {**WORKFLOW, "version": 2})
    after = await until(events, "caught_up")

    assert names(told) == ["trust", "snapshot_started", "admin", "checkout", "caught_up"]
    assert not told[1].snapshot_started.compacted
    assert names(after) == ["checkout", "caught_up"]
    assert after[0].resume.revision == told[-1].resume.revision + 1
    assert after[0].change.definition.version == 2


async def test_a_watch_resumes_over_a_restart_of_the_registry(tmp_path: Path) -> None:
    async with running(settings(tmp_path)) as registry:
        await put(registry.admin, WORKFLOW, secret("A"))
        told = await until(watching(registry.service("executor")), "caught_up")
        await registry.admin.DeleteDefinition(
            pb.DeleteDefinitionRequest(kind="workflow", name="checkout")
        )
    async with running(settings(tmp_path)) as registry:
        await put(registry.admin, secret("B"))
        events = watching(registry.service("executor"), told[-1].resume)
        resumed = await until(events, "caught_up")

    assert names(resumed) == ["trust", "checkout", "B", "caught_up"]
    assert resumed[1].change.deleted
    assert not resumed[2].change.deleted


async def test_a_token_of_another_store_gives_a_snapshot(registry: Running) -> None:
    token = pb.ResumeToken(epoch="another", revision=1)

    told = await until(watching(registry.service("executor"), token), "caught_up")

    assert names(told) == ["trust", "snapshot_started", "admin", "caught_up"]
    assert told[1].snapshot_started.compacted


async def test_a_token_from_the_future_gives_a_snapshot(registry: Running) -> None:
    first = await until(watching(registry.service("executor")), "caught_up")
    token = pb.ResumeToken(epoch=first[-1].resume.epoch, revision=1 << 40)

    told = await until(watching(registry.service("executor"), token), "caught_up")

    assert "snapshot_started" in names(told)


async def test_a_compacted_revision_gives_a_snapshot(tmp_path: Path) -> None:
    async with running(settings(tmp_path, kept_revisions=5)) as registry:
        early = await until(watching(registry.service("executor")), "caught_up")
        for number in range(10):
            await put(registry.admin, {**WORKFLOW, "description": f"{number}"})
        late = await until(watching(registry.service("executor")), "caught_up")
        await put(registry.admin, {**WORKFLOW, "description": "last"})

        told = await until(watching(registry.service("executor"), early[-1].resume), "caught_up")
        resumed = await until(watching(registry.service("executor"), late[-1].resume), "caught_up")

    assert names(told) == ["trust", "snapshot_started", "admin", "checkout", "caught_up"]
    assert told[1].snapshot_started.compacted
    assert names(resumed) == ["trust", "checkout", "caught_up"]


async def test_a_snapshot_that_was_broken_off_begins_again(registry: Running) -> None:
    await put(registry.admin, *(secret(f"S{n}") for n in range(20)))
    begun = await until(watching(registry.service("executor")), "change")

    told = await until(watching(registry.service("executor"), begun[-1].resume), "caught_up")

    assert len(names(told)) == 1 + 1 + 1 + 20 + 1


async def test_only_the_kinds_asked_for_are_told_yet_the_revision_goes_on(
    registry: Running,
) -> None:
    await put(registry.admin, secret("A"))
    events = watching(registry.service("executor"), None, "workflow")

    told = await until(events, "caught_up")
    await put(registry.admin, secret("B"))
    after = await until(events, "caught_up")

    assert names(told) == ["trust", "snapshot_started", "caught_up"]
    assert names(after) == ["caught_up"]
    assert after[-1].resume.revision == told[-1].resume.revision + 1


async def test_a_silent_watch_has_heartbeats(tmp_path: Path) -> None:
    told = settings(tmp_path, heartbeat=timedelta(milliseconds=10))
    async with running(told) as registry:
        events = watching(registry.service("edge"))
        caught_up = (await until(events, "caught_up"))[-1]

        beat = (await until(events, "heartbeat"))[-1]

    assert beat.resume == caught_up.resume


async def test_a_put_of_many_is_told_whole_before_the_watch_is_caught_up(
    registry: Running,
) -> None:
    events = watching(registry.service("executor"))
    await until(events, "caught_up")

    await put(registry.admin, *(secret(f"S{n:03}") for n in range(200)))
    told = await until(events, "caught_up")

    assert names(told) == [*(f"S{n:03}" for n in range(200)), "caught_up"]


async def test_a_slow_watcher_is_left_behind_and_begins_again(tmp_path: Path) -> None:
    """It reads nothing while more is written than buffers on the way can hold: takes a second."""
    padding = "x" * 500_000
    # gRPC holds more for a reader the slower the machine is, unless it is told not to guess.
    narrow = ("grpc.http2.bdp_probe", 0)
    async with running(settings(tmp_path, kept_revisions=3)) as registry:
        events = watching(registry.service("executor", narrow))
        told = await until(events, "caught_up")

        for number in range(16):
            await put(registry.admin, {**WORKFLOW, "description": f"{number} {padding}"})
        last = (await until(events, "snapshot_started"))[-1]
        rest = await until(events, "caught_up")

    assert last.snapshot_started.compacted
    assert rest[-1].resume.revision == told[-1].resume.revision + 16
    assert json.loads(rest[-2].change.definition.document)["description"].startswith("15 ")


async def test_services_see_what_they_need_and_no_more(registry: Running) -> None:
    await put(
        registry.admin,
        secret("A"),
        {"kind": "auth", "id": "p", "authenticationType": "API_KEY", "applicationId": "admin"},
    )
    seen = {}
    for name in ("executor", "edge"):
        for event in await until(watching(registry.service(name)), "caught_up"):
            definition = event.change.definition
            seen[name, definition.name] = json.loads(definition.document or "{}")
    for event in await until(watching(registry.admin), "caught_up"):
        definition = event.change.definition
        seen["admin", definition.name] = json.loads(definition.document or "{}")

    assert "value" in seen["executor", "A"]
    assert "value" not in seen["edge", "A"]
    assert "value" not in seen["admin", "A"]
    assert "hash" in seen["edge", "p"]["apiKeys"][0]
    assert "apiKeys" not in seen["admin", "p"]


async def test_a_watch_ends_when_the_registry_stops(tmp_path: Path) -> None:
    async with running(settings(tmp_path)) as registry:
        events = watching(registry.service("executor"))
        await until(events, "caught_up")
        channels, registry.channels = registry.channels, []

    with pytest.raises(Unavailable), rpc.raising_ours():
        await until(events, "nothing")
    for each in channels:
        await each.close()


async def test_there_are_only_so_many_watchers(registry: Running) -> None:
    """Opens all of them: takes most of a second."""
    stub = registry.service("edge")
    calls = [
        stub.WatchDefinitions(pb.WatchDefinitionsRequest()) for _ in range(changes.MOST_WATCHERS)
    ]
    await asyncio.gather(*(until(aiter(call), "trust") for call in calls))

    with pytest.raises(Overloaded), rpc.raising_ours():
        await until(watching(stub), "trust")

    for call in calls:
        call.cancel()
    # Those who left make room, as soon as the registry has noticed.
    while True:
        try:
            with rpc.raising_ours():
                await until(watching(stub), "trust")
            break
        except Overloaded:
            continue


async def test_a_watch_ends_with_the_key_of_who_watches(registry: Running) -> None:
    made = await registry.admin.CreateAccessKey(pb.CreateAccessKeyRequest(application_id="admin"))
    other = await registry.with_key(made.access_key.key_id, made.key_secret)
    events = watching(other)
    await until(events, "caught_up")

    await registry.admin.RevokeAccessKey(pb.RevokeAccessKeyRequest(key_id=made.access_key.key_id))

    with pytest.raises(Unauthenticated), rpc.raising_ours():
        await until(events, "nothing")


async def test_a_revoked_key_is_refused_wherever_definitions_are_followed(
    registry: Running, tmp_path: Path
) -> None:
    made = await registry.admin.CreateAccessKey(pb.CreateAccessKeyRequest(application_id="admin"))
    request = pb.IssueTokenRequest(key_id=made.access_key.key_id, key_secret=made.key_secret)
    token = (await registry.anybody.IssueToken(request)).token
    channel = registry.as_service("edge")
    async with following(tmp_path / "copy.db", channel, kinds=["application"]) as replica:
        verifier = Verifier(CLUSTER_KEY, replica, "edge")
        assert await replica.reached(1, timedelta(seconds=5))
        assert verifier.verify(token).application_id == "admin"

        await registry.admin.RevokeAccessKey(
            pb.RevokeAccessKeyRequest(key_id=made.access_key.key_id)
        )
        # What is committed later arrives later.
        (result,) = await put(registry.admin, WORKFLOW)
        assert await replica.reached(result.definition.revision, timedelta(seconds=1))

        with pytest.raises(Unauthenticated):
            verifier.verify(token)
        kept = await registry.with_key("admin-key", ADMIN_SECRET)
        await kept.GetRegistryStatus(pb.GetRegistryStatusRequest())

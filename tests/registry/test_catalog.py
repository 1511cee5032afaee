"""Watching what may be read: snapshot, live changes, resumption, and each caller's own rights."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import InvalidRequest, Overloaded, PermissionDenied, Unauthenticated
from services.registry import catalog
from tests.registry.registries import WORKFLOW, Running, put, running, settings
from tests.registry.test_access import grant
from tests.registry.test_puts import AUTH

if TYPE_CHECKING:
    from podium.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub

Events = AsyncIterator[pb.WatchCatalogResponse]


def watching(
    stub: RegistryServiceAsyncStub, resume: pb.ResumeToken | None = None, *kinds: str, **asked: Any
) -> Events:
    return aiter(stub.WatchCatalog(pb.WatchCatalogRequest(resume=resume, kinds=kinds, **asked)))


async def caught_up(events: Events, until: str = "caught_up") -> list[pb.WatchCatalogResponse]:
    """What is told up to and with the first event of that name."""
    told = []
    with rpc.raising_ours():
        async for event in events:
            told.append(event)
            if event.WhichOneof("event") == until:
                break
    return told


def named(events: list[pb.WatchCatalogResponse]) -> list[str]:
    """States by name, removed ones with a minus; any other event by its own name."""
    return [
        name
        for event in events
        for name in (
            [f"{'-' * s.deleted}{s.definition.name}" for s in event.changes.states]
            or [str(event.WhichOneof("event"))]
        )
    ]


def secret(name: str) -> dict[str, str]:
    return {"kind": "secret", "name": name, "value": "v"}


def workflow(name: str, *tags: str) -> dict[str, Any]:
    return {**WORKFLOW, "name": name, "tags": [*tags]}


async def delete(registry: Running, kind: str, name: str) -> None:
    await registry.admin.DeleteDefinition(pb.DeleteDefinitionRequest(kind=kind, name=name))


async def test_a_watch_has_a_snapshot_and_then_every_change_and_removal(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    events = watching(registry.admin)

    told = await caught_up(events)
    (changed,) = await put(registry.admin, {**WORKFLOW, "description": "other"})
    after = await caught_up(events)
    await delete(registry, "workflow", "checkout")
    gone = await caught_up(events)

    assert named(told) == ["snapshot_started", "admin", "checkout", "caught_up"]
    assert named(after) == ["checkout", "caught_up"]
    assert named(gone) == ["-checkout", "caught_up"]
    (state,) = after[0].changes.states
    assert json.loads(state.definition.document)["description"] == "other"
    assert state.definition.etag == changed.definition.etag
    assert state.definition.updated_by == "application:admin"
    assert state.definition.created_at.ToNanoseconds() < state.definition.updated_at.ToNanoseconds()
    assert after[0].resume.revision == state.definition.revision


async def test_neither_keys_nor_values_are_told(registry: Running) -> None:
    keyed = {**AUTH, "authenticationType": "API_KEY", "applicationId": "admin"}
    events = watching(registry.admin)
    await caught_up(events)

    await put(registry.admin, keyed, secret("S"))
    live = await caught_up(events)
    new = await caught_up(watching(registry.admin, None, "auth", "secret"))

    for told in (live, new):
        texts = [s.definition.document for event in told for s in event.changes.states]
        assert [json.loads(text)["kind"] for text in texts] == ["auth", "secret"]
        assert not any('"hash"' in text or '"value"' in text for text in texts)


async def test_documents_may_be_left_out_and_kinds_chosen(registry: Running) -> None:
    await put(registry.admin, WORKFLOW, secret("S"))

    events = watching(registry.admin, None, "workflow", without_documents=True)
    told = await caught_up(events)
    await put(registry.admin, secret("T"), workflow("other"))
    after = await caught_up(events)

    assert named(told) == ["snapshot_started", "checkout", "caught_up"]
    assert named(after) == ["other", "caught_up"]
    assert not told[1].changes.states[0].definition.document


async def test_an_unknown_kind_is_refused(registry: Running) -> None:
    with pytest.raises(InvalidRequest):
        await caught_up(watching(registry.admin, None, "workflows"))
    with pytest.raises(InvalidRequest, match="and not 1000"):
        await caught_up(watching(registry.admin, None, *["workflow"] * 1000))


async def test_many_come_in_messages_of_two_hundred(registry: Running) -> None:
    await put(registry.admin, *(workflow(f"w{number:03}") for number in range(450)))

    told = await caught_up(watching(registry.admin, None, "workflow"))

    assert [len(event.changes.states) for event in told] == [0, 200, 200, 50, 0]
    assert named(told)[1:-1] == [f"w{number:03}" for number in range(450)]


async def test_large_documents_come_in_messages_of_a_mebibyte(registry: Running) -> None:
    # Three bytes a character, so that characters and bytes differ.
    text = "€" * 120_000
    documents = [{**workflow(f"w{number}"), "description": text} for number in range(5)]
    large = {**workflow("x"), "description": text * 5}
    await put(registry.admin, *documents, large)

    told = await caught_up(watching(registry.admin, None, "workflow"))

    sizes = [event.changes.ByteSize() for event in told if event.changes.states]
    assert [len(event.changes.states) for event in told if event.changes.states] == [2, 2, 1, 1]
    assert all(size <= catalog.MOST_BYTES for size in sizes[:-1])


async def test_a_broken_watch_goes_on_within_a_commit(registry: Running) -> None:
    events = watching(registry.admin, None, "workflow")
    before = (await caught_up(events))[-1].resume
    await put(registry.admin, *(workflow(f"w{number:03}") for number in range(450)))
    part = await caught_up(events, "changes")

    rest = await caught_up(watching(registry.admin, part[-1].resume, "workflow"))

    assert before.epoch == part[-1].resume.epoch
    assert [*named(part), *named(rest)] == [
        *(f"w{number:03}" for number in range(450)),
        "caught_up",
    ]


async def test_a_watch_resumes_over_a_restart_of_the_registry(tmp_path: Path) -> None:
    async with running(settings(tmp_path)) as registry:
        await put(registry.admin, WORKFLOW)
        told = await caught_up(watching(registry.admin))
        await delete(registry, "workflow", "checkout")
    async with running(settings(tmp_path)) as registry:
        await put(registry.admin, secret("B"))
        resumed = await caught_up(watching(registry.admin, told[-1].resume))

    assert named(resumed) == ["-checkout", "B", "caught_up"]


async def test_a_snapshot_that_was_broken_off_begins_again(registry: Running) -> None:
    await put(registry.admin, *(workflow(f"w{number:03}") for number in range(450)))
    begun = await caught_up(watching(registry.admin), "changes")

    told = await caught_up(watching(registry.admin, begun[-1].resume))

    assert told[0].snapshot_started.compacted
    assert len(named(told)) == 1 + 1 + 450 + 1


@pytest.mark.parametrize("change", ["epoch", "revision", "kinds", "documents", "rights"])
async def test_a_token_that_is_not_of_this_watch_gives_a_snapshot(
    registry: Running, change: str
) -> None:
    reader = await registry.application("reader", roles=["VIEWER"])
    token = (await caught_up(watching(reader)))[-1].resume
    kinds: tuple[str, ...] = ()
    match change:
        case "epoch":
            token.epoch = "another"
        case "revision":
            token.revision = 1 << 40
        case "kinds":
            kinds = ("workflow",)
        case "rights":
            await put(registry.admin, {"kind": "application", "id": "reader", "roles": ["EDITOR"]})

    told = await caught_up(watching(reader, token, *kinds, without_documents=change == "documents"))

    assert told[0].snapshot_started.compacted


async def test_a_compacted_revision_gives_a_snapshot(tmp_path: Path) -> None:
    async with running(settings(tmp_path, kept_revisions=5)) as registry:
        early = await caught_up(watching(registry.admin))
        for number in range(10):
            await put(registry.admin, {**WORKFLOW, "description": f"{number}"})

        told = await caught_up(watching(registry.admin, early[-1].resume))

    assert named(told) == ["snapshot_started", "admin", "checkout", "caught_up"]


async def test_a_silent_watch_has_heartbeats(tmp_path: Path) -> None:
    async with running(settings(tmp_path, heartbeat=timedelta(milliseconds=10))) as registry:
        events = watching(registry.admin)
        last = (await caught_up(events))[-1]

        assert (await caught_up(events, "heartbeat"))[-1].resume == last.resume


@pytest.mark.parametrize("role", ["ADMIN", "EDITOR", "OPERATOR", "VIEWER"])
async def test_a_role_that_reads_sees_all(registry: Running, role: str) -> None:
    reader = await registry.application("reader", roles=[role])
    await put(registry.admin, WORKFLOW, secret("S"))

    told = await caught_up(watching(reader))

    assert named(told)[1:-1] == ["admin", "reader", "S", "checkout"]


async def test_grants_show_what_they_are_for_and_nothing_else(registry: Running) -> None:
    reader = await registry.application("reader", permissions=[grant("workflow", "a", "READ")])
    await put(registry.admin, workflow("a"), workflow("b"), secret("S"))
    events = watching(reader)
    told = await caught_up(events)

    await put(registry.admin, {**workflow("b"), "description": "other"})
    other = await caught_up(events)
    await put(registry.admin, {**workflow("a"), "description": "other"})
    own = await caught_up(events)
    await delete(registry, "workflow", "b")
    removed = await caught_up(events)

    assert named(told) == ["snapshot_started", "a", "caught_up"]
    assert named(other) == named(removed) == ["caught_up"]
    assert named(own) == ["a", "caught_up"]


async def test_what_loses_its_tag_is_gone_for_who_reads_by_it(registry: Running) -> None:
    reader = await registry.application("reader", permissions=[grant("tag", "open", "READ")])
    await put(registry.admin, workflow("a", "open"), workflow("b", "closed"))
    events = watching(reader)
    told = await caught_up(events)

    await put(registry.admin, {**workflow("a", "closed"), "description": "private"})
    closed = await caught_up(events)
    await put(registry.admin, {**workflow("a", "closed"), "description": "more"})
    still_closed = await caught_up(events)
    await put(registry.admin, workflow("b", "open"))
    opened = await caught_up(events)
    await delete(registry, "workflow", "b")
    removed = await caught_up(events)
    await delete(registry, "workflow", "a")
    unseen = await caught_up(events)

    assert named(told) == ["snapshot_started", "a", "caught_up"]
    assert named(closed) == ["-a", "caught_up"]
    (hidden,), (gone,) = (each[0].changes.states for each in (closed, removed))
    assert not hidden.definition.document
    # Nobody has deleted it.
    assert (hidden.out_of_sight, hidden.definition.updated_by) == (True, "")
    assert (gone.out_of_sight, gone.definition.updated_by) == (False, "application:admin")
    assert named(still_closed) == named(unseen) == ["caught_up"]
    assert named(opened) == ["b", "caught_up"]
    assert named(removed) == ["-b", "caught_up"]


async def test_a_removal_that_nobody_can_judge_any_more_gives_a_snapshot(tmp_path: Path) -> None:
    """What the definition was, and so who could read it, has gone with old history."""
    async with running(settings(tmp_path, kept_revisions=4)) as registry:
        reader = await registry.application("reader", permissions=[grant("tag", "open", "READ")])
        await put(registry.admin, workflow("a", "open"))
        for number in range(3):
            await put(registry.admin, {**WORKFLOW, "description": f"{number}"})
        token = (await caught_up(watching(reader)))[-1].resume
        await delete(registry, "workflow", "a")
        for number in range(3, 6):
            await put(registry.admin, {**WORKFLOW, "description": f"{number}"})

        told = await caught_up(watching(reader, token))

    assert named(told) == ["snapshot_started", "caught_up"]
    assert told[0].snapshot_started.compacted


async def test_a_watch_begins_again_when_the_callers_rights_change(registry: Running) -> None:
    reader = await registry.application("reader", permissions=[grant("workflow", "a", "READ")])
    await put(registry.admin, workflow("a"), workflow("b"))
    events = watching(reader)
    await caught_up(events)

    other = {"kind": "application", "id": "reader", "permissions": [grant("workflow", "b", "READ")]}
    await put(registry.admin, other, {**workflow("a"), "description": "no longer for the reader"})
    told = await caught_up(events)

    assert named(told) == ["snapshot_started", "b", "caught_up"]
    assert told[0].snapshot_started.compacted


@pytest.mark.parametrize("fields", [{}, {"roles": ["WORKER"]}])
async def test_who_may_read_nothing_is_refused(registry: Running, fields: dict[str, Any]) -> None:
    execute = [grant("workflow", "*", "EXECUTE")]
    caller = await registry.application("caller", permissions=execute, **fields)

    with pytest.raises(PermissionDenied):
        await caught_up(watching(caller))


async def test_a_service_is_refused(registry: Running) -> None:
    with pytest.raises(PermissionDenied):
        await caught_up(watching(registry.service("edge")))


async def test_a_watch_ends_with_the_key_of_who_watches(registry: Running) -> None:
    made = await registry.admin.CreateAccessKey(pb.CreateAccessKeyRequest(application_id="admin"))
    other = await registry.with_key(made.access_key.key_id, made.key_secret)
    events = watching(other)
    await caught_up(events)

    await registry.admin.RevokeAccessKey(pb.RevokeAccessKeyRequest(key_id=made.access_key.key_id))

    with pytest.raises(Unauthenticated):
        await caught_up(events, "nothing")


async def test_there_are_only_so_many_watchers(
    registry: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "MOST_WATCHERS", 3)
    calls = [registry.admin.WatchCatalog(pb.WatchCatalogRequest()) for _ in range(3)]
    await asyncio.gather(*(caught_up(aiter(call)) for call in calls))

    with pytest.raises(Overloaded):
        await caught_up(watching(registry.admin))
    for call in calls:
        call.cancel()

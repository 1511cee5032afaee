"""The audit log, live: the newest, then each entry as it is written; filters; resumption."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from podium.common.v1.page_pb2 import PageRequest
from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import InvalidRequest, Overloaded, PermissionDenied, Unauthenticated
from services.registry import audit_watch
from tests.registry.registries import WORKFLOW, Running, put, running, settings
from tests.registry.test_access import moment

if TYPE_CHECKING:
    from podium.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub

Events = AsyncIterator[pb.WatchAuditEntriesResponse]


def watching(stub: RegistryServiceAsyncStub, **asked: Any) -> Events:
    return aiter(stub.WatchAuditEntries(pb.WatchAuditEntriesRequest(**asked)))


async def caught_up(events: Events, until: str = "caught_up") -> list[Any]:
    told = []
    with rpc.raising_ours():
        async for event in events:
            told.append(event)
            if event.WhichOneof("event") == until:
                break
    return told


def entries(told: list[Any]) -> list[tuple[str, str]]:
    return [(each.action, each.name) for event in told for each in event.entries.entries]


async def secrets(registry: Running, *names: str) -> None:
    await put(registry.admin, *({"kind": "secret", "name": each, "value": "v"} for each in names))


async def test_the_newest_come_first_and_then_what_is_written(registry: Running) -> None:
    await secrets(registry, "A", "B")
    events = watching(registry.admin, newest=2)

    told = await caught_up(events)
    await secrets(registry, "C", "D")
    after = await caught_up(events)

    assert told[0].HasField("snapshot_started")
    assert entries(told) == [("create", "B"), ("create", "A")]
    assert entries(after) == [("create", "C"), ("create", "D")]
    last = after[0].entries.entries[-1]
    assert after[-1].resume.revision == last.id
    assert (last.principal, last.kind) == ("application:admin", "secret")


async def test_a_refusal_is_told_at_once(registry: Running) -> None:
    viewer = await registry.application("viewer", roles=["VIEWER"])
    events = watching(registry.admin)
    await caught_up(events)

    asked = pb.DeleteDefinitionRequest(kind="workflow", name="checkout")
    with pytest.raises(PermissionDenied), rpc.raising_ours():
        await viewer.DeleteDefinition(asked)

    assert entries(await caught_up(events)) == [("delete", "checkout")]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"kind": "workflow"}, [("create", "checkout")]),
        ({"name": "A"}, [("delete", "A"), ("create", "A")]),
        ({"actions": ["delete"]}, [("delete", "A")]),
        ({"principal": "application:nobody"}, []),
        ({"principal": "application:admin", "kind": "secret", "actions": ["create"]},
         [("create", "B"), ("create", "A")]),
    ],
)  # fmt: skip
async def test_a_filter_keeps_what_is_wanted_in_lists_and_live(
    registry: Running, asked: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    wanted = pb.AuditFilter(**asked)
    events = watching(registry.admin, filter=wanted)
    first = await caught_up(events)
    await secrets(registry, "A", "B")
    await put(registry.admin, WORKFLOW)
    await registry.admin.DeleteDefinition(pb.DeleteDefinitionRequest(kind="secret", name="A"))

    live = list[tuple[str, str]]()
    while len(live) < len(expected):
        live += entries(await caught_up(events))
    listed = await registry.admin.ListAuditEntries(pb.ListAuditEntriesRequest(filter=wanted))
    new = await caught_up(watching(registry.admin, filter=wanted))

    assert entries(first) == []
    assert sorted(live) == sorted(expected)
    assert [(each.action, each.name) for each in listed.entries] == expected
    assert entries(new) == expected


async def test_a_filter_may_say_from_when_until_when(registry: Running) -> None:
    await secrets(registry, "A")
    listed = await registry.admin.ListAuditEntries(pb.ListAuditEntriesRequest())
    at = listed.entries[0].at.ToDatetime(UTC)

    async def within(**asked: Any) -> list[str]:
        request = pb.ListAuditEntriesRequest(filter=pb.AuditFilter(name="A", **asked))
        return [each.name for each in (await registry.admin.ListAuditEntries(request)).entries]

    second = timedelta(seconds=1)
    assert await within(since=moment(at - second), until=moment(at + second)) == ["A"]
    assert await within(since=moment(at + second)) == []
    assert await within(until=moment(at - second)) == []
    # A whole second is told in another form than one with a fraction.
    assert await within(since=moment(at.replace(microsecond=0))) == ["A"]


async def test_filtered_lists_come_in_pages(registry: Running) -> None:
    await secrets(registry, *"ABCDE")
    wanted = pb.AuditFilter(kind="secret")
    names, token = list[str](), ""
    while not names or token:
        page = PageRequest(page_size=2, page_token=token)
        answer = await registry.admin.ListAuditEntries(
            pb.ListAuditEntriesRequest(page=page, filter=wanted)
        )
        names.extend(each.name for each in answer.entries)
        token = answer.next_page_token

    assert names == [*"EDCBA"]


async def test_a_watch_resumes_over_a_restart(tmp_path: Path) -> None:
    async with running(settings(tmp_path)) as registry:
        await secrets(registry, "A")
        told = await caught_up(watching(registry.admin))
        await secrets(registry, "B")
    async with running(settings(tmp_path)) as registry:
        await secrets(registry, "C")
        resumed = await caught_up(watching(registry.admin, resume=told[-1].resume))

    assert not any(each.HasField("snapshot_started") for each in resumed)
    assert entries(resumed) == [("create", "B"), ("create", "C")]


@pytest.mark.parametrize("token", [("another", 1), ("", 1 << 40), ("", 0)])
async def test_a_token_that_says_no_place_gives_the_newest(
    registry: Running, token: tuple[str, int]
) -> None:
    own = (await caught_up(watching(registry.admin)))[-1].resume
    resume = pb.ResumeToken(epoch=token[0] or own.epoch, revision=token[1])

    told = await caught_up(watching(registry.admin, resume=resume))

    assert told[0].snapshot_started.compacted


async def test_many_come_in_messages_of_two_hundred(registry: Running) -> None:
    await secrets(registry, *(f"S{number}" for number in range(450)))
    names = [f"S{number}" for number in range(450)]

    told = await caught_up(watching(registry.admin, newest=450))
    resume = pb.ResumeToken(epoch=told[-1].resume.epoch, revision=told[-1].resume.revision - 450)
    backlog = await caught_up(watching(registry.admin, resume=resume))

    assert [len(event.entries.entries) for event in told] == [0, 200, 200, 50, 0]
    assert [name for _, name in entries(told)] == names[::-1]
    assert [name for _, name in entries(backlog)] == names
    assert max(len(event.entries.entries) for event in backlog) == 200


async def test_a_silent_watch_has_heartbeats(tmp_path: Path) -> None:
    async with running(settings(tmp_path, heartbeat=timedelta(milliseconds=10))) as registry:
        events = watching(registry.admin)
        last = (await caught_up(events))[-1]

        assert (await caught_up(events, "heartbeat"))[-1].resume == last.resume


async def test_a_watch_ends_when_the_right_to_it_is_taken(registry: Running) -> None:
    reader = await registry.application("reader", roles=["EDITOR"])
    events = watching(reader)
    await caught_up(events)

    await put(registry.admin, {"kind": "application", "id": "reader", "roles": ["VIEWER"]})

    with pytest.raises(PermissionDenied):
        await caught_up(events, "nothing")


async def test_a_watch_ends_with_the_key_of_who_watches(registry: Running) -> None:
    made = await registry.admin.CreateAccessKey(pb.CreateAccessKeyRequest(application_id="admin"))
    other = await registry.with_key(made.access_key.key_id, made.key_secret)
    events = watching(other)
    await caught_up(events)

    await registry.admin.RevokeAccessKey(pb.RevokeAccessKeyRequest(key_id=made.access_key.key_id))

    with pytest.raises(Unauthenticated):
        await caught_up(events, "nothing")


@pytest.mark.parametrize(("role", "allowed"), [("EDITOR", True), ("OPERATOR", True),
                                              ("VIEWER", False), ("WORKER", False)])  # fmt: skip
async def test_who_may_list_may_watch(registry: Running, role: str, allowed: bool) -> None:
    caller = await registry.application("caller", roles=[role])

    if allowed:
        assert entries(await caught_up(watching(caller)))
    else:
        with pytest.raises(PermissionDenied):
            await caught_up(watching(caller))


@pytest.mark.parametrize(
    "asked",
    [
        {"newest": -1},
        {"filter": pb.AuditFilter(since=Timestamp(seconds=1 << 60))},
        {"filter": pb.AuditFilter(actions=["x"] * 101)},
    ],
)
async def test_what_makes_no_sense_is_refused(registry: Running, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        await caught_up(watching(registry.admin, **asked))


async def test_there_are_only_so_many_watchers(
    registry: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_watch, "MOST_WATCHERS", 1)
    call = registry.admin.WatchAuditEntries(pb.WatchAuditEntriesRequest())
    await caught_up(aiter(call))

    with pytest.raises(Overloaded):
        await caught_up(watching(registry.admin))
    call.cancel()


async def test_access_keys_of_all_applications_tell_when_they_were_used(registry: Running) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    await registry.application("used")
    await put(registry.admin, {"kind": "application", "id": "unused"})
    await registry.admin.CreateAccessKey(pb.CreateAccessKeyRequest(application_id="unused"))

    listed = await registry.admin.ListAccessKeys(pb.ListAccessKeysRequest())

    keys = {key.application_id: key for key in listed.access_keys}
    assert keys.keys() == {"admin", "used", "unused"}
    assert keys["used"].last_used_at.ToDatetime(UTC) >= before
    assert not keys["unused"].HasField("last_used_at")

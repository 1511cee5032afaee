"""Access keys: rolled, ended, asked for twice; and applications that are paused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, strategies as st
from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from services.registry import keys, requested
from services.registry.keys import AccessKey
from services.registry.migrations import migrations
from services.registry.trust import RegistryAuthority, Trusted
from tests.registry.registries import Running, put, until

NOW = datetime(2027, 1, 1, tzinfo=UTC)


def stamp(at: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(at)
    return found


async def made(registry: Running, **fields: Timestamp) -> pb.CreateAccessKeyResponse:
    return await registry.admin.CreateAccessKey(
        pb.CreateAccessKeyRequest(application_id="admin", **fields)  # type: ignore[arg-type]
    )


async def status(registry: Running, key_id: str, secret: str) -> None:
    stub = await registry.with_key(key_id, secret)
    await stub.GetRegistryStatus(pb.GetRegistryStatusRequest())


async def test_a_rolled_key_goes_on_for_its_overlap(registry: Running) -> None:
    old = await made(registry)
    request = pb.RollAccessKeyRequest(
        key_id=old.access_key.key_id, overlap=Duration(seconds=3600), request_id=str(uuid4())
    )

    rolled = await registry.admin.RollAccessKey(request)

    new = rolled.access_key
    assert (new.application_id, new.replaces) == ("admin", old.access_key.key_id)
    assert new.created_by == "application:admin"
    assert not new.HasField("expires_at")
    left = rolled.replaced.expires_at.ToDatetime(UTC) - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    assert rolled.replaced.key_id == old.access_key.key_id
    await status(registry, new.key_id, rolled.key_secret)
    await status(registry, old.access_key.key_id, old.key_secret)
    again = await registry.admin.RollAccessKey(request)
    assert (again.access_key.key_id, again.key_secret) == (new.key_id, rolled.key_secret)
    assert again.replaced.expires_at == rolled.replaced.expires_at


async def test_a_key_that_is_rolled_without_overlap_is_void_with_its_tokens(
    registry: Running,
) -> None:
    old = await made(registry)
    stub = await registry.with_key(old.access_key.key_id, old.key_secret)

    rolled = await registry.admin.RollAccessKey(
        pb.RollAccessKeyRequest(key_id=old.access_key.key_id)
    )

    with pytest.raises(Unauthenticated), rpc.raising_ours():
        await stub.GetRegistryStatus(pb.GetRegistryStatusRequest())
    with pytest.raises(Unauthenticated), rpc.raising_ours():
        await status(registry, old.access_key.key_id, old.key_secret)
    await status(registry, rolled.access_key.key_id, rolled.key_secret)
    assert rolled.replaced.HasField("revoked_at")
    with pytest.raises(Conflict, match="create another"), rpc.raising_ours():
        await registry.admin.RollAccessKey(pb.RollAccessKeyRequest(key_id=old.access_key.key_id))


async def test_the_last_administrator_s_key_can_be_rolled(registry: Running) -> None:
    rolled = await registry.admin.RollAccessKey(pb.RollAccessKeyRequest(key_id="admin-key"))

    await status(registry, rolled.access_key.key_id, rolled.key_secret)


async def test_an_overlap_does_not_let_a_key_live_longer(registry: Running) -> None:
    end = datetime.now(UTC) + timedelta(minutes=5)
    old = await made(registry, expires_at=stamp(end))

    rolled = await registry.admin.RollAccessKey(
        pb.RollAccessKeyRequest(key_id=old.access_key.key_id, overlap=Duration(seconds=3600))
    )

    assert rolled.replaced.expires_at == old.access_key.expires_at


async def test_senseless_rolls_are_refused(registry: Running) -> None:
    past = stamp(datetime(2020, 1, 1, tzinfo=UTC))
    for error, request in (
        (NotFound, pb.RollAccessKeyRequest(key_id="nobody")),
        (InvalidRequest, pb.RollAccessKeyRequest(key_id="admin-key", overlap=Duration(seconds=-1))),
        (
            InvalidRequest,
            pb.RollAccessKeyRequest(key_id="admin-key", overlap=Duration(seconds=1 << 40)),
        ),
        (InvalidRequest, pb.RollAccessKeyRequest(key_id="admin-key", expires_at=past)),
        (InvalidRequest, pb.RollAccessKeyRequest(key_id="admin-key", request_id="1")),
    ):
        with pytest.raises(error), rpc.raising_ours():
            await registry.admin.RollAccessKey(request)
    await status(registry, "admin-key", "the administrator's own secret")


async def test_a_token_and_its_streams_end_with_their_key(registry: Running) -> None:
    end = datetime.now(UTC) + timedelta(seconds=2)
    key = await made(registry, expires_at=stamp(end))
    stub = await registry.with_key(key.access_key.key_id, key.key_secret)
    stream = aiter(stub.WatchAuditEntries(pb.WatchAuditEntriesRequest()))
    await anext(stream)
    events = aiter(registry.service("edge").WatchDefinitions(pb.WatchDefinitionsRequest()))
    trust = (await until(events, "trust"))[-1].trust

    assert {each.key_id: each.ends_at for each in trust.access_key_ends} == {
        key.access_key.key_id: key.access_key.expires_at
    }
    with pytest.raises(Unauthenticated, match="expired"), rpc.raising_ours():
        async with asyncio.timeout(20):
            async for _ in stream:
                pass
    # A token is good for some seconds more than it says, but not for longer than its key.
    with pytest.raises(Unauthenticated), rpc.raising_ours():
        await stub.GetRegistryStatus(pb.GetRegistryStatusRequest())


def test_an_authority_knows_a_key_s_end_by_its_own_clock() -> None:
    clock = [NOW.timestamp()]
    authority = RegistryAuthority(Trusted(ends={"a": NOW + timedelta(seconds=5)}), lambda: clock[0])

    assert not authority.revoked("a")
    clock[0] += 5
    assert authority.revoked("a")
    assert not authority.revoked("b")


def test_the_first_end_of_a_key_counts() -> None:
    key = keys.new("a", "s", NOW, NOW + timedelta(hours=2))
    assert key.ends_at == NOW + timedelta(hours=2)
    assert keys.new("a", "s", NOW, None).ends_at is None


@pytest.mark.parametrize("lost", ["paused", "without its role", "deleted"])
async def test_an_application_that_may_no_more_is_refused_and_its_streams_end(
    registry: Running, lost: str
) -> None:
    application = {"kind": "application", "id": "watcher", "roles": ["OPERATOR"]}
    stub = await registry.application("watcher", roles=["OPERATOR"])
    stream = aiter(stub.WatchAuditEntries(pb.WatchAuditEntriesRequest()))
    await anext(stream)

    if lost == "paused":
        await put(registry.admin, application | {"enabled": False})
    elif lost == "deleted":
        request = pb.DeleteDefinitionRequest(kind="application", name="watcher")
        await registry.admin.DeleteDefinition(request)
    else:
        await put(registry.admin, application | {"roles": ["WORKER"]})

    expected = (PermissionDenied, Unauthenticated)
    with pytest.raises(expected), rpc.raising_ours():
        await stub.ListAuditEntries(pb.ListAuditEntriesRequest())
    with pytest.raises(expected), rpc.raising_ours():
        async with asyncio.timeout(20):
            async for _ in stream:
                pass


async def test_a_paused_application_gets_no_token_until_it_goes_on(registry: Running) -> None:
    application = {"kind": "application", "id": "robot", "roles": ["VIEWER"]}
    await put(registry.admin, application)
    key = await registry.admin.CreateAccessKey(pb.CreateAccessKeyRequest(application_id="robot"))

    await put(registry.admin, application | {"enabled": False})
    with pytest.raises(PermissionDenied, match="'robot' is paused"), rpc.raising_ours():
        await registry.with_key(key.access_key.key_id, key.key_secret)
    await put(registry.admin, application)
    await status(registry, key.access_key.key_id, key.key_secret)


async def test_the_last_administrator_is_not_paused(registry: Running) -> None:
    admin = {"kind": "application", "id": "admin", "roles": ["ADMIN"], "enabled": False}
    with pytest.raises(Conflict, match="lock everybody out"):
        await put(registry.admin, admin)


async def test_a_secret_that_is_told_again_is_in_the_audit_log(registry: Running) -> None:
    request = pb.CreateAccessKeyRequest(application_id="admin", request_id=str(uuid4()))
    key = await registry.admin.CreateAccessKey(request)
    await registry.admin.CreateAccessKey(request)

    entries = (await registry.admin.ListAuditEntries(pb.ListAuditEntriesRequest())).entries

    assert [(each.action, each.detail) for each in entries[:2]] == [
        (
            "create-key",
            f"Told the secret of access key {key.access_key.key_id} again, "
            "to the request that made it.",
        ),
        ("create-key", f"Access key {key.access_key.key_id}."),
    ]


async def test_another_who_sends_the_request_gets_another_key(registry: Running) -> None:
    other = await registry.application("other", roles=["ADMIN"])
    request = pb.CreateAccessKeyRequest(application_id="admin", request_id=str(uuid4()))

    mine = await registry.admin.CreateAccessKey(request)
    theirs = await other.CreateAccessKey(request)

    assert mine.key_secret != theirs.key_secret
    assert mine.access_key.key_id != theirs.access_key.key_id


@pytest.mark.parametrize(
    ("made_at", "refused"),
    [
        (NOW, False),
        (NOW - requested.REPEATED_WITHIN, False),
        (NOW - requested.REPEATED_WITHIN - timedelta(seconds=1), True),
        (NOW + timedelta(seconds=1), True),
        (None, True),
    ],
)
def test_a_secret_is_told_again_for_ten_minutes(made_at: datetime | None, refused: bool) -> None:
    def told() -> bool:
        try:
            requested.check_repeat("a key", made_at, NOW)
        except Conflict:
            return False
        return True

    assert told() is not refused


_MOMENTS = st.none() | st.builds(
    lambda seconds, micros: datetime(2027, 1, 1, tzinfo=UTC) + timedelta(0, seconds, micros),
    st.integers(-3, 3),
    st.sampled_from((0, 1, 500_000)),
)


@given(st.lists(st.tuples(_MOMENTS, _MOMENTS), max_size=6), _MOMENTS)
def test_keys_that_end_are_found_by_their_moments(
    ends: list[tuple[datetime | None, datetime | None]], since: datetime | None
) -> None:
    database = Database(memory=True)
    migrations.apply(database)
    moment = since or datetime(2027, 1, 1, tzinfo=UTC)
    for number, (expires, revoked) in enumerate(ends):
        keys.add(database, AccessKey(f"k{number}", "a", "", moment, expires))
        if revoked is not None:
            keys.revoke(database, f"k{number}", revoked)

    found = [key.key_id for key in keys.ending(database, moment)]

    every = keys.listed(database)
    assert found == [key.key_id for key in every if key.ends_at and key.ends_at > moment]

"""The keys that tokens are signed with: which signs when, and that no valid token is refused."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from hypothesis import given, strategies as st

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import Conflict, PermissionDenied, Unauthenticated
from services.registry import signing
from services.registry.changes import Changes
from services.registry.commits import Commits
from services.registry.first_start import Credentials, prepare
from services.registry.migrations import migrations
from services.registry.permissions import Caller
from services.registry.signing import LIFETIME, SLACK, SigningKey
from services.registry.signing_calls import Signing
from services.registry.trust import RegistryAuthority, Trusted
from services.sealing import sealer_of
from services.storage import opened
from tests.registry.registries import ADMIN_SECRET, Running, running, settings, until

NOW = datetime(2027, 1, 1, tzinfo=UTC)
NOTICE = timedelta(minutes=1)
EVERY = timedelta(days=90)


def made(*moments: timedelta) -> list[SigningKey]:
    """Keys that sign from those moments after NOW, made a notice before."""
    return [
        SigningKey(f"k{n}", "", NOW + at - NOTICE, NOW + at) for n, at in enumerate(sorted(moments))
    ]


def test_a_key_signs_from_its_moment_on_and_the_first_before_all() -> None:
    keys = made(timedelta(), timedelta(hours=1))

    def of(at: timedelta) -> str:
        return signing.signing(keys, NOW + at).key_id

    assert [of(timedelta(minutes=m)) for m in (-9, 0, 59, 60, 600)] == [
        "k0",
        "k0",
        "k0",
        "k1",
        "k1",
    ]
    announced = signing.announced(keys, NOW + timedelta(minutes=59))
    assert announced is not None
    assert announced.key_id == "k1"
    assert signing.announced(keys, NOW + timedelta(minutes=60)) is None


def test_a_key_is_looked_at_when_it_is_over_and_when_it_is_old() -> None:
    keys = made(timedelta(), timedelta(hours=1))
    over = NOW + timedelta(hours=1) + LIFETIME + SLACK

    assert signing.looks_at(keys, EVERY) == over
    assert signing.looks_at(keys, timedelta()) == over
    assert signing.looks_at(keys[1:], EVERY) == NOW + timedelta(hours=1) - NOTICE + EVERY
    assert signing.looks_at(keys[1:], timedelta()) is None


def test_a_key_that_does_not_sign_yet_is_not_old() -> None:
    (key,) = made(timedelta(hours=1))

    assert signing.rotates_at([key], timedelta(seconds=1)) == key.signs_from


minutes = st.integers(-600, 600).map(lambda m: timedelta(minutes=m))


@given(st.lists(minutes, min_size=1, max_size=6, unique=True), minutes, st.data())
def test_who_verifies_a_token_has_its_key_for_as_long_as_it_holds(
    moments: list[timedelta], issued: timedelta, data: st.DataObject
) -> None:
    keys, now = made(*moments), NOW + issued
    key = signing.signing(keys, now)
    later = now + data.draw(st.timedeltas(timedelta(), LIFETIME))

    # Before the first key signs, no token is: a clock that was set back finds one that is known.
    if now >= keys[0].signs_from:
        assert key not in signing.over(keys, later)
        # All were told of it before.
        assert key.created_at + NOTICE <= now


@given(st.lists(minutes, min_size=1, max_size=6, unique=True), minutes)
def test_one_key_always_stays(moments: list[timedelta], at: timedelta) -> None:
    keys = made(*moments)

    assert signing.signing(keys, NOW + at) not in signing.over(keys, NOW + at)
    assert len(signing.over(keys, NOW + at)) < len(keys)


# A registry's


async def token(registry: Running) -> str:
    issued = await registry.anybody.IssueToken(
        pb.IssueTokenRequest(key_id="admin-key", key_secret=ADMIN_SECRET)
    )
    return issued.token


def signer(text: str) -> str:
    return str(jwt.get_unverified_header(text)["kid"])


async def listed(registry: Running) -> dict[str, int]:
    answer = await registry.admin.ListSigningKeys(pb.ListSigningKeysRequest())
    return {key.key_id: key.state for key in answer.signing_keys}


async def trusts(registry: Running) -> AsyncIterator[pb.Trust]:
    events = aiter(registry.service("edge").WatchDefinitions(pb.WatchDefinitionsRequest()))
    while True:
        yield (await until(events, "trust"))[-1].trust


async def test_a_new_key_is_told_before_it_signs_and_the_old_one_goes_on(tmp_path: Path) -> None:
    told = settings(tmp_path, signing_key_notice=timedelta(seconds=1))
    async with running(told) as registry:
        old = await token(registry)
        watched = trusts(registry)
        before = {key.key_id for key in (await anext(watched)).public_keys}

        answer = await registry.admin.RotateSigningKeys(pb.RotateSigningKeysRequest())
        known = {key.key_id for key in (await anext(watched)).public_keys}

        (new,) = known - before
        assert {key.key_id: key.state for key in answer.signing_keys} == {
            signer(old): pb.SIGNING_KEY_STATE_SIGNS,
            new: pb.SIGNING_KEY_STATE_ANNOUNCED,
        }
        seen = [signer(await token(registry))]
        with pytest.raises(Conflict, match=f"already, {new}"), rpc.raising_ours():
            await registry.admin.RotateSigningKeys(pb.RotateSigningKeysRequest())
        while seen[-1] != new:
            seen.append(signer(await token(registry)))
            await asyncio.sleep(0.02)

        # Each signed in its time, and the old one is good still.
        assert [each for each, _ in itertools.groupby(seen)] == [signer(old), new]
        assert await listed(registry) == {
            signer(old): pb.SIGNING_KEY_STATE_VERIFIES,
            new: pb.SIGNING_KEY_STATE_SIGNS,
        }
        await watched.aclose()  # type: ignore[attr-defined]


async def test_revoking_ends_every_other_key_its_tokens_and_their_streams(
    registry: Running,
) -> None:
    old = signer(await token(registry))
    watched = trusts(registry)
    await anext(watched)
    stream = aiter(registry.admin.WatchAuditEntries(pb.WatchAuditEntriesRequest()))
    await anext(stream)

    answer = await registry.admin.RotateSigningKeys(pb.RotateSigningKeysRequest(revoke=True))

    (new,) = answer.signing_keys
    assert new.state == pb.SIGNING_KEY_STATE_SIGNS
    assert signer(await token(registry)) == new.key_id != old
    told = await anext(watched)
    assert [key.key_id for key in told.public_keys] == [new.key_id]
    assert list(told.revoked_signing_key_ids) == [old]
    with pytest.raises(Unauthenticated), rpc.raising_ours():
        await listed(registry)
    with pytest.raises(Unauthenticated, match="was revoked"), rpc.raising_ours():
        async with asyncio.timeout(20):
            async for _ in stream:
                pass
    registry.admin = await registry.with_key("admin-key", ADMIN_SECRET)
    assert list(await listed(registry)) == [new.key_id]
    wanted = pb.ListAuditEntriesRequest(filter=pb.AuditFilter(query="outcome:allowed"))
    entry = (await registry.admin.ListAuditEntries(wanted)).entries[0]
    assert (entry.action, entry.principal) == ("rotate-signing-key", "application:admin")
    assert f"revoked: {old}" in entry.detail
    await watched.aclose()  # type: ignore[attr-defined]


async def test_who_leaves_while_keys_are_revoked_leaves_a_registry_that_signs_by_the_new_one(
    tmp_path: Path,
) -> None:
    settings(tmp_path)
    sealer = sealer_of(tmp_path / "secret.key")
    async with opened(tmp_path / "registry.db", migrations) as storage:
        given = Credentials("admin-key", ADMIN_SECRET)
        held = await storage.transact(lambda db: prepare(db, given, sealer, datetime.now(UTC)))
        authority = RegistryAuthority(Trusted())
        commits = Commits(storage, Changes(storage, "", EVERY), authority, 10)
        keys = Signing(held, sealer, commits, timedelta(), NOTICE)
        caller = Caller("application:admin", "admin-key", None, authority)
        asked = asyncio.ensure_future(keys.rotate(caller, pb.RotateSigningKeysRequest(revoke=True)))
        await asyncio.sleep(0)

        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await commits.settled()

        signs = keys.signer(datetime.now(UTC)).key_id
        assert signs not in {key.key_id for key in held[0]}
        assert authority.public_key(signs)


async def test_what_was_rotated_is_so_after_a_restart(tmp_path: Path) -> None:
    told = settings(tmp_path)
    async with running(told) as registry:
        old = await listed(registry)
        await registry.admin.RotateSigningKeys(pb.RotateSigningKeysRequest())
        before = await listed(registry)

    async with running(told) as registry:
        assert await listed(registry) == before
        await registry.admin.RotateSigningKeys(pb.RotateSigningKeysRequest(revoke=True))
        registry.admin = await registry.with_key("admin-key", ADMIN_SECRET)
        last = await listed(registry)

    async with running(told) as registry:
        assert await listed(registry) == last
        trust = await anext(trusts(registry))
        assert set(trust.revoked_signing_key_ids) == {*old, *before}


async def test_only_an_administrator_touches_signing_keys(registry: Running) -> None:
    editor = await registry.application("editor", roles=["EDITOR", "OPERATOR"])
    with pytest.raises(PermissionDenied), rpc.raising_ours():
        await editor.ListSigningKeys(pb.ListSigningKeysRequest())
    with pytest.raises(PermissionDenied), rpc.raising_ours():
        await editor.RotateSigningKeys(pb.RotateSigningKeysRequest(revoke=True))

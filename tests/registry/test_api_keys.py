"""Gateway keys one by one: made, rolled, revoked, listed; who may; what is written down."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, strategies as st

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import (
    AlreadyExists,
    Conflict,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    Stale,
)
from services.registry import api_keys
from services.registry.keys import hashed
from tests.registry.registries import Running, get, put
from tests.registry.test_writeonly import KEY_A, auth, keys

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
_PREFIX = len("key:partners/")


async def create(registry: Running, name: str = "", **fields: Any) -> pb.CreateApiKeyResponse:
    request = pb.CreateApiKeyRequest(auth_id="partners", name=name, **fields)
    with rpc.raising_ours():
        return await registry.admin.CreateApiKey(request)


async def roll(registry: Running, name: str = "", hours: int = 24) -> pb.RollApiKeyResponse:
    request = pb.RollApiKeyRequest(
        auth_id="partners", name=name, overlap=Duration(seconds=hours * 3600)
    )
    with rpc.raising_ours():
        return await registry.admin.RollApiKey(request)


async def revoke(registry: Running, name: str, **fields: Any) -> pb.RevokeApiKeyResponse:
    with rpc.raising_ours():
        return await registry.admin.RevokeApiKey(
            pb.RevokeApiKeyRequest(auth_id="partners", name=name, **fields)
        )


async def listed(registry: Running) -> dict[str, str]:
    """Names, and what their calls are known by."""
    answer = await registry.admin.ListApiKeys(pb.ListApiKeysRequest(auth_id="partners"))
    return {key.name: key.principal[_PREFIX:] for key in answer.api_keys}


async def test_a_key_is_added_to_those_there_are_and_kept_as_its_hash(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[{"name": "shop", "key": KEY_A}]))

    made = await create(registry, "mobile")

    assert made.api_key.principal == "key:partners/mobile"
    assert {key["name"]: key["hash"] for key in await keys(registry)} == {
        "shop": hashed(KEY_A),
        "mobile": hashed(made.key),
    }
    stored = await get(registry.admin, "auth", "partners")
    assert made.key not in stored.document
    assert stored.revision == made.revision


async def test_a_key_without_a_name_has_a_number_that_no_key_had_before(
    registry: Running,
) -> None:
    await put(registry.admin, auth())
    first = await create(registry)
    await revoke(registry, first.api_key.name)

    second = await create(registry)

    assert [first.api_key.name, second.api_key.name] == ["key-1", "key-2"]


async def test_the_document_put_again_leaves_the_keys_that_were_made(registry: Running) -> None:
    await put(registry.admin, auth())
    await create(registry, "mobile")
    await roll(registry, "mobile")
    before = await keys(registry)

    (again,) = await put(registry.admin, auth())

    assert again.outcome == pb.OUTCOME_UNCHANGED
    assert await keys(registry) == before


async def test_a_rolled_key_ends_after_the_overlap_and_the_new_one_acts_as_it(
    registry: Running,
) -> None:
    await put(registry.admin, auth())

    done = await roll(registry)

    assert done.api_key.name == "default-1"
    assert done.api_key.principal == "key:partners/default"
    assert not done.api_key.HasField("expires_at")
    (old,) = done.replaced
    left = old.expires_at.ToDatetime(UTC) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=50) < left <= DAY
    assert await listed(registry) == {"default": "default", "default-1": "default"}


async def test_a_key_is_rolled_by_what_its_calls_are_known_by_again_and_again(
    registry: Running,
) -> None:
    await put(registry.admin, auth())
    for _ in range(3):
        done = await roll(registry, "default", hours=0)

    assert done.api_key.name == "default-3"
    assert await listed(registry) == {"default-3": "default"}


async def test_without_a_name_nothing_is_rolled_where_keys_are_of_several(
    registry: Running,
) -> None:
    await put(registry.admin, auth())
    await create(registry, "mobile")

    with pytest.raises(Conflict, match="'default', 'mobile'"):
        await roll(registry)
    assert (await roll(registry, "mobile")).api_key.name == "mobile-1"


async def test_given_keys_keep_what_their_calls_are_known_by(registry: Running) -> None:
    await put(registry.admin, auth())
    done = await roll(registry, hours=0)

    await put(registry.admin, auth(apiKeys=[done.key, KEY_A]))

    assert await listed(registry) == {"default-1": "default", "key-2": "key-2"}


async def test_a_name_is_taken_once(registry: Running) -> None:
    await put(registry.admin, auth())
    await roll(registry, hours=0)

    for taken in ("default", "default-1"):
        with pytest.raises(AlreadyExists, match="roll it"):
            await create(registry, taken)


@pytest.mark.parametrize("name", [" ", "a\nb", "a\x9b31mb", "a\u2028b", "x" * 256])
async def test_what_is_no_name_is_refused(registry: Running, name: str) -> None:
    await put(registry.admin, auth())

    with pytest.raises(InvalidRequest, match="The name of a key must"):
        await create(registry, name)


async def test_an_end_in_the_past_is_refused(registry: Running) -> None:
    await put(registry.admin, auth())

    with pytest.raises(InvalidRequest, match="not in the future"):
        await create(registry, expires_at=Timestamp(seconds=1))
    with pytest.raises(InvalidRequest, match="no moment"):
        await create(registry, expires_at=Timestamp(seconds=1 << 62))


async def test_the_last_key_is_revoked_only_on_demand(registry: Running) -> None:
    await put(registry.admin, auth())

    with pytest.raises(Conflict, match="last live one"):
        await revoke(registry, "default")
    await revoke(registry, "default", even_last=True)

    assert await keys(registry) == []
    with pytest.raises(NotFound, match="it has none"):
        await revoke(registry, "default")
    with pytest.raises(NotFound, match="create one"):
        await roll(registry)


async def test_unknown_names_and_auths_are_told(registry: Running) -> None:
    with pytest.raises(NotFound, match="There is no auth 'partners'"):
        await create(registry)
    await put(registry.admin, auth())

    for change in (revoke, roll):
        with pytest.raises(NotFound, match="has no key 'nope': it has 'default'"):
            await change(registry, "nope")


async def test_an_auth_that_lets_anybody_call_has_no_keys(registry: Running) -> None:
    await put(registry.admin, auth(authenticationType="NONE"))

    for change in (create, roll, revoke):
        with pytest.raises(Conflict, match="anybody may call"):
            await change(registry, "a")
    assert await listed(registry) == {}


async def test_a_change_over_another_one_is_refused(registry: Running) -> None:
    await put(registry.admin, auth())
    answer = await registry.admin.ListApiKeys(pb.ListApiKeysRequest(auth_id="partners"))
    await create(registry, "mobile", etag=answer.etag)

    with pytest.raises(Stale):
        await create(registry, "web", etag=answer.etag)


async def test_changes_of_keys_are_written_down_without_them(registry: Running) -> None:
    await put(registry.admin, auth())
    made = await create(registry, "mobile")
    await roll(registry, "mobile")
    await revoke(registry, "mobile")

    log = await registry.admin.ListAuditEntries(pb.ListAuditEntriesRequest())

    assert [(each.action, each.name, each.detail) for each in log.entries][:3] == [
        ("revoke-key", "partners", "Revoked gateway key 'mobile'."),
        ("roll-key", "partners", "Made gateway key 'mobile-1' in the place of 'mobile'."),
        ("create-key", "partners", "Made gateway key 'mobile'."),
    ]
    assert made.key not in str(log)


async def test_only_who_may_change_the_auth_changes_its_keys(registry: Running) -> None:
    await put(registry.admin, auth())
    viewer = await registry.application("viewer", roles=["VIEWER"])
    update = {"target": {"type": "auth", "id": "partners"}, "access": ["UPDATE"]}
    keeper = await registry.application("keeper", permissions=[update])
    stranger = await registry.application("stranger")

    with rpc.raising_ours():
        assert await viewer.ListApiKeys(pb.ListApiKeysRequest(auth_id="partners"))
        for stub in (viewer, stranger):
            with pytest.raises(PermissionDenied), rpc.raising_ours():
                await stub.RevokeApiKey(pb.RevokeApiKeyRequest(auth_id="partners", name="default"))
        # A key of this auth has an administrator's rights, which the keeper has not.
        with pytest.raises(PermissionDenied, match="may do more than you"), rpc.raising_ours():
            await keeper.CreateApiKey(pb.CreateApiKeyRequest(auth_id="partners"))
        with pytest.raises(PermissionDenied), rpc.raising_ours():
            await stranger.ListApiKeys(pb.ListApiKeysRequest(auth_id="partners"))
        await keeper.RevokeApiKey(
            pb.RevokeApiKeyRequest(auth_id="partners", name="default", even_last=True)
        )


async def test_what_uses_the_application_is_known_after_a_change_of_keys(
    registry: Running,
) -> None:
    await put(registry.admin, {"kind": "application", "id": "shop"}, auth(applicationId="shop"))
    await create(registry)

    with pytest.raises(Conflict, match="'partners'"), rpc.raising_ours():
        await registry.admin.DeleteDefinition(
            pb.DeleteDefinitionRequest(kind="application", name="shop")
        )


def of(*names: str, **more: Any) -> dict[str, Any]:
    """An auth document with keys of these names."""
    entries = [
        {"name": name, "hash": hashed(name), "createdAt": "2027-01-01T00:00:00Z"} for name in names
    ]
    return auth(apiKeys=entries, **more)


def test_a_key_that_ends_before_the_overlap_keeps_its_end() -> None:
    document = of("a")
    document["apiKeys"][0]["expiresAt"] = "2027-01-31T13:00:00Z"

    change = api_keys.rolled(document, "a", "new", DAY, None, NOW)

    assert change.ended[0].expires_at == NOW + timedelta(hours=1)


def test_keys_that_ended_long_ago_are_let_go_of() -> None:
    document = of("a", "b", "c")
    document["apiKeys"][0]["expiresAt"] = "2026-01-31T00:00:00Z"
    document["apiKeys"][1]["expiresAt"] = "2027-01-30T00:00:00Z"

    change = api_keys.created(document, "d", "new", None, NOW)

    assert [key.name for key in api_keys.listed(change.document)] == ["b", "c", "d"]


def test_there_are_only_so_many_keys() -> None:
    document = of(*(f"k{number}" for number in range(api_keys.MOST_KEYS)))

    with pytest.raises(Conflict, match="100 are the most"):
        api_keys.created(document, "one more", "new", None, NOW)


def test_a_key_that_is_replaced_at_once_needs_no_room() -> None:
    document = of(*(f"k{number}" for number in range(api_keys.MOST_KEYS)))

    change = api_keys.rolled(document, "k7", "new", timedelta(), None, NOW)

    assert len(api_keys.listed(change.document)) == api_keys.MOST_KEYS
    with pytest.raises(Conflict, match="100 are the most"):
        api_keys.rolled(document, "k7", "new", DAY, None, NOW)


@given(st.lists(st.sampled_from(["create", "roll", "roll at once", "revoke"]), max_size=30))
def test_no_name_stands_for_two_keys_whatever_is_done(steps: list[str]) -> None:
    document = of("default")
    ever = {"default": hashed("default")}
    for number, step in enumerate(steps):
        now, key = NOW + number * timedelta(hours=1), f"secret {number}"
        live = [each.name for each in api_keys.listed(document) if each.live(now)]
        match step:
            case "create":
                document = api_keys.created(document, "", key, None, now).document
            case "revoke":
                if len(live) > 1:
                    document = api_keys.revoked(document, live[0], now, even_last=False).document
            case _:
                overlap = timedelta() if step == "roll at once" else DAY
                document = api_keys.rolled(document, live[-1], key, overlap, None, now).document
        for entry in document["apiKeys"]:
            assert ever.setdefault(entry["name"], entry["hash"]) == entry["hash"]
    assert any(each.live(NOW + DAY * 365) for each in api_keys.listed(document))
    json.dumps(document)


async def test_a_request_with_an_id_makes_one_key_however_often_it_is_sent(
    registry: Running,
) -> None:
    await put(registry.admin, auth(apiKeys=[{"name": "first", "key": KEY_A}]))
    id_ = str(uuid4())

    made = await create(registry, request_id=id_)
    again = await create(registry, request_id=id_)
    other = await create(registry, request_id=str(uuid4()))
    named = await create(registry, name="named", request_id=id_)

    assert (again.key, again.api_key.name) == (made.key, made.api_key.name)
    assert again.revision == made.revision
    assert len({made.key, other.key, named.key}) == 3
    assert list(await listed(registry)) == ["first", "key-1", "key-2", "named"]


async def test_a_roll_that_is_sent_again_rolls_once(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[{"name": "first", "key": KEY_A}]))
    request = pb.RollApiKeyRequest(
        auth_id="partners", name="first", overlap=Duration(seconds=60), request_id=str(uuid4())
    )

    made = await registry.admin.RollApiKey(request)
    again = await registry.admin.RollApiKey(request)

    assert again == made
    assert [each.name for each in again.replaced] == ["first"]


async def test_a_key_that_was_revoked_is_not_made_again_by_the_request_that_made_it(
    registry: Running,
) -> None:
    await put(registry.admin, auth(apiKeys=[{"name": "first", "key": KEY_A}]))
    id_ = str(uuid4())
    made = await create(registry, request_id=id_)
    await registry.admin.RevokeApiKey(
        pb.RevokeApiKeyRequest(auth_id="partners", name=made.api_key.name)
    )

    with pytest.raises(Conflict, match="ended since"):
        await create(registry, request_id=id_)

    assert list(await listed(registry)) == ["first"]


async def test_a_key_that_was_rolled_is_not_made_again_by_the_request_that_made_it(
    registry: Running,
) -> None:
    await put(registry.admin, auth(apiKeys=[{"name": "first", "key": KEY_A}]))
    id_ = str(uuid4())
    made = await create(registry, request_id=id_)
    roll = pb.RollApiKeyRequest(auth_id="partners", name=made.api_key.name)
    await registry.admin.RollApiKey(roll)

    with pytest.raises(Conflict, match="ended since"):
        await create(registry, request_id=id_)


async def test_an_id_that_could_be_guessed_is_refused(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[{"name": "first", "key": KEY_A}]))

    with pytest.raises(InvalidRequest, match="no UUID"):
        await create(registry, request_id="1")

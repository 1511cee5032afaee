"""What a put of listed keys ends and opens is told to who puts it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlite_utils import Database

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import InvalidDefinition
from services.registry import key_changes, puts
from services.registry.definitions import Document, Json
from services.registry.migrations import migrations
from services.sealing import Sealer
from tests.registry.registries import CLUSTER_KEY, Running, put
from tests.registry.test_api_keys import create, revoke, roll
from tests.registry.test_writeonly import KEY_A, KEY_B, auth

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)
LATER, OVER = "2027-02-01T00:00:00Z", "2027-01-01T00:00:00Z"
LISTED = auth(apiKeys=[{"name": "mobile", "key": KEY_A}])


def stored(**expiries: str | None) -> Document:
    """Keys by name, each with a hash of the name of its own, and its end."""
    keys: list[Json] = []
    for name, end in expiries.items():
        key: Document = {"name": name, "hash": f"of {name}"}
        keys.append(key | {"expiresAt": end} if end else key)
    return {"authenticationType": "API_KEY", "apiKeys": keys}


def told(before: Document, after: Document, *earlier: Document) -> list[str]:
    return list(key_changes.warnings(before, after, earlier, NOW))


async def test_a_key_that_was_made_beside_a_file_ends_by_it_and_that_is_told(
    registry: Running,
) -> None:
    await put(registry.admin, LISTED)
    await create(registry, "web")

    (dry,) = await put(registry.admin, LISTED, dry_run=True)
    (result,) = await put(registry.admin, LISTED)
    (again,) = await put(registry.admin, LISTED)

    assert list(result.warnings) == ["apiKeys: ends the live key 'web'"] == list(dry.warnings)
    assert not again.warnings


async def test_a_key_that_was_revoked_opens_again_by_a_file_and_that_is_told(
    registry: Running,
) -> None:
    await put(registry.admin, LISTED)
    await create(registry, "web")
    await revoke(registry, "mobile")

    (result,) = await put(registry.admin, LISTED)

    assert list(result.warnings) == [
        "apiKeys: ends the live key 'web'",
        "apiKeys: opens again the key 'mobile', which had ended",
    ]


async def test_a_key_that_was_rolled_goes_on_by_a_file_and_that_is_told(registry: Running) -> None:
    await put(registry.admin, LISTED)
    await roll(registry, "mobile")

    (result,) = await put(registry.admin, LISTED)

    assert list(result.warnings) == [
        "apiKeys: ends the live key 'mobile-1'",
        "apiKeys: lets the key 'mobile' go on, which would end otherwise",
    ]


async def test_a_key_without_its_value_is_told_beside_other_faults(registry: Running) -> None:
    await put(registry.admin, LISTED)

    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, auth(apiKeys=[{"name": "mobile"}, {"name": "f"}], nam="x"))

    assert [str(fault) for fault in caught.value.faults] == [
        "nam: is no field of an auth configuration; did you mean 'name'?",
        "apiKeys[1].key: is required, since no key of that name is there",
    ]


async def test_a_value_that_changes_under_its_name_differs_in_what_is_shown(
    registry: Running,
) -> None:
    await put(registry.admin, auth(apiKeys=[{"name": "a", "key": KEY_A}, KEY_B]))
    other = auth(apiKeys=[{"name": "a", "key": "another-key-of-all-partners"}, KEY_B])
    request = pb.PutDefinitionsRequest(
        puts=[pb.DocumentPut(document=json.dumps(other))], dry_run=True, with_documents=True
    )

    with rpc.raising_ours():
        (result,) = (await registry.admin.PutDefinitions(request)).results

    before = json.loads(result.before)["knownKeys"]
    after = json.loads(result.definition.document)["knownKeys"]
    assert [key.get("key") for key in before] == ["as it is", None]
    assert [key.get("key") for key in after] == ["another one", None]
    assert "hash" not in result.before + result.definition.document


def test_nothing_is_told_of_keys_that_stay_or_are_new() -> None:
    assert told({}, stored(a=None)) == []
    assert told(stored(a=None), stored(a=None, b=LATER)) == []
    assert told(stored(a=None, b=OVER), stored(a=None)) == []
    assert told(stored(a=None, b=OVER), stored(a=None, b=OVER)) == []


def test_an_end_that_is_over_is_told() -> None:
    over = "apiKeys: opens nothing by the expired key 'b'"
    assert told({}, stored(a=None, b=OVER)) == [over]
    assert told(stored(b=None), stored(b=OVER)) == [over]


def test_several_ends_that_are_over_are_told_in_one_sentence() -> None:
    assert told({}, stored(a=OVER, b=OVER)) == [
        "apiKeys: opens nothing by the expired keys 'a', 'b'"
    ]


def test_a_key_that_had_expired_and_was_never_revoked_opens_again() -> None:
    assert told(stored(a=OVER), stored(a=LATER)) == [
        "apiKeys: opens again the key 'a', which had ended"
    ]


async def test_who_may_not_read_the_keys_is_not_told_their_names(registry: Running) -> None:
    await put(registry.admin, {"kind": "application", "id": "nobody"})
    ours = auth(applicationId="nobody", apiKeys=[{"name": "mobile", "key": KEY_A}])
    await put(registry.admin, ours)
    await create(registry, "web")
    await create(registry, "till")
    grant = {"target": {"type": "auth", "id": "partners"}, "access": ["UPDATE"]}
    blind = await registry.application("blind", permissions=[grant])

    (result,) = await put(blind, ours)

    assert list(result.warnings) == ["apiKeys: ends the live keys"]


def test_keys_end_where_anybody_may_call() -> None:
    assert told(stored(a=None, b=LATER), {"authenticationType": "NONE"}) == [
        "authenticationType: ends the live keys 'a', 'b'"
    ]


def test_many_keys_are_told_in_one_sentence() -> None:
    many = stored(**{f"k{number}": None for number in range(12)})
    (sentence,) = told(many, stored())
    assert sentence.endswith("'k9' and 2 more")


def test_history_is_read_only_for_what_is_new() -> None:
    earlier = iter([stored(a=None)])

    assert list(key_changes.warnings(stored(a=None), stored(a=None), earlier, NOW)) == []
    assert next(earlier) == stored(a=None)
    assert told({}, stored(a=None), stored(a=None)) == [
        "apiKeys: opens again the key 'a', which had ended"
    ]


def test_history_is_not_read_for_a_batch_with_faults() -> None:
    asked: list[str] = []
    database = Database(memory=True, tracer=lambda sql, _: asked.append(sql))
    migrations.apply(database)
    text = json.dumps(auth(applicationId="x", apiKeys=[KEY_A]))
    twice = [puts.read(text, at=at, etag="") for at in ("a", "b")]
    terms = puts.Terms(
        lambda *_: None, lambda *_: None, lambda *_: True, lambda *_: True, Sealer(CLUSTER_KEY)
    )

    with pytest.raises(InvalidDefinition):
        puts.plan(database, twice, terms, NOW)

    assert not [sql for sql in asked if "FROM history" in sql]
    assert [sql for sql in asked if "FROM definitions" in sql]

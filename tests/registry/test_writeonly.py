"""Gateway keys and secret values: they go in, and never come out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services.errors import InvalidDefinition
from services.registry import writeonly
from services.registry.definitions import parse
from services.registry.keys import hashed
from services.sealing import Sealer, read_key
from tests.registry.registries import Running, document, put, until

KEY_A, KEY_B = "the-first-key-of-all-partners", "the-second-key-of-all-partners"
KEY_C = "the-third-key-of-all-partners"
CHANGED, UNCHANGED = pb.OUTCOME_CHANGED, pb.OUTCOME_UNCHANGED


def auth(**fields: Any) -> dict[str, Any]:
    return {
        "kind": "auth",
        "id": "partners",
        "authenticationType": "API_KEY",
        "applicationId": "admin",
        **fields,
    }


async def served(registry: Running, kind: str, service: str = "edge") -> dict[str, Any]:
    """The one definition of a kind, as that service is told it."""
    request = pb.WatchDefinitionsRequest(kinds=[kind])
    told = await until(aiter(registry.service(service).WatchDefinitions(request)), "change")
    found: dict[str, Any] = json.loads(told[-1].change.definition.document)
    return found


async def keys(registry: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await served(registry, "auth"))["apiKeys"]
    return found


async def test_a_key_is_generated_when_none_is_given_and_shown_once(registry: Running) -> None:
    (created,) = await put(registry.admin, auth())
    (again,) = await put(registry.admin, auth())

    (generated,) = created.generated_keys
    assert generated.name == "default"
    assert generated.key.startswith("pk_")
    assert len(generated.key) >= 3 + 43
    assert again.outcome == UNCHANGED
    assert not again.generated_keys
    (kept,) = await keys(registry)
    assert kept["hash"] == hashed(generated.key)
    assert set(kept) == {"name", "hash", "createdAt"}


async def test_keys_left_out_stay_when_something_else_changes(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[KEY_A]))
    before = await keys(registry)

    (result,) = await put(registry.admin, auth(description="new"))

    assert result.outcome == CHANGED
    assert await keys(registry) == before


async def test_the_same_keys_change_nothing_in_any_order(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[KEY_A, {"name": "b", "key": KEY_B}]))

    (again,) = await put(registry.admin, auth(apiKeys=[{"name": "b", "key": KEY_B}, KEY_A]))

    assert again.outcome == UNCHANGED


async def test_given_keys_are_the_keys(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[KEY_A, KEY_B]))
    age = {key["hash"]: key["createdAt"] for key in await keys(registry)}

    (result,) = await put(registry.admin, auth(apiKeys=[KEY_B]))

    assert result.outcome == CHANGED
    (kept,) = await keys(registry)
    assert kept["hash"] == hashed(KEY_B)
    assert kept["name"] == "key-2"
    assert kept["createdAt"] == age[hashed(KEY_B)]


async def test_a_name_never_stands_for_another_key(registry: Running) -> None:
    seen: list[tuple[object, object]] = []
    for given in ([KEY_A], [KEY_B], [KEY_C], [], [KEY_C, KEY_A]):
        await put(registry.admin, auth(apiKeys=given))
        seen += [(key["name"], key["hash"]) for key in await keys(registry)]

    assert [name for name, _ in seen] == ["key-1", "key-2", "key-3", "key-4", "key-5"]
    assert len(set(seen)) == len({name for name, _ in seen})


async def test_names_go_on_after_keys_that_had_names_of_their_own(registry: Running) -> None:
    for given in ([{"name": "key-7", "key": KEY_A}], [{"name": "spare", "key": KEY_B}]):
        await put(registry.admin, auth(apiKeys=given))
    await put(registry.admin, auth(authenticationType="NONE"))
    await put(registry.admin, auth(apiKeys=[KEY_C]))

    assert [key["name"] for key in await keys(registry)] == ["key-8"]


async def test_a_generated_key_has_the_name_of_no_generated_key_before_it(
    registry: Running,
) -> None:
    names = []
    no_keys: dict[str, Any] = {"apiKeys": []}
    for fields in ({}, no_keys, {}, no_keys, {}):
        (result,) = await put(registry.admin, auth(**fields))
        names += [key.name for key in result.generated_keys]

    assert names == ["default", "key-1", "key-2"]


async def test_how_many_names_were_given_is_for_the_registry_alone(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[KEY_A]))
    read = await document(registry.admin, "auth", "partners")
    (again,) = await put(registry.admin, auth(apiKeys=[KEY_A]))

    assert set(read) == {*auth(), "knownKeys"}
    assert again.outcome == UNCHANGED


async def test_names_stay_apart(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[{"name": "key-1", "key": KEY_A}]))

    await put(registry.admin, auth(apiKeys=[KEY_A, {"name": "key-1", "key": KEY_B}]))

    assert len({key["name"] for key in await keys(registry)}) == 2


@pytest.mark.parametrize("given", ["2030-01-01T01:00:00+01:00", 1_893_456_000_000])
async def test_an_end_is_kept_as_a_moment_in_utc(registry: Running, given: object) -> None:
    document = auth(apiKeys=[{"name": "a", "key": KEY_A, "expiresAt": given}])
    await put(registry.admin, document)
    (again,) = await put(registry.admin, document)

    assert (await keys(registry))[0]["expiresAt"] == "2030-01-01T00:00:00Z"
    assert again.outcome == UNCHANGED


@pytest.mark.parametrize("given", [2**53, "9999-12-31T23:59:59-23:00"])
async def test_an_end_beyond_all_years_is_a_fault(registry: Running, given: object) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, auth(apiKeys=[{"name": "a", "key": KEY_A, "expiresAt": given}]))

    assert [fault.path for fault in caught.value.faults] == ["apiKeys[0].expiresAt"]


async def test_an_empty_list_of_keys_lets_nobody_in_and_says_so(registry: Running) -> None:
    (result,) = await put(registry.admin, auth(apiKeys=[]))

    assert any("refused" in warning for warning in result.warnings)
    assert await keys(registry) == []


async def test_keys_go_with_the_scheme_that_has_them(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[KEY_A]))
    await put(registry.admin, auth(authenticationType="NONE"))
    (back,) = await put(registry.admin, auth())

    assert len(back.generated_keys) == 1


async def test_what_is_read_back_has_no_key_and_put_again_changes_nothing(
    registry: Running,
) -> None:
    await put(registry.admin, auth(apiKeys=[{"name": "a", "key": KEY_A}, KEY_B]))

    read = await document(registry.admin, "auth", "partners")
    (again,) = await put(registry.admin, read)

    assert [key["name"] for key in read["knownKeys"]] == ["a", "key-1"]
    assert again.outcome == UNCHANGED
    for hidden in (KEY_A, KEY_B, hashed(KEY_A), hashed(KEY_B)):
        assert hidden not in json.dumps(read)


async def test_a_key_that_is_listed_by_its_name_stays(registry: Running) -> None:
    ends = "2099-01-01T00:00:00Z"
    old = {"name": "old", "key": KEY_A, "expiresAt": ends}
    await put(registry.admin, auth(apiKeys=[old, {"name": "gone", "key": KEY_B}]))
    (before, _) = await keys(registry)

    await put(registry.admin, auth(apiKeys=[{"name": "old"}, {"name": "new", "key": KEY_C}]))

    kept, new = await keys(registry)
    assert kept == before
    assert (new["name"], new["hash"]) == ("new", hashed(KEY_C))


async def test_a_key_is_given_an_end_by_its_name(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[{"name": "old", "key": KEY_A}]))

    ending = {"name": "old", "expiresAt": "2099-01-01T00:00:00Z"}
    (changed,) = await put(registry.admin, auth(apiKeys=[ending]))
    (again,) = await put(registry.admin, auth(apiKeys=[{"name": "old"}]))

    assert (changed.outcome, again.outcome) == (CHANGED, UNCHANGED)
    (kept,) = await keys(registry)
    assert kept["expiresAt"] == ending["expiresAt"]


async def test_a_name_that_no_key_has_and_a_key_twice_are_faults(registry: Running) -> None:
    await put(registry.admin, auth(apiKeys=[{"name": "a", "key": KEY_A}]))

    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, auth(apiKeys=[{"name": "b"}, {"name": "a"}, KEY_A]))

    assert [str(fault) for fault in caught.value.faults] == [
        "apiKeys[0].key: is required, since no key of that name is there",
        "apiKeys[2].key: is that of 'a', which is listed too",
    ]
    assert [key["name"] for key in await keys(registry)] == ["a"]


async def test_a_key_of_a_new_definition_cannot_be_there_yet(registry: Running) -> None:
    with pytest.raises(InvalidDefinition, match="no key of that name"):
        await put(registry.admin, auth(apiKeys=[{"name": "a"}]))


SECRET = {"kind": "secret", "name": "TOKEN", "value": "sesame, open"}


async def test_a_secret_is_sealed_with_the_suites_key(registry: Running, tmp_path: Path) -> None:
    await put(registry.admin, SECRET)

    sealed = (await served(registry, "secret", "executor"))["value"]

    assert Sealer(read_key(tmp_path / "secret.key")).open(sealed) == "sesame, open"


async def test_a_secret_put_again_is_compared_unsealed(registry: Running) -> None:
    await put(registry.admin, SECRET)
    (same,) = await put(registry.admin, SECRET)
    (left_out,) = await put(registry.admin, {"kind": "secret", "name": "TOKEN"})
    (other,) = await put(registry.admin, {**SECRET, "value": "other"})

    assert same.outcome == UNCHANGED
    assert left_out.outcome == UNCHANGED
    assert other.outcome == CHANGED


async def test_a_new_secret_needs_its_value(registry: Running) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, {"kind": "secret", "name": "TOKEN"})

    assert [str(fault) for fault in caught.value.faults] == ["value: is required"]


async def test_no_answer_and_no_file_ever_holds_a_secret_or_a_key(
    registry: Running, tmp_path: Path
) -> None:
    await put(registry.admin, SECRET, auth(apiKeys=[KEY_A]))
    await put(registry.admin, {**SECRET, "description": "changed"})
    admin = registry.admin
    answers: list[Any] = [
        await admin.ListDefinitions(pb.ListDefinitionsRequest()),
        await admin.ListAuditEntries(pb.ListAuditEntriesRequest()),
    ]
    for kind, name in (("secret", "TOKEN"), ("auth", "partners")):
        answers += [
            await admin.GetDefinition(pb.GetDefinitionRequest(kind=kind, name=name)),
            await admin.ListDefinitionHistory(
                pb.ListDefinitionHistoryRequest(kind=kind, name=name)
            ),
        ]

    files = _written(tmp_path)
    told = b"".join(answer.SerializeToString() for answer in answers)
    for hidden in ("sesame, open", KEY_A):
        assert hidden.encode() not in told
        assert hidden.encode() not in files
    assert hashed(KEY_A).encode() not in told
    assert json.dumps((await served(registry, "secret", "executor"))["value"]).encode() not in told


def _written(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.glob("registry.db*"))


async def test_a_fault_near_a_secret_does_not_repeat_it(registry: Running) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        await put(registry.admin, {**SECRET, "value": {"sesame": "open"}, "nmae": 1})

    assert "sesame" not in str(caught.value.faults) + caught.value.detail


def test_a_damaged_value_can_be_put_anew() -> None:
    definition = parse({"kind": "secret", "name": "TOKEN", "value": "new"})
    sealer = Sealer(b"a key that has at least thirty-two bytes")

    kept = writeonly.kept(
        definition, {**definition.document, "value": "v1.damaged"}, sealer, datetime.now(UTC)
    )

    assert sealer.open(str(kept.document["value"])) == "new"

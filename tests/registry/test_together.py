"""Documents put and definitions deleted in one step: all of it or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import (
    Conflict,
    InvalidDefinition,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    Stale,
)
from services.registry import put_calls
from services.registry.definitions import Definition, Reference
from services.registry.references import users_first
from tests.registry.registries import WORKFLOW, Running, document, get, put, until
from tests.registry.test_puts import APPLICATION, AUTH, SERVICE

Key = tuple[str, str] | tuple[str, str, int] | tuple[str, str, int, str]
TWO = {**WORKFLOW, "version": 2}


async def step(
    registry: Running, *documents: dict[str, Any], deletes: tuple[Key, ...] = (), **fields: Any
) -> pb.PutDefinitionsResponse:
    """Put and delete together; raises our errors."""
    puts = [pb.DocumentPut(document=json.dumps(each)) for each in documents]
    names = ("kind", "name", "version", "etag")
    going = [pb.DefinitionDelete(**dict(zip(names, each, strict=False))) for each in deletes]  # type: ignore[arg-type]
    request = pb.PutDefinitionsRequest(puts=puts, deletes=going, **fields)
    with rpc.raising_ours():
        return await registry.admin.PutDefinitions(request)


async def names(registry: Running) -> list[str]:
    """Everything that is there, as ``kind name version``."""
    answer = await registry.admin.ListDefinitions(pb.ListDefinitionsRequest())
    return [f"{each.kind} {each.name} {each.version}" for each in answer.definitions]


async def test_users_go_before_what_they_use_in_whatever_order_they_are_named(
    registry: Running,
) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, TWO, APPLICATION)
    going = (("application", "storefront"), ("workflow", "checkout"), ("auth", "partners"))

    answer = await step(registry, deletes=(*going, ("service", "orders")))

    gone = [each.kind for each in answer.deleted]
    assert gone.index("service") < gone.index("auth") < gone.index("application")
    assert gone.index("service") < gone.index("workflow")
    assert gone.count("workflow") == 2
    assert await names(registry) == ["application admin 0"]


async def test_what_stays_and_uses_it_is_named_and_nothing_is_done(registry: Running) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)
    before = await names(registry)

    with pytest.raises(Conflict) as caught:
        await step(
            registry,
            {**WORKFLOW, "name": "new"},
            deletes=(("workflow", "checkout"), ("application", "storefront")),
        )

    assert [str(fault) for fault in caught.value.faults] == [
        "workflow 'checkout': is used by service 'orders' (routes[0].mappedWorkflow.name)",
        "application 'storefront': is used by auth 'partners' (applicationId)",
    ]
    assert "2 definitions are used by what stays" in caught.value.detail
    assert await names(registry) == before


async def test_a_user_that_is_put_without_the_use_lets_it_go(registry: Running) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)
    route = {"httpMethod": "POST", "path": "/", "mappedWorkflow": {"name": "other"}}
    other = {**WORKFLOW, "name": "other"}

    await step(registry, {**SERVICE, "routes": [route]}, other, deletes=(("workflow", "checkout"),))

    assert "workflow checkout 1" not in await names(registry)


async def test_what_is_put_must_not_use_what_goes(registry: Running) -> None:
    await put(registry.admin, AUTH, WORKFLOW, APPLICATION)

    with pytest.raises(Conflict, match="is used by service 'orders'"):
        await step(registry, SERVICE, deletes=(("workflow", "checkout"),))
    assert "service orders 0" not in await names(registry)


async def test_a_version_goes_while_another_stays(registry: Running) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)

    await step(registry, TWO, deletes=(("workflow", "checkout", 1),))

    assert "workflow checkout 2" in await names(registry)
    assert "workflow checkout 1" not in await names(registry)


async def test_routes_of_a_service_that_goes_are_free_for_another(registry: Running) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)

    await step(registry, {**SERVICE, "id": "renamed"}, deletes=(("service", "orders"),))

    with pytest.raises(InvalidDefinition, match="answers the same requests"):
        await step(registry, SERVICE)


@pytest.mark.parametrize(
    ("deletes", "error", "said"),
    [
        ((("workflow", "checkout"),), InvalidRequest, "put and deleted at once"),
        ((("workflow", "checkout", 1),), InvalidRequest, "put and deleted at once"),
        ((("workflow", "nope"),), NotFound, "There is no workflow 'nope'"),
        ((("nonsense", "nope"),), InvalidRequest, "There is no kind 'nonsense'"),
        ((("service", "orders"), ("service", "orders")), InvalidRequest, "deleted twice"),
        ((("service", "orders", 0, "old"),), Stale, "Somebody else has changed"),
        ((("application", "admin"),), Conflict, "lock everybody out"),
    ],
)
async def test_a_deletion_that_makes_no_sense_keeps_all_out(
    registry: Running, deletes: tuple[Key, ...], error: type[Exception], said: str
) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)

    with pytest.raises(error, match=said):
        await step(registry, {**WORKFLOW, "description": "changed"}, deletes=deletes)
    assert "description" not in await document(registry.admin, "workflow", "checkout")


PRUNE = pb.Prune()


async def test_what_is_of_the_kinds_that_are_put_and_is_not_put_goes(registry: Running) -> None:
    old = {**SERVICE, "id": "old", "path": "/old"}
    await put(registry.admin, SERVICE, old, AUTH, WORKFLOW, TWO, APPLICATION)

    answer = await step(registry, SERVICE, TWO, prune=PRUNE)

    assert [(each.kind, each.name, each.version) for each in answer.deleted] == [
        ("service", "old", 0),
        ("workflow", "checkout", 1),
    ]
    assert "service orders 0" in await names(registry)
    assert "auth partners 0" in await names(registry)


async def test_a_second_time_nothing_is_left_to_prune(registry: Running) -> None:
    await put(registry.admin, WORKFLOW, TWO)
    first = await step(registry, TWO, prune=PRUNE)

    again = await step(registry, TWO, prune=PRUNE)

    assert (len(first.deleted), len(again.deleted)) == (1, 0)


async def test_what_has_keys_is_pruned_on_demand_only_and_administrators_never(
    registry: Running,
) -> None:
    other, its_auth = {**APPLICATION, "id": "other"}, {**AUTH, "id": "others"}
    await put(registry.admin, APPLICATION, other, AUTH, {**its_auth, "applicationId": "other"})

    spared = await step(registry, APPLICATION, AUTH, prune=PRUNE)
    gone = await step(registry, APPLICATION, AUTH, prune=pb.Prune(access=True))

    assert list(spared.deleted) == []
    assert [each.name for each in gone.deleted] == ["others", "other"]
    assert "application admin 0" in await names(registry)


@pytest.mark.parametrize(
    ("kinds", "gone"),
    [
        (["*"], ["service orders", "workflow checkout"]),
        (["service", "task"], ["service orders"]),
        (["secret"], []),
    ],
)
async def test_kinds_may_be_said(registry: Running, kinds: list[str], gone: list[str]) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)

    answer = await step(registry, {**WORKFLOW, "name": "new"}, prune=pb.Prune(kinds=kinds))

    assert [f"{each.kind} {each.name}" for each in answer.deleted] == gone
    with pytest.raises(InvalidRequest, match="no kind 'flow'"):
        await step(registry, WORKFLOW, prune=pb.Prune(kinds=["flow"]))


async def test_what_is_too_much_for_one_step_is_so_when_it_is_only_tried(
    registry: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(registry.admin, WORKFLOW, TWO)
    monkeypatch.setattr(put_calls, "MOST_PUTS", 2)

    with pytest.raises(InvalidRequest, match="At most 2 definitions"):
        await step(registry, {**WORKFLOW, "name": "new"}, prune=PRUNE, dry_run=True)


async def test_pruning_tells_nobody_the_names_of_what_they_may_not_read(registry: Running) -> None:
    await put(registry.admin, {"kind": "schema", "name": "hidden", "data": {}})
    grant = {"target": {"type": "schema", "id": "mine"}, "access": ["CREATE", "READ"]}
    grantee = await registry.application("grantee", permissions=[grant])
    mine = pb.DocumentPut(document=json.dumps({"kind": "schema", "name": "mine", "data": {}}))

    with pytest.raises(PermissionDenied) as caught, rpc.raising_ours():
        await grantee.PutDefinitions(pb.PutDefinitionsRequest(puts=[mine], prune=PRUNE))

    assert "hidden" not in f"{caught.value.detail} {caught.value.metadata}"
    assert "schema" in caught.value.detail


async def test_secrets_are_never_pruned(registry: Running) -> None:
    secret = {"kind": "secret", "name": "TOKEN", "value": "one"}
    await put(registry.admin, secret, {**secret, "name": "OTHER"})

    answer = await step(registry, secret, prune=pb.Prune(access=True))

    assert list(answer.deleted) == []


async def test_what_is_pruned_must_not_be_used_by_other_kinds(registry: Running) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)

    with pytest.raises(Conflict, match="Workflow 'checkout' version 1 is used by service 'orders'"):
        await step(registry, {**WORKFLOW, "name": "new"}, prune=PRUNE)


async def test_the_plan_of_a_dry_run_is_done_by_name_unless_something_has_changed(
    registry: Running,
) -> None:
    await put(registry.admin, WORKFLOW, TWO)
    plan = await step(registry, TWO, prune=PRUNE, dry_run=True)
    (gone,) = plan.deleted
    key = (gone.kind, gone.name, gone.version, gone.etag)
    await put(registry.admin, {**WORKFLOW, "description": "new"})

    with pytest.raises(Stale):
        await step(registry, TWO, deletes=(key,))
    with pytest.raises(InvalidRequest, match="named or pruned"):
        await step(registry, TWO, deletes=(key,), prune=PRUNE)


async def test_whoever_may_put_may_not_delete_by_that(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    grant = {"target": {"type": "workflow", "id": "*"}, "access": ["CREATE", "UPDATE"]}
    author = await registry.application("author", permissions=[grant])

    with pytest.raises(PermissionDenied, match="may not delete workflow 'checkout'"):
        await step(Running("", author, author), deletes=(("workflow", "checkout"),))


async def test_a_dry_run_deletes_nothing_and_says_what_it_would(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    before = await get(registry.admin, "workflow", "checkout")

    answer = await step(registry, TWO, deletes=(("workflow", "checkout", 1),), dry_run=True)

    assert [each.name for each in answer.deleted] == ["checkout"]
    assert await get(registry.admin, "workflow", "checkout") == before


async def test_watchers_are_told_of_what_is_put_before_what_goes(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    watch = aiter(registry.service("edge").WatchDefinitions(pb.WatchDefinitionsRequest()))
    await until(watch, "caught_up")

    await step(registry, {**WORKFLOW, "name": "new"}, deletes=(("workflow", "checkout"),))

    told = [each.change for each in await until(watch, "caught_up") if each.HasField("change")]
    assert [(each.definition.name, each.deleted) for each in told] == [
        ("new", False),
        ("checkout", True),
    ]


async def test_documents_before_and_after_come_on_demand(registry: Running) -> None:
    await put(registry.admin, WORKFLOW, TWO)
    changed = {**WORKFLOW, "description": "new"}

    shown = await step(registry, changed, TWO, with_documents=True, dry_run=True)
    silent = await step(registry, changed, TWO, dry_run=True)

    first, second = shown.results
    assert json.loads(first.definition.document) == json.loads(first.before) | {
        "description": "new"
    }
    assert (second.before, second.definition.document) == ("", "")
    assert {(each.before, each.definition.document) for each in silent.results} == {("", "")}


async def test_a_document_that_may_not_be_read_is_not_shown(registry: Running) -> None:
    await put(registry.admin, {**WORKFLOW, "description": "hush"})
    grant = {"target": {"type": "workflow", "id": "*"}, "access": ["UPDATE"]}
    author = await registry.application("author", permissions=[grant])

    answer = await step(Running("", author, author), WORKFLOW, with_documents=True, dry_run=True)

    assert "hush" not in str(answer)


async def test_no_hash_and_no_value_is_shown(registry: Running) -> None:
    secret = {"kind": "secret", "name": "TOKEN", "value": "one and only"}
    await put(registry.admin, APPLICATION, AUTH, secret)

    answer = await step(
        registry,
        {**AUTH, "apiKeys": ["another-key-of-partners"]},
        {**secret, "value": "two"},
        with_documents=True,
    )

    for result in answer.results:
        assert result.outcome == pb.OUTCOME_CHANGED
        assert "hash" not in result.before + result.definition.document
        assert '"value"' not in result.before + result.definition.document


async def test_a_secret_may_lack_its_value_where_that_is_said(registry: Running) -> None:
    secret = {"kind": "secret", "name": "TOKEN"}
    with pytest.raises(InvalidDefinition, match="value: is required"):
        await step(registry, secret)

    created = (await step(registry, secret, secrets_may_lack_values=True)).results[0]
    again = (await step(registry, secret, secrets_may_lack_values=True)).results[0]
    with pytest.raises(InvalidDefinition, match="value: is required"):
        await step(registry, secret)
    await step(registry, {**secret, "value": "there"})
    quiet = (await step(registry, secret, secrets_may_lack_values=True)).results[0]

    assert created.outcome == pb.OUTCOME_CREATED
    assert again.outcome == quiet.outcome == pb.OUTCOME_UNCHANGED
    assert [len(each.warnings) for each in (created, again, quiet)] == [1, 1, 0]


async def test_an_auth_without_keys_is_read_back_as_one(registry: Running) -> None:
    await put(registry.admin, APPLICATION, {**AUTH, "apiKeys": []})

    read = await document(registry.admin, "auth", "partners")
    (again,) = await put(registry.admin, read)

    assert read["apiKeys"] == []
    assert again.outcome == pb.OUTCOME_UNCHANGED


uses = st.lists(st.lists(st.integers(0, 11), max_size=4), max_size=12)


@given(uses)
def test_whoever_uses_stands_before_what_it_uses_unless_they_use_each_other(
    wanted: list[list[int]],
) -> None:
    definitions = [
        Definition(
            "workflow",
            str(number),
            1,
            {},
            references=tuple(Reference("workflow", str(used), None, "") for used in used_by),
        )
        for number, used_by in enumerate(wanted)
    ]

    ordered = users_first(definitions)

    assert sorted(each.name for each in ordered) == sorted(each.name for each in definitions)
    places = {each.name: place for place, each in enumerate(ordered)}
    reached = {name: _reached(name, definitions) for name in places}
    for definition in definitions:
        for used in {each.name for each in definition.references} & set(places):
            if definition.name not in reached[used]:
                assert places[definition.name] < places[used]


def _reached(name: str, definitions: list[Definition]) -> set[str]:
    found, waiting = set[str](), [name]
    while waiting:
        here = waiting.pop()
        if here in found or int(here) >= len(definitions):
            continue
        found.add(here)
        waiting.extend(each.name for each in definitions[int(here)].references)
    return found


def test_a_long_chain_is_no_matter() -> None:
    chain = [
        Definition(
            "workflow", f"{n}", 1, {}, references=(Reference("workflow", f"{n + 1}", 1, ""),)
        )
        for n in range(5_000)
    ]

    assert users_first(list(reversed(chain))) == chain

"""Reading definitions: lists by page, history, deletion."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from podium.common.v1.page_pb2 import PageRequest
from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import Conflict, InvalidRequest, NotFound, Stale
from services.registry import store
from tests.registry.registries import WORKFLOW, Running, get, put, running, settings
from tests.registry.test_puts import APPLICATION, AUTH, SERVICE


async def listed(registry: Running, size: int, **request: object) -> list[list[pb.Definition]]:
    """Every page of a listing."""
    pages, token = list[list[pb.Definition]](), ""
    while not pages or token:
        page = PageRequest(page_size=size, page_token=token)
        answer = await registry.admin.ListDefinitions(
            pb.ListDefinitionsRequest(page=page, **request)  # type: ignore[arg-type]
        )
        pages.append(list(answer.definitions))
        token = answer.next_page_token
    return pages


async def test_two_hundred_definitions_come_in_pages_each_once(registry: Running) -> None:
    wanted = [f"w{number:03}" for number in range(200)]
    await put(registry.admin, *({**WORKFLOW, "name": name} for name in reversed(wanted)))

    pages = await listed(registry, 30, kind="workflow")

    assert [len(page) for page in pages] == [30] * 6 + [20]
    assert [definition.name for page in pages for definition in page] == wanted


async def test_what_is_put_between_pages_moves_nothing(registry: Running) -> None:
    await put(registry.admin, *({**WORKFLOW, "name": name} for name in "bdf"))
    request = pb.ListDefinitionsRequest(kind="workflow", page=PageRequest(page_size=2))
    first = await registry.admin.ListDefinitions(request)
    await put(registry.admin, {**WORKFLOW, "name": "a"}, {**WORKFLOW, "name": "e"})

    request.page.page_token = first.next_page_token
    second = await registry.admin.ListDefinitions(request)

    assert [each.name for each in (*first.definitions, *second.definitions)] == [*"bd", *"ef"]


async def test_all_kinds_are_in_order_and_names_are_found_in_any_case(registry: Running) -> None:
    await put(registry.admin, WORKFLOW, {**WORKFLOW, "version": 2}, APPLICATION, AUTH, SERVICE)

    (every,) = await listed(registry, 100)
    (found,) = await listed(registry, 100, name_contains="CHECK", latest_only=True)

    assert [(each.kind, each.name, each.version) for each in every] == [
        ("application", "admin", 0),
        ("application", "storefront", 0),
        ("auth", "partners", 0),
        ("service", "orders", 0),
        ("workflow", "checkout", 1),
        ("workflow", "checkout", 2),
    ]
    assert [(each.name, each.version) for each in found] == [("checkout", 2)]


async def test_documents_are_left_out_on_demand(registry: Running) -> None:
    (page,) = await listed(registry, 10, without_documents=True)

    assert [each.document for each in page] == [""]
    assert all(each.etag for each in page)


async def test_a_page_of_large_documents_fits_a_message(registry: Running) -> None:
    """Stores 12 MiB, which takes most of a second."""
    for number in range(4):
        await put(
            registry.admin, {**WORKFLOW, "name": f"w{number}", "description": "x" * (3 << 20)}
        )

    pages = await listed(registry, 100, kind="workflow")

    assert [len(page) for page in pages] == [2, 2]


def made_up(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "AAAA",
        "WzEsMl0=",
        "ÿ",
        "W1tbW1tb" * 100,
        made_up(f'["a", "b", {10**30}]'),
        made_up('["a", "b", -1]'),
        made_up('["a", "b", true]'),
        made_up('["a", "\\ud800", 1]'),
        made_up(f"[{1 << 63}]"),
        made_up("[true]"),
    ],
)
async def test_a_foreign_page_token_is_refused(registry: Running, token: str) -> None:
    page = PageRequest(page_token=token)
    with pytest.raises(InvalidRequest), rpc.raising_ours():
        await registry.admin.ListDefinitions(pb.ListDefinitionsRequest(page=page))
    with pytest.raises(InvalidRequest), rpc.raising_ours():
        await registry.admin.ListAuditEntries(pb.ListAuditEntriesRequest(page=page))


async def test_senseless_questions_are_refused(registry: Running) -> None:
    with pytest.raises(InvalidRequest), rpc.raising_ours():
        await registry.admin.ListDefinitions(pb.ListDefinitionsRequest(kind="wrkflow"))
    with pytest.raises(InvalidRequest):
        await get(registry.admin, "wrkflow", "x")
    with pytest.raises(InvalidRequest), rpc.raising_ours():
        await listed(registry, -1)
    with pytest.raises(NotFound):
        await get(registry.admin, "workflow", "x", -1)


async def test_history_has_every_state_the_newest_first(registry: Running) -> None:
    await put(registry.admin, WORKFLOW)
    await put(registry.admin, {**WORKFLOW, "version": 2})
    await put(registry.admin, {**WORKFLOW, "description": "new"})
    await delete(registry, "workflow", "checkout", 1)

    request = pb.ListDefinitionHistoryRequest(
        kind="workflow", name="checkout", page=PageRequest(page_size=3)
    )
    first = await registry.admin.ListDefinitionHistory(request)
    request.page.page_token = first.next_page_token
    second = await registry.admin.ListDefinitionHistory(request)

    states = [*first.states, *second.states]
    assert [(each.definition.version, each.deleted) for each in states] == [
        (1, True),
        (1, False),
        (2, False),
        (1, False),
    ]
    assert "new" in states[1].definition.document
    assert not second.next_page_token
    assert states[0].definition.updated_by == "application:admin"


async def test_history_of_one_version_and_of_what_never_was(registry: Running) -> None:
    await put(registry.admin, WORKFLOW, {**WORKFLOW, "version": 2})

    answer = await registry.admin.ListDefinitionHistory(
        pb.ListDefinitionHistoryRequest(kind="workflow", name="checkout", version=2)
    )
    with pytest.raises(NotFound), rpc.raising_ours():
        await registry.admin.ListDefinitionHistory(
            pb.ListDefinitionHistoryRequest(kind="workflow", name="other")
        )

    assert [each.definition.version for each in answer.states] == [2]


async def test_old_history_is_let_go_but_for_the_last_states_of_what_is_there(
    tmp_path: Path,
) -> None:
    count = store.KEPT_STATES + 20
    async with running(settings(tmp_path, kept_revisions=5)) as registry:
        await put(registry.admin, {**WORKFLOW, "name": "gone"})
        await delete(registry, "workflow", "gone")
        for number in range(count):
            await put(registry.admin, {**WORKFLOW, "description": f"{number}"})

        answer = await registry.admin.ListDefinitionHistory(
            pb.ListDefinitionHistoryRequest(kind="workflow", name="checkout")
        )
        with pytest.raises(NotFound), rpc.raising_ours():
            await registry.admin.ListDefinitionHistory(
                pb.ListDefinitionHistoryRequest(kind="workflow", name="gone")
            )

    assert store.KEPT_STATES <= len(answer.states) < count


async def delete(registry: Running, kind: str, name: str, version: int = 0, etag: str = "") -> None:
    with rpc.raising_ours():
        await registry.admin.DeleteDefinition(
            pb.DeleteDefinitionRequest(kind=kind, name=name, version=version, etag=etag)
        )


async def test_what_is_used_cannot_be_deleted_and_its_users_are_named(registry: Running) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, APPLICATION)

    for kind, name, user in (
        ("workflow", "checkout", "service 'orders'"),
        ("auth", "partners", "service 'orders'"),
        ("application", "storefront", "auth 'partners'"),
    ):
        with pytest.raises(Conflict, match=user):
            await delete(registry, kind, name)

    for kind, name in (
        ("service", "orders"),
        ("auth", "partners"),
        ("application", "storefront"),
        ("workflow", "checkout"),
    ):
        await delete(registry, kind, name)
        with pytest.raises(NotFound):
            await get(registry.admin, kind, name)


async def test_the_version_that_is_pinned_stays_and_others_may_go(registry: Running) -> None:
    pinned = {**SERVICE["routes"][0], "mappedWorkflow": {"name": "checkout", "version": 1}}  # type: ignore[dict-item]
    service = {**SERVICE, "routes": [pinned]}
    await put(registry.admin, service, AUTH, WORKFLOW, {**WORKFLOW, "version": 2}, APPLICATION)

    with pytest.raises(Conflict):
        await delete(registry, "workflow", "checkout", 1)
    await delete(registry, "workflow", "checkout", 2)


async def test_the_latest_may_go_while_another_version_stays(registry: Running) -> None:
    await put(registry.admin, SERVICE, AUTH, WORKFLOW, {**WORKFLOW, "version": 2}, APPLICATION)

    await delete(registry, "workflow", "checkout", 2)
    with pytest.raises(Conflict):
        await delete(registry, "workflow", "checkout", 1)


async def test_deletion_by_an_old_etag_is_stale(registry: Running) -> None:
    (first,) = await put(registry.admin, WORKFLOW)
    await put(registry.admin, {**WORKFLOW, "description": "new"})

    with pytest.raises(Stale):
        await delete(registry, "workflow", "checkout", etag=first.definition.etag)
    with pytest.raises(NotFound):
        await delete(registry, "workflow", "other")


async def test_what_was_deleted_can_be_made_anew(registry: Running) -> None:
    (first,) = await put(registry.admin, WORKFLOW)
    await delete(registry, "workflow", "checkout")
    (again,) = await put(registry.admin, WORKFLOW)

    assert again.outcome == pb.OUTCOME_CREATED
    assert again.definition.etag != first.definition.etag
    assert again.definition.revision == first.definition.revision + 2


async def test_a_list_may_be_of_one_name_alone(registry: Running) -> None:
    names = ("checkout", "checkout2", "check")
    await put(registry.admin, *({**WORKFLOW, "name": name} for name in names))
    await put(registry.admin, {**WORKFLOW, "version": 2})

    every = await listed(registry, 1, kind="workflow", name="checkout")
    (latest,) = await listed(registry, 9, kind="workflow", name="checkout", latest_only=True)
    (none,) = await listed(registry, 9, kind="workflow", name="CHECKOUT")

    assert [(each.name, each.version) for (each,) in every] == [("checkout", 1), ("checkout", 2)]
    assert [each.version for each in latest] == [2]
    assert none == []

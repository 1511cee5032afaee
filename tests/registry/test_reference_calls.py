"""Who names a definition, and what it names, over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from podium.common.v1.page_pb2 import PageRequest
from podium.registry.v1 import registry_pb2 as pb
from services import rpc
from services.errors import InvalidRequest, NotFound, PermissionDenied
from tests.registry.registries import WORKFLOW, Running, put
from tests.registry.test_access import grant
from tests.registry.test_puts import APPLICATION, AUTH, SERVICE

if TYPE_CHECKING:
    from podium.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub

USES = pb.REFERENCE_DIRECTION_USES
SCHEMA = {"kind": "schema", "name": "order", "data": {"type": "object"}}
SECRET = {"kind": "secret", "name": "TOKEN", "value": "v"}
ROUTE = {
    "httpMethod": "POST",
    "path": "/",
    "mappedWorkflow": {"name": "checkout"},
    "inputSchemaRef": {"name": "order", "version": 1},
    "workflowExecutionMode": "ASYNCHRONOUS",
    "completionWebhook": {"url": "https://example.com/", "secretName": "TOKEN"},
}
EVERY: list[dict[str, Any]] = [
    WORKFLOW,
    APPLICATION,
    AUTH,
    SCHEMA,
    SECRET,
    {**SERVICE, "routes": [ROUTE]},
]


async def listed(
    stub: RegistryServiceAsyncStub, kind: str, name: str, **asked: Any
) -> list[pb.DefinitionReference]:
    request = pb.ListReferencesRequest(kind=kind, name=name, **asked)
    with rpc.raising_ours():
        return list((await stub.ListReferences(request)).references)


def told(references: list[pb.DefinitionReference]) -> list[tuple[str, str]]:
    return [(f"{each.kind} {each.name}", each.path) for each in references]


@pytest.mark.parametrize(
    ("kind", "name", "users"),
    [
        ("auth", "partners", [("service orders", "authConfigId")]),
        ("application", "storefront", [("auth partners", "applicationId")]),
        ("schema", "order", [("service orders", "routes[0].inputSchemaRef.name")]),
        ("secret", "TOKEN", [("service orders", "routes[0].completionWebhook.secretName")]),
        ("workflow", "checkout", [("service orders", "routes[0].mappedWorkflow.name")]),
        ("service", "orders", []),
    ],
)
async def test_users_are_told_with_the_place_where_they_name_it(
    registry: Running, kind: str, name: str, users: list[tuple[str, str]]
) -> None:
    await put(registry.admin, *EVERY)

    assert told(await listed(registry.admin, kind, name)) == users


async def test_what_a_definition_names_is_told(registry: Running) -> None:
    await put(registry.admin, *EVERY)

    service = await listed(registry.admin, "service", "orders", direction=USES)
    workflow = await listed(registry.admin, "workflow", "checkout", direction=USES)

    assert sorted(told(service)) == [
        ("auth partners", "authConfigId"),
        ("schema order", "routes[0].inputSchemaRef.name"),
        ("secret TOKEN", "routes[0].completionWebhook.secretName"),
        ("workflow checkout", "routes[0].mappedWorkflow.name"),
    ]
    assert not any(each.missing for each in service)
    (task,) = workflow
    assert (task.kind, task.name, task.required, task.missing) == ("task", "n", False, True)


async def test_permissions_that_name_a_definition_are_users_too(registry: Running) -> None:
    granted = [grant("workflow", "checkout", "EXECUTE"), grant("workflow", "*", "READ")]
    caller = {"kind": "application", "id": "caller", "permissions": granted}
    await put(registry.admin, WORKFLOW, caller)

    (user,) = await listed(registry.admin, "workflow", "checkout")
    (used,) = await listed(registry.admin, "application", "caller", direction=USES)

    assert told([user]) == [("application caller", "permissions[0].target.id")]
    assert not user.required
    assert told([used]) == [("workflow checkout", "permissions[0].target.id")]


async def test_a_version_is_named_by_who_names_it_or_takes_the_latest(registry: Running) -> None:
    def failing(name: str, version: int | None) -> dict[str, Any]:
        pinned = {"failureWorkflowVersion": version} if version else {}
        return {**WORKFLOW, "name": name, "failureWorkflow": "checkout", **pinned}

    await put(
        registry.admin,
        WORKFLOW,
        {**WORKFLOW, "version": 2},
        failing("first", 1),
        failing("second", 2),
        failing("latest", None),
    )

    async def users(version: int) -> list[str]:
        return [
            e.name for e in await listed(registry.admin, "workflow", "checkout", version=version)
        ]

    assert await users(0) == ["first", "latest", "second"]
    assert await users(1) == ["first"]
    assert await users(2) == ["latest", "second"]
    (first, *_) = await listed(registry.admin, "workflow", "checkout")
    assert (first.version, first.named_version, first.path) == (1, 1, "failureWorkflow")


async def test_users_come_in_pages_each_once(registry: Running) -> None:
    names = [f"w{number:03}" for number in range(25)]
    users: list[dict[str, Any]] = [
        {**WORKFLOW, "name": name, "failureWorkflow": "checkout"} for name in names
    ]
    await put(registry.admin, WORKFLOW, *users)

    found, token, sizes = list[str](), "", list[int]()
    while not sizes or token:
        page = PageRequest(page_size=10, page_token=token)
        answer = await registry.admin.ListReferences(
            pb.ListReferencesRequest(kind="workflow", name="checkout", page=page)
        )
        found.extend(each.name for each in answer.references)
        sizes.append(len(answer.references))
        token = answer.next_page_token

    assert (found, sizes) == (names, [10, 10, 5])


async def test_what_is_used_comes_in_pages(registry: Running) -> None:
    routes = [{**ROUTE, "path": f"/{number}"} for number in range(4)]
    await put(registry.admin, *EVERY[:-1], {**SERVICE, "routes": routes})

    request = pb.ListReferencesRequest(
        kind="service", name="orders", direction=USES, page=PageRequest(page_size=10)
    )
    first = await registry.admin.ListReferences(request)
    request.page.page_token = first.next_page_token
    second = await registry.admin.ListReferences(request)

    assert (len(first.references), len(second.references)) == (10, 3)
    assert not second.next_page_token
    assert len({each.path for each in (*first.references, *second.references)}) == 13


async def test_users_that_the_caller_may_not_read_are_not_told(registry: Running) -> None:
    await put(registry.admin, *EVERY)
    reader = await registry.application("reader", permissions=[grant("workflow", "*", "READ")])
    other = {**WORKFLOW, "name": "other", "failureWorkflow": "checkout"}
    await put(registry.admin, other)

    assert [e.name for e in await listed(reader, "workflow", "checkout")] == ["other"]
    (task, _) = await listed(reader, "workflow", "other", direction=USES)
    # Whether there is a task definition is not for the reader.
    assert (task.kind, task.missing) == ("task", False)
    with pytest.raises(PermissionDenied):
        await listed(reader, "auth", "partners")


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"kind": "flow", "name": "x"}, InvalidRequest),
        ({"kind": "workflow", "name": "x"}, NotFound),
        ({"kind": "workflow", "name": "checkout", "version": 7}, NotFound),
        (
            {"kind": "workflow", "name": "checkout", "page": PageRequest(page_token="x")},
            InvalidRequest,
        ),
        (
            {"kind": "workflow", "name": "checkout", "page": PageRequest(page_size=-1)},
            InvalidRequest,
        ),
    ],
)
async def test_what_makes_no_sense_is_refused(
    registry: Running, asked: dict[str, Any], error: type[Exception]
) -> None:
    await put(registry.admin, WORKFLOW)

    with pytest.raises(error):
        await listed(registry.admin, **asked)

"""The gateway's configuration over HTTP: what the registry keeps, and who may change it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from podium.registry.v1 import registry_pb2 as pb
from services.edge.management.configuration.registry import Turns
from services.errors import Overloaded
from tests.edge.management.conftest import PUBLIC_URL, Configured
from tests.registry.registries import document, get

AUTH = "/api/gateway/config/auth"
SERVICES = "/api/gateway/config/services"
ORDERS = f"{SERVICES}/orders"
ROUTES = f"{ORDERS}/routes"
SERVICE: dict[str, Any] = {"id": "orders", "path": "/orders", "authConfigId": "partners"}
ROUTE: dict[str, Any] = {
    "httpMethod": "POST",
    "path": "/{id}",
    "mappedWorkflow": {"name": "checkout"},
}
OF_ROUTE = {"method": "POST", "path": "/{id}"}
KEY = {"id": "new", "authenticationType": "API_KEY", "applicationId": "shop"}


async def with_route(api: Configured, **fields: Any) -> None:
    """Make the service with one route."""
    for path, body in ((SERVICES, SERVICE), (ROUTES, {**ROUTE, **fields})):
        answer = await api.client.post(path, json=body)
        assert answer.status_code == 200, answer.text


async def etag(api: Configured, kind: str, name: str) -> str:
    return (await get(api.registry.admin, kind, name)).etag


async def test_a_route_is_put_in_the_name_of_its_caller(api: Configured) -> None:
    await with_route(api, tags=[{"key": "team", "value": "a"}])

    stored = await get(api.registry.admin, "service", "orders")
    assert json.loads(stored.document)["routes"] == [
        {**ROUTE, "tags": [{"key": "team", "value": "a"}]}
    ]
    assert stored.updated_by == "application:admin"
    entries = await api.registry.admin.ListAuditEntries(pb.ListAuditEntriesRequest())
    assert [(each.action, each.principal) for each in entries.entries[:2]] == [
        ("change", "application:admin"),
        ("create", "application:admin"),
    ]


async def test_what_is_read_and_put_again_changes_nothing(api: Configured) -> None:
    await with_route(
        api,
        inputSchemaRef={"name": "Rating", "version": 1},
        outputSchema={"type": "object"},
        queryParameters=[{"name": "n", "type": "integer"}],
        rateLimits=[{"name": "burst", "limit": 5, "windowSeconds": 60}],
    )
    before = [await etag(api, "service", "orders"), await etag(api, "auth", "partners")]

    for path in (ORDERS, f"{AUTH}/partners"):
        read = (await api.client.get(path)).json()
        again = await api.client.put(path, json=read)
        assert (again.status_code, again.json()) == (200, read), again.text
    route = (await api.client.get(f"{ROUTES}/route", params=OF_ROUTE)).json()["route"]
    assert (await api.client.put(ROUTES, json=route)).json() == route

    assert before == [await etag(api, "service", "orders"), await etag(api, "auth", "partners")]


async def test_a_route_shows_its_schemas_as_text(api: Configured) -> None:
    await with_route(api, inputSchemaRef={"name": "Rating"}, outputSchema='{"type": "array"}')

    [listed] = (await api.client.get(ROUTES)).json()
    route = listed["route"]

    assert json.loads(route["inputSchema"])["properties"] == {"rating": {"type": "integer"}}
    assert json.loads(route["outputSchema"]) == {"type": "array"}
    assert (await document(api.registry.admin, "service", "orders"))["routes"][0] == {
        **ROUTE,
        "inputSchemaRef": {"name": "Rating"},
        "outputSchema": {"type": "array"},
    }
    service = (await api.client.get(ORDERS)).json()
    assert service["basePath"] == f"{PUBLIC_URL}/orders"
    assert service["routes"] == [route]


async def test_a_masked_key_stays_among_others(api: Configured) -> None:
    async def hashes() -> dict[str, str]:
        request = pb.WatchDefinitionsRequest(kinds=["auth"])
        async for event in api.registry.service("edge").WatchDefinitions(request):
            if event.HasField("change"):
                keys = json.loads(event.change.definition.document)["apiKeys"]
                return {key["name"]: key["hash"] for key in keys}
        raise AssertionError

    before = await hashes()
    read = (await api.client.get(f"{AUTH}/partners")).json()
    assert read["apiKeys"] == ["*** first"]

    read["apiKeys"].append({"name": "second", "key": "the-key-that-came-second"})
    put_again = await api.client.put(f"{AUTH}/partners", json=read)

    assert put_again.json()["apiKeys"] == ["*** first", "*** second"]
    after = await hashes()
    assert after.pop("second")
    assert after == before
    assert "the-key" not in put_again.text


async def test_a_key_that_is_made_is_shown_once(api: Configured) -> None:
    made = await api.client.post(AUTH, json=KEY)
    read = await api.client.get(f"{AUTH}/new")

    assert made.json()["apiKeys"][0].startswith("pk_")
    assert made.headers["cache-control"] == "no-store"
    assert read.json()["apiKeys"] == ["*** default"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (SERVICES, SERVICE),
        (SERVICES, {**SERVICE, "path": "/elsewhere", "enabled": "perhaps"}),
        (ROUTES, ROUTE),
        (AUTH, {**KEY, "id": "partners"}),
        (AUTH, {"id": "partners"}),
    ],
)
async def test_what_is_there_is_not_made_again(
    api: Configured, path: str, body: dict[str, Any]
) -> None:
    await with_route(api)
    before = await etag(api, "service", "orders")

    answer = await api.client.post(path, json=body)

    assert answer.status_code == 409, answer.text
    assert "already" in answer.json()["message"]
    assert await etag(api, "service", "orders") == before


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", f"{AUTH}/nobody", {}),
        ("PUT", f"{AUTH}/nobody", {}),
        ("DELETE", f"{AUTH}/nobody", {}),
        ("GET", f"{SERVICES}/nothing", {}),
        ("PUT", f"{SERVICES}/nothing", {}),
        ("DELETE", f"{SERVICES}/nothing", {}),
        ("GET", f"{SERVICES}/nothing/routes", {}),
        ("POST", f"{SERVICES}/nothing/routes", {}),
        ("GET", f"{ROUTES}/route", {"method": "GET", "path": "/{id}"}),
        ("PUT", ROUTES, {"method": "GET", "path": "/{id}"}),
        ("DELETE", ROUTES, {"method": "GET", "path": "/{id}"}),
        ("PUT", f"{ROUTES}/tags", {"method": "POST", "path": "/"}),
        ("DELETE", f"{SERVICES}/nothing/tags", {}),
    ],
)
async def test_what_is_not_there_is_not_found(
    api: Configured, method: str, path: str, query: dict[str, str]
) -> None:
    await with_route(api)
    tags = [{"key": "k", "value": "v"}]

    answer = await api.client.request(
        method, path, params=query, json=tags if path.endswith("tags") else {}
    )

    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["message"] == answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("POST", SERVICES, {**SERVICE, "id": "a", "path": "b", "odd": 1}, ["/path", "/odd"]),
        ("PUT", ORDERS, {"path": "/other", "authConfigId": "nobody"}, ["/path", "/authConfigId"]),
        ("POST", ROUTES, {"httpMethod": "GO", "path": "/x"}, ["/httpMethod", "/mappedWorkflow"]),
        ("PUT", ROUTES, {**ROUTE, "mappedWorkflow": {"name": "no"}}, ["/mappedWorkflow/name"]),
        ("POST", ROUTES, {**ROUTE, "path": "/{other}"}, [""]),
        ("POST", ROUTES, {**ROUTE, "path": "/x", "preRequestScript": "(("}, ["/preRequestScript"]),
        ("POST", AUTH, {**KEY, "apiKeys": ["*** first"]}, ["/apiKeys/0/key"]),
        ("PUT", f"{ORDERS}/tags", [{"key": "k"}, {"key": "k", "value": 1}], ["/0", "/1"]),
    ],
)  # fmt: skip
async def test_every_fault_is_told_where_its_author_wrote_it(
    api: Configured, method: str, path: str, body: Any, told: list[str]
) -> None:
    await with_route(api)

    answer = await api.client.request(method, path, json=body)

    problem = answer.json()
    assert answer.status_code == 400, answer.text
    assert sorted(each["pointer"] for each in problem["errors"]) == sorted(told)
    assert len(problem["validationErrors"]) == len(told)
    assert problem["retryable"] is False
    assert problem["instance"] == path


@pytest.mark.parametrize(
    ("method", "path", "given", "expected"),
    [
        ("POST", SERVICES, {"json": []}, 400),
        ("POST", SERVICES, {"content": b"{"}, 400),
        ("POST", SERVICES, {"content": b"{}", "headers": {"content-type": "text/plain"}}, 415),
        ("POST", SERVICES, {"content": b"[" * 5000}, 400),
        ("POST", AUTH, {"content": b" " * (11 << 20)}, 413),
        ("POST", ROUTES, {"json": "route"}, 400),
        ("PUT", ORDERS, {"json": {**SERVICE, "id": "other"}}, 400),
        ("DELETE", ROUTES, {}, 400),
        ("DELETE", ROUTES, {"params": {"method": "POST"}}, 400),
        ("GET", f"{ROUTES}/route", {"params": {"path": "/{id}"}}, 400),
        ("GET", f"{SERVICES}?a=1&a=2", {}, 422),
        ("PATCH", ORDERS, {"json": {}}, 405),
        ("GET", "/api/gateway/config", {}, 404),
    ],
)
async def test_what_makes_no_sense_is_told_and_changes_nothing(
    api: Configured, method: str, path: str, given: dict[str, Any], expected: int
) -> None:
    await with_route(api)
    before = await etag(api, "service", "orders")

    answer = await api.client.request(method, path, **given)

    assert answer.status_code == expected, answer.text
    assert isinstance(answer.json()["message"], str)
    assert await etag(api, "service", "orders") == before


async def test_what_is_used_is_not_deleted(api: Configured) -> None:
    await with_route(api)

    refused = await api.client.delete(f"{AUTH}/partners")
    assert refused.status_code == 409
    assert "service 'orders'" in refused.json()["message"]

    assert (await api.client.delete(ORDERS)).status_code == 200
    assert (await api.client.delete(f"{AUTH}/partners")).status_code == 200
    assert (await api.client.get(AUTH)).json() == []


async def test_tags_are_replaced_and_go_by_key_and_value(api: Configured) -> None:
    await with_route(api)
    team = [{"key": "team", "value": "a", "type": "METADATA"}, {"key": "team", "value": "b"}]

    async def tags() -> tuple[Any, Any]:
        service = (await api.client.get(ORDERS)).json()
        return service["tags"], service["routes"][0]["tags"]

    for method, sent in (("PUT", team), ("DELETE", [{"key": "team", "value": "c"}])):
        await api.client.request(method, f"{ORDERS}/tags", json=sent)
        await api.client.request(method, f"{ROUTES}/tags", params=OF_ROUTE, json=sent)
    both = [{"key": "team", "value": "a"}, {"key": "team", "value": "b"}]
    assert await tags() == (both, both)

    await api.client.request("DELETE", f"{ORDERS}/tags", json=team[:1])
    await api.client.request("DELETE", f"{ROUTES}/tags", params=OF_ROUTE, json=team[1])
    assert await tags() == (both[1:], both[:1])

    await api.client.put(f"{ORDERS}/tags", json=[])
    assert await tags() == ([], both[:1])


async def test_the_go_client_names_the_path_in_the_query(api: Configured) -> None:
    await with_route(api)

    moved = await api.client.put(
        ROUTES, params={"path": "/{id}"}, json={**ROUTE, "path": "/{id}/checkout"}
    )
    described = await api.client.put(
        ROUTES,
        params={"path": "/{id}/checkout"},
        json={"httpMethod": "POST", "description": "d", "mappedWorkflow": {"name": "checkout"}},
    )

    assert (moved.status_code, described.status_code) == (200, 200)
    stored = await document(api.registry.admin, "service", "orders")
    assert stored["routes"] == [{**ROUTE, "path": "/{id}/checkout", "description": "d"}]


async def test_routes_that_are_made_side_by_side_are_all_there(api: Configured) -> None:
    await with_route(api)

    async def made(number: int) -> int:
        route = {**ROUTE, "path": f"/{number}/{{id}}"}
        return (await api.client.post(ROUTES, json=route)).status_code

    statuses = await asyncio.gather(*map(made, range(12)))

    assert statuses == [200] * 12
    assert len((await api.client.get(ROUTES)).json()) == 13


async def test_a_turn_that_does_not_come_is_told() -> None:
    turns = Turns(most_seconds=0.01)
    async with turns.of("a"), turns.of("b"):
        with pytest.raises(Overloaded):
            async with turns.of("a"):
                raise AssertionError
    async with turns.of("a"):
        pass


async def test_callers_have_their_own_rights(api: Configured) -> None:
    await with_route(api)
    grants = [{"target": {"type": "service", "id": "orders"}, "access": ["READ", "UPDATE"]}]
    editor = await api.application("editor", roles=["EDITOR"])
    keeper = await api.application("keeper", permissions=grants)
    viewer = await api.application("viewer", roles=["VIEWER"])
    nobody = await api.application("nobody")
    other = {**ROUTE, "path": "/other"}
    table = [
        ("GET", SERVICES, None, (200, 200, 200, 403)),
        ("GET", ORDERS, None, (200, 200, 200, 403)),
        ("GET", f"{AUTH}/partners", None, (200, 403, 200, 403)),
        ("PUT", ORDERS, SERVICE, (200, 200, 403, 403)),
        ("PUT", ROUTES, ROUTE, (200, 200, 403, 403)),
        ("POST", ROUTES, other, (200, 409, 409, 403)),
        ("POST", ROUTES, {**ROUTE, "path": "/third"}, (None, None, 403, 403)),
        ("POST", SERVICES, {**SERVICE, "id": "x", "path": "/x"}, (200, 403, 403, 403)),
        ("POST", AUTH, KEY, (200, 403, 403, 403)),
        ("DELETE", ORDERS, None, (None, 403, 403, 403)),
    ]

    for method, path, body, expected in table:
        for headers, status in zip((editor, keeper, viewer, nobody), expected, strict=True):
            if status is None:
                continue
            answer = await api.client.request(method, path, json=body, headers=headers)
            assert answer.status_code == status, (method, path, answer.text)

    stored = await get(api.registry.admin, "service", "orders")
    assert stored.updated_by == "application:editor"


async def test_who_may_write_and_not_read_is_told_that_it_is_written(api: Configured) -> None:
    grants = [{"target": {"type": "auth", "id": "*"}, "access": ["CREATE"]}]
    writer = await api.application("writer", permissions=grants)

    answer = await api.client.post(
        AUTH,
        json={**KEY, "applicationId": "writer", "apiKeys": ["a-key-of-theirs"]},
        headers=writer,
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == "new"
    assert "a-key-of-theirs" not in answer.text


async def test_without_a_token_nothing_is_told(api: Configured) -> None:
    for headers in ({"x-authorization": ""}, {"x-authorization": "nonsense"}):
        answer = await api.client.get(SERVICES, headers=headers)

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="podium"'
        # By this Conductor's clients get another token.
        expected = "INVALID_TOKEN" if headers["x-authorization"] else None
        assert answer.json().get("error") == expected


async def test_the_paths_of_the_documentation_are_known_too(api: Configured) -> None:
    await with_route(api)

    for path in ("/api/config/auth/partners", f"{AUTH}/partners"):
        assert (await api.client.get(path)).json()["id"] == "partners"
    for path in ("/api/gateway/config/service/orders/routes", ROUTES):
        assert len((await api.client.get(path)).json()) == 1

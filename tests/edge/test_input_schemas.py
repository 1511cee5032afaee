"""Input schemas: what a route asks of a body, or of the parameters of a call without one."""

from __future__ import annotations

from typing import Any

import httpx

from tests.edge.conftest import Edge
from tests.edge.documents import put, remove, route, service

RATING = {
    "type": "object",
    "properties": {"rating": {"type": "integer", "minimum": 1, "maximum": 5}},
    "required": ["rating"],
}


def with_route(edge: Edge, method: str = "POST", path: str = "/", **fields: Any) -> None:
    put(edge.replica, service(route(method, path, **fields), id="shop", path="/shop"))


def errors(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422
    return [f"{each['pointer']} {each['detail']}" for each in answer.json()["errors"]]


async def test_a_body_that_keeps_to_its_schema_starts_the_workflow(edge: Edge) -> None:
    with_route(edge, inputSchema=RATING)

    assert (await edge.client.post("/shop", json={"rating": 4})).json()["rating"] == 4


async def test_a_body_that_breaks_it_starts_nothing(edge: Edge) -> None:
    with_route(edge, inputSchema=RATING)

    answer = await edge.client.post("/shop", json={"rating": 9})

    assert errors(answer) == ["/rating this value is greater than the maximum of 5"]
    assert answer.json()["type"] == "urn:podium:problem:invalid-input"
    assert errors(await edge.client.post("/shop")) == [' "rating" is a required property']
    assert edge.executor.frames.empty()


async def test_faults_of_query_and_body_are_told_together(edge: Edge) -> None:
    with_route(edge, inputSchema=RATING, queryParameters=[{"name": "q", "required": True}])

    answer = await edge.client.post("/shop", json={"rating": "x"})

    assert errors(answer) == [
        "/query/q is required",
        '/rating this value is not of type "integer"',
    ]


async def test_a_call_without_a_body_is_judged_by_its_parameters(edge: Edge) -> None:
    schema = {
        "properties": {"id": {"pattern": "^[0-9]+$"}, "page": {"maximum": 9}},
        "required": ["page"],
    }
    parameters = [{"name": "page", "type": "integer"}]
    with_route(edge, "GET", "/{id}", inputSchema=schema, queryParameters=parameters)

    assert (await edge.client.get("/shop/7?page=9")).status_code == 200
    assert (await edge.client.head("/shop/7?page=9")).status_code == 200
    assert sorted(errors(await edge.client.get("/shop/x?page=10"))) == [
        '/id this value does not match "^[0-9]+$"',
        "/page this value is greater than the maximum of 9",
    ]


async def test_a_large_body_is_judged_too(edge: Edge) -> None:
    with_route(edge, inputSchema={"properties": {"items": {"items": {"type": "integer"}}}})

    answer = await edge.client.post("/shop", json={"items": [1] * 50_000 + ["x"]})

    assert errors(answer) == ['/items/50000 this value is not of type "integer"']


async def test_a_schema_by_reference_is_the_one_of_now_unless_pinned(edge: Edge) -> None:
    def schema(version: int, most: int) -> dict[str, Any]:
        data = {"properties": {"rating": {"maximum": most}}}
        return {"kind": "schema", "name": "Rating", "version": version, "data": data}

    put(edge.replica, schema(1, 5))
    with_route(edge, inputSchemaRef={"name": "Rating"})
    before = (await edge.client.post("/shop", json={"rating": 7})).status_code

    put(edge.replica, schema(2, 10))
    after = (await edge.client.post("/shop", json={"rating": 7})).status_code
    with_route(edge, inputSchemaRef={"name": "Rating", "version": 1})
    pinned = (await edge.client.post("/shop", json={"rating": 7})).status_code

    assert (before, after, pinned) == (422, 200, 422)


async def test_while_the_schema_is_not_there_nobody_is_let_through(edge: Edge) -> None:
    put(edge.replica, {"kind": "schema", "name": "Rating", "version": 1, "data": {}})
    with_route(edge, inputSchemaRef={"name": "Rating"})
    remove(edge.replica, "schema", "Rating")

    answer = await edge.client.post("/shop", json={})

    assert answer.status_code == 503
    assert "retry-after" in answer.headers

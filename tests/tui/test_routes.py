"""Routes as an operator reads them, and the command that calls one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podium.registry.v1 import registry_pb2 as pb
from tui.resources.catalog import definition_of
from tui.resources.routes import routes_of
from tui.views.routes import Body, RouteLine, body_of, chosen, curl, lines, proof_of, tools


def service(*routes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": "orders",
        "path": "/api/orders",
        "authConfigId": "partners",
        "routes": list(routes),
        **fields,
    }


def route(method: str, path: str, **fields: Any) -> dict[str, Any]:
    return {"httpMethod": method, "path": path, "mappedWorkflow": {"name": "w"}, **fields}


def line(method: str = "POST", path: str = "/{orderId}", **fields: Any) -> RouteLine:
    (made,) = lines([service(route(method, path, **fields))])
    return made


def test_routes_are_listed_by_path_and_method() -> None:
    first = service(
        route("PUT", "/{id}", workflowExecutionMode="ASYNCHRONOUS"),
        route("GET", "/{id}", mappedWorkflow={"name": "look", "version": 2}),
    )
    second = service(route("GET", "/"), id="about", path="/about/", enabled=False)

    assert [each.text() for each in lines([first, second])] == [
        "GET    /about  →  w  [about, auth partners]  (disabled)",
        "GET    /api/orders/{id}  →  look v2  [orders, auth partners]",
        "PUT    /api/orders/{id}  →  w  202  [orders, auth partners]",
    ]


@pytest.mark.parametrize("base", ["/", "/x", "/x/"])
@pytest.mark.parametrize("path", ["/", "/a", "/a/", "/{id}/b"])
def test_commands_and_console_have_the_same_routes(base: str, path: str) -> None:
    document = {
        "id": "odd", "path": base, "authConfigId": "any",
        "routes": [{"httpMethod": "GET", "path": path, "mappedWorkflow": {"name": "w"}}],
    }  # fmt: skip
    service = pb.Definition(kind="service", name="odd", document=json.dumps(document))

    (line,), (row,) = lines([document]), routes_of(definition_of({0: service}))

    assert (line.method, line.path) == (row.method, row.path)


def test_a_route_is_named_by_its_whole_path_or_by_its_own() -> None:
    routes = lines([service(route("POST", "/{id}/pay"), route("GET", "/"))])

    for path in ("/{id}/pay", "{id}/pay/", "/api/orders/{id}/pay"):
        found = chosen(routes, "orders", "post", path)
        assert found is not None
        assert found.path == "/api/orders/{id}/pay"
    assert chosen(routes, "orders", "GET", "/") is not None
    assert chosen(routes, "orders", "PUT", "/{id}/pay") is None
    assert chosen(routes, "others", "POST", "/{id}/pay") is None


def test_the_command_has_all_that_a_call_needs() -> None:
    schema = {"type": "object", "properties": {"rating": {"type": "integer", "minimum": 3}}}

    body = body_of(line(), schema)
    proof = proof_of({"authenticationType": "API_KEY"})
    command = curl(line(), "http://127.0.0.1:8080", proof, body)

    assert command == (
        "curl -X POST http://127.0.0.1:8080/api/orders/ORDERID -H 'X-API-Key: KEY' "
        "-H 'Content-Type: application/json' -d '{\"rating\": 3}'"
    )


def test_a_service_that_takes_tokens_is_called_with_one() -> None:
    proof = proof_of({"authenticationType": "JWT"})

    assert "-H 'Authorization: Bearer TOKEN'" in curl(line("GET", "/"), "http://g", proof, None)
    told = tools(service(route("GET", "/")), "http://g", proof)
    assert "Bearer TOKEN" in str(told)


def test_a_call_without_key_and_body_is_short_and_its_query_is_quoted() -> None:
    parameters = [
        {"name": "page", "type": "integer", "required": True},
        {"name": "sort", "enum": ["up", "down"], "required": True},
        {"name": "size", "type": "integer", "default": 5, "required": True},
        {"name": "other"},
    ]

    command = curl(line("GET", "/", queryParameters=parameters), "http://g", None, None)

    assert command == "curl -X GET 'http://g/api/orders?page=1&sort=up'"


def test_what_curl_would_read_otherwise_is_encoded() -> None:
    parameters = [{"name": "größe", "enum": ["a b&c"], "required": True}]
    asked = line("GET", "/café/{id}/[1]", queryParameters=parameters)

    command = curl(asked, "http://g", None, None)

    path = "http://g/api/orders/caf%C3%A9/ID/%5B1%5D"
    assert command == f"curl -X GET '{path}?gr%C3%B6%C3%9Fe=a%20b%26c'"


def test_a_body_that_its_route_would_refuse_has_places_to_fill_in() -> None:
    pattern = {"type": "string", "pattern": "^[A-Z]{3}[0-9]$"}
    schema = {
        "properties": {"sku": pattern, "a/b": {"items": pattern}, "n": {"type": "integer"}},
        "required": ["sku"],
    }

    body = body_of(line(), schema)

    assert body is not None
    assert body.value == {"sku": "TEXT", "a/b": ["TEXT"], "n": 1}
    assert sorted(pointer for pointer, _ in body.faults) == ["/a~1b/0", "/sku"]


def test_an_example_that_breaks_its_own_schema_is_not_used() -> None:
    schema = {"properties": {"n": {"type": "integer", "example": "seven"}, "m": {"const": 1}}}

    body = body_of(line(), schema)

    assert body is not None
    assert body.value == {"n": "TEXT", "m": 1}
    assert [pointer for pointer, _ in body.faults] == ["/n"]


def test_a_body_that_keeps_to_its_schema_has_no_faults() -> None:
    assert body_of(line(), {"properties": {"n": {"type": "integer"}}}) == Body({"n": 1})
    assert body_of(line(), None) == Body({})
    assert body_of(line("GET"), {"type": "object"}) is None

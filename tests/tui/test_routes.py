"""Routes as an operator reads them, and the command that calls one."""

from __future__ import annotations

from typing import Any

from tui.views.routes import RouteLine, chosen, curl, lines


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
        "GET    /about  →  w  (disabled)",
        "GET    /api/orders/{id}  →  look v2",
        "PUT    /api/orders/{id}  →  w  202",
    ]


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

    command = curl(line(), "http://127.0.0.1:8080", public=False, schema=schema)

    assert command == (
        "curl -X POST http://127.0.0.1:8080/api/orders/ORDERID -H 'X-API-Key: KEY' "
        "-H 'Content-Type: application/json' -d '{\"rating\": 3}'"
    )


def test_a_call_without_key_and_body_is_short_and_its_query_is_quoted() -> None:
    parameters = [
        {"name": "page", "type": "integer", "required": True},
        {"name": "sort", "enum": ["up", "down"], "required": True},
        {"name": "size", "type": "integer", "default": 5, "required": True},
        {"name": "other"},
    ]

    command = curl(
        line("GET", "/", queryParameters=parameters), "http://g", public=True, schema=None
    )

    assert command == "curl -X GET 'http://g/api/orders?page=1&sort=up'"


def test_what_curl_would_read_otherwise_is_encoded() -> None:
    parameters = [{"name": "größe", "enum": ["a b&c"], "required": True}]
    asked = line("GET", "/café/{id}/[1]", queryParameters=parameters)

    command = curl(asked, "http://g", public=True, schema=None)

    path = "http://g/api/orders/caf%C3%A9/ID/%5B1%5D"
    assert command == f"curl -X GET '{path}?gr%C3%B6%C3%9Fe=a%20b%26c'"

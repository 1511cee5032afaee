"""Routes, as services' documents say."""

from __future__ import annotations

from typing import Any

import pytest

from services.edge.call import Answer
from services.edge.dispatch import allowed, found_or_answer
from services.edge.problems import Problem
from services.edge.routes import RouteTable, awaited, routes_of
from services.edge.trie import Elsewhere, Found


def service(*routes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "kind": "service",
        "id": "orders",
        "path": "/api/orders",
        "authConfigId": "partners",
        "routes": [
            {"httpMethod": "GET", "mappedWorkflow": {"name": "flow"}, "path": "/"} | route
            for route in routes
        ],
    } | fields


def test_a_route_carries_what_its_service_and_it_say() -> None:
    document = service(
        {
            "httpMethod": "POST",
            "path": "/{orderId}/checkout",
            "mappedWorkflow": {"name": "checkout", "version": 2},
            "workflowExecutionMode": "ASYNCHRONOUS",
            "waitUntilTasks": "charge, ship ,",
            "timeoutInSeconds": 5,
        },
        enabled=False,
    )

    (route,) = routes_of(document)

    assert (route.method, route.path) == ("POST", "/api/orders/{orderId}/checkout")
    assert route.parameters == ("orderId",)
    assert (route.workflow, route.version) == ("checkout", 2)
    assert route.asynchronous
    assert route.await_refs == ("charge", "ship")
    assert route.timeout_seconds == 5.0
    assert (route.service_id, route.auth_id, route.enabled) == ("orders", "partners", False)


@pytest.mark.parametrize(("given", "seconds"), [({}, 30), ({"timeoutInSeconds": 0}, 30)])
def test_no_timeout_means_thirty_seconds(given: dict[str, Any], seconds: int) -> None:
    (route,) = routes_of(service(given))

    assert route.timeout_seconds == seconds


def test_head_is_answered_by_the_route_of_get() -> None:
    table = RouteTable(routes_of(service({"path": "/{id}"})))

    assert isinstance(found := table.find("HEAD", ("api", "orders", "7")), Found)
    assert (found.value.method, found.parameters) == ("GET", ("7",))


def test_a_path_known_by_other_methods_names_them() -> None:
    table = RouteTable(routes_of(service({}, {"httpMethod": "POST"})))
    found = table.find("PUT", ("api", "orders"))

    with pytest.raises(Problem) as caught:
        found_or_answer("PUT", found)

    assert caught.value.status == 405
    assert caught.value.headers == ((b"allow", b"GET, HEAD, OPTIONS, POST"),)


def test_options_is_answered_with_what_the_path_allows() -> None:
    answer: object = found_or_answer("OPTIONS", Elsewhere({"PUT": "value"}))

    assert answer == Answer(204, headers=((b"allow", b"OPTIONS, PUT"),))
    assert allowed({"GET"}) == "GET, HEAD, OPTIONS"


def test_nothing_there_is_404() -> None:
    with pytest.raises(Problem) as caught:
        found_or_answer("GET", RouteTable().find("GET", ("x",)))

    assert caught.value.status == 404


@pytest.mark.parametrize("written", ["", " , ", None])
def test_no_refs_are_awaited_where_none_are_named(written: object) -> None:
    assert awaited(written) == ()

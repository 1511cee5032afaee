"""Whom a call has told of the end of its execution."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate

from podium.executor.v1 import executor_pb2 as pb
from services.edge.query import parse_pairs
from services.edge.webhooks import Webhook, named_url
from services.json_text import Json
from tests.edge.conftest import Edge
from tests.edge.documents import put, route, service
from tests.edge.replies import problem, started

HOOK = {"url": "https://partner.example/hooks", "secretName": "KEY"}
CALLERS = {"secretName": "KEY", "callerUrl": True}
THEIRS = "https://caller.example/cb?x=1"


def hooked(path: str = "/told", method: str = "POST", **fields: Any) -> dict[str, Any]:
    return route(method, path, workflowExecutionMode="ASYNCHRONOUS", **fields)


async def told(edge: Edge, path: str, **arguments: Any) -> pb.Start:
    answer = await edge.client.post(path, **arguments)
    assert answer.status_code == 202, answer.text
    return await started(edge)


async def test_a_route_says_who_is_told_and_how_the_answer_is_had(edge: Edge) -> None:
    put(edge.replica, service(hooked(completionWebhook=HOOK, exposeDetails=True)))

    answer = await edge.client.post("/api/orders/told", json={"callbackUrl": THEIRS})
    start = await started(edge)

    assert start.completion_webhook == pb.CompletionWebhook(
        url=HOOK["url"],
        secret_name="KEY",
        location=answer.headers["location"],
        with_output=True,
        exposed=True,
    )
    assert THEIRS in start.input


@pytest.mark.parametrize(
    "fields",
    [{"postResponseScript": "$.n"}, {"outputSchema": {"type": "object"}}, {"waitUntilTasks": "a"}],
)
async def test_an_output_of_which_the_route_makes_something_else_is_not_told(
    edge: Edge, fields: dict[str, Any]
) -> None:
    put(edge.replica, service(hooked(completionWebhook=HOOK, **fields)))

    start = await told(edge, "/api/orders/told", json={})

    assert not start.completion_webhook.with_output
    assert not start.completion_webhook.exposed


async def test_a_caller_names_who_is_told_where_the_route_allows_it(edge: Edge) -> None:
    put(
        edge.replica,
        service(
            hooked(completionWebhook={**HOOK, "callerUrl": True}),
            hooked("/open", completionWebhook=CALLERS, queryParameters=[{"name": "n"}]),
        ),
    )

    by_body = await told(edge, "/api/orders/told", json={"callbackUrl": THEIRS})
    by_query = await told(
        edge, "/api/orders/open", params={"callbackUrl": THEIRS}, json={"callbackUrl": "x"}
    )
    by_route = await told(edge, "/api/orders/told", json={"callbackUrl": None})
    nobody = await told(edge, "/api/orders/open", json={})

    assert by_body.completion_webhook.url == by_query.completion_webhook.url == THEIRS
    assert THEIRS in by_body.input
    assert by_route.completion_webhook.url == HOOK["url"]
    assert not nobody.HasField("completion_webhook")


async def test_a_callback_url_that_is_none_is_told_with_its_pointer(edge: Edge) -> None:
    put(edge.replica, service(hooked(completionWebhook=CALLERS)))

    answer = await edge.client.post("/api/orders/told", json={"callbackUrl": "/hooks"})
    twice = await edge.client.post(
        "/api/orders/told?callbackUrl=http://a/&callbackUrl=http://b/", json={}
    )

    assert problem(answer) == (422, "invalid-input")
    assert "callbackUrl" in answer.json()["detail"]
    assert "schema" not in answer.json()["detail"]
    assert answer.json()["errors"] == [
        {"pointer": "/callbackUrl", "detail": "must be an absolute http or https URL"}
    ]
    assert twice.json()["errors"] == [{"pointer": "/query/callbackUrl", "detail": "is given twice"}]


@pytest.mark.parametrize(
    ("query", "document", "pointer"),
    [
        (b"", {"callbackUrl": 5}, "/callbackUrl"),
        (b"", {"callbackUrl": ""}, "/callbackUrl"),
        (b"", {"callbackUrl": "http://user:word@h/"}, "/callbackUrl"),
        (b"callbackUrl=", {"callbackUrl": THEIRS}, "/query/callbackUrl"),
        (b"callbackUrl=http://h/%0d%0a", {}, "/query/callbackUrl"),
        (b"callbackUrl=http://h/" + b"x" * 2048, [], "/query/callbackUrl"),
    ],
)
def test_what_is_no_url_is_refused(query: bytes, document: Json, pointer: str) -> None:
    url, faults = named_url(Webhook("", "KEY", True), parse_pairs(query), document)

    assert url == ""
    assert [each for each, _ in faults] == [pointer]
    assert named_url(Webhook("x", "KEY", False), parse_pairs(query), document) == ("", ())
    assert named_url(None, parse_pairs(query), document) == ("", ())


async def test_the_document_of_a_service_tells_what_is_told(edge: Edge) -> None:
    given = {"name": "callbackUrl", "description": "Where to."}
    put(
        edge.replica,
        service(
            hooked(completionWebhook=HOOK),
            hooked("/open", completionWebhook=CALLERS),
            hooked("/open", "GET", completionWebhook=CALLERS, queryParameters=[given]),
            route("PUT", "/quiet"),
        ),
    )

    document = (await edge.client.get("/orders/openapi")).json()

    validate(document)
    posted = document["paths"]["/api/orders/open"]["post"]
    callback = posted["callbacks"]["executionEnded"]
    assert list(callback) == ["{$request.query.callbackUrl}", "{$request.body#/callbackUrl}"]
    assert [each["name"] for each in posted["parameters"] if each["in"] == "query"] == [
        "callbackUrl"
    ]
    got = document["paths"]["/api/orders/open"]["get"]
    assert [each["description"] for each in got["parameters"] if each["in"] == "query"] == [
        "Where to."
    ]
    assert list(got["callbacks"]["executionEnded"]) == ["{$request.query.callbackUrl}"]
    assert "callbacks" not in document["paths"]["/api/orders/told"]["post"]
    assert "post" in document["webhooks"]["executionEnded"]
    assert "partner.example" not in str(document)
    assert "ExecutionEnded" in document["components"]["schemas"]


async def test_the_document_of_a_service_without_any_says_nothing_of_it(edge: Edge) -> None:
    put(edge.replica, service(route("PUT", "/quiet")))

    document = (await edge.client.get("/orders/openapi")).json()

    assert "webhooks" not in document
    assert "ExecutionEnded" not in document["components"]["schemas"]

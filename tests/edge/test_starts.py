"""What a request through the gateway starts."""

from __future__ import annotations

import json

import pytest

from tests.edge.conftest import Edge
from tests.edge.replies import started
from tests.edge.scripted import result

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_call_runs_the_workflow_and_gets_its_output(edge: Edge) -> None:
    response = await edge.client.post(
        "/api/orders/a%2Fb%20%C3%A9/checkout?currency=EUR",
        content='{"total": 123456789012345678901234567890, "note": "grün"}',
        headers={"cookie": "secret=1", "user-agent": "test", "x-request-id": "mine-1"},
    )

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"] == "mine-1"
    given = response.json()
    assert given.pop("requestMetadata") == {
        "method": "post",
        "path": "/api/orders/a%2Fb%20%C3%A9/checkout",
        "pathParams": {"orderId": "a/b é"},
        "queryParams": {"currency": "EUR"},
        "headers": {"accept": "*/*", "host": edge.address, "user-agent": "test"},
        "requestId": "mine-1",
        "principal": "key:partners/first",
    }
    assert given == {
        "total": 123456789012345678901234567890,
        "note": "grün",
        "currency": "EUR",
        "orderId": "a/b é",
    }


async def test_a_start_says_all_that_the_executor_needs(edge: Edge) -> None:
    response = await edge.client.post("/api/orders/awaiting", headers={"traceparent": TRACE})
    start = await started(edge)

    assert start.execution_id == response.headers["podium-execution-id"]
    assert (start.workflow_name, start.workflow_version) == ("checkout", 0)
    assert list(start.await_refs) == ["charge", "ship"]
    assert start.min_revision == edge.replica.revision
    assert (start.on_behalf_of, start.principal) == ("storefront", "key:partners/first")
    assert start.request_id == response.headers["x-request-id"]
    assert start.traceparent == TRACE
    assert len(start.fingerprint) == 32
    assert json.loads(start.answer) == {
        "service": "orders",
        "route": "POST /api/orders/awaiting",
        "auth": "partners",
        "awaitRefs": ["charge", "ship"],
        "principal": "key:partners/first",
        "public": False,
    }


async def test_a_trace_s_state_may_come_in_parts(edge: Edge) -> None:
    parts = [("traceparent", TRACE), ("tracestate", "a=b"), ("tracestate", "c=d")]
    await edge.client.post("/api/orders/7/checkout", headers=parts)

    assert (await started(edge)).tracestate == "a=b,c=d"


async def test_every_request_is_an_execution_of_its_own(edge: Edge) -> None:
    await edge.client.post("/api/orders/7/checkout")
    await edge.client.post("/api/orders/7/checkout")
    first, second = await started(edge), await started(edge)

    assert first.execution_id != second.execution_id
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("sent", ["", "ü", "a b", "x" * 129, "<script>"])
async def test_a_request_id_that_is_not_sound_is_replaced(edge: Edge, sent: str) -> None:
    response = await edge.client.get("/nowhere", headers={b"x-request-id": sent.encode()})

    assert len(response.headers["x-request-id"]) == 36


@pytest.mark.parametrize(
    "trace", ["nonsense", "ff" + TRACE[2:], "00-" + "0" * 32 + TRACE[35:], TRACE.upper()]
)
async def test_a_trace_that_is_none_is_not_passed_on(edge: Edge, trace: str) -> None:
    await edge.client.post("/api/orders/7/checkout", headers={"traceparent": trace})

    assert (await started(edge)).traceparent == ""


async def test_head_runs_the_route_of_get_and_has_no_body(edge: Edge) -> None:
    edge.executor.script = lambda frame: [result(frame, '{"a":1}')]

    response = await edge.client.head("/api/orders/7")

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == "7"
    assert response.headers["podium-execution-id"] == (await started(edge)).execution_id


async def test_a_body_of_no_bytes_is_an_empty_object(edge: Edge) -> None:
    response = await edge.client.post("/api/orders/7/checkout", headers={"content-type": "x/y"})

    assert response.status_code == 200


async def test_a_large_body_arrives_whole(edge: Edge) -> None:
    # Over the size that is read aside, and over what a socket holds.
    response = await edge.client.post("/api/orders/7/checkout", json={"text": "é" * 1_000_000})

    assert len(response.json()["text"]) == 1_000_000

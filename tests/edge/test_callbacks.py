"""What a remote says of a job by its callback URL."""

from __future__ import annotations

import asyncio

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import Conflict, InvalidRequest, NotFound, Overloaded, Unavailable
from tests.edge.conftest import Edge, gateway_to
from tests.edge.replies import problem
from tests.edge.scripted import ScriptedExecutor, serving_executor


async def test_it_is_passed_on_as_it_came(edge: Edge) -> None:
    response = await edge.client.post(
        "/-/callbacks/to.ken-1_x?status=FAILED",
        content='{"n": 12345678901234567890123, "t": "é"}',
        headers={"x-api-key": ""},
    )

    assert (response.status_code, response.json()) == (200, {"taskId": "task-1"})
    [(request, caller)] = edge.executor.told
    assert request == pb.CompleteCallbackRequest(
        token="to.ken-1_x",
        status=pb.TASK_STATUS_FAILED,
        body='{"n": 12345678901234567890123, "t": "é"}',
    )
    assert caller == ""


@pytest.mark.parametrize(("content", "body"), [(b"", "{}"), (b"[1]", "[1]"), (b'"a"', '"a"')])
async def test_completed_is_what_is_meant_where_nothing_is_said(
    edge: Edge, content: bytes, body: str
) -> None:
    await edge.client.post("/-/callbacks/t", content=content)

    [(request, _)] = edge.executor.told
    assert (request.status, request.body) == (pb.TASK_STATUS_COMPLETED, body)


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/-/callbacks/t", b"done", 400),
        ("/-/callbacks/t", b'{"a":1,"a":2}', 400),
        ("/-/callbacks/t", b'"\xff"', 400),
        ("/-/callbacks/t?status=DONE", b"{}", 400),
        ("/-/callbacks/t?status=SCHEDULED", b"{}", 400),
        ("/-/callbacks/t?status=CANCELED", b"{}", 400),
        ("/-/callbacks/t?status=COMPLETED&status=FAILED", b"{}", 422),
        ("/-/callbacks/" + "t" * 3000, b"{}", 404),
        ("/-/callbacks/", b"{}", 404),
        ("/-/callbacks/t", b"x" * (10 * 1024 * 1024 + 1), 413),
    ],
    ids=[
        "text",
        "twice",
        "no UTF-8",
        "no status",
        "not theirs",
        "cancelled",
        "two",
        "long",
        "no token",
        "large",
    ],
)
async def test_what_makes_no_sense_is_told_and_not_passed_on(
    edge: Edge, path: str, content: bytes, status: int
) -> None:
    assert (await edge.client.post(path, content=content)).status_code == status
    assert edge.executor.told == []


async def test_what_is_wrong_with_the_body_is_told_to_who_has_a_token_that_holds(
    edge: Edge,
) -> None:
    response = await edge.client.post("/-/callbacks/t", content=b'{"a":\n1,"a":2}')

    assert problem(response) == (400, "malformed-body")
    assert "line 2: the key 'a' is given twice" in response.json()["detail"]


@pytest.mark.parametrize("content", [b"done", b'{"a":1,"a":2}'])
async def test_a_token_that_does_not_hold_is_told_so_whatever_the_body(
    edge: Edge, content: bytes
) -> None:
    edge.executor.refusal = NotFound("Inner.")

    response = await edge.client.post("/-/callbacks/forged", content=content)

    assert problem(response) == (404, "not-found")


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (NotFound("Inner."), 404),
        (Conflict("Inner."), 409),
        (InvalidRequest("Inner."), 400),
        (Overloaded("Inner."), 503),
        (Unavailable("Inner."), 503),
        (ValueError("Inner."), 500),
    ],
)
async def test_what_the_executor_says_is_told_by_its_class(
    edge: Edge, refusal: Exception, status: int
) -> None:
    # An executor that is away is asked for 0.3 s.
    edge.executor.refusal = refusal

    response = await edge.client.post("/-/callbacks/t")

    assert response.status_code == status
    assert "Inner" not in response.text
    assert ("retry-after" in response.headers) == (status == 503)
    assert ("The task has ended" in response.text) == (status == 409)


async def test_a_callback_while_the_executor_is_started_again_is_not_lost(
    executor: ScriptedExecutor,
) -> None:
    async with serving_executor(executor) as address:
        pass
    async with gateway_to(executor, address, patience_seconds=30.0) as edge:
        calling = asyncio.create_task(edge.client.post("/-/callbacks/t"))
        async with serving_executor(executor, address):
            assert (await calling).status_code == 200


async def test_it_is_for_post_alone(edge: Edge) -> None:
    response = await edge.client.get("/-/callbacks/t")

    assert (response.status_code, response.headers["allow"]) == (405, "OPTIONS, POST")

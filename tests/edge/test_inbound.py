"""What others send to webhooks: bounded, counted, passed on to the executor."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.errors import InvalidRequest, NotFound, Unauthenticated, Unavailable
from tests.edge.conftest import Edge
from tests.edge.documents import put
from tests.edge.replies import problem

PATH = "/-/webhooks/shop"


def webhook(**fields: Any) -> dict[str, Any]:
    verifier = {"type": "HMAC", "secretName": "KEY", "header": "X-Sign"}
    return {"kind": "webhook", "name": "shop", "verifier": verifier, **fields}


async def test_it_is_passed_on_as_it_came(edge: Edge) -> None:
    put(edge.replica, webhook(idHeader="X-Id"))

    response = await edge.client.post(
        PATH,
        content=b"\x00\xff{",
        headers={"x-sign": "abc", "x-id": "7", "cookie": "secret", "content-type": "text/plain"},
    )

    assert (response.status_code, response.json()) == (202, {"id": "message-1"})
    [request] = edge.executor.received
    assert (request.name, request.body) == ("shop", b"\x00\xff{")
    assert request.headers == {"x-sign": "abc", "x-id": "7", "content-type": "text/plain"}
    assert request.request_id


async def test_what_came_before_is_200(edge: Edge) -> None:
    put(edge.replica, webhook())
    edge.executor.known = True

    assert (await edge.client.post(PATH)).status_code == 200


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (Unauthenticated("Inner."), (401, "unauthenticated")),
        (NotFound("Inner."), (404, "not-found")),
        (InvalidRequest("The body is no UTF-8."), (400, "invalid-request")),
    ],
)
async def test_what_the_executor_refuses_is_told_in_words_for_strangers(
    edge: Edge, raised: Exception, told: tuple[int, str]
) -> None:
    put(edge.replica, webhook())
    edge.executor.refusal = raised

    response = await edge.client.post(PATH)

    assert problem(response) == told
    assert "Inner" not in response.text
    assert ("www-authenticate" in response.headers) == (told[0] == 401)


@pytest.mark.parametrize(
    "path", ["/-/webhooks/nowhere", "/-/webhooks/", "/-/webhooks/" + "x" * 500]
)
async def test_where_there_is_none_nothing_is_passed_on(edge: Edge, path: str) -> None:
    assert (await edge.client.post(path)).status_code == 404
    assert edge.executor.received == []


async def test_one_that_is_off_is_none(edge: Edge) -> None:
    put(edge.replica, webhook(enabled=False))

    assert problem(await edge.client.post(PATH)) == (404, "not-found")


async def test_a_body_is_bounded_by_the_webhook(edge: Edge) -> None:
    put(edge.replica, webhook(maxBodyBytes=10))

    async def pieces() -> Any:
        for _ in range(5):
            yield b"12345"

    responses: list[httpx.Response] = [
        await edge.client.post(PATH, content=b"1" * 11),
        await edge.client.post(PATH, content=pieces()),
        await edge.client.post(PATH, content=b"1" * 10),
    ]

    assert [each.status_code for each in responses] == [413, 413, 202]


async def test_it_takes_so_many_a_minute(edge: Edge) -> None:
    put(edge.replica, webhook(requestsPerMinute=2))

    responses = [await edge.client.post(PATH) for _ in range(3)]

    assert [each.status_code for each in responses] == [202, 202, 429]
    assert 1 <= int(responses[2].headers["retry-after"]) <= 60
    assert problem(responses[2]) == (429, "rate-limited")


async def test_other_methods_are_told_which_there_is(edge: Edge) -> None:
    put(edge.replica, webhook())

    response = await edge.client.get(PATH)

    assert response.status_code == 405
    assert response.headers["allow"] == "OPTIONS, POST"


async def test_an_executor_that_is_away_is_503(edge: Edge) -> None:
    put(edge.replica, webhook())
    edge.executor.refusal = Unavailable("Inner.")

    assert (await edge.client.post(PATH)).status_code == 503

"""What the gateway refuses before anything is started."""

from __future__ import annotations

import base64
import json

import pytest

from services.edge.problems import KINDS
from services.edge.unrouted import said_of
from tests.edge.conftest import Edge
from tests.edge.documents import (
    KEY,
    STRANGERS_KEY,
)  # fmt: skip
from tests.edge.raw import connected
from tests.edge.replies import problem, started


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", (404, "no-route")),
        ("GET", "/api/orders", (404, "no-route")),
        ("POST", "/API/orders/7/checkout", (404, "no-route")),
        ("POST", "/api/orders//checkout", (404, "no-route")),
        ("POST", "/api/orders/%zz/checkout", (400, "malformed-path")),
        ("POST", "/api/orders/%ff/checkout", (400, "malformed-path")),
        ("POST", "/api/orders/%00/checkout", (400, "malformed-path")),
        ("DELETE", "/api/orders/7", (405, "method-not-allowed")),
        ("POST", "/closed", (503, "service-disabled")),
        ("POST", "/api/orders/secret", (403, "forbidden")),
        ("POST", "/api/orders/7/checkout?a=1&a=2", (422, "invalid-query")),
        ("POST", "/api/orders/7/checkout?a=%zz", (400, "malformed-query")),
        ("GET", "/-/nothing", (404, "no-route")),
        ("POST", "/-/health", (405, "method-not-allowed")),
    ],
)
async def test_what_cannot_be_served_is_told_by_its_class(
    edge: Edge, method: str, path: str, expected: tuple[int, str]
) -> None:
    async with connected(edge.address) as raw:
        key = f"X-API-Key: {KEY}"
        reply = await raw.ask(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{key}\r\n\r\n".encode())

    assert (reply.status, json.loads(reply.body)["type"]) == (
        expected[0],
        f"urn:podium:problem:{expected[1]}",
    )
    assert edge.executor.frames.empty()


@pytest.mark.parametrize("path", ["/api/token", "/api/workflow/search", "/api/metadata/taskdefs"])
async def test_who_takes_the_gateway_for_conductor_is_told_where_that_is(
    edge: Edge, path: str
) -> None:
    conductors, other = await edge.client.get(path), await edge.client.get("/api/worklow")

    assert (conductors.status_code, other.status_code) == (404, 404)
    assert conductors.json()["detail"] == (
        "No route has this path. Conductor's API is not served at the gateway but at the "
        "management listener, whose address podium status shows."
    )
    assert other.json()["detail"] == "There is nothing at this path."


def test_a_route_that_begins_so_is_what_was_meant() -> None:
    assert said_of(("api", "tasks", "7"), lambda segments: segments == ("api", "tasks")) == ""
    assert said_of(("api",), lambda _: False) == ""


async def test_a_wrong_method_is_told_the_right_ones(edge: Edge) -> None:
    response = await edge.client.delete("/api/orders/7")

    assert response.headers["allow"] == "GET, HEAD, OPTIONS, PUT"


async def test_options_is_told_them_too(edge: Edge) -> None:
    response = await edge.client.options("/api/orders/7", headers={"x-api-key": ""})

    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, PUT"
    assert "content-length" not in response.headers


async def test_a_disabled_service_looks_at_no_key(edge: Edge) -> None:
    response = await edge.client.post("/closed", headers={"x-api-key": ""})

    assert problem(response) == (503, "service-disabled")
    assert response.headers["retry-after"]


@pytest.mark.parametrize("key", ["", "wrong", STRANGERS_KEY])
async def test_without_a_key_that_holds_nobody_comes_in(edge: Edge, key: str) -> None:
    response = await edge.client.post("/api/orders/7/checkout", headers={"x-api-key": key})

    assert problem(response) == (401, "unauthenticated")
    assert response.headers["www-authenticate"].startswith('Bearer realm="orders"')
    where = "as X-API-Key, or as Authorization: Bearer or Basic"
    assert response.json()["detail"] == f"This needs a valid key, {where}."


@pytest.mark.parametrize(
    "authorization",
    [f"Bearer {KEY}", "Basic " + base64.b64encode(f"me:{KEY}".encode()).decode()],
)
async def test_a_key_may_come_as_authorization(edge: Edge, authorization: str) -> None:
    headers = {"x-api-key": "", "authorization": authorization}

    assert (await edge.client.post("/api/orders/7/checkout", headers=headers)).status_code == 200
    assert KEY not in (await started(edge)).input


async def test_an_application_without_the_right_is_forbidden(edge: Edge) -> None:
    response = await edge.client.post("/strange", headers={"x-api-key": STRANGERS_KEY})

    assert problem(response) == (403, "forbidden")


async def test_a_right_may_be_to_a_tag(edge: Edge) -> None:
    assert (await edge.client.post("/api/orders/reports")).status_code == 200


async def test_anybody_may_call_what_is_public(edge: Edge) -> None:
    response = await edge.client.post("/public", headers={"x-api-key": ""})

    assert response.json()["requestMetadata"]["principal"] == "public:open"


@pytest.mark.parametrize(
    ("content", "content_type", "expected"),
    [
        (b"{", "application/json", (400, "malformed-body")),
        (b'{"a": "\\ud800"}', "application/json", (400, "malformed-body")),
        (b"a=1", "application/x-www-form-urlencoded", (415, "unsupported-media-type")),
        (b"x" * (10 * 1024 * 1024 + 1), "application/json", (413, "body-too-large")),
        (b"[" + b"1e15," * 1_500_000 + b"1]", "application/json", (413, "body-too-large")),
    ],
    ids=["broken", "surrogate", "form", "too large", "too large as it is written again"],
)
async def test_a_body_that_cannot_be_taken_is_refused(
    edge: Edge, content: bytes, content_type: str, expected: tuple[int, str]
) -> None:
    # The last one is 7.5 MB and longer when it is written again, which takes a second.
    response = await edge.client.post(
        "/api/orders/7/checkout", content=content, headers={"content-type": content_type}
    )

    assert problem(response) == expected
    assert edge.executor.frames.empty()


def test_every_problem_has_a_sentence() -> None:
    assert all(kind.detail.endswith(".") and 400 <= kind.status < 600 for kind in KINDS.values())

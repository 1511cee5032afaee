"""Pages of other origins: preflights, and what they may see of answers."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.edge.cors import Cors, read_cors
from tests.edge.conftest import Edge
from tests.edge.documents import put, route, service
from tests.edge.scripted import accepted

SHOP = "https://shop.example"


def cors(**config: Any) -> Cors:
    read = read_cors({"corsConfig": {"accessControlAllowOrigin": [SHOP], **config}})
    assert read is not None
    return read


def with_cors(edge: Edge, **config: Any) -> None:
    given = {"accessControlAllowOrigin": [SHOP], **config}
    later = route("POST", "/later", workflowExecutionMode="ASYNCHRONOUS")
    routes = (route("POST", "/"), route("GET", "/"), later)
    put(edge.replica, service(*routes, id="shop", path="/shop", corsConfig=given))


async def preflight(
    edge: Edge, path: str, method: str = "POST", origin: str = SHOP, asked: str = ""
) -> httpx.Response:
    headers = {"origin": origin, "access-control-request-method": method, "x-api-key": ""}
    if asked:
        headers["access-control-request-headers"] = asked
    return await edge.client.options(path, headers=headers)


def shared(response: httpx.Response) -> dict[str, str]:
    return {
        name.removeprefix("access-control-"): value
        for name, value in response.headers.items()
        if name.startswith("access-control-")
    }


@pytest.mark.parametrize(
    ("listed", "origin", "allowed"),
    [
        ("https://shop.example", "https://shop.example", True),
        ("https://shop.example", "https://SHOP.example", True),
        ("https://shop.example", "https://shop.example.evil.example", False),
        ("https://shop.example", "http://shop.example", False),
        ("https://shop.example", "https://shopXexample", False),
        ("https://*.shop.example", "https://a.shop.example", True),
        ("https://*.shop.example", "https://a.b.shop.example", True),
        ("https://*.shop.example", "https://shop.example", False),
        ("https://*.shop.example", "https://evil.example/a.shop.example", False),
        ("http://localhost:*", "http://localhost:3000", True),
        ("http://localhost:*", "http://localhost", False),
        ("*", "https://anywhere.example", True),
        ("null", "null", True),
        ("https://shop.example", "null", False),
        ("https://*.shop.example", "https://" + "a" * 300 + ".shop.example", False),
    ],
)
def test_an_origin_is_allowed_as_it_is_written(listed: str, origin: str, allowed: bool) -> None:
    assert cors(accessControlAllowOrigin=[listed]).allows(origin.encode()) is allowed


@pytest.mark.parametrize("config", [{}, {"corsConfig": {}}, {"corsConfig": None}])
def test_without_an_origin_there_is_no_policy(config: dict[str, Any]) -> None:
    assert read_cors(config) is None


async def test_a_preflight_needs_no_key_and_starts_nothing(edge: Edge) -> None:
    with_cors(edge, accessControlMaxAge=600, accessControlAllowCredentials=True)

    answer = await preflight(edge, "/shop", asked="content-type, x-api-key, b@d")

    assert answer.status_code == 204
    assert answer.content == b""
    assert shared(answer) == {
        "allow-origin": SHOP,
        "allow-credentials": "true",
        "allow-methods": "POST",
        "allow-headers": "content-type, x-api-key",
        "max-age": "600",
    }
    assert answer.headers["vary"] == (
        "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    )
    assert edge.executor.frames.empty()


async def test_a_preflight_tells_what_is_configured(edge: Edge) -> None:
    with_cors(
        edge,
        accessControlAllowMethods=["GET", "POST"],
        accessControlAllowHeaders=["Content-Type", "X-API-Key"],
    )

    answer = await preflight(edge, "/shop", "DELETE", asked="x-secret")

    assert shared(answer)["allow-methods"] == "GET, POST"
    assert shared(answer)["allow-headers"] == "Content-Type, X-API-Key"


async def test_a_preflight_for_another_method_tells_those_that_there_are(edge: Edge) -> None:
    with_cors(edge)

    assert shared(await preflight(edge, "/shop", "DELETE"))["allow-methods"] == "GET, POST"


async def test_a_preflight_from_elsewhere_is_allowed_nothing(edge: Edge) -> None:
    with_cors(edge)

    answer = await preflight(edge, "/shop", origin="https://evil.example")

    assert answer.status_code == 204
    assert shared(answer) == {}
    assert "Origin" in answer.headers["vary"]


async def test_without_a_policy_options_is_only_options(edge: Edge) -> None:
    answer = await preflight(edge, "/api/orders/7/checkout")

    assert answer.status_code == 204
    assert answer.headers["allow"] == "OPTIONS, POST"
    assert shared(answer) == {}
    assert (await preflight(edge, "/nowhere")).status_code == 404


async def test_an_answer_is_shared_with_its_origin_an_error_too(edge: Edge) -> None:
    with_cors(edge)

    good = await edge.client.post("/shop", headers={"origin": SHOP})
    bad = await edge.client.post("/shop", headers={"origin": SHOP, "x-api-key": "wrong"})
    other = await edge.client.put("/shop", headers={"origin": SHOP})

    assert (good.status_code, bad.status_code, other.status_code) == (200, 401, 405)
    for answer in (good, bad, other):
        assert shared(answer) == {
            "allow-origin": SHOP,
            "expose-headers": "Location, Retry-After, X-Request-Id, Podium-Execution-Id",
        }
        assert answer.headers["vary"] == "Origin"


async def test_an_answer_is_not_shared_with_others_and_says_that_it_depends(edge: Edge) -> None:
    with_cors(edge)

    for headers in ({"origin": "https://evil.example"}, {}):
        answer = await edge.client.post("/shop", headers=headers)

        assert answer.status_code == 200
        assert shared(answer) == {}
        assert answer.headers["vary"] == "Origin"


async def test_what_any_origin_may_see_does_not_depend_on_it(edge: Edge) -> None:
    with_cors(edge, accessControlAllowOrigin=["*"], accessControlExposeHeaders=["ETag"])

    answer = await edge.client.post("/shop", headers={"origin": "https://any.example"})

    without = await edge.client.post("/shop")

    # A cache may give to a page what it was given without an origin.
    for each in (answer, without):
        assert shared(each) == {"allow-origin": "*", "expose-headers": "ETag"}
        assert "vary" not in each.headers


async def test_a_page_follows_a_long_call_to_its_answer(edge: Edge) -> None:
    with_cors(edge)
    edge.executor.script = lambda frame: [accepted(frame)]
    started = await edge.client.post("/shop/later", headers={"origin": SHOP})
    start = (await edge.executor.next()).start
    edge.executor.executions[start.execution_id] = pb.Result(
        execution_id=start.execution_id, status=pb.EXECUTION_STATUS_RUNNING, answer=start.answer
    )
    location = started.headers["location"]

    asked = await preflight(edge, location, "GET", asked="x-api-key")
    followed = await edge.client.get(location, headers={"origin": SHOP})
    forged = await preflight(edge, location[:-2], "GET")

    assert "Location" in shared(started)["expose-headers"]
    assert shared(asked)["allow-origin"] == SHOP
    assert shared(asked)["allow-headers"] == "x-api-key"
    assert followed.status_code == 202
    assert shared(followed)["allow-origin"] == SHOP
    assert shared(forged) == {}

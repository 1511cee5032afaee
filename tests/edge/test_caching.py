"""Answers that are kept: for whom, under what, how long, and what callers are told of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from podium.executor.v1 import executor_pb2 as pb
from tests.edge.conftest import Edge
from tests.edge.documents import KEY, OTHER_KEY, put, route, service, workflow
from tests.edge.scripted import Frames, accepted, echo, result


def with_cache(edge: Edge, method: str = "POST", path: str = "/{id}", **fields: Any) -> None:
    """A route of ``/shop`` that keeps its answers; ``fields`` are those of the cacheConfig."""
    of_route = fields.pop("route", {})
    auth = fields.pop("auth", "partners")
    made = route(method, path, cacheConfig=fields, **of_route)
    put(edge.replica, service(made, id="shop", path="/shop", authConfigId=auth))


async def call(edge: Edge, path: str = "/shop/7", **given: Any) -> httpx.Response:
    headers = {name.replace("_", "-"): value for name, value in given.pop("headers", {}).items()}
    return await edge.client.request(given.pop("method", "POST"), path, headers=headers, **given)


def told(answer: httpx.Response) -> str:
    return answer.headers["cache-status"].removeprefix("podium; ")


def starts(edge: Edge) -> int:
    """How many executions were begun since this was asked last."""
    count = 0
    while not edge.executor.frames.empty():
        count += edge.executor.frames.get_nowait().HasField("start")
    return count


async def test_the_same_call_again_is_answered_from_what_was_kept(edge: Edge) -> None:
    with_cache(edge)
    first = await call(edge, json={"a": 1})
    edge.clock.now += timedelta(seconds=44)
    again = await call(edge, json={"a": 1})

    assert told(first) == "fwd=uri-miss; stored"
    assert "age" not in first.headers
    assert told(again) == "hit; ttl=256"
    assert again.headers["age"] == "44"
    assert again.content == first.content
    assert again.headers["podium-execution-id"] == first.headers["podium-execution-id"]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert starts(edge) == 1


async def test_it_is_kept_for_as_long_as_the_route_says(edge: Edge) -> None:
    with_cache(edge, ttlInSecond=400)
    await call(edge)
    edge.clock.now += timedelta(seconds=399)
    late = await call(edge)
    edge.clock.now += timedelta(seconds=1)
    over = await call(edge)

    assert told(late) == "hit; ttl=1"
    assert told(over) == "fwd=stale; stored"


async def test_without_a_key_path_query_and_body_tell_calls_apart(edge: Edge) -> None:
    with_cache(edge)
    await call(edge, "/shop/7?a=1&b=2", json={"a": 1})

    assert told(await call(edge, "/shop/7?b=2&a=1", json={"a": 1})).startswith("hit")
    assert told(await call(edge, "/shop/8?a=1&b=2", json={"a": 1})).startswith("fwd")
    assert told(await call(edge, "/shop/7?a=1&b=3", json={"a": 1})).startswith("fwd")
    assert told(await call(edge, "/shop/7?a=1&b=2", json={"a": 2})).startswith("fwd")
    assert told(await call(edge, "/shop/7?a=1&b=2")).startswith("fwd")


async def test_a_key_tells_calls_apart_by_what_it_names_and_by_the_body(edge: Edge) -> None:
    with_cache(edge, key="${path.id}-${query.page}-${headers.X-Tenant}")
    tenant = {"x_tenant": "a"}
    await call(edge, "/shop/7?page=1&x=1", headers=tenant)

    same = await call(edge, "/shop/7?x=2&page=1", headers=tenant)
    assert told(same).startswith("hit")
    assert told(await call(edge, "/shop/7?page=1", headers={"x_tenant": "b"})).startswith("fwd")
    assert told(await call(edge, "/shop/7?page=2", headers=tenant)).startswith("fwd")
    other_body = await call(edge, "/shop/7?page=1", headers=tenant, json={"a": 1})
    assert told(other_body).startswith("fwd")


async def test_a_key_that_names_a_field_of_the_body_leaves_out_the_others(edge: Edge) -> None:
    with_cache(edge, key="${body.order.id}")
    await call(edge, json={"order": {"id": 7}, "at": 1})

    assert told(await call(edge, json={"order": {"id": 7}, "at": 2})).startswith("hit")
    # 7 and "7" may be different orders.
    assert told(await call(edge, json={"order": {"id": "7"}})).startswith("fwd")
    assert told(await call(edge, json={"order": 7})).startswith("fwd")


async def test_what_a_workflow_can_tell_apart_a_key_tells_apart(edge: Edge) -> None:
    """Or one caller could choose what another is answered."""
    numbers = {"queryParameters": [{"name": "n", "type": "array"}]}
    with_cache(edge, key="${query.n}-${headers.X-Tenant}", shared=True, route=numbers)
    paths = ("/shop/7", "/shop/7?n=", "/shop/7?n=1,2", "/shop/7?n=1&n=2", "/shop/7?n=2&n=1")
    tenants = ((), ("",), ("a",), ("a", "b"), ("a, b",))
    sent = [(path, [("x-tenant", each) for each in given]) for path in paths for given in tenants]

    for path, headers in sent:
        assert told(await edge.client.post(path, headers=headers)).startswith("fwd"), path
    for path, headers in sent:
        assert told(await edge.client.post(path, headers=headers)).startswith("hit"), path


async def test_the_whole_body_may_be_the_key_however_it_is_written(edge: Edge) -> None:
    with_cache(edge, key="${body}")
    await call(edge, content=b'{"a": 1, "b": [2]}')

    assert told(await call(edge, content=b'{"b":[2],"a":1}')).startswith("hit")
    assert told(await call(edge, content=b'{"b":[3],"a":1}')).startswith("fwd")


async def test_each_caller_has_answers_of_its_own_unless_they_are_shared(edge: Edge) -> None:
    for shared, expected in ((False, "fwd=uri-miss; stored"), (True, "hit; ttl=300")):
        with_cache(edge, shared=shared)
        await call(edge, headers={"x_api_key": KEY})

        assert told(await call(edge, headers={"x_api_key": OTHER_KEY})) == expected


async def test_nobody_has_a_kept_answer_without_a_key_or_the_right(edge: Edge) -> None:
    with_cache(edge, shared=True)
    await call(edge)

    assert (await call(edge, headers={"x_api_key": "wrong"})).status_code == 401
    assert "cache-status" not in (await call(edge, headers={"x_api_key": "wrong"})).headers


async def test_a_call_that_breaks_the_schema_has_no_kept_answer(edge: Edge) -> None:
    schema = {"required": ["id"]}
    with_cache(edge, key="all ${body.id}", route={"inputSchema": schema})
    await call(edge, json={"id": 1})

    assert (await call(edge, json={"ID": 1})).status_code == 422


async def test_a_new_service_workflow_or_schema_makes_new_answers(edge: Edge) -> None:
    put(edge.replica, {"kind": "schema", "name": "Out", "version": 1, "data": {}})
    named = {"outputSchemaRef": {"name": "Out"}}
    with_cache(edge, route=named)
    await call(edge)
    assert told(await call(edge)) == "hit; ttl=300"

    put(edge.replica, {**workflow("checkout"), "version": 2})
    assert told(await call(edge)) == "fwd=uri-miss; stored"
    put(edge.replica, {"kind": "schema", "name": "Out", "version": 2, "data": {}})
    assert told(await call(edge)) == "fwd=uri-miss; stored"
    with_cache(edge, route={**named, "postResponseScript": "1"})
    assert (await call(edge)).json() == 1
    put(edge.replica, {**workflow("other"), "version": 2})
    assert told(await call(edge)) == "hit; ttl=300"


async def test_what_was_begun_by_old_definitions_is_not_kept_for_the_new(edge: Edge) -> None:
    def change(frame: pb.ClientFrame) -> Frames:
        if frame.HasField("start"):
            put(edge.replica, {**workflow("checkout"), "version": 2})
        return echo(frame)

    with_cache(edge)
    edge.executor.script = change
    first = await call(edge)
    edge.executor.script = echo

    assert told(first) == "fwd=uri-miss"
    assert told(await call(edge)) == "fwd=uri-miss; stored"


async def test_only_200_is_kept(edge: Edge) -> None:
    def failing(frame: pb.ClientFrame) -> Frames:
        return accepted(frame), result(frame, status=pb.EXECUTION_STATUS_FAILED)

    with_cache(edge)
    edge.executor.script = failing
    failed = await call(edge)
    edge.executor.script = echo

    assert failed.status_code == 502
    assert told(failed) == "fwd=uri-miss"
    assert told(await call(edge)) == "fwd=uri-miss; stored"


@pytest.mark.parametrize(
    "headers",
    [
        {"Set-Cookie": "a=b"},
        {"Cache-Control": "max-age=60, no-store"},
        {"Cache-Control": 'private="x, y"'},
        {"Cache-Control": "no-cache"},
        {"Cache-Control": "max-age=0"},
        {"Cache-Control": f"{'x' * 2000}, no-store"},
        {"Expires": "0"},
        {"Vary": "*"},
        {"Vary": "X-Tenant, Accept-Language"},
    ],
)
async def test_a_script_may_say_that_its_answer_is_not_to_be_kept(
    edge: Edge, headers: dict[str, str]
) -> None:
    with_envelope(edge, headers)

    for _ in range(2):
        assert told(await call(edge)) == "fwd=uri-miss"
    assert starts(edge) == 2


@pytest.mark.parametrize(
    ("headers", "ttl"),
    [
        ({"Cache-Control": "max-age=60"}, 60),
        ({"Cache-Control": "max-age=60, s-maxage=30"}, 30),
        ({"Cache-Control": "max-age=4000"}, 300),
        ({"Vary": "x-tenant"}, 300),
    ],
)
async def test_a_script_may_say_that_its_answer_is_kept_for_less(
    edge: Edge, headers: dict[str, str], ttl: int
) -> None:
    with_envelope(edge, headers)
    await call(edge)

    assert told(await call(edge)) == f"hit; ttl={ttl}"


def with_envelope(edge: Edge, headers: dict[str, str]) -> None:
    script = f"({{headers: {json.dumps(headers)}, body: 1}})"
    shaped = {"postResponseScript": script, "responseEnvelope": True}
    with_cache(edge, key="${path.id}${headers.X-Tenant}", route=shaped)


@pytest.mark.parametrize(
    "header",
    [
        {"Idempotency-Key": "k"},
        {"Accept": "text/event-stream"},
        {"Prefer": "respond-async"},
        {"Prefer": "wait=0"},
    ],
)
async def test_calls_that_want_an_execution_go_by_the_cache(
    edge: Edge, header: dict[str, str]
) -> None:
    with_cache(edge)
    await call(edge)
    starts(edge)

    # One of them is a stream, which goes on.
    async with edge.client.stream("POST", "/shop/7", headers=header) as passing:
        assert told(passing) == "fwd=bypass"
    assert starts(edge) == 1


async def test_whom_a_caller_wants_told_is_told(edge: Edge) -> None:
    told_of = {"completionWebhook": {"secretName": "s", "callerUrl": True}}
    with_cache(edge, key="${path.id}", route=told_of)
    await call(edge)
    starts(edge)
    answer = await call(edge, "/shop/7?callbackUrl=https://a.example/done")

    assert told(answer) == "fwd=bypass"
    frame = await edge.executor.next()
    assert frame.start.completion_webhook.url == "https://a.example/done"


async def test_a_caller_may_ask_for_a_new_answer_which_is_kept(edge: Edge) -> None:
    with_cache(edge)
    first = await call(edge)
    renewed = await call(edge, headers={"Cache-Control": "no-cache"})
    last = await call(edge)

    assert told(renewed) == "fwd=request; stored"
    assert told(last) == "hit; ttl=300"
    ids = [each.headers["podium-execution-id"] for each in (first, renewed, last)]
    assert ids[0] != ids[1] == ids[2]


async def test_a_caller_may_ask_for_an_answer_that_is_not_kept(edge: Edge) -> None:
    with_cache(edge)
    assert told(await call(edge, headers={"Cache-Control": "no-store"})) == "fwd=uri-miss"
    assert told(await call(edge)) == "fwd=uri-miss; stored"
    assert told(await call(edge, headers={"Cache-Control": "no-store"})) == "fwd=request"


async def test_a_caller_may_say_how_old_an_answer_may_be(edge: Edge) -> None:
    with_cache(edge)
    await call(edge)
    edge.clock.now += timedelta(seconds=10)

    for words, expected in (
        ("max-age=10", "hit; ttl=290"),
        ("min-fresh=290", "hit; ttl=290"),
        ("max-age=soon", "hit; ttl=290"),
        ("min-fresh=291, only-if-cached", "detail=only-if-cached"),
        ("max-age=9", "fwd=request; stored"),
    ):
        assert told(await call(edge, headers={"Cache-Control": words})) == expected, words


async def test_a_caller_may_want_a_kept_answer_or_none(edge: Edge) -> None:
    with_cache(edge)
    wish = {"Cache-Control": "only-if-cached"}
    none = await call(edge, headers=wish)
    assert (none.status_code, told(none)) == (504, "detail=only-if-cached")
    assert none.json()["type"] == "urn:podium:problem:not-kept"
    assert starts(edge) == 0

    await call(edge)
    assert told(await call(edge, headers=wish)) == "hit; ttl=300"


@pytest.mark.parametrize("auth", ["partners", "open"])
async def test_who_wants_a_kept_answer_or_none_has_no_execution_begun(
    edge: Edge, auth: str
) -> None:
    with_cache(edge, auth=auth)
    wish = {"Cache-Control": "only-if-cached"}
    for header in ({"Prefer": "respond-async"}, {"Accept": "text/event-stream"}):
        none = await call(edge, headers=wish | header)
        assert (none.status_code, told(none)) == (504, "detail=only-if-cached")
    assert starts(edge) == 0

    await call(edge)
    assert told(await call(edge, headers=wish | {"Prefer": "wait=0"})) == "hit; ttl=300"


async def test_strangers_do_not_decide_that_an_execution_is_begun(edge: Edge) -> None:
    with_cache(edge, auth="open")
    await call(edge)

    assert told(await call(edge, headers={"Cache-Control": "no-cache"})) == "hit; ttl=300"
    assert told(await call(edge, headers={"Cache-Control": "max-age=0"})) == "hit; ttl=300"


async def test_who_has_the_answer_already_is_told_304(edge: Edge) -> None:
    with_cache(edge, "GET", key="${headers.X-Tenant}")
    first = await call(edge, method="GET")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["vary"] == "x-tenant"

    for held in (tag, f'"other", W/{tag}', "*"):
        again = await call(edge, method="GET", headers={"If-None-Match": held})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert told(again) == "hit; ttl=300"
    other = await call(edge, method="GET", headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)
    head = await call(edge, method="HEAD")
    assert (head.headers["etag"], told(head)) == (tag, "hit; ttl=300")


async def test_a_scripts_own_tag_is_compared_whole(edge: Edge) -> None:
    script = """({headers: {ETag: 'W/"a,b"'}, body: 1})"""
    with_cache(edge, "GET", route={"postResponseScript": script, "responseEnvelope": True})
    first = await call(edge, method="GET")
    assert first.headers["etag"] == 'W/"a,b"'

    statuses = {'"x", "a,b"': 304, 'W/"a,b"': 304, '"a", "b"': 200, "a,b": 200, "": 200}
    for held, expected in statuses.items():
        answer = await call(edge, method="GET", headers={"If-None-Match": held})
        assert answer.status_code == expected, held


async def test_a_new_answer_that_is_the_same_is_304_too(edge: Edge) -> None:
    with_cache(edge, "GET", auth="open", route={"postResponseScript": "1"})
    first = await call(edge, method="GET")
    edge.clock.now += timedelta(seconds=300)
    again = await call(edge, method="GET", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, told(again)) == (304, "fwd=stale; stored")
    assert first.headers["cache-control"] == "no-cache"


async def test_a_post_has_no_tag(edge: Edge) -> None:
    with_cache(edge)
    answer = await call(edge, headers={"If-None-Match": "*"})

    assert answer.status_code == 200
    assert "etag" not in answer.headers


async def test_a_route_without_a_cache_says_nothing_of_it(edge: Edge) -> None:
    for path in ("/api/orders/7/checkout", "/api/orders/reports"):
        answer = await call(edge, path)
        assert not {"cache-status", "age", "etag"} & set(answer.headers)
    with_cache(edge, route={"workflowExecutionMode": "ASYNCHRONOUS"})
    assert "cache-status" not in (await call(edge)).headers


async def test_a_large_body_and_a_large_answer_are_kept_under_all_of_them(edge: Edge) -> None:
    with_cache(edge, key="${body}")
    large = {"text": "x" * 70_000, "last": 1}
    first = await call(edge, json=large)

    assert told(first) == "fwd=uri-miss; stored"
    again = await call(edge, json=large)
    assert (told(again), again.content) == ("hit; ttl=300", first.content)
    assert told(await call(edge, json={**large, "last": 2})) == "fwd=uri-miss; stored"


async def test_an_answer_that_is_too_large_to_keep_is_given_and_not_kept(edge: Edge) -> None:
    with_cache(edge)
    for _ in range(2):
        answer = await call(edge, json={"text": "x" * 200_000})
        assert (answer.status_code, told(answer)) == (200, "fwd=uri-miss")

"""Executions side by side: what the executor is told to count, and what callers are told of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.edge.session import Session
from tests.edge.conftest import Edge
from tests.edge.documents import KEY, OTHER_KEY, put, route, service
from tests.edge.raw import connected
from tests.edge.replies import problem, started
from tests.edge.scripted import Frames, ScriptedExecutor, accepted, error, result, silence

QUEUE = {"onFull": "QUEUE", "maxQueued": 5}


def with_limit(edge: Edge, *, limit: int = 2, config: Any = None, **fields: Any) -> None:
    given = {"rateLimitConfig": {"concurrentExecLimit": limit, **(config or {})}, **fields}
    put(edge.replica, service(route("POST", "/{id}", **given), id="shop", path="/shop"))


async def slot_of(edge: Edge, path: str = "/shop/7", **headers: str) -> pb.Slot:
    await edge.client.post(path, headers=headers, json={})
    return (await started(edge)).slot


async def test_a_start_says_what_it_holds(edge: Edge) -> None:
    with_limit(edge)
    slot = await slot_of(edge)

    assert (slot.limit, slot.most_waiting, len(slot.key)) == (2, 0, 32)
    with_limit(edge, limit=3, config=QUEUE)
    again = await slot_of(edge)
    assert (again.limit, again.most_waiting, again.key) == (3, 5, slot.key)
    with_limit(edge, config={"onFull": "QUEUE"})
    assert (await slot_of(edge)).most_waiting == 100


async def test_a_route_without_a_limit_holds_nothing(edge: Edge) -> None:
    await edge.client.post("/api/orders/7/checkout")

    assert not (await started(edge)).HasField("slot")


async def test_what_is_counted_apart_is_the_keys_to_say_and_never_another_routes(
    edge: Edge,
) -> None:
    with_limit(edge, config={"rateLimitKey": "${principal}-${headers.X-Tenant}"})
    mine = (await slot_of(edge)).key

    assert (await slot_of(edge, "/shop/8")).key == mine
    with_limit(edge, config={"rateLimitKey": "${body.tenant}"})
    keys = set()
    for body in ({"tenant": "a"}, {"tenant": "b"}, {}):
        await edge.client.post("/shop/7", json=body)
        keys.add((await started(edge)).slot.key)
    assert len(keys) == 3
    with_limit(edge, config={"rateLimitKey": "${principal}-${headers.X-Tenant}"})
    assert (await slot_of(edge, **{"x-api-key": OTHER_KEY})).key != mine
    assert (await slot_of(edge, **{"x-tenant": "a" * 30_000})).key != mine
    other = route("PUT", "/{id}", rateLimitConfig={"concurrentExecLimit": 1})
    put(edge.replica, service(other, id="two", path="/two"))
    await edge.client.put("/two/7")
    assert (await started(edge)).slot.key != mine


async def test_one_too_many_is_429_and_nothing_was_started(edge: Edge) -> None:
    limit = {"name": "burst", "limit": 5, "windowSeconds": 60}
    with_limit(edge, rateLimits=[limit])
    first = await edge.client.post("/shop/7")
    edge.executor.script = lambda frame: [error(frame, "CONCURRENCY_LIMITED", "Inner.")]
    second = await edge.client.post("/shop/7")

    policies = '"burst";q=5;w=60, "concurrent";q=2;qu="concurrent-requests"'
    assert first.headers["ratelimit-policy"] == second.headers["ratelimit-policy"] == policies
    assert first.headers["ratelimit"] == '"burst";r=4;t=60'
    assert second.status_code == 429
    assert second.headers["ratelimit"] == '"burst";r=3;t=60, "concurrent";r=0'
    assert second.headers["retry-after"] == "1"
    told = second.json()
    assert "As many executions run as may" in told["detail"]
    assert told["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert told["violated-policies"] == ["concurrent"]
    assert "podium-execution-id" not in second.headers
    assert "Inner" not in second.text


def in_line(frame: pb.ClientFrame) -> Frames:
    """The executor's end, where every start waits until it is withdrawn."""
    if frame.HasField("withdraw"):
        return [error(frame, "CONCURRENCY_LIMITED")]
    return ()


# A second is the shortest time-out that a route can have.
@pytest.mark.parametrize("fields", [{}, {"workflowExecutionMode": "ASYNCHRONOUS"}])
async def test_whoever_waits_in_vain_gets_429(edge: Edge, fields: dict[str, Any]) -> None:
    with_limit(edge, config=QUEUE, timeoutInSeconds=1, **fields)
    edge.executor.script = in_line

    response = await edge.client.post("/shop/7")

    assert problem(response)[0] == 429
    assert "until its time was over" in response.json()["detail"]
    assert response.json()["violated-policies"] == ["concurrent"]
    assert "podium-execution-id" not in response.headers


async def test_after_a_wait_in_vain_it_is_worth_to_ask_again_as_late(edge: Edge) -> None:
    """A second for the shortest wait that a caller can ask for, and one more to tell it apart."""
    with_limit(edge, config=QUEUE, timeoutInSeconds=9)
    edge.executor.script = in_line

    response = await edge.client.post("/shop/7", headers={"prefer": "wait=2"})

    assert (response.status_code, response.headers["retry-after"]) == (429, "2")


async def test_where_the_line_is_full_that_is_said(edge: Edge) -> None:
    with_limit(edge, config=QUEUE)
    edge.executor.script = lambda frame: [error(frame, "CONCURRENCY_LIMITED")]

    response = await edge.client.post("/shop/7")

    assert response.json()["detail"].startswith("As many calls stand in line as may")
    assert response.headers["retry-after"] == "1"


async def test_one_that_began_in_the_last_moment_is_told_of(edge: Edge) -> None:
    with_limit(edge, config=QUEUE, timeoutInSeconds=1)
    edge.executor.script = lambda frame: [accepted(frame)] if frame.HasField("withdraw") else ()
    asking = asyncio.create_task(edge.client.post("/shop/7"))
    start = await started(edge)
    frame = await edge.executor.next("withdraw")
    said = pb.Accepted(execution_id=start.execution_id)
    edge.executor.say(pb.ServerFrame(correlation_id=frame.correlation_id, accepted=said))

    response = await asking
    assert response.status_code == 202
    assert response.json()["executionId"] == start.execution_id


# A second for the route, and one for the executor's last word.
async def test_an_executor_that_says_nothing_has_confirmed_nothing(edge: Edge) -> None:
    with_limit(edge, config=QUEUE, timeoutInSeconds=1)
    edge.executor.script = silence

    response = await edge.client.post("/shop/7")

    assert problem(response) == (503, "executor-away")
    assert response.json()["executionId"] == (await started(edge)).execution_id


async def test_one_that_is_refused_at_once_is_not_withdrawn(edge: Edge) -> None:
    with_limit(edge, timeoutInSeconds=1)
    edge.executor.script = silence

    response = await edge.client.post("/shop/7")

    assert problem(response) == (503, "executor-away")
    await edge.executor.next("cancel")


async def test_whoever_leaves_the_line_is_not_waited_for(edge: Edge) -> None:
    with_limit(edge, config=QUEUE)
    edge.executor.script = silence
    await left(edge)

    await edge.executor.next("cancel")


async def test_whoever_leaves_ends_what_has_begun_and_withdraws_what_has_not(edge: Edge) -> None:
    with_limit(edge, config=QUEUE, onClientGone="TERMINATE")
    edge.executor.script = in_line
    await left(edge)
    await edge.executor.next("withdraw")
    # Once another call is answered, what follows from the refusal was asked for.
    await edge.client.get("/-/health")
    assert edge.executor.told == []

    edge.executor.script = silence
    start = await left(edge)
    frame = await edge.executor.next("withdraw")
    edge.executor.executions[start.execution_id] = pb.Result(execution_id=start.execution_id)
    said = pb.Accepted(execution_id=start.execution_id)
    edge.executor.say(pb.ServerFrame(correlation_id=frame.correlation_id, accepted=said))
    async with asyncio.timeout(5):
        while not edge.executor.told:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert [told.execution_id for told, _ in edge.executor.told] == [start.execution_id]


async def left(edge: Edge) -> pb.Start:
    """A call whose client leaves once the executor has its start."""
    async with connected(edge.address) as raw:
        await raw.send(
            f"POST /shop/7 HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\n"
            "Content-Length: 0\r\n\r\n".encode()
        )
        start = await started(edge)
        await raw.close()
    return start


async def test_the_executor_is_asked_again_with_what_waits(
    session: Session, executor: ScriptedExecutor
) -> None:
    executor.script = silence
    slot = pb.Slot(key=b"s", limit=1, most_waiting=1)
    exchange = session.start(pb.Start(execution_id="one", slot=slot), 20.0)
    await executor.next()
    executor.script = lambda frame: [result(frame)]
    executor.break_streams()

    assert isinstance(await exchange.outcome, pb.Result)
    again = (await executor.next()).start
    assert (again.again, again.slot) == (True, slot)

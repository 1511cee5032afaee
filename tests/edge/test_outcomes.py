"""How an execution ends, as it is answered to who called the route."""

from __future__ import annotations

import asyncio

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.edge.call import Call
from services.edge.gateway import Gateway
from services.edge.stages import STAGES
from tests.edge.conftest import Edge, gateway_to
from tests.edge.documents import KEY, put, route, service  # fmt: skip
from tests.edge.raw import connected
from tests.edge.replies import problem, started
from tests.edge.scripted import ScriptedExecutor, accepted, error, result, silence


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (pb.EXECUTION_STATUS_FAILED, (502, "execution-failed")),
        (pb.EXECUTION_STATUS_TERMINATED, (502, "execution-terminated")),
        (pb.EXECUTION_STATUS_TIMED_OUT, (504, "execution-timed-out")),
    ],
)
async def test_an_execution_that_ends_badly_tells_a_stranger_no_reason(
    edge: Edge, status: pb.ExecutionStatus.ValueType, expected: tuple[int, str]
) -> None:
    edge.executor.script = lambda frame: [result(frame, status=status, reason="db password: x")]

    response = await edge.client.post("/api/orders/7/checkout")

    assert problem(response) == expected
    assert "password" not in response.text
    assert response.json()["executionId"] == response.headers["podium-execution-id"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (pb.TASK_STATUS_COMPLETED, 200),
        (pb.TASK_STATUS_COMPLETED_WITH_ERRORS, 200),
        (pb.TASK_STATUS_FAILED, 502),
        (pb.TASK_STATUS_FAILED_WITH_TERMINAL_ERROR, 502),
        (pb.TASK_STATUS_TIMED_OUT, 504),
    ],
)
async def test_an_awaited_task_is_the_answer_while_the_workflow_runs_on(
    edge: Edge, status: pb.TaskStatus.ValueType, expected: int
) -> None:
    edge.executor.script = lambda frame: [
        result(
            frame,
            '{"charged":true}',
            status=pb.EXECUTION_STATUS_RUNNING,
            awaited_ref="charge",
            awaited_status=status,
        )
    ]

    response = await edge.client.post("/api/orders/awaiting")

    assert response.status_code == expected
    assert expected != 200 or response.json() == {"charged": True}


async def test_what_is_not_done_in_time_is_to_be_had_later(edge: Edge) -> None:
    # A second is the shortest time-out that a route can have.
    edge.executor.script = lambda frame: [accepted(frame)] if frame.HasField("start") else []

    response = await edge.client.post("/api/orders/quick")

    assert response.status_code == 202
    execution_id = response.headers["podium-execution-id"]
    assert response.json() == {"executionId": execution_id, "status": "RUNNING"}
    assert response.headers["location"].startswith(f"/-/executions/{execution_id}?t=")
    assert int(response.headers["retry-after"]) > 0


async def test_nobody_confirmed_it_in_time(edge: Edge) -> None:
    # A second is the shortest time-out that a route can have.
    edge.executor.script = silence

    response = await edge.client.post("/api/orders/quick")

    assert problem(response) == (503, "executor-away")
    assert response.headers["retry-after"]
    assert response.json()["executionId"] == (await started(edge)).execution_id


async def test_an_asynchronous_route_answers_when_it_is_stored(edge: Edge) -> None:
    edge.executor.script = lambda frame: [accepted(frame)] if frame.HasField("start") else []

    response = await edge.client.put("/api/orders/7")

    assert response.status_code == 202
    assert response.json()["executionId"] == (await started(edge)).execution_id
    await edge.executor.next("cancel")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("PERMISSION_DENIED", (403, "forbidden")),
        ("OVERLOADED", (503, "overloaded")),
        ("NOT_FOUND", (503, "unavailable")),
        ("INVALID_REQUEST", (400, "invalid-request")),
        ("SERVICE_ERROR", (503, "unavailable")),
    ],
)
async def test_what_the_executor_refuses_is_told_and_its_id_where_to_try_again_makes_sense(
    edge: Edge, reason: str, expected: tuple[int, str]
) -> None:
    edge.executor.script = lambda frame: [error(frame, reason, "Inner sentence.")]

    response = await edge.client.post("/api/orders/7/checkout")

    assert problem(response) == expected
    assert "Inner" not in response.text
    again = expected[0] == 503
    execution_id = (await started(edge)).execution_id
    assert response.headers.get("podium-execution-id") == (execution_id if again else None)
    assert response.json().get("executionId") == (execution_id if again else None)
    assert ("retry-after" in response.headers) == again


@pytest.mark.parametrize("reason", ["PERMISSION_DENIED", "OVERLOADED", "INVALID_REQUEST"])
async def test_an_error_after_a_break_keeps_the_id_of_what_may_have_started(
    edge: Edge, reason: str
) -> None:
    edge.executor.script = silence
    asking = asyncio.create_task(edge.client.post("/api/orders/7/checkout"))
    start = await started(edge)

    edge.executor.script = lambda frame: [error(frame, reason)]
    edge.executor.break_streams()

    response = await asking
    assert response.headers["podium-execution-id"] == start.execution_id
    assert response.json()["executionId"] == start.execution_id


async def test_too_much_at_the_edge_itself_starts_nothing(edge: Edge) -> None:
    edge.executor.script = silence
    # A third of a second: so many may wait.
    held = [edge.session.start(pb.Start(), 20) for _ in range(10_000)]

    response = await edge.client.post("/api/orders/7/checkout")

    assert problem(response) == (503, "overloaded")
    assert "podium-execution-id" not in response.headers
    assert len(held) == 10_000


async def test_a_break_between_start_and_result_makes_no_second_execution(edge: Edge) -> None:
    edge.executor.script = silence
    asking = asyncio.create_task(edge.client.post("/api/orders/7/checkout", json={"a": 1}))
    first = await started(edge)

    edge.executor.script = lambda frame: [result(frame)]
    edge.executor.break_streams()

    assert (await asking).json() == {"ok": True}
    second = await started(edge)
    assert second.again
    second.again = False
    assert second == first


async def test_a_client_that_leaves_ends_the_wait_and_not_the_execution(edge: Edge) -> None:
    edge.executor.script = silence
    async with connected(edge.address) as raw:
        await raw.send(
            f"GET /api/orders/7 HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\n\r\n".encode()
        )
        frame = await edge.executor.next()
        await raw.close()

    assert (await edge.executor.next("cancel")).correlation_id == frame.correlation_id


async def test_a_client_that_leaves_after_a_large_body_ends_the_wait_too(edge: Edge) -> None:
    edge.executor.script = silence
    async with connected(edge.address) as raw:
        await raw.send(posted(b'"%b"' % (b"x" * 2_000_000)))
        frame = await edge.executor.next()
        await raw.close()

    assert (await edge.executor.next("cancel")).correlation_id == frame.correlation_id


@pytest.mark.parametrize("stored", ["before", "after"])
async def test_an_execution_ends_with_its_client_where_the_route_says_so(
    edge: Edge, stored: str
) -> None:
    edge.executor.script = silence
    put(edge.replica, service(route("GET", "/", onClientGone="TERMINATE"), id="x", path="/x"))
    async with connected(edge.address) as raw:
        await raw.send(f"GET /x HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\n\r\n".encode())
        frame = await edge.executor.next()
        execution_id = frame.start.execution_id
        edge.executor.executions[execution_id] = pb.Result(execution_id=execution_id)
        if stored == "before":
            edge.executor.say(accepted(frame))
        await raw.close()
    if stored == "after":
        edge.executor.say(accepted(frame))

    assert (await edge.executor.next("cancel")).correlation_id == frame.correlation_id
    async with asyncio.timeout(5):
        while not edge.executor.told:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert [request.execution_id for request, _ in edge.executor.told] == [execution_id]


async def test_a_client_that_left_before_the_start_is_not_waited_for(
    executor: ScriptedExecutor, address: str
) -> None:
    async def until_it_leaves(call: Call, gateway: Gateway) -> None:
        await raw.close()
        assert (await call.receive())["type"] == "http.disconnect"

    executor.script = silence
    *before, run = STAGES
    async with (
        gateway_to(executor, address, (*before, until_it_leaves, run)) as edge,
        connected(edge.address) as raw,
    ):
        await raw.send(posted(b"{}"))

        frame = await executor.next("cancel")

    assert frame.correlation_id == 1


def posted(body: bytes) -> bytes:
    head = f"POST /api/orders/7/checkout HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)

"""``Idempotency-Key``: how it is read, whom it joins with whom, and what a replay answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from hypothesis import given, strategies as st

from podium.executor.v1 import executor_pb2 as pb
from services.edge.idempotency import LONGEST_KEY, read_key
from tests.edge.conftest import Edge
from tests.edge.documents import KEY, OTHER_KEY, put, route, service
from tests.edge.raw import connected
from tests.edge.replies import problem, started
from tests.edge.scripted import Frames, accepted, error, result, silence
from tests.edge.sse import all_events
from tests.edge.test_events import change

OTHER = "11111111-2222-4333-8444-555555555555"


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b'"8e03978e-40d5"', "8e03978e-40d5"),
        (b"8e03978e-40d5", "8e03978e-40d5"),
        (b'  "a b, c;d" ', "a b, c;d"),
        (rb'"a\"b\\c"', 'a"b\\c'),
        (b"", ""),
        (b'""', ""),
        (b'"a', ""),
        (b'a"b', ""),
        (b"a b", ""),
        (b"a, b", ""),
        (b"a;p=1", ""),
        (rb'"\a"', ""),
        ("ü".encode(), ""),
        (b'"\x7f"', ""),
        (b"a" * LONGEST_KEY, "a" * LONGEST_KEY),
        (b"a" * (LONGEST_KEY + 1), ""),
        (b'"' + b"\\\\" * LONGEST_KEY + b'"', "\\" * LONGEST_KEY),
    ],
)
def test_a_key_is_a_string_or_a_bare_word(value: bytes, key: str) -> None:
    assert read_key(value) == key


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=255))
def test_every_string_of_printable_ascii_is_a_key(key: str) -> None:
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')

    assert read_key(f'"{quoted}"'.encode()) == key


@given(st.binary(max_size=400))
def test_any_other_bytes_are_none(value: bytes) -> None:
    assert len(read_key(value)) <= LONGEST_KEY


async def call(edge: Edge, path: str = "/api/orders/7/checkout", **headers: str) -> httpx.Response:
    given = {"idempotency-key": '"one"'} | {k.replace("_", "-"): v for k, v in headers.items()}
    return await edge.client.post(path, headers=given, json={"a": 1})


async def key_of(edge: Edge, path: str = "/api/orders/7/checkout", **headers: str) -> bytes:
    """What the executor is told that the call is known by."""
    await call(edge, path, **headers)
    return (await started(edge)).idempotency_key


@pytest.mark.parametrize("value", ["", '"', "a b", '"' + "x" * 256 + '"'])
async def test_a_malformed_key_is_400_and_starts_nothing(edge: Edge, value: str) -> None:
    response = await call(edge, idempotency_key=value)

    assert problem(response) == (400, "malformed-idempotency-key")
    assert edge.executor.frames.empty()


async def test_two_keys_are_400(edge: Edge) -> None:
    response = await edge.client.post(
        "/api/orders/7/checkout", headers=[("idempotency-key", "a"), ("idempotency-key", "a")]
    )

    assert problem(response) == (400, "malformed-idempotency-key")


async def test_the_key_is_the_callers_and_the_routes_own(edge: Edge) -> None:
    mine = await key_of(edge)

    assert len(mine) == 32
    assert await key_of(edge, idempotency_key="one") == mine
    assert await key_of(edge, "/api/orders/8/checkout") == mine
    assert await key_of(edge, idempotency_key="two") != mine
    assert await key_of(edge, "/api/orders/quick") != mine
    assert await key_of(edge, x_api_key=OTHER_KEY) != mine


async def test_a_get_has_no_key(edge: Edge) -> None:
    await edge.client.get("/api/orders/7", headers={"idempotency-key": '"one"'})

    assert (await started(edge)).idempotency_key == b""


async def test_where_anybody_may_call_a_key_is_heeded_if_the_route_says_so(edge: Edge) -> None:
    public = route("POST", "/x", idempotencyOnPublic=True)
    put(edge.replica, service(public, id="pub", path="/pub", authConfigId="open"))

    assert await key_of(edge, "/public") == b""
    assert len(await key_of(edge, "/pub/x")) == 32


def replay(output: str, **fields: Any) -> Any:
    """The executor's end: it is another request's execution."""

    def script(frame: pb.ClientFrame) -> Frames:
        told = result(frame, output, replayed=True, **fields)
        told.result.execution_id = OTHER
        return [told]

    return script


async def test_a_replay_is_answered_by_what_was_kept(edge: Edge) -> None:
    kept = {"principal": "key:partners/first", "response": {"script": "({n: $.n + 1})"}}
    edge.executor.script = replay('{"n":1}', answer=json.dumps(kept))

    response = await call(edge)

    assert response.json() == {"n": 2}
    assert response.headers["idempotent-replayed"] == "true"
    assert response.headers["podium-execution-id"] == OTHER


async def test_a_replay_of_what_failed_fails_alike(edge: Edge) -> None:
    kept = json.dumps({"principal": "key:partners/first"})
    edge.executor.script = replay("", answer=kept, status=pb.EXECUTION_STATUS_FAILED)

    response = await call(edge)

    assert problem(response) == (502, "execution-failed")
    assert response.headers["idempotent-replayed"] == "true"
    assert response.json()["executionId"] == OTHER


async def test_a_first_answer_is_no_replay(edge: Edge) -> None:
    assert "idempotent-replayed" not in (await call(edge)).headers


async def test_an_asynchronous_route_gives_the_same_location(edge: Edge) -> None:
    edge.executor.script = lambda frame: [accepted(frame)]
    first = await edge.client.put("/api/orders/7", headers={"idempotency-key": "one"})

    def join(frame: pb.ClientFrame) -> Frames:
        execution_id = first.headers["podium-execution-id"]
        told = pb.Accepted(execution_id=execution_id, replayed=True)
        return [pb.ServerFrame(correlation_id=frame.correlation_id, accepted=told)]

    edge.executor.script = join
    second = await edge.client.put("/api/orders/7", headers={"idempotency-key": "one"})

    assert second.status_code == 202
    assert second.headers["location"] == first.headers["location"]
    assert second.headers["idempotent-replayed"] == "true"
    assert second.json() == first.json()


async def test_the_key_with_another_request_is_422_and_names_no_execution(edge: Edge) -> None:
    edge.executor.script = lambda frame: [error(frame, "KEY_REUSED", "Inner sentence.")]

    response = await call(edge)

    assert problem(response) == (422, "idempotency-key-reused")
    assert "method, path, query and body must be the same" in response.json()["detail"]
    assert "Inner" not in response.text
    assert "podium-execution-id" not in response.headers
    assert "executionId" not in response.json()


def joining(frame: pb.ClientFrame) -> Frames:
    told = pb.Accepted(execution_id=OTHER, await_refs=["theirs"])
    return [pb.ServerFrame(correlation_id=frame.correlation_id, accepted=told)]


async def test_whoever_has_joined_attaches_to_that_one_after_a_break(edge: Edge) -> None:
    edge.executor.script = lambda frame: joining(frame) if frame.HasField("start") else ()
    asking = asyncio.create_task(call(edge, prefer="wait=20"))
    await started(edge)
    # The frame that says so has come once another call was answered after it.
    assert (await edge.client.put("/api/orders/7")).status_code == 202

    edge.executor.break_streams()
    frame = await edge.executor.next("attach")
    edge.executor.say(result(frame))

    assert frame.attach.execution_id == OTHER
    assert frame.attach.await_refs == ["theirs"]
    assert (await asking).headers["podium-execution-id"] == OTHER


async def test_a_start_that_is_sent_again_says_so_and_has_its_key(edge: Edge) -> None:
    edge.executor.script = silence
    asking = asyncio.create_task(call(edge))
    first = await started(edge)

    edge.executor.script = lambda frame: [result(frame)]
    edge.executor.break_streams()
    second = await started(edge)

    assert (await asking).status_code == 200
    assert (first.again, second.again) == (False, True)
    assert second.idempotency_key == first.idempotency_key != b""
    assert second.execution_id == first.execution_id


@pytest.mark.parametrize("joined", [True, False])
async def test_whoever_has_joined_and_leaves_ends_nobody_elses_execution(
    edge: Edge, joined: bool
) -> None:
    edge.executor.script = silence
    put(edge.replica, service(route("POST", "/", onClientGone="TERMINATE"), id="x", path="/x"))
    async with connected(edge.address) as raw:
        await raw.send(
            f"POST /x HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nIdempotency-Key: one\r\n"
            "Content-Length: 0\r\n\r\n".encode()
        )
        frame = await edge.executor.next()
        own = frame.start.execution_id
        for execution_id in (own, OTHER):
            edge.executor.executions[execution_id] = pb.Result(execution_id=execution_id)
        await raw.close()
    edge.executor.say(*(joining(frame) if joined else [accepted(frame)]))
    await edge.executor.next("cancel")
    async with asyncio.timeout(5):
        while not joined and not edge.executor.told:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    # Once this one is answered, what follows from the cancel was asked for.
    edge.executor.script = lambda frame: [accepted(frame)]
    assert (await edge.client.put("/api/orders/7")).status_code == 202

    assert [told.execution_id for told, _ in edge.executor.told] == ([] if joined else [own])


async def test_events_of_a_joined_execution_are_told_as_its_own_call_had_them(edge: Edge) -> None:
    put(edge.replica, service(route("POST", "/", onClientGone="TERMINATE"), id="x", path="/x"))
    half = {"principal": "key:partners/first", "response": {"script": "({n: $.n + 1})"}}
    edge.executor.executions[OTHER] = pb.Result(
        execution_id=OTHER,
        status=pb.EXECUTION_STATUS_COMPLETED,
        output='{"n":1}',
        answer=json.dumps({**half, "awaitRefs": ["charge"]}),
    )
    edge.executor.changes.put_nowait(change(1, "COMPLETED"))
    edge.executor.script = joining

    response = await call(edge, "/x", accept="text/event-stream")

    last = list(all_events(response.text))[-1]
    assert (last.name, last.data["body"]) == ("result", {"n": 2})
    assert response.headers["podium-execution-id"] == OTHER
    assert list(edge.executor.attached[-1].await_refs) == ["charge"]
    assert edge.executor.told == []

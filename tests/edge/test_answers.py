"""The answer that is to be had later, and who may have it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.edge.links import Links
from tests.edge.conftest import Edge
from tests.edge.documents import KEY, OTHER_KEY, STRANGERS_KEY, auth, put
from tests.edge.replies import problem
from tests.edge.scripted import accepted, result


async def not_done(edge: Edge, path: str = "/api/orders/7", method: str = "PUT") -> tuple[str, str]:
    """A started execution that runs: its id and its ``Location``."""
    edge.executor.script = lambda frame: [accepted(frame)] if frame.HasField("start") else []
    response = await edge.client.request(method, path)
    assert response.status_code == 202
    start = (await edge.executor.next()).start
    say(edge, start.execution_id, start.answer, pb.EXECUTION_STATUS_RUNNING)
    return start.execution_id, response.headers["location"]


def say(edge: Edge, execution_id: str, answer: str, status: int, **fields: Any) -> None:
    told = pb.Result(execution_id=execution_id, answer=answer, **fields)
    told.status = pb.ExecutionStatus.ValueType(status)
    if status > pb.EXECUTION_STATUS_PAUSED:
        told.ended_at.FromDatetime(edge.clock.now)
    edge.executor.executions[execution_id] = told


def finish(edge: Edge, execution_id: str, status: int, **fields: Any) -> None:
    say(edge, execution_id, edge.executor.executions[execution_id].answer, status, **fields)


async def get(edge: Edge, location: str, key: str = KEY) -> httpx.Response:
    return await edge.client.get(location, headers={"x-api-key": key})


async def test_it_is_202_until_it_is_done_and_then_what_the_route_would_have_said(
    edge: Edge,
) -> None:
    execution_id, location = await not_done(edge)

    waiting = await get(edge, location)
    assert waiting.status_code == 202
    assert waiting.json() == {"executionId": execution_id, "status": "RUNNING"}
    assert waiting.headers["location"] == location
    assert waiting.headers["retry-after"]

    finish(edge, execution_id, pb.EXECUTION_STATUS_COMPLETED, output='{"done":1}')
    done = await get(edge, location)
    assert (done.status_code, done.json()) == (200, {"done": 1})
    assert done.headers["podium-execution-id"] == execution_id


async def test_a_paused_execution_says_so(edge: Edge) -> None:
    execution_id, location = await not_done(edge)
    finish(edge, execution_id, pb.EXECUTION_STATUS_PAUSED)

    assert (await get(edge, location)).json()["status"] == "PAUSED"


async def test_one_that_failed_is_told_as_the_route_would(edge: Edge) -> None:
    execution_id, location = await not_done(edge)
    finish(edge, execution_id, pb.EXECUTION_STATUS_FAILED, reason="secret")

    response = await get(edge, location)

    assert response.status_code == 502
    assert response.json()["executionId"] == execution_id
    assert "secret" not in response.text


async def test_the_awaited_tasks_are_those_of_the_start(edge: Edge) -> None:
    half = {"principal": "key:partners/first", "public": False, "awaitRefs": ["charge"]}
    execution_id = str(uuid4())
    say(
        edge, execution_id, json.dumps(half), pb.EXECUTION_STATUS_RUNNING, output='{"paid":1}',
        awaited_ref="charge", awaited_status=pb.TASK_STATUS_COMPLETED,
    )  # fmt: skip

    response = await get(edge, f"/-/executions/{execution_id}")

    assert response.json() == {"paid": 1}
    assert [list(attach.await_refs) for attach in edge.executor.attached] == [[], ["charge"]]
    assert edge.executor.attached[0].on_behalf_of == "storefront"


@pytest.mark.parametrize("key", ["", "wrong", OTHER_KEY, STRANGERS_KEY])
async def test_for_anybody_else_it_is_not_there(edge: Edge, key: str) -> None:
    execution_id, location = await not_done(edge)
    finish(edge, execution_id, pb.EXECUTION_STATUS_COMPLETED)

    response = await get(edge, location, key)

    assert response.status_code == 404
    assert "podium-execution-id" not in response.headers


async def test_the_same_principal_needs_no_link(edge: Edge) -> None:
    execution_id, location = await not_done(edge)

    response = await get(edge, f"/-/executions/{execution_id}")

    assert response.status_code == 202
    assert response.headers["location"] == location


@pytest.mark.parametrize("owner", ["storefront", "elsewhere"])
async def test_a_key_of_two_configurations_finds_what_either_has_started(
    edge: Edge, owner: str
) -> None:
    put(edge.replica, auth("also", "elsewhere", mine=KEY))
    principal = {"storefront": "key:partners/first", "elsewhere": "key:also/mine"}[owner]
    execution_id = str(uuid4())
    half = {"principal": principal, "public": False, "awaitRefs": []}
    say(edge, execution_id, json.dumps(half), pb.EXECUTION_STATUS_COMPLETED, output='{"n":1}')
    edge.executor.shown_to = owner

    response = await get(edge, f"/-/executions/{execution_id}")

    assert (response.status_code, response.json()) == (200, {"n": 1})


async def test_a_key_of_two_configurations_is_shown_nothing_of_a_third(edge: Edge) -> None:
    put(edge.replica, auth("also", "elsewhere", mine=KEY))
    execution_id = str(uuid4())
    half = {"principal": "key:partners/second", "public": False, "awaitRefs": []}
    say(edge, execution_id, json.dumps(half), pb.EXECUTION_STATUS_COMPLETED)
    edge.executor.shown_to = "elsewhere"

    assert (await get(edge, f"/-/executions/{execution_id}")).status_code == 404
    edge.executor.shown_to = "nobody else"
    assert (await get(edge, f"/-/executions/{execution_id}")).status_code == 404


async def test_a_key_that_was_changed_under_its_name_still_has_it(edge: Edge) -> None:
    _, location = await not_done(edge)

    put(edge.replica, auth("partners", "storefront", first="rotated-key"))

    assert (await get(edge, location, "rotated-key")).status_code == 202
    assert (await get(edge, location, KEY)).status_code == 404


async def test_of_a_public_route_the_link_is_enough_and_needed(edge: Edge) -> None:
    execution_id, location = await not_done(edge, "/public/later", "POST")

    assert (await get(edge, location, "")).status_code == 202
    assert (await get(edge, f"/-/executions/{execution_id}", "")).status_code == 404
    assert (await get(edge, f"/-/executions/{execution_id}", KEY)).status_code == 404
    # Not the last one: not all of its bits count.
    other = "B" if location[-3] == "A" else "A"
    forged = f"{location[:-3]}{other}{location[-2:]}"
    assert (await get(edge, forged, "")).status_code == 404


async def test_a_link_survives_an_edge_that_is_started_again(edge: Edge) -> None:
    execution_id, location = await not_done(edge, "/public/later", "POST")

    assert Links.of(b"cluster key").location(execution_id, "open") == location


async def test_it_is_kept_for_a_day_and_then_gone(edge: Edge) -> None:
    execution_id, location = await not_done(edge)
    finish(edge, execution_id, pb.EXECUTION_STATUS_COMPLETED, output="{}")

    edge.clock.now += timedelta(hours=23, minutes=59)
    assert (await get(edge, location)).status_code == 200
    edge.clock.now += timedelta(minutes=2)
    assert (await get(edge, location)).status_code == 410
    assert (await get(edge, location, OTHER_KEY)).status_code == 404


@pytest.mark.parametrize(
    "path", ["x", "%2F", "7A4E4C1C-3F5E-4F8E-9D55-1C0E7F6A2B10", "7a4e4c1c3f5e4f8e9d551c0e7f6a2b10"]
)
async def test_what_is_no_id_is_asked_of_nobody(edge: Edge, path: str) -> None:
    assert (await get(edge, f"/-/executions/{path}")).status_code == 404
    assert edge.executor.attached == []


async def test_a_stranger_without_a_link_is_asked_of_nobody(edge: Edge) -> None:
    assert (await get(edge, f"/-/executions/{uuid4()}", "wrong")).status_code == 404
    assert edge.executor.attached == []


async def test_an_execution_that_no_route_started_is_not_there(edge: Edge) -> None:
    execution_id = str(uuid4())
    say(edge, execution_id, "", pb.EXECUTION_STATUS_COMPLETED)

    assert (await get(edge, f"/-/executions/{execution_id}")).status_code == 404
    assert (await get(edge, f"/-/executions/{uuid4()}")).status_code == 404


async def test_other_methods_are_not_for_it(edge: Edge) -> None:
    response = await edge.client.post(f"/-/executions/{uuid4()}")

    assert (response.status_code, response.headers["allow"]) == (405, "DELETE, GET, HEAD, OPTIONS")


async def test_an_output_that_is_too_large_is_told_at_once_and_later(edge: Edge) -> None:
    edge.executor.script = lambda frame: [accepted(frame), result(frame, "", output_left_out=True)]
    now = await edge.client.post("/api/orders/7/checkout")
    start = (await edge.executor.next()).start
    edge.executor.executions[start.execution_id] = pb.Result(
        execution_id=start.execution_id,
        status=pb.EXECUTION_STATUS_COMPLETED,
        answer=start.answer,
        output_left_out=True,
    )
    later = await edge.client.get(f"/-/executions/{start.execution_id}")

    for answer in (now, later):
        assert problem(answer) == (502, "output-too-large")
        assert answer.json()["executionId"] == start.execution_id

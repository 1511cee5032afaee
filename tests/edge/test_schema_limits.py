"""Schemas that ask for more time than there is: nobody else waits, and each has an answer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from typing import Any

import httpx
import pytest

from podium.executor.v1 import executor_pb2 as pb
from services import judging
from services.edge.judging import RouteJudges
from services.edge.problems import Problem
from services.judging import Judges
from services.judging.judges import JUDGED_SECONDS
from tests.edge.conftest import Edge, gateway_to
from tests.edge.documents import put, route, service
from tests.edge.scripted import ScriptedExecutor, accepted, result

INNER = {"$ref": "#/$defs/tree"}
# Every level is described by both branches, each of which describes the next by both.
TREE: dict[str, Any] = {
    "$defs": {
        "tree": {
            "anyOf": [
                {"type": "array", "items": INNER},
                {"type": "array", "minItems": 1, "items": INNER},
                {"type": "integer"},
            ]
        }
    },
    **INNER,
}
# Whatever the value is: each definition is looked at twice as often as the one before.
DOUBLING: dict[str, Any] = {
    "$defs": {
        **{f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(60)},
        "d60": {"type": ["object", "array", "string"]},
    },
    "$ref": "#/$defs/d0",
}
WIDE: dict[str, Any] = {"items": {"required": [f"field{n}" for n in range(100)]}}


def nested(levels: int, value: str = '"x"') -> str:
    return "[" * levels + value + "]" * levels


def serve(edge: Edge, output: str = '{"a":1}', **fields: Any) -> None:
    routes = route("POST", "", **fields), route("GET", "/{id}", **fields)
    put(edge.replica, service(*routes, id="shop", path="/shop"))
    edge.executor.script = lambda frame: [accepted(frame), result(frame, output)]


async def sent(edge: Edge, body: str) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return await edge.client.post("/shop", content=body, headers=headers, timeout=60)


async def test_a_body_under_a_schema_that_names_itself_twice_keeps_nobody_waiting(
    edge: Edge,
) -> None:
    serve(edge, inputSchema=TREE)

    async with asyncio.TaskGroup() as group:
        deep = group.create_task(sent(edge, nested(30)))
        others = 0
        while not deep.done():
            assert (await edge.client.get("/nothing")).status_code == 404
            others += 1

    answer = deep.result()
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] == "urn:podium:problem:invalid-input"
    assert answer.json()["errors"] == [{"pointer": "", "detail": judging.NOT_TOLD[0][1]}]
    assert others > 20


async def test_a_schema_that_names_itself_judges_as_any_other(edge: Edge) -> None:
    serve(edge, inputSchema=TREE)

    good, bad, deep = [
        await sent(edge, body) for body in (nested(20, "7"), '["x"]', nested(400, "7"))
    ]

    assert good.status_code == 200, good.text
    assert bad.status_code == 422
    assert bad.json()["errors"][0]["detail"].startswith("this value is not valid under any")
    assert deep.status_code == 200, deep.text


@pytest.mark.parametrize(("body", "seconds"), [
    ("{}", JUDGED_SECONDS), ('"x"', 0.2), ("[1]", 0.2),
])  # fmt: skip
async def test_a_schema_that_no_value_can_be_judged_by_is_a_failure_of_the_route(
    executor: ScriptedExecutor,
    address: str,
    body: str,
    seconds: float,
    caplog: pytest.LogCaptureFixture,
) -> None:
    judges = RouteJudges(Judges(seconds))
    async with gateway_to(executor, address, judges=judges) as edge:
        serve(edge, inputSchema=DOUBLING)

        answer = await sent(edge, body)

        assert answer.status_code == 500
        assert answer.json()["type"] == "urn:podium:problem:schema-failed"
        why = f"The inputSchema of this route took more than {seconds:g} s"
        assert why in answer.json()["detail"]
        assert "POST /shop of service shop: schema-failed. The inputSchema" in caplog.text
        assert edge.executor.frames.empty()


async def test_the_parameters_of_a_call_without_a_body_are_judged_aside_too(edge: Edge) -> None:
    serve(edge, inputSchema={**TREE, "$ref": "#/$defs/named", "$defs": TREE["$defs"] | {
        "named": {"properties": {"id": {"const": "7"}, "tree": INNER}}
    }})  # fmt: skip

    assert (await edge.client.get("/shop/7")).status_code == 200
    answer = await edge.client.get("/shop/8")
    assert answer.json()["errors"] == [{"pointer": "/id", "detail": '"7" was expected'}]


async def test_an_output_is_judged_within_the_same_time(edge: Edge) -> None:
    serve(edge, output='{"n":[1]}', outputSchema=DOUBLING)

    answer = await sent(edge, "{}")

    assert answer.status_code == 500
    assert "The outputSchema of this route took more than 2 s" in answer.json()["detail"]


@pytest.mark.parametrize(("output", "status"), [("[[7]]", 200), ('[["x"]]', 502)])
async def test_what_a_script_gives_is_judged_aside(edge: Edge, output: str, status: int) -> None:
    serve(edge, outputSchema=TREE, postResponseScript=f"({output})")

    assert (await sent(edge, "{}")).status_code == status


async def test_many_faults_of_a_small_body_are_told_aside(edge: Edge) -> None:
    serve(edge, inputSchema=WIDE)

    answer = await sent(edge, json.dumps([{}] * 20))

    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 100


async def test_one_schema_that_takes_long_does_not_have_all_judges() -> None:
    judges = Judges()
    slow, quick = json.dumps(DOUBLING), json.dumps(TREE)

    async def judged(schema: str) -> tuple[tuple[str, str], ...]:
        return await judges.faults(schema, lambda: [7], 3, lambda: b"[7]")

    waiting = [asyncio.ensure_future(judged(slow)) for _ in range(10)]
    await asyncio.sleep(0)
    assert await judged(quick) == ()
    assert sum(each.done() for each in waiting) <= 1

    for each in waiting:
        each.cancel()
    await asyncio.wait(waiting)
    assert await judged(quick) == (), "what was broken off takes no place"
    await judges.close()


async def test_a_child_that_is_ended_from_outside_is_replaced() -> None:
    judges = Judges()
    tree = json.dumps(TREE)
    assert await judges.faults(tree, lambda: [7], 3, lambda: b"[7]") == ()

    (child,) = judges._idle
    child.kill()
    await child.wait()

    assert await judges.faults(tree, lambda: [7], 3, lambda: b"[7]") == ()
    await judges.close()
    assert not judges._idle


async def test_a_child_that_is_killed_at_its_work_says_nothing_of_the_schema() -> None:
    judges = Judges()
    tree = json.dumps(TREE)
    assert await judges.faults(tree, lambda: [7], 3, lambda: b"[7]") == ()

    # Nobody has been told yet that it is gone.
    (child,) = judges._idle
    os.kill(child.pid, signal.SIGKILL)

    assert await judges.faults(tree, lambda: [7], 3, lambda: b"[7]") == ()
    await judges.close()


async def test_more_than_may_wait_is_refused_at_once() -> None:
    judges = RouteJudges(Judges(most_waiting=0))
    with pytest.raises(Problem) as caught:
        await judges.faults("inputSchema", json.dumps(TREE), lambda: [7], 3, lambda: b"[7]")

    assert caught.value.kind == "overloaded"


async def test_what_breaks_the_schema_of_the_workflow_is_told_as_of_the_routes(
    edge: Edge,
) -> None:
    serve(edge)
    told = pb.Error(code=3, reason="INVALID_REQUEST", detail="The input breaks the inputSchema.")
    told.faults.add(pointer="/n", detail="this value is too small")
    edge.executor.script = lambda frame: [
        pb.ServerFrame(correlation_id=frame.correlation_id, error=told)
    ]

    answer = await sent(edge, '{"n": 0}')

    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] == "urn:podium:problem:invalid-input"
    assert answer.json()["errors"] == [{"pointer": "/n", "detail": "this value is too small"}]

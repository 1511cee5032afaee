"""Scripts of routes, and output schemas: what becomes of a request before it, of a result after."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.edge.problems import Problem
from services.edge.responses import BrokenEnvelope, read_envelope
from services.edge.scripting import RouteScripts
from services.javascript import pool
from tests.edge.conftest import Edge
from tests.edge.documents import put, route, service
from tests.edge.scripted import accepted, result


def with_route(edge: Edge, method: str = "POST", path: str = "/", **fields: Any) -> None:
    put(edge.replica, service(route(method, path, **fields), id="shop", path="/shop"))


def ends_with(edge: Edge, output: str, **fields: Any) -> None:
    edge.executor.script = lambda frame: [accepted(frame), result(frame, output, **fields)]


async def test_a_script_makes_the_input_of_what_was_mapped(edge: Edge) -> None:
    script = "(function () { return {order: $.orderId, total: $.items.length}; })()"
    with_route(edge, path="/{orderId}", preRequestScript=script)

    got = (await edge.client.post("/shop/7", json={"items": [1, 2, 3]})).json()

    assert got["requestMetadata"]["pathParams"] == {"orderId": "7"}
    assert {key: got[key] for key in got if key != "requestMetadata"} == {"order": "7", "total": 3}


async def test_what_a_script_gives_that_is_no_object_goes_under_body(edge: Edge) -> None:
    with_route(edge, preRequestScript="[1, $.a]")

    got = (await edge.client.post("/shop", json={"a": "x"})).json()

    assert got["body"] == [1, "x"]


async def test_a_script_cannot_forge_the_metadata(edge: Edge) -> None:
    with_route(edge, preRequestScript="({requestMetadata: {principal: 'root'}, a: 1})")

    got = (await edge.client.post("/shop")).json()

    assert got["a"] == 1
    assert got["requestMetadata"]["principal"] == "key:partners/first"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("(", "is not valid JavaScript"),
        ("$.a.b.c", "Cannot read properties of undefined"),
        ("while (true) {}", "ran longer than"),
    ],
)
async def test_a_script_that_fails_is_named_and_nothing_starts(
    edge: Edge, script: str, why: str
) -> None:
    """One of them runs until its time is over, twice: takes two seconds."""
    with_route(edge, preRequestScript=script)
    quiet = await edge.client.post("/shop")
    with_route(edge, preRequestScript=script, exposeDetails=True)
    told = await edge.client.post("/shop")

    assert quiet.status_code == told.status_code == 500
    assert quiet.json()["detail"] == "The preRequestScript of this route failed."
    assert why in told.json()["detail"]
    assert "preRequestScript" in told.json()["detail"]
    assert edge.executor.frames.empty()


async def test_a_script_makes_the_answer_of_the_output(edge: Edge) -> None:
    ends_with(edge, '{"total": 21}')
    with_route(edge, postResponseScript="(function () { return $.total * 2; })()")

    answer = await edge.client.post("/shop")

    assert answer.status_code == 200
    assert answer.text == "42"
    assert answer.headers["content-type"] == "application/json"


async def test_a_script_sees_the_output_of_the_awaited_task(edge: Edge) -> None:
    ends_with(
        edge,
        '{"charged": true}',
        status=pb.EXECUTION_STATUS_RUNNING,
        awaited_ref="charge",
        awaited_status=pb.TASK_STATUS_COMPLETED,
    )
    with_route(edge, postResponseScript="$.charged", waitUntilTasks="charge")

    assert (await edge.client.post("/shop")).json() is True


async def test_an_envelope_sets_status_headers_and_body(edge: Edge) -> None:
    ends_with(edge, '{"id": "7", "html": "<p>é</p>"}')
    made = (
        "({statusCode: 201, headers: {'X-Order': $.id, 'Set-Cookie': ['a=1', 'b=2']},"
        " body: {ok: true}})"
    )
    with_route(edge, postResponseScript=made, responseEnvelope=True)
    answer = await edge.client.post("/shop")
    page = "({headers: {'Content-Type': 'text/html; charset=utf-8'}, body: $.html})"
    with_route(edge, postResponseScript=page, responseEnvelope=True)
    html = await edge.client.post("/shop")
    with_route(edge, postResponseScript="({statusCode: 204})", responseEnvelope=True)
    nothing = await edge.client.post("/shop")

    assert (answer.status_code, answer.json()) == (201, {"ok": True})
    assert answer.headers["x-order"] == "7"
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert (html.status_code, html.text) == (200, "<p>é</p>")
    assert html.headers["content-type"] == "text/html; charset=utf-8"
    assert (nothing.status_code, nothing.content) == (204, b"")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (5, "must be an object"),
        ({"statusCode": 99}, "statusCode"),
        ({"statusCode": "200"}, "statusCode"),
        ({"statusCode": True}, "statusCode"),
        ({"statusCode": 999}, "statusCode must be a whole number from 200 to 599"),
        ({"statuscode": 404}, "no 'statuscode'"),
        ({"body": 1, "x\r\n" + "y" * 100: 2}, r"no 'x\\r\\ny{61}"),
        ({"": 1}, "no ''"),
        ({"headers": []}, "headers must be an object"),
        ({"headers": {"a b": "1"}}, "'a b', which is no header's name"),
        ({"headers": {"Content-Length": "1"}}, "'Content-Length', which is .* gateway's own"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "gateway's own"),
        ({"headers": {"X": "a\r\nY: b"}}, "one line"),
        ({"headers": {"X": {"a": 1}}}, "one line"),
        ({"headers": {"X": "€"}}, "one line"),
        ({"headers": {"Access-Control-Allow-Origin": "*"}}, "gateway's own"),
        ({"headers": {"RateLimit": "1"}}, "gateway's own"),
        ({"headers": {"Content-Type": ["a/b", "c/d"]}}, "one Content-Type"),
        ({"headers": {"X": "x" * 20_000}}, "16384 characters"),
    ],
)
def test_what_is_no_envelope_is_refused(value: Any, why: str) -> None:
    with pytest.raises(BrokenEnvelope, match=why):
        read_envelope(value)


async def test_a_script_that_gives_no_envelope_has_failed(edge: Edge) -> None:
    with_route(edge, postResponseScript="5", responseEnvelope=True)

    answer = await edge.client.post("/shop")

    assert answer.status_code == 500
    assert answer.json()["detail"] == "The postResponseScript of this route gave no envelope."
    assert answer.json()["executionId"]


async def test_an_output_that_breaks_its_schema_is_502(edge: Edge) -> None:
    ends_with(edge, '{"total": "secret"}')
    schema = {"properties": {"total": {"type": "integer"}}}
    with_route(edge, outputSchema=schema)
    quiet = await edge.client.post("/shop")
    with_route(edge, outputSchema=schema, exposeDetails=True)
    told = await edge.client.post("/shop")

    assert quiet.status_code == told.status_code == 502
    assert quiet.json()["type"] == "urn:podium:problem:output-invalid"
    assert "errors" not in quiet.json()
    assert told.json()["errors"] == [
        {"pointer": "/total", "detail": 'this value is not of type "integer"'}
    ]
    assert "secret" not in quiet.text + told.text


async def test_the_output_schema_is_about_what_the_script_has_made(edge: Edge) -> None:
    ends_with(edge, '{"total": 1}')
    with_route(edge, postResponseScript="$.total", outputSchema={"type": "integer"})

    assert (await edge.client.post("/shop")).json() == 1


@pytest.mark.parametrize(
    ("envelope", "status"),
    [
        ("({statusCode: 204})", 204),
        ("({statusCode: 205, body: 5})", 205),
        ("({headers: {'Content-Type': 'text/csv'}, body: 'a;b'})", 200),
        ("({headers: {'Content-Type': 'text/csv'}, body: 'too long for it'})", 502),
        ("({statusCode: 404, body: 5})", 404),
        ("({body: 5})", 502),
    ],
)
async def test_the_body_of_an_envelope_is_judged_where_there_is_one(
    edge: Edge, envelope: str, status: int
) -> None:
    schema = {"type": "string", "maxLength": 5}
    with_route(edge, postResponseScript=envelope, responseEnvelope=True, outputSchema=schema)

    assert (await edge.client.post("/shop")).status_code == status


async def test_text_that_is_no_utf8_is_a_fault_of_its_script(edge: Edge) -> None:
    with_route(edge, preRequestScript="({a: '\\ud800'})")

    answer = await edge.client.post("/shop")

    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:podium:problem:script-failed"
    assert edge.executor.frames.empty()


async def test_only_so_many_scripts_wait_for_a_worker() -> None:
    """The scripts run until their time is over: takes a second."""
    async with pool(1) as scripts:
        few = RouteScripts(scripts, most=2)
        slow = [
            asyncio.create_task(few.run("x", "while (true) {}", "{}", exposed=False))
            for _ in range(2)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await few.run("x", "1", "{}", exposed=False)
        large = RouteScripts(scripts, most_chars=0)
        assert await large.run("x", "1", "{}", exposed=False) == 1
        for each in slow:
            with pytest.raises(Problem):
                await each
        assert await few.run("x", "1", "{}", exposed=False) == 1

    assert refused.value.status == 503


async def test_a_later_answer_is_made_as_it_was_asked_for(edge: Edge) -> None:
    edge.executor.script = lambda frame: [accepted(frame)]
    schema = {"kind": "schema", "name": "S", "version": 1, "data": {"type": "integer"}}
    put(edge.replica, schema)
    mode: dict[str, Any] = {
        "workflowExecutionMode": "ASYNCHRONOUS",
        "outputSchemaRef": {"name": "S"},
    }
    with_route(edge, postResponseScript="$.total", **mode)
    started = await edge.client.post("/shop")
    start = (await edge.executor.next()).start
    with_route(edge, postResponseScript="'changed'")
    put(edge.replica, {**schema, "version": 2, "data": {"type": "string"}})

    async def later(output: str) -> httpx.Response:
        edge.executor.executions[start.execution_id] = pb.Result(
            execution_id=start.execution_id,
            status=pb.EXECUTION_STATUS_COMPLETED,
            output=output,
            answer=start.answer,
        )
        return await edge.client.get(started.headers["location"])

    assert (await later('{"total": 5}')).json() == 5
    assert (await later('{"total": "x"}')).status_code == 502
    assert json.loads(start.answer)["response"]["script"] == "$.total"


async def test_why_a_workflow_failed_is_told_only_where_the_route_says_so(edge: Edge) -> None:
    ends_with(edge, "{}", status=pb.EXECUTION_STATUS_FAILED, reason="charge: 500 of the bank")
    with_route(edge)
    quiet = await edge.client.post("/shop")
    with_route(edge, exposeDetails=True)
    told = await edge.client.post("/shop")

    assert quiet.json()["detail"] == "The workflow behind this route failed."
    assert told.json()["detail"] == "charge: 500 of the bank"

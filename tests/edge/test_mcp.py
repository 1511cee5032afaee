"""Routes as tools, called by the SDK's own client over real HTTP."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from podium.executor.v1 import executor_pb2 as pb
from tests.edge.conftest import Edge, gateway_to
from tests.edge.documents import route
from tests.edge.mcp_clients import MODES, called, client_of, shop, text
from tests.edge.scripted import ScriptedExecutor, accepted, result
from tests.edge.test_events import asking, change, end, polled, say

RATING = {
    "type": "object",
    "properties": {"rating": {"type": "integer", "maximum": 5}, "comment": {"type": "string"}},
    "required": ["rating"],
    "additionalProperties": False,
}
TOTAL = {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]}


@pytest.mark.parametrize("mode", MODES)
async def test_the_routes_that_a_caller_may_execute_are_its_tools(edge: Edge, mode: str) -> None:
    async with client_of(edge, mode, "orders") as client:
        tools = (await client.list_tools()).tools

    assert [tool.name for tool in tools] == [
        "POST_orderId_checkout",
        "GET_orderId",
        "PUT_orderId",
        "POST_awaiting",
        "POST_quick",
        "POST_reports",
    ]
    assert tools[0].description == "POST /{orderId}/checkout"
    assert tools[0].input_schema["required"] == ["orderId"]


@pytest.mark.parametrize("mode", MODES)
async def test_a_call_goes_the_way_of_the_route(edge: Edge, mode: str) -> None:
    async with client_of(edge, mode, "orders") as client:
        told = await client.call_tool("POST_orderId_checkout", {"orderId": "a/ü .", "n": 1})

    document = json.loads(text(told))
    assert not told.is_error
    assert (document["orderId"], document["n"]) == ("a/ü .", 1)
    metadata = document["requestMetadata"]
    assert metadata["path"] == "/api/orders/a%2F%C3%BC%20./checkout"
    assert metadata["principal"] == "key:partners/first"


async def test_arguments_are_fields_of_query_path_and_body(edge: Edge) -> None:
    shop(
        edge,
        route(
            "POST",
            "/{id}/rate",
            description="Rate it.",
            inputSchema=RATING,
            queryParameters=[
                {"name": "lang", "enum": ["de", "en"], "description": "Of the comment."},
                {"name": "tags", "type": "array"},
                {"name": "dry", "type": "boolean", "required": True},
            ],
        ),
    )
    async with client_of(edge) as client:
        (tool,) = (await client.list_tools()).tools
        given = {"id": "7", "rating": 4, "lang": "en", "tags": ["a", "b&c"], "dry": False}
        told = await client.call_tool(tool.name, given)

    schema = tool.input_schema
    assert (tool.name, tool.description) == ("POST_id_rate", "Rate it.")
    assert list(schema["properties"]) == ["rating", "comment", "lang", "tags", "dry", "id"]
    assert sorted(schema["required"]) == ["dry", "id", "rating"]
    assert schema["properties"]["lang"]["enum"] == ["de", "en"]
    document = json.loads(text(told))
    del document["requestMetadata"]
    assert document == {"rating": 4, "lang": "en", "tags": ["a", "b&c"], "dry": False, "id": "7"}


async def test_a_body_that_is_more_than_fields_is_one_argument(edge: Edge) -> None:
    items = {"type": "array", "items": {"$ref": "#/$defs/item"}, "$defs": {"item": RATING}}
    shop(edge, route("POST", "/{id}/all", inputSchema=items))
    async with client_of(edge) as client:
        (tool,) = (await client.list_tools()).tools
        told = await client.call_tool(tool.name, {"id": "7", "body": [{"rating": 3}]})
        wrong = await client.call_tool(tool.name, {"id": "7", "body": [{"rating": 9}]})

    assert tool.input_schema["required"] == ["body", "id"]
    body = tool.input_schema["properties"]["body"]
    assert body["items"] == {"$ref": "#/properties/body/$defs/item"}
    assert json.loads(text(told))["body"] == [{"rating": 3}]
    assert wrong.is_error
    assert "/0/rating" in text(wrong)


async def test_a_route_without_a_body_takes_its_arguments_in_the_query(edge: Edge) -> None:
    schema = {"type": "object", "properties": {"lang": {"enum": ["de", "en"]}}}
    shop(edge, route("GET", "/{id}", inputSchema=schema))
    async with client_of(edge) as client:
        told = await client.call_tool("GET_id", {"id": "7", "lang": "de", "page": 2, "no": None})
        wrong = await client.call_tool("GET_id", {"id": "7", "lang": "fr"})

    document = json.loads(text(told))
    assert (document["lang"], document["page"]) == ("de", "2")
    assert "no" not in document
    assert wrong.is_error
    assert "/lang" in text(wrong)


async def test_what_is_wrong_with_arguments_is_told_with_pointers(edge: Edge) -> None:
    shop(edge, route("POST", "/{id}/rate", inputSchema=RATING))
    async with client_of(edge) as client:
        wrong = await client.call_tool("POST_id_rate", {"id": "7", "rating": 9, "x": 1})
        missing = await client.call_tool("POST_id_rate", {"rating": 1})
        empty = await client.call_tool("POST_id_rate", {"id": "", "rating": 1})

    assert all(told.is_error for told in (wrong, missing, empty))
    assert "Invalid input (422)" in text(wrong)
    assert "/rating: " in text(wrong)
    assert "/id: is required" in text(missing)
    assert "/id: must not be empty" in text(empty)


@pytest.mark.parametrize("value", [".", ".."])
async def test_dots_are_a_segment_and_no_step(edge: Edge, value: str) -> None:
    async with client_of(edge, service_id="orders") as client:
        told = await client.call_tool("POST_orderId_checkout", {"orderId": value})

    assert told.is_error or json.loads(text(told))["orderId"] == value


@pytest.mark.parametrize("mode", MODES)
async def test_an_output_schema_gives_structured_content(edge: Edge, mode: str) -> None:
    shop(edge, route("POST", "/add", outputSchema=TOTAL))
    edge.executor.script = lambda frame: [result(frame, '{"total": 12345678901234567890}')]
    async with client_of(edge, mode) as client:
        (tool,) = (await client.list_tools()).tools
        told = await client.call_tool("POST_add")
        edge.executor.script = lambda frame: [result(frame, '{"total": "x"}')]
        broken = await client.call_tool("POST_add")

    assert tool.output_schema is not None
    assert tool.output_schema["anyOf"][0]["properties"] == TOTAL["properties"]
    assert told.structured_content == {"total": 12345678901234567890}
    assert broken.is_error
    assert "Output invalid (502)" in text(broken)


@pytest.mark.parametrize("mode", MODES)
async def test_a_tool_that_is_not_there_is_an_error_of_the_protocol(edge: Edge, mode: str) -> None:
    async with client_of(edge, mode, "orders") as client:
        for name in ("POST_nothing", "POST_secret"):
            with pytest.raises(MCPError) as caught:
                await client.call_tool(name)
            assert caught.value.code == -32602


@pytest.mark.parametrize("mode", MODES)
async def test_a_failure_is_the_tools_own(edge: Edge, mode: str) -> None:
    failed = pb.EXECUTION_STATUS_FAILED
    edge.executor.script = lambda frame: [result(frame, status=failed, reason="secret")]
    async with client_of(edge, mode, "orders") as client:
        told = await client.call_tool("POST_quick")

    assert told.is_error
    assert "Execution failed (502)" in text(told)
    assert "secret" not in text(told)


async def test_limits_hold_for_tools(edge: Edge) -> None:
    limits = [{"name": "few", "limit": 1, "windowSeconds": 60}]
    shop(edge, route("POST", "/few", rateLimits=limits))
    async with client_of(edge) as client:
        first = await client.call_tool("POST_few")
        second = await client.call_tool("POST_few")

    assert [(call.route.path, status) for call, status in edge.recorded if call.route] == [
        ("/shop/few", 200),
        ("/shop/few", 429),
    ]
    assert not first.is_error
    assert second.is_error
    assert "Quota exceeded (429)" in text(second)


@pytest.mark.parametrize("mode", MODES)
async def test_an_answer_without_a_body_keeps_to_what_the_tool_says(edge: Edge, mode: str) -> None:
    fields: dict[str, Any] = {"responseEnvelope": True, "outputSchema": TOTAL}
    shop(
        edge,
        route("POST", "/gone", postResponseScript="({statusCode: 204})", **fields),
        route(
            "POST",
            "/moved",
            postResponseScript="({statusCode: 303, headers: {Location: '/x'}})",
            **fields,
        ),
    )
    edge.executor.script = lambda frame: [result(frame, "{}")]
    async with client_of(edge, mode) as client:
        # It checks what it is given.
        await client.list_tools()
        gone = await client.call_tool("POST_gone")
        moved = await client.call_tool("POST_moved")

    assert (gone.is_error, gone.structured_content) == (False, {})
    assert moved.is_error
    assert text(moved) == "It is elsewhere (303): /x"


@pytest.mark.parametrize("mode", MODES)
async def test_what_is_not_done_in_time_says_so_and_where_it_will_be(edge: Edge, mode: str) -> None:
    """It takes the second that the route waits."""
    shop(edge, route("POST", "/slow", timeoutInSeconds=1, outputSchema=TOTAL))
    edge.executor.script = lambda frame: [accepted(frame)]
    async with client_of(edge, mode) as client:
        await client.list_tools()
        told = await client.call_tool("POST_slow")

    execution_id = (await edge.executor.next()).start.execution_id
    assert not told.is_error
    assert told.structured_content["executionId"] == execution_id
    assert told.structured_content["location"] in text(told)


async def test_an_asynchronous_route_answers_at_once(edge: Edge) -> None:
    async with client_of(edge, service_id="orders") as client:
        told = await client.call_tool("PUT_orderId", {"orderId": "7"})

    assert not told.is_error
    assert "/-/executions/" in text(told)


@pytest.mark.parametrize("mode", MODES)
async def test_who_listens_is_told_of_progress_and_then_the_result(edge: Edge, mode: str) -> None:
    shop(edge, route("POST", "/long", timeoutInSeconds=1, exposeDetails=True))
    edge.executor.script = lambda frame: [accepted(frame)]
    told: list[tuple[float, float | None, str | None]] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))
        if len(told) == 1:
            say(edge, change(2, "RUNNING", polled(1, 20)))
        if len(told) == 2:
            start = await asking(edge)
            end(edge, start, output='{"done": true}')
            say(edge, change(3, "RUNNING", polled(2, 20)), change(4, "COMPLETED"))

    async with client_of(edge, mode) as client:
        say(edge, change(1))
        answer = await client.call_tool("POST_long", {}, progress_callback=heard)

    assert json.loads(text(answer)) == {"done": True}
    values = [value for value, _, _ in told]
    assert values == sorted(set(values))
    assert (20.0, 100.0, "RUNNING, 20; job IN_PROGRESS, poll 1") in told


@pytest.mark.parametrize("mode", MODES)
async def test_who_reads_no_stream_waits_as_long_as_the_route(edge: Edge, mode: str) -> None:
    """It takes the second that the route waits."""
    shop(edge, route("POST", "/slow", timeoutInSeconds=1))
    edge.executor.script = lambda frame: [accepted(frame)]
    answer = await called(edge, "POST_slow", mode, listens=True, accept="application/json")

    (content,) = answer.json()["result"]["content"]
    assert content["text"].startswith("It is not done yet")


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_that_leaves_ends_its_execution_where_the_route_says_so(
    edge: Edge, mode: str
) -> None:
    shop(edge, route("POST", "/now", onClientGone="TERMINATE"))
    edge.executor.script = lambda frame: [accepted(frame)]
    for listens in (True, False):
        asks = asyncio.create_task(called(edge, "POST_now", mode, listens=listens))
        start = await asking(edge)
        asks.cancel()
        while start.execution_id not in [told.execution_id for told, _ in edge.executor.told]:
            await edge.client.get("/-/health")


@pytest.mark.parametrize("mode", MODES)
async def test_an_edge_that_ends_says_what_is_known(
    executor: ScriptedExecutor, address: str, mode: str
) -> None:
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        edge = await stack.enter_async_context(gateway_to(executor, address))
        shop(edge, route("POST", "/long"))
        edge.executor.script = lambda frame: [accepted(frame)]
        heard = asyncio.Event()

        async def progress(progress: float, total: float | None, message: str | None) -> None:
            heard.set()

        async def call() -> Any:
            async with client_of(edge, mode) as client:
                # Later it would ask what the tool gives, and nobody would be there.
                await client.list_tools()
                say(edge, change(1))
                return await client.call_tool("POST_long", progress_callback=progress)

        calling = tasks.create_task(call())
        await heard.wait()
        await stack.aclose()

    told = calling.result()
    assert not told.is_error
    assert "It is not done yet" in text(told)

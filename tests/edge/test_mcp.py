"""Routes as tools, called by the SDK's own client over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from podium.executor.v1 import executor_pb2 as pb
from tests.edge.conftest import Edge, gateway_to
from tests.edge.documents import KEY, OTHER_KEY, STRANGERS_KEY, put, route, service
from tests.edge.scripted import ScriptedExecutor, accepted, result
from tests.edge.test_events import asking, change, end, polled, say

NEWEST = "2026-07-28"
MODES = ("legacy", NEWEST)
RATING = {
    "type": "object",
    "properties": {"rating": {"type": "integer", "maximum": 5}, "comment": {"type": "string"}},
    "required": ["rating"],
    "additionalProperties": False,
}
TOTAL = {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]}


def shop(edge: Edge, *routes: dict[str, Any], **fields: Any) -> None:
    """A service of the test's own, known as ``shop``."""
    put(edge.replica, service(*routes, id="shop", path="/shop", **fields))


@asynccontextmanager
async def client_of(
    edge: Edge, mode: str = NEWEST, service_id: str = "shop", key: str = KEY
) -> AsyncGenerator[Client]:
    url = f"http://{edge.address}/{service_id}/mcp"
    async with httpx2.AsyncClient(headers={"x-api-key": key}, trust_env=False) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


def text(told: Any) -> str:
    (content,) = told.content
    return str(content.text)


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


async def test_a_session_by_hand_is_served_and_none_is_kept(edge: Edge) -> None:
    url = f"http://{edge.address}/orders/mcp"
    async with (
        httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"}, trust_env=False) as http,
        streamable_http_client(url, http_client=http) as (read, write),
        ClientSession(read, write) as session,
    ):
        begun = await session.initialize()
        told = await session.call_tool("POST_quick", {})

    assert begun.server_info.title == "orders"
    assert not told.is_error


async def rpc(
    edge: Edge, method: str, params: dict[str, Any], version: str = "2025-06-18", **headers: str
) -> httpx.Response:
    """One request by hand."""
    return await edge.client.post(
        "/orders/mcp",
        json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params},
        headers={
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": version,
            **headers,
        },
    )


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
async def test_older_versions_are_spoken_too(edge: Edge, version: str) -> None:
    params = {
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    begun = await rpc(edge, "initialize", params, version)
    listed = await rpc(edge, "tools/list", {}, version)

    assert begun.json()["result"]["protocolVersion"] == version
    assert begun.headers["content-type"] == "application/json"
    assert "mcp-session-id" not in begun.headers
    assert listed.json()["result"]["tools"][0]["name"] == "POST_orderId_checkout"


async def test_a_version_that_nobody_knows_is_refused(edge: Edge) -> None:
    assert (await rpc(edge, "tools/list", {}, "1999-01-01")).status_code == 400


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
async def test_a_client_that_leaves_ends_its_execution_where_the_route_says_so(
    edge: Edge, mode: str
) -> None:
    shop(edge, route("POST", "/now", onClientGone="TERMINATE"))
    edge.executor.script = lambda frame: [accepted(frame)]
    for listens in (True, False):
        meta = {"progressToken": 1} if listens else {}
        params: dict[str, Any] = {"name": "POST_now", "arguments": {}, "_meta": meta}
        request = edge.client.post(
            "/shop/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
            headers={"accept": "application/json, text/event-stream"},
        )
        asks = asyncio.create_task(request)
        start = await asking(edge)
        asks.cancel()
        while start.execution_id not in [told.execution_id for told, _ in edge.executor.told]:
            await edge.client.get("/-/health")


async def test_keys_are_asked_for_as_of_any_route(edge: Edge) -> None:
    none = await rpc(edge, "tools/list", {}, **{"x-api-key": ""})
    wrong = await rpc(edge, "tools/list", {}, **{"x-api-key": "wrong"})
    strange = await rpc(edge, "tools/list", {}, **{"x-api-key": STRANGERS_KEY})
    other = await rpc(edge, "tools/list", {}, **{"x-api-key": OTHER_KEY})

    assert [each.status_code for each in (none, wrong, strange, other)] == [401, 401, 401, 200]
    assert none.headers["www-authenticate"] == 'Bearer realm="orders"'
    assert wrong.json()["type"] == "urn:podium:problem:unauthenticated"


async def test_services_that_say_no_have_no_tools(edge: Edge) -> None:
    shop(edge, route("POST", "/x"), mcpEnabled=False)
    for path, status in (("/shop/mcp", 404), ("/nothing/mcp", 404), ("/closed/mcp", 503)):
        answer = await edge.client.post(path, json={})
        assert answer.status_code == status, path


async def test_only_post_is_offered(edge: Edge) -> None:
    for method in ("GET", "DELETE", "PUT"):
        answer = await edge.client.request(method, "/orders/mcp")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "OPTIONS, POST"


async def test_pages_of_strange_origins_are_refused(edge: Edge) -> None:
    origin = "https://shop.example"
    refused = await rpc(edge, "tools/list", {}, origin=origin)
    own = await rpc(edge, "tools/list", {}, origin=f"http://{edge.address}")
    shop(edge, route("POST", "/x"), corsConfig={"accessControlAllowOrigin": [origin]})
    asked = {"origin": origin, "access-control-request-method": "POST"}
    preflight = await edge.client.options("/shop/mcp", headers=asked)
    answer = await edge.client.post(
        "/shop/mcp",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        headers={"origin": origin, "accept": "application/json"},
    )

    # A name that leads here may be a page's own (DNS rebinding).
    assert (refused.status_code, own.status_code) == (403, 403)
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"{}", {"accept": "text/html"}, 406),
        (b"[" * 100_000, {}, 400),
        (b'{"jsonrpc": "2.0", "method": "notifications/initialized"}', {}, 202),
    ],
)
async def test_what_is_no_request_is_refused(
    edge: Edge, body: bytes, headers: dict[str, str], status: int
) -> None:
    given = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    answer = await edge.client.post("/orders/mcp", content=body, headers=given | headers)

    assert answer.status_code == status


async def test_a_body_too_large_is_refused(edge: Edge) -> None:
    answer = await edge.client.post("/orders/mcp", content=b" " * 11_000_000)

    assert answer.status_code == 413


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

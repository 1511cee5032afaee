"""A service's routes as tools, from outside, by the SDK's own client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.system.conftest import expose, http
from tests.system.running import Suite
from tests.system.test_gateway_sse import job

# Suites that start beside others on a busy machine take their time.
pytestmark = pytest.mark.timeout(120)

NEWEST = "2026-07-28"
ITEM = {
    "type": "object",
    "properties": {"count": {"type": "integer", "minimum": 1}},
    "required": ["count"],
}
T = TypeVar("T")


def by(suite: Suite, work: Callable[[Client], Awaitable[T]], mode: str = NEWEST) -> T:
    """What ``work`` gives with a client of the tools."""

    async def connected() -> T:
        url = f"{suite.gateway}/tools/mcp"
        async with (
            httpx2.AsyncClient(headers=suite.caller("tools"), trust_env=False) as client,
            Client(streamable_http_client(url, http_client=client), mode=mode) as tools,
        ):
            return await work(tools)

    return asyncio.run(connected())


def text(told: Any) -> str:
    return str(told.content[0].text)


@pytest.fixture(scope="module")
def tools(suite: Suite, upstream: str) -> Suite:
    """A service of four routes: quick, long, failing and limited."""
    flows = {
        "tools-long": job(upstream, 2.5),
        "tools-failing": [http("call", f"{upstream}/faults/500")],
    }
    item = http("item", f"{upstream}/items/${{workflow.input.id}}")
    output = {"outputParameters": {"item": "${item.output.body.item}"}}
    documents = expose("tools", item, workflow=output)
    documents += [{"name": name, "version": 1, "tasks": tasks} for name, tasks in flows.items()]
    documents[1]["permissions"] += [
        {"target": {"type": "workflow", "id": name}, "access": ["EXECUTE"]} for name in flows
    ]
    few = [{"name": "few", "limit": 1, "windowSeconds": 3600}]
    structured = {"type": "object", "properties": {"item": {"type": "string"}}}
    documents[3]["routes"] = [
        route("POST", "/items/{id}", "tools", inputSchema=ITEM, outputSchema=structured),
        route("POST", "/long", "tools-long", timeoutInSeconds=1, exposeDetails=True),
        route("POST", "/failing", "tools-failing"),
        route("GET", "/few/{id}", "tools", rateLimits=few),
        route("POST", "/forbidden", "elsewhere"),
    ]
    documents.append({"name": "elsewhere", "version": 1, "tasks": [item]})
    suite.apply(*documents)
    return suite


def route(method: str, path: str, workflow: str, **fields: Any) -> dict[str, Any]:
    return {"httpMethod": method, "path": path, "mappedWorkflow": {"name": workflow}, **fields}


@pytest.mark.parametrize("mode", ["legacy", NEWEST])
def test_routes_are_listed_and_called(tools: Suite, mode: str) -> None:
    async def work(client: Client) -> tuple[list[str], Any]:
        names = [tool.name for tool in (await client.list_tools()).tools]
        return names, await client.call_tool("POST_items_id", {"id": "a-b", "count": 2})

    names, told = by(tools, work, mode)

    assert names == ["POST_items_id", "POST_long", "POST_failing", "GET_few_id"]
    assert not told.is_error, text(told)
    assert told.structured_content == {"item": "a-b"}
    assert json.loads(text(told)) == {"item": "a-b"}


@pytest.mark.parametrize("mode", ["legacy", NEWEST])
def test_what_goes_wrong_is_the_tools_error(tools: Suite, mode: str) -> None:
    async def work(client: Client) -> tuple[Any, Any]:
        return (
            await client.call_tool("POST_items_id", {"id": "1", "count": 0}),
            await client.call_tool("POST_failing"),
        )

    wrong, failed = by(tools, work, mode)

    assert wrong.is_error
    assert "/count" in text(wrong)
    assert failed.is_error
    assert "Execution failed (502)" in text(failed)


def test_limits_are_those_of_the_route(tools: Suite) -> None:
    async def work(client: Client) -> list[bool]:
        return [(await client.call_tool("GET_few_id", {"id": "1"})).is_error for _ in range(3)]

    assert by(tools, work)[1:] == [True, True]
    over = httpx.get(f"{tools.gateway}/tools/few/1", headers=tools.caller("tools"))
    assert over.status_code == 429


@pytest.mark.parametrize("mode", ["legacy", NEWEST])
def test_a_long_call_is_waited_for_by_who_listens(tools: Suite, mode: str) -> None:
    told: list[tuple[float, str | None]] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))

    async def work(client: Client) -> Any:
        return await client.call_tool("POST_long", progress_callback=heard)

    result = by(tools, work, mode)

    assert not result.is_error, text(result)
    assert json.loads(text(result))["response"]["body"]["status"] == "COMPLETED"
    values = [value for value, _ in told]
    assert values == sorted(set(values))
    assert any("poll" in (sentence or "") for _, sentence in told)


def test_who_does_not_listen_is_told_where_the_answer_will_be(tools: Suite) -> None:
    async def work(client: Client) -> Any:
        return await client.call_tool("POST_long")

    told = by(tools, work)

    assert not told.is_error
    location = text(told).rpartition(" ")[2]
    answer = httpx.get(f"{tools.gateway}{location}", headers=tools.caller("tools"))
    assert answer.status_code in (200, 202)


def test_keys_and_origins_are_checked(tools: Suite) -> None:
    url, asked = f"{tools.gateway}/tools/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    key = tools.caller("tools")
    page = {"Origin": "https://rebound.example"}

    for headers, status in (
        ({}, 401),
        ({"X-API-Key": "wrong"}, 401),
        (key | page, 403),
        (key, 200),
    ):
        accepting = {"Accept": "application/json, text/event-stream"}
        answer = httpx.post(url, json=asked, headers=headers | accepting)
        assert answer.status_code == status, headers
    assert httpx.get(url, headers=key).status_code == 405


def test_its_configuration_is_printed(tools: Suite) -> None:
    done = tools.podium("routes", "mcp", "tools")
    missing = tools.podium("routes", "mcp", "nothing")

    assert done.returncode == 0, done.stderr
    server = json.loads(done.stdout)["mcpServers"]["tools"]
    assert server["url"] == f"{tools.gateway}/tools/mcp"
    assert server["headers"] == {"X-API-Key": "KEY"}
    assert missing.returncode == 1

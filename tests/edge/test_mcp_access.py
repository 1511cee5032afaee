"""Who may have a service's tools, how they are asked for, and how they are listed."""

from __future__ import annotations

from typing import Any

import httpx2
import mcp_types
import pytest
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from tests.edge.conftest import Edge
from tests.edge.documents import KEY, OTHER_KEY, STRANGERS_KEY, route
from tests.edge.mcp_clients import MODES, client_of, rpc, shop


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


@pytest.mark.parametrize("mode", MODES)
async def test_many_tools_are_told_in_pages(edge: Edge, mode: str) -> None:
    shop(edge, *(route("POST", f"/{number}") for number in range(201)))
    async with client_of(edge, mode) as client:
        first = await client.list_tools()
        rest = await client.list_tools(cursor=first.next_cursor)
        with pytest.raises(MCPError) as caught:
            await client.list_tools(cursor="nowhere")

    names = [tool.name for tool in (*first.tools, *rest.tools)]
    assert names == [f"POST_{number}" for number in range(201)]
    assert rest.next_cursor is None
    assert caught.value.code == -32602


@pytest.mark.parametrize("mode", MODES)
async def test_a_call_has_no_tools_listed(
    edge: Edge, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[dict[str, Any]] = []
    made = mcp_types.ListToolsResult

    def recorded(**fields: Any) -> mcp_types.ListToolsResult:
        listed.append(fields)
        return made(**fields)

    async with client_of(edge, mode, "orders") as client:
        await client.list_tools()
        monkeypatch.setattr(mcp_types, "ListToolsResult", recorded)
        told = await client.call_tool("POST_orderId_checkout", {"orderId": "1"})

    assert not told.is_error
    assert listed == []


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

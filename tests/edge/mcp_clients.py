"""Clients of a gateway's tools: the SDK's own, and by hand."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.edge.conftest import Edge
from tests.edge.documents import KEY, put, service

NEWEST = "2026-07-28"
MODES = ("legacy", NEWEST)


def shop(edge: Edge, *routes: dict[str, Any], **fields: Any) -> None:
    """A service of the test's own, known as ``shop``."""
    put(edge.replica, service(*routes, id="shop", path="/shop", **fields))


@asynccontextmanager
async def client_of(
    edge: Edge, mode: str = NEWEST, service_id: str = "shop", key: str = KEY, token: str = ""
) -> AsyncGenerator[Client]:
    url = f"http://{edge.address}/{service_id}/mcp"
    shown = {"authorization": f"Bearer {token}"} if token else {"x-api-key": key}
    async with httpx2.AsyncClient(headers=shown, trust_env=False) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


def text(told: Any) -> str:
    (content,) = told.content
    return str(content.text)


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


async def called(
    edge: Edge, name: str, mode: str, *, listens: bool, **headers: str
) -> httpx.Response:
    """A call by hand."""
    given = {"accept": "application/json, text/event-stream", **headers}
    meta: dict[str, Any] = {"progressToken": 1} if listens else {}
    if mode == NEWEST:
        given |= {"mcp-protocol-version": NEWEST, "mcp-method": "tools/call", "mcp-name": name}
        meta["io.modelcontextprotocol/protocolVersion"] = NEWEST
        meta["io.modelcontextprotocol/clientCapabilities"] = {}
    params = {"name": name, "arguments": {}, "_meta": meta}
    document = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return await edge.client.post("/shop/mcp", json=document, headers=given)

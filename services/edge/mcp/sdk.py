"""The Model Context Protocol, by its official SDK; imported when it is first asked for.

Importing it takes a second and 60 MB, which an edge without such clients does not have to spend.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError

from services.edge.mcp.asgi import App
from services.edge.mcp.results import Result
from services.edge.mcp.tools import Tool

# It tells of every request's transport, as if each were a session.
logging.getLogger("mcp").setLevel(logging.WARNING)

Context = ServerRequestContext[Any, Any]
Tell = Callable[[float, float | None, str], Awaitable[None]]
"""Takes a number that grows, the number at the end if that is known, and a sentence."""

SCOPE = "podium.client"


class Client(Protocol):
    """Who asks, as the application's scope holds it."""

    title: str
    instructions: str

    def tools(self) -> Mapping[str, Tool]:
        """Those that it may call, by name."""

    async def call(self, tool: Tool, arguments: Mapping[str, Any], tell: Tell | None) -> Result:
        """Call one; ``tell`` is told of progress."""


@dataclass(frozen=True, slots=True)
class Apps:
    """Two ways of answering the same: at once, and as a stream in which progress is told."""

    whole: App
    streaming: App


@asynccontextmanager
async def serving(version: str, most_bytes: int) -> AsyncGenerator[Apps]:
    """The applications, within the block; of no session anything is kept."""
    server: Server[Any] = Server(
        "podium", version=version, on_list_tools=_list_tools, on_call_tool=_call_tool
    )
    server.middleware.append(_introduce)
    async with AsyncExitStack() as stack:
        managers = [
            StreamableHTTPSessionManager(
                server, json_response=whole, stateless=True, max_request_body_size=most_bytes
            )
            for whole in (True, False)
        ]
        for manager in managers:
            await stack.enter_async_context(manager.run())
        yield Apps(*(manager.handle_request for manager in managers))


def _client(context: Context) -> Client:
    request: Any = context.request
    client: Client = request.scope[SCOPE]
    return client


async def _introduce(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Say whose tools these are: one server answers for all services."""
    result = await call_next(ctx)
    if ctx.method not in ("initialize", "server/discover") or not isinstance(result, dict):
        return result
    client = _client(ctx)
    told = {**result, "instructions": client.instructions} if client.instructions else result
    if "serverInfo" in told:
        told = {**told, "serverInfo": {**told["serverInfo"], "title": client.title}}
    return told


async def _list_tools(
    context: Context, _params: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    tools = [
        types.Tool(
            name=tool.name,
            description=tool.description,
            input_schema=tool.input_schema,
            output_schema=tool.output_schema,
        )
        for tool in _client(context).tools().values()
    ]
    return types.ListToolsResult(tools=tools)


async def _call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    client = _client(context)
    tool = client.tools().get(params.name)
    if tool is None:
        raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name}")
    listens = (context.meta or {}).get("progress_token") is not None
    tell = context.session.report_progress if listens else None
    result = await client.call(tool, params.arguments or {}, tell)
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=result.text)],
        structured_content=result.structured,
        is_error=result.is_error,
    )

"""The Model Context Protocol, by its official SDK; imported when it is first asked for.

Importing it takes a second and 60 MB, which an edge without such clients does not have to spend.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from starlette.types import Receive, Scope, Send

from services.edge.mcp.asgi import App
from services.edge.mcp.results import Result
from services.edge.mcp.tools import Schema, Tool

# It tells of every request's transport, as if each were a session.
logging.getLogger("mcp").setLevel(logging.WARNING)

Context = ServerRequestContext[Any, Any]
Tell = Callable[[float, float | None, str], Awaitable[None]]
"""Takes a number that grows, the number at the end if that is known, and a sentence."""

SCOPE = "podium.client"
# What is told of many at once holds up everybody else.
_MOST_LISTED = 200

# Not the client: what begins meanwhile, and goes on, keeps this for as long.
_callable: ContextVar[Mapping[str, Tool]] = ContextVar("callable")


class Client(Protocol):
    """Who asks, as the application's scope holds it.

    Attributes:
        tools: Those that it may call, by name.
    """

    title: str
    instructions: str
    tools: Mapping[str, Tool]

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
        "podium",
        version=version,
        on_list_tools=_list_tools,
        on_call_tool=_call_tool,
        get_tool_input_schema=_input_schema,
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
        yield Apps(*map(_app, managers))


def _app(manager: StreamableHTTPSessionManager) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, in a task of its own."""
        _callable.set(scope[SCOPE].tools)
        await manager.handle_request(scope, receive, send)

    return app


def _input_schema(name: str) -> Schema | None:
    """Of one tool; without it the SDK has all tools listed before each call."""
    tool = _callable.get().get(name)
    return tool.input_schema if tool else None


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
    context: Context, params: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    told, cursor = _page(_client(context).tools, params.cursor if params else None)
    tools = [
        types.Tool(
            name=tool.name,
            description=tool.description,
            input_schema=tool.input_schema,
            output_schema=tool.output_schema,
        )
        for tool in told
    ]
    return types.ListToolsResult(tools=tools, next_cursor=cursor)


def _page(tools: Mapping[str, Tool], cursor: str | None) -> tuple[list[Tool], str | None]:
    """The tools after that of ``cursor``, and the next one's cursor if there are more."""
    names = list(tools)
    if cursor is not None and cursor not in tools:
        raise MCPError(types.INVALID_PARAMS, "The cursor leads nowhere (any more): list again.")
    begin = names.index(cursor) + 1 if cursor is not None else 0
    page = names[begin : begin + _MOST_LISTED]
    more = begin + len(page) < len(names)
    return [tools[name] for name in page], page[-1] if more else None


async def _call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    client = _client(context)
    tool = client.tools.get(params.name)
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

"""``/{serviceId}/mcp``: who may ask there, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from services.edge import mapping
from services.edge.accepts import EVENTS
from services.edge.admitted import still_admitted
from services.edge.bodies import aside, read_body
from services.edge.call import Answer, Call, caller_of
from services.edge.dispatch import found_or_answer
from services.edge.documentation import schemas_of
from services.edge.endpoint import Endpoint, of_problem
from services.edge.mcp.arguments import request_of
from services.edge.mcp.asgi import Exchange
from services.edge.mcp.inside import InnerCall, Report
from services.edge.mcp.reporting import Reporter
from services.edge.mcp.results import Result, result_of
from services.edge.mcp.tools import Tool, tools_of
from services.edge.problems import Problem, retry_after
from services.edge.progress import Update
from services.edge.proving import proven
from services.edge.trie import Elsewhere, Found

if TYPE_CHECKING:
    from services.edge.cors import Cors
    from services.edge.endpoint import Stage
    from services.edge.gateway import Gateway
    from services.edge.mcp.sdk import Tell
    from services.replica import Stored

PAGE = "mcp"


def tool_stage(route_stages: tuple[Stage[Gateway], ...]) -> Stage[Gateway]:
    """The stage that answers clients of tools; ``route_stages`` are the way of a tool's call."""

    async def tools(call: Call, gateway: Gateway) -> Answer | None:
        """The answer, where the path is a service's whose routes are tools.

        Raises:
            Problem: 401, 403 (a page of a strange origin), 405, 408, 413, 415, 503.
        """
        if len(call.segments) != 2 or call.segments[1] != PAGE:
            return None
        stored = gateway.definitions.replica.get("service", call.segments[0])
        if stored is None or stored.document.get("mcpEnabled") is False:
            return None
        call.place = (stored.name, "POST", "/{serviceId}/mcp")
        _check_origin(call, gateway.definitions.cors_of(stored.name))
        here = Found(stored) if call.method == "POST" else Elsewhere({"POST": stored})
        if isinstance(found := found_or_answer(call.method, here), Answer):
            return found
        if stored.document.get("enabled") is False:
            raise Problem("service-disabled", headers=(retry_after(60),))
        await _let_in(call, gateway, stored)
        return await _answer(call, gateway, stored, Endpoint(route_stages, gateway))

    return tools


async def _answer(
    call: Call, gateway: Gateway, stored: Stored, endpoint: Endpoint[Gateway]
) -> Answer:
    body = await read_body(call, gateway.body_limits)
    mapping.check_content_type(call.header.get(b"content-type"))
    apps = await gateway.tools.apps()
    # What is told on the way needs a stream, and a client that reads one.
    listens = b"progressToken" in body and EVENTS in call.header.get(b"accept", b"")
    tools = await _tools(call, gateway, stored)
    client = ServiceClient(call, gateway, stored, endpoint, tools, listens=listens)
    exchange = Exchange(call, body, gateway.streams.seconds, client.end)
    answer = await exchange.answer(
        apps.streaming if listens else apps.whole, {"podium.client": client}
    )
    if answer.stream is None:
        return answer
    still = partial(still_admitted, call, gateway)
    return replace(answer, stream=replace(answer.stream, still=still))


async def _tools(call: Call, gateway: Gateway, stored: Stored) -> Mapping[str, Tool]:
    """Those that the caller may call, by name."""
    schemas = schemas_of(stored, gateway)
    size = len(stored.text) + sum(len(text) for *_, text in schemas)
    tools = await aside(size, tools_of, stored.text, schemas)
    may, caller = gateway.definitions.may_execute, caller_of(call)
    return {
        name: tool
        for name, tool in tools.items()
        if tool.route.scopes <= caller.scopes
        and may(caller.application_id, tool.route.workflow, tool.route.version)
    }


def _check_origin(call: Call, cors: Cors | None) -> None:
    """Refuse pages that the service lets not in: a name of theirs may lead here (DNS rebinding)."""
    origin = call.header.get(b"origin")
    if origin is None:
        return
    if cors is None or not cors.allows(origin):
        raise Problem("forbidden", "Pages of this origin may not call here.")
    call.shared_headers = cors.headers_of_answer(origin)


async def _let_in(call: Call, gateway: Gateway, stored: Stored) -> None:
    config = gateway.definitions.auth(stored.document["authConfigId"])
    if config is None:
        raise Problem("unavailable", headers=(retry_after(),))
    call.caller = await proven(call, gateway, config, stored.name)


class ServiceClient:
    """One request of a client, to whom a service's routes are tools.

    Args:
        tools: Those that it may call, by name.
        listens: It is told of progress, if it asks for that.
    """

    def __init__(
        self,
        call: Call,
        gateway: Gateway,
        stored: Stored,
        endpoint: Endpoint[Gateway],
        tools: Mapping[str, Tool],
        *,
        listens: bool,
    ) -> None:
        self._call = call
        self._gateway = gateway
        self._endpoint = endpoint
        self._listens = listens
        self.tools = tools
        self._inner: InnerCall | None = None
        self.title: str = stored.document.get("name") or stored.name
        self.instructions: str = stored.document.get("description") or ""

    async def call(self, tool: Tool, arguments: Mapping[str, Any], tell: Tell | None) -> Result:
        """What the route answers to ``arguments``."""
        try:
            asked = request_of(tool, arguments)
        except Problem as problem:
            return result_of(of_problem(self._call, problem), tool)
        self._inner = InnerCall(self._call, asked, self._endpoint, self._gateway)
        # A kept answer, or another's execution, has no progress of its own.
        listens = self._listens and tool.route.cache is None and not tool.route.asynchronous
        report = _report(tell) if listens and tell is not None else None
        return result_of(await self._gateway.tools.run(self._inner, report), tool)

    def end(self) -> None:
        """Answer soon, with what is known."""
        if self._inner is not None:
            self._inner.end()


def _report(tell: Tell) -> Report:
    reporter = Reporter()

    async def report(update: Update, *, exposed: bool) -> None:
        progress = reporter.report(update, exposed=exposed)
        if progress is not None:
            await tell(progress.value, progress.total, progress.sentence)

    return report

"""What the gateway answers itself, below ``/-/``: health, executions' answers, callbacks, files."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from services.edge import answers, callbacks, events, inbound
from services.edge.call import JSON, Answer, Call
from services.edge.dispatch import found_or_answer, looked_up
from services.edge.docs import assets
from services.edge.trie import Trie

if TYPE_CHECKING:
    from services.edge.gateway import Gateway

Page = Callable[..., Awaitable[Answer]]


async def health(call: Call, gateway: Gateway) -> Answer:
    """200 as long as this process serves; what it leans on is told beside."""
    document = {
        "status": "ok",
        "executor": "connected" if gateway.session.connected else "away",
        "definitions": "stale" if gateway.definitions.replica.stale else "current",
    }
    return Answer(200, json.dumps(document).encode(), (JSON, (b"cache-control", b"no-store")))


def _pages() -> Trie[tuple[str, Page]]:
    """Each with its template."""
    pages: Trie[tuple[str, Page]] = Trie()
    for method, template, page in (
        ("GET", "/-/health", health),
        ("GET", "/-/executions/{id}", events.get_execution),
        ("DELETE", "/-/executions/{id}", answers.delete_execution),
        ("POST", "/-/callbacks/{token}", callbacks.complete),
        ("POST", "/-/webhooks/{name}", inbound.receive),
        ("GET", "/-/docs/{version}/{name}", assets.asset),
    ):
        pages.add(method, template, (template, page))
    return pages


_PAGES = _pages()


async def own_pages(call: Call, gateway: Gateway) -> Answer | None:
    """The page, where the path is below ``/-/``; no service's route is there."""
    if call.segments[:1] != ("-",):
        return None
    found = found_or_answer(call.method, _PAGES.find(looked_up(call.method), call.segments))
    if isinstance(found, Answer):
        return found
    template, page = found.value
    call.place = ("", looked_up(call.method), template)
    return await page(call, gateway, *found.parameters)

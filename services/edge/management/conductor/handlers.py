"""``/api/event``: event handlers, which are definitions of the kind ``event``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from podium.registry.v1 import registry_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, asked, nothing, shown
from services.edge.management.conductor.fields import refused
from services.edge.management.conductor.handler_documents import handler_shown, handler_written
from services.edge.management.conductor.jackson import name_in
from services.edge.management.conductor.putting import validated
from services.edge.management.conductor.tag_pages import tag_pages
from services.edge.management.configuration.documents import Document, Kept
from services.edge.management.page import Page
from services.errors import AlreadyExists, NotFound, Stale

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_MOST = 1000
_WHAT = "an event handler"


async def add(call: Call, management: Management) -> Answer:
    """POST of one handler, or of a list of them, which are stored together: 200.

    Raises:
        Problem: 400 with every fault, 409 when one of them is there already.
    """
    request = asked(call, management)
    body = await request.body()
    handlers = _documents(body if isinstance(body, list) else [body])
    puts = await asyncio.to_thread(_puts, handlers)
    try:
        with validated():
            put = await request.ask(
                request.stubs.registry.PutDefinitions, pb.PutDefinitionsRequest(puts=puts)
            )
    except Stale as error:
        name = error.metadata.get("name", "")
        raise AlreadyExists(f"EventHandler with name {name} already exists!") from None
    management.written.note(put.revision)
    return nothing()


def _documents(sent: Sequence[object]) -> list[Document]:
    if not 0 < len(sent) <= _MOST or not all(isinstance(each, dict) for each in sent):
        raise refused("", f"The body must be {_WHAT}, or a list of 1 to {_MOST} of them")
    return [handler_written(each) for each in sent if isinstance(each, dict)]


def _puts(handlers: Iterable[Document]) -> list[pb.DocumentPut]:
    return [
        pb.DocumentPut(document=json.dumps(each, ensure_ascii=False), etag="*") for each in handlers
    ]


async def update(call: Call, management: Management) -> Answer:
    """PUT: 200; 404 when there is none of that name."""
    request = asked(call, management)
    sent = await request.document(_WHAT)
    name = name_in(sent, "event handler")
    try:
        with validated():
            await request.registry.change(
                "event", name, lambda before: handler_written(sent, before)
            )
    except NotFound:
        raise _missing(name) from None
    return nothing()


async def remove(call: Call, management: Management, name: str) -> Answer:
    """DELETE: 200; 404 when there is none of that name."""
    try:
        await asked(call, management).registry.delete("event", name)
    except NotFound:
        raise _missing(name) from None
    return nothing()


async def list_all(call: Call, management: Management) -> Answer:
    """GET: 200 with a list of those that the caller may read."""
    return await _listed(await asked(call, management).registry.all("event"))


async def of_event(call: Call, management: Management, event: str) -> Answer:
    """GET of an event: 200 with its handlers; only active ones unless ``activeOnly=false``."""
    request = asked(call, management)
    active_only = request.query.flag("activeOnly", default=True)
    found = [
        kept
        for kept in await request.registry.all("event")
        if kept.document.get("event") == event
        and (kept.document.get("active") is True or not active_only)
    ]
    return await _listed(found)


async def get(call: Call, management: Management, name: str) -> Answer:
    """GET of one by its name, as Orkes has it: 200, 404."""
    kept = await _read(asked(call, management), name)
    return await shown(kept.size, lambda: handler_shown(kept.document))


async def _read(request: Asked, name: str) -> Kept:
    try:
        return await request.registry.get("event", name)
    except NotFound:
        raise _missing(name) from None


async def _listed(handlers: Sequence[Kept]) -> Answer:
    size = sum(each.size for each in handlers)
    return await shown(size, lambda: [handler_shown(each.document) for each in handlers])


def _missing(name: str) -> NotFound:
    return NotFound(f"EventHandler with name {name} not found!")


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("POST", "/api/event", add),
    ("PUT", "/api/event", update),
    ("GET", "/api/event", list_all),
    ("DELETE", "/api/event/{name}", remove),
    ("GET", "/api/event/{event}", of_event),
    ("GET", "/api/event/handler", list_all),
    ("GET", "/api/event/handler/{name}", get),
    *tag_pages("event", "/api/event/{name}/tags", "EventHandler with name {} not found!"),
)

"""``/api/metadata/taskdefs``: task definitions by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import asked, nothing, shown
from services.edge.management.conductor.putting import STAYING, known, put_together, told, validated
from services.edge.management.conductor.shapes import all_written, task_def_shown, written
from services.edge.management.conductor.tag_pages import tag_pages
from services.edge.management.configuration.documents import Document
from services.edge.management.page import Page
from services.errors import Fault, InvalidDefinition

if TYPE_CHECKING:
    from services.edge.management.pages import Management


async def register(call: Call, management: Management) -> Answer:
    """POST of a list: 200; those that are there already are as they are sent from then on."""
    request = asked(call, management)
    return told(await put_together(request, all_written("task", await request.body())))


async def update(call: Call, management: Management) -> Answer:
    """PUT of one: 200; 404 where there is none of the name, which clients then POST."""
    request = asked(call, management)
    document = written("task", await request.body())
    with validated(), known(f"No such task by name {document.get('name')}"):
        name = _name(document)
        kept = await request.registry.change("task", name, lambda b: _over(b, document))
    return told(kept.warnings)


def _name(document: Document) -> str:
    name = document.get("name")
    if not isinstance(name, str) or not name:
        fault = Fault("name", "TaskDef name cannot be null or empty")
        raise InvalidDefinition("The task definition has no name.", [fault])
    return name


def _over(before: Document, after: Document) -> Document:
    stays = {n: before[n] for n in STAYING if n in before and after.get(n) is None}
    return {**after, **stays}


async def list_all(call: Call, management: Management) -> Answer:
    """GET: 200 with those that the caller may read."""
    every = await asked(call, management).registry.all("task")
    size = sum(each.size for each in every)
    return await shown(size, lambda: [task_def_shown(each) for each in every])


async def get(call: Call, management: Management, name: str) -> Answer:
    """GET of one: 200."""
    request = asked(call, management)
    with known(f"No such taskType found by name: {name}"):
        kept = await request.registry.get("task", name)
    return await shown(kept.size, lambda: task_def_shown(kept))


async def delete(call: Call, management: Management, name: str) -> Answer:
    """DELETE of one: 200; 409 names the workflows whose tasks follow it."""
    request = asked(call, management)
    with known(f"No such taskType found by name: {name}"):
        await request.registry.delete("task", name)
    return nothing()


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("POST", "/api/metadata/taskdefs", register),
    ("PUT", "/api/metadata/taskdefs", update),
    ("GET", "/api/metadata/taskdefs", list_all),
    ("GET", "/api/metadata/taskdefs/{tasktype}", get),
    ("DELETE", "/api/metadata/taskdefs/{tasktype}", delete),
    *tag_pages("task", "/api/metadata/task/{taskName}/tags", "No such taskType found by name: {}"),
)

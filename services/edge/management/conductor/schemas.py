"""``/api/schema``: JSON Schemas by name and version, as Orkes' clients have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, asked, nothing, shown
from services.edge.management.conductor.putting import known, put_together
from services.edge.management.conductor.shapes import all_written, schema_shown
from services.edge.management.conductor.workflow_defs import path_version
from services.edge.management.configuration.documents import Document, Kept
from services.edge.management.page import Page
from services.errors import Stale

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_TRIES = 5


async def save(call: Call, management: Management) -> Answer:
    """POST of a list, or of one: 200.

    With ``newVersion`` each is a version behind the latest, whatever version it says.
    """
    request = asked(call, management)
    documents = all_written("schema", await request.body())
    if request.query.flag("newVersion"):
        await _put_behind(request, documents)
    else:
        await put_together(request, documents)
    return nothing()


async def _put_behind(request: Asked, documents: Sequence[Document]) -> None:
    """Put each as a version that is not there yet; numbered anew where others were quicker."""
    for _ in range(_TRIES):
        try:
            await put_together(request, await _numbered(request, documents), "*")
        except Stale as error:
            stale = error
        else:
            return
    raise stale


async def _numbered(request: Asked, documents: Sequence[Document]) -> list[Document]:
    latest, numbered = dict[str, int](), list[Document]()
    for document in documents:
        name = document.get("name")
        # What has no name is refused when it is put.
        if isinstance(name, str) and name:
            if name not in latest:
                there = await request.registry.named("schema", name=name, latest_only=True)
                latest[name] = there[0].version if there else 0
            latest[name] += 1
            document = {**document, "version": latest[name]}
        numbered.append(document)
    return numbered


async def list_all(call: Call, management: Management) -> Answer:
    """GET: 200 with every version of each that the caller may read."""
    every = await asked(call, management).registry.all("schema")
    size = sum(each.size for each in every)
    return await shown(size, lambda: [schema_shown(each) for each in every])


async def get_latest(call: Call, management: Management, name: str) -> Answer:
    """GET of one: 200 with its latest version."""
    request = asked(call, management)
    with known(f"No such schema found by name: {name}"):
        return await _answered(await request.registry.get("schema", name))


async def get(call: Call, management: Management, name: str, version: str) -> Answer:
    """GET of one version: 200."""
    request = asked(call, management)
    number = path_version(version)
    with known(f"No such schema found by name: {name}, version: {number}"):
        return await _answered(await request.registry.get("schema", name, number))


async def _answered(kept: Kept) -> Answer:
    return await shown(kept.size, lambda: schema_shown(kept))


async def delete_all(call: Call, management: Management, name: str) -> Answer:
    """DELETE of every version: 200; 409 names what uses one."""
    request = asked(call, management)
    with known(f"No such schema found by name: {name}"):
        await request.registry.delete("schema", name)
    return nothing()


async def delete(call: Call, management: Management, name: str, version: str) -> Answer:
    """DELETE of one version: 200; 409 names what uses it."""
    request = asked(call, management)
    number = path_version(version)
    with known(f"No such schema found by name: {name}, version: {number}"):
        await request.registry.delete("schema", name, number)
    return nothing()


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("POST", "/api/schema", save),
    ("GET", "/api/schema", list_all),
    ("GET", "/api/schema/{name}", get_latest),
    ("GET", "/api/schema/{name}/{version}", get),
    ("DELETE", "/api/schema/{name}", delete_all),
    ("DELETE", "/api/schema/{name}/{version}", delete),
)

"""``/api/schema``: JSON Schemas by name and version, as Orkes' clients have them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, asked, nothing, shown
from services.edge.management.conductor.jackson import known as known_fields
from services.edge.management.conductor.putting import known, put_together
from services.edge.management.conductor.shapes import all_written, schema_shown
from services.edge.management.conductor.workflow_defs import path_version
from services.edge.management.configuration.documents import Document, Kept
from services.edge.management.page import Page
from services.errors import Stale

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_TRIES = 5
# To ask for more of them one by one takes longer than to ask for all.
_FEW = 10
# Others are unknown to Conductor's reader, which ignores them.
_FIELDS = ("kind", "name", "version", "type", "data", "externalRef", "description", "tags")


async def save(call: Call, management: Management) -> Answer:
    """POST of a list, or of one: 200.

    With ``newVersion`` each is a version behind the latest, whatever version it says.
    """
    request = asked(call, management)
    sent = all_written("schema", await request.body())
    documents = [known_fields(each, _FIELDS) for each in sent]
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
    named = {name for each in documents if isinstance(name := each.get("name"), str) and name}
    latest, numbered = await _latest(request, named), list[Document]()
    for document in documents:
        name = document.get("name")
        # What has no name is refused when it is put.
        if isinstance(name, str) and name:
            latest[name] = latest.get(name, 0) + 1
            document = {**document, "version": latest[name]}
        numbered.append(document)
    return numbered


async def _latest(request: Asked, names: Collection[str]) -> dict[str, int]:
    """The latest version of each of ``names``, and maybe of others; of what is there alone."""
    registry = request.registry
    if len(names) > _FEW:
        there = await registry.named("schema", latest_only=True)
    else:
        each = [await registry.named("schema", name=name, latest_only=True) for name in names]
        there = [definition for found in each for definition in found]
    return {definition.name: definition.version for definition in there}


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

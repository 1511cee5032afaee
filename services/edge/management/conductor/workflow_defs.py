"""``/api/metadata/workflow``: workflow definitions by name and version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from podium.registry.v1.registry_pb2 import Definition
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, as_json, asked, nothing, shown
from services.edge.management.conductor.putting import known, put_together, told
from services.edge.management.conductor.reading import natural
from services.edge.management.conductor.shapes import all_written, workflow_shown
from services.edge.management.conductor.tag_pages import tag_pages
from services.edge.management.configuration.documents import Document, Kept
from services.edge.management.page import Page
from services.errors import AlreadyExists, InvalidRequest, Stale

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_LARGEST = 2**31 - 1


async def create(call: Call, management: Management) -> Answer:
    """POST of one: 200; 409 where there is one of its name and version, unless ``overwrite``."""
    request = asked(call, management)
    documents = all_written("workflow", await request.body())
    return told(await _put(request, documents, overwrite=request.query.flag("overwrite")))


async def update(call: Call, management: Management) -> Answer:
    """PUT of a list: 200 with whose were stored, which are all of them or none."""
    request = asked(call, management)
    documents = all_written("workflow", await request.body())
    overwrite = request.query.flag("overwrite", default=True)
    warnings = await _put(request, documents, overwrite=overwrite)
    names = [each["name"] for each in documents]
    return as_json(
        {
            "bulkErrorResults": {},
            "bulkSuccessfulResults": names,
            "message": "Bulk Request has been processed.",
            **({"warnings": warnings} if warnings else {}),
        }
    )


async def _put(request: Asked, documents: Sequence[Document], *, overwrite: bool) -> list[str]:
    try:
        return await put_together(request, documents, "" if overwrite else "*")
    except Stale as error:
        each = f"{error.metadata.get('name')}.{error.metadata.get('version')}"
        raise AlreadyExists(f"Workflow with {each} already exists!") from error


async def validate(call: Call, management: Management) -> Answer:
    """POST: 200 if it could be put, maybe with warnings; 400 with all that is wrong with it."""
    request = asked(call, management)
    documents = all_written("workflow", await request.body())
    return told(await put_together(request, documents, dry_run=True))


async def list_all(call: Call, management: Management) -> Answer:
    """GET: 200 with every version of each that the caller may read."""
    return await _list(await asked(call, management).registry.all("workflow"))


async def list_latest(call: Call, management: Management) -> Answer:
    """GET: 200 with the latest version of each."""
    return await _list(await asked(call, management).registry.all("workflow", latest_only=True))


async def _list(every: Sequence[Kept]) -> Answer:
    size = sum(each.size for each in every)
    return await shown(size, lambda: [workflow_shown(each) for each in every])


async def get(call: Call, management: Management, name: str) -> Answer:
    """GET of one with ``version``, or of its latest: 200."""
    request = asked(call, management)
    version = request.query.whole("version")
    said = version or "null"
    with known(f"No such workflow found by name: {name}, version: {said}"):
        kept = await request.registry.get("workflow", name, version)
    return await shown(kept.size, lambda: workflow_shown(kept))


async def names(call: Call, management: Management) -> Answer:
    """GET: 200 with each name, once, in order."""
    every = await asked(call, management).registry.named("workflow", latest_only=True)
    return await shown(_size(every), lambda: [each.name for each in every])


async def names_and_versions(call: Call, management: Management) -> Answer:
    """GET: 200 with what versions there are, by name."""
    every = await asked(call, management).registry.named("workflow")

    def by_name() -> dict[str, list[Document]]:
        found = dict[str, list[Document]]()
        for each in every:
            found.setdefault(each.name, []).append(_summary(each))
        return found

    return await shown(_size(every), by_name)


async def versions(call: Call, management: Management, name: str) -> Answer:
    """GET: 200 with what versions there are of a name; of an unknown one, none."""
    every = await asked(call, management).registry.named("workflow", name=name)
    return await shown(_size(every), lambda: [_summary(each) for each in every])


def _summary(definition: Definition) -> Document:
    created = definition.created_at.ToMilliseconds()
    return {"name": definition.name, "version": definition.version, "createTime": created}


def _size(definitions: Sequence[Definition]) -> int:
    return sum(len(each.name) + 50 for each in definitions)


async def delete(call: Call, management: Management, name: str, version: str) -> Answer:
    """DELETE of one version: 200; 409 names what uses it."""
    request = asked(call, management)
    number = path_version(version)
    with known(f"No such workflow found by name: {name}, version: {number}"):
        await request.registry.delete("workflow", name, number)
    return nothing()


def path_version(written: str) -> int:
    """A version in a path. Raises :class:`InvalidRequest`."""
    number = natural(written)
    if number and number <= _LARGEST:
        return number
    raise InvalidRequest(f"The version in the path must be a whole number, not {written[:40]!r}.")


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("POST", "/api/metadata/workflow", create),
    ("POST", "/api/metadata/workflow/validate", validate),
    ("PUT", "/api/metadata/workflow", update),
    ("GET", "/api/metadata/workflow", list_all),
    ("GET", "/api/metadata/workflow/names", names),
    ("GET", "/api/metadata/workflow/names-and-versions", names_and_versions),
    ("GET", "/api/metadata/workflow/latest-versions", list_latest),
    ("GET", "/api/metadata/workflow/{name}", get),
    ("GET", "/api/metadata/workflow/{name}/versions", versions),
    ("DELETE", "/api/metadata/workflow/{name}/{version}", delete),
    *tag_pages(
        "workflow", "/api/metadata/workflow/{name}/tags", "No such workflow found by name: {}"
    ),
)

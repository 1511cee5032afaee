"""``/api/secrets``: secrets by name; their values go in and never come out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import as_json, asked, nothing, shown
from services.edge.management.conductor.putting import known, validated
from services.edge.management.conductor.tag_pages import tag_pages
from services.edge.management.conductor.tagging import tags_shown
from services.edge.management.conductor.texts import read_text
from services.edge.management.page import Page
from services.errors import NotFound, PermissionDenied

if TYPE_CHECKING:
    from services.edge.management.pages import Management

# What is put here is a value: the rest of the definition stays.
_STAYING = ("tags", "description")


async def names(call: Call, management: Management) -> Answer:
    """GET or POST: 200 with the name of each that the caller may read, in order."""
    every = await asked(call, management).registry.named("secret")
    size = sum(len(each.name) for each in every)
    return await shown(size, lambda: [each.name for each in every])


async def list_tagged(call: Call, management: Management) -> Answer:
    """GET: 200 with the same, each with its tags."""
    every = await asked(call, management).registry.all("secret")
    size = sum(each.size for each in every)
    return await shown(
        size,
        lambda: [
            {"name": each.document["name"], "tags": tags_shown(each.document)} for each in every
        ],
    )


async def put(call: Call, management: Management, key: str) -> Answer:
    """PUT of a value as text: 200, whether there was such a secret or not."""
    request = asked(call, management)
    value = read_text(await request.bytes(), call.header.get(b"content-type"))
    document = {"kind": "secret", "name": key, "value": value}
    with validated({r"name\Z": "key", r"value\Z": ""}):
        await request.registry.put_all([document], staying=_STAYING)
    return nothing()


async def get(call: Call, management: Management, key: str) -> Answer:
    """GET of a value: never; 403 where there is such a secret, else 404."""
    request = asked(call, management)
    with known(f"No such secret found by name: {key}"):
        await request.registry.get("secret", key)
    raise PermissionDenied(
        "Values of secrets are told to nobody: they are put in as a request goes out or a worker "
        "is given its task.",
        kind="secret",
        name=key,
    )


async def exists(call: Call, management: Management, key: str) -> Answer:
    """GET: 200 with true or false."""
    request = asked(call, management)
    try:
        await request.registry.get("secret", key)
    except NotFound:
        return as_json(False)
    return as_json(True)


async def delete(call: Call, management: Management, key: str) -> Answer:
    """DELETE of one: 200; 409 names what uses it."""
    request = asked(call, management)
    with known(f"No such secret found by name: {key}"):
        await request.registry.delete("secret", key)
    return nothing()


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/api/secrets", names),
    ("POST", "/api/secrets", names),
    ("GET", "/api/secrets/v2", list_tagged),
    # As Orkes' clients spell it.
    ("GET", "/api/secrets-v2", list_tagged),
    ("GET", "/api/secrets/{key}", get),
    ("PUT", "/api/secrets/{key}", put),
    ("DELETE", "/api/secrets/{key}", delete),
    ("GET", "/api/secrets/{key}/exists", exists),
    *tag_pages("secret", "/api/secrets/{key}/tags", "No such secret found by name: {}"),
)

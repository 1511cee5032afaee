"""``/api/applications``: who calls, with which roles, as Orkes' clients manage them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from services.edge.call import Answer, Call
from services.edge.management.conductor import tagging
from services.edge.management.conductor.asking import as_json, asked, nothing, shown
from services.edge.management.conductor.fields import Fields
from services.edge.management.conductor.putting import known, validated
from services.edge.management.conductor.tag_pages import tag_pages
from services.edge.management.configuration.documents import Document, Kept
from services.edge.management.page import Page

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_KIND = "application"
UNKNOWN = "Application '{}' not found"
# Orkes' roles by ours; who has USER alone may do what it is granted, as every application may.
_ROLES = {
    "METADATA_MANAGER": ("EDITOR",),
    "WORKFLOW_MANAGER": ("OPERATOR",),
    "USER_READ_ONLY": ("VIEWER",),
    "USER": (),
    "UNRESTRICTED_WORKER": ("WORKER",),
}


async def list_all(call: Call, management: Management) -> Answer:
    """GET: 200 with a list of ConductorApplication, those that the caller may read."""
    every = await asked(call, management).registry.all(_KIND)
    return await shown(
        sum(each.size for each in every), lambda: [application_shown(each) for each in every]
    )


async def create(call: Call, management: Management) -> Answer:
    """POST of ``{"name"}``: 200 with the application, which has an id from now on."""
    request = asked(call, management)
    name = Fields(await request.document("an application")).wanted("name")
    with validated():
        kept = await request.registry.put({"kind": _KIND, "id": str(uuid4()), "name": name}, "*")
    return as_json(application_shown(kept))


async def get(call: Call, management: Management, id_: str) -> Answer:
    """GET: 200 with one."""
    request = asked(call, management)
    with known(UNKNOWN.format(id_)):
        return as_json(application_shown(await request.registry.get(_KIND, id_)))


async def rename(call: Call, management: Management, id_: str) -> Answer:
    """PUT of ``{"name"}``: 200 with the application; what it may do stays."""
    request = asked(call, management)
    name = Fields(await request.document("an application")).wanted("name")
    with validated(), known(UNKNOWN.format(id_)):
        kept = await request.registry.change(_KIND, id_, lambda it: {**it, "name": name})
    return as_json(application_shown(kept))


async def delete(call: Call, management: Management, id_: str) -> Answer:
    """DELETE: 200; its access keys end with it. 409 names what uses it."""
    request = asked(call, management)
    with known(UNKNOWN.format(id_)):
        await request.registry.delete(_KIND, id_)
    return nothing()


async def add_role(call: Call, management: Management, id_: str, role: str) -> Answer:
    """POST: 200, whether it had the role before or not; 400 for what is none."""
    added = _ROLES.get(role, (role,))
    return await _with_roles(call, management, id_, (), added)


async def remove_role(call: Call, management: Management, id_: str, role: str) -> Answer:
    """DELETE: 200, whether it had the role or not."""
    removed = _ROLES.get(role, (role,))
    return await _with_roles(call, management, id_, removed, ())


async def _with_roles(
    call: Call, management: Management, id_: str, gone: tuple[str, ...], added: tuple[str, ...]
) -> Answer:
    def change(before: Document) -> Document:
        left = [each for each in before.get("roles") or () if each not in gone]
        return {**before, "roles": list(dict.fromkeys([*left, *added]))}

    request = asked(call, management)
    with validated({r"roles\[\d+\]": "role"}), known(UNKNOWN.format(id_)):
        await request.registry.change(_KIND, id_, change)
    return nothing()


def application_shown(kept: Kept) -> Document:
    """As Orkes' ``ConductorApplication``."""
    document = kept.document
    return {
        "id": document["id"],
        "name": document.get("name") or document["id"],
        "tags": tagging.tags_shown(document),
        "createTime": kept.created_ms,
        "updateTime": kept.updated_ms,
        "updatedBy": kept.updated_by,
    }


_ONE = "/api/applications/{id}"
PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/api/applications", list_all),
    ("POST", "/api/applications", create),
    ("GET", _ONE, get),
    ("PUT", _ONE, rename),
    ("DELETE", _ONE, delete),
    ("POST", "/api/applications/{applicationId}/roles/{role}", add_role),
    ("DELETE", "/api/applications/{applicationId}/roles/{role}", remove_role),
    # What clients call adding a tag is a PUT.
    *tag_pages(_KIND, f"{_ONE}/tags", UNKNOWN, put=tagging.with_more),
)

"""Tags of a definition, as Orkes' clients manage them: a list of ``{"key", "value"}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, asked, nothing, shown
from services.edge.management.configuration import tagging
from services.edge.management.page import Page

if TYPE_CHECKING:
    from services.edge.management.pages import Management


def tag_pages(kind: str, path: str) -> tuple[tuple[str, str, Page], ...]:
    """Method, path and page of each, for definitions of a kind."""

    async def get(call: Call, management: Management, name: str) -> Answer:
        """GET: 200 with the list."""
        kept = await asked(call, management).registry.get(kind, name)
        return await shown(kept.size, lambda: kept.document.get("tags") or [])

    async def put(call: Call, management: Management, name: str) -> Answer:
        """PUT: 200; these tags and no others. 400 names each that is none."""
        request, tags = await _sent(call, management)
        await request.registry.change(kind, name, lambda it: tagging.with_tags(it, tags))
        return nothing()

    async def delete(call: Call, management: Management, name: str) -> Answer:
        """DELETE: 200; those whose key and value are sent go, if they are there."""
        request, tags = await _sent(call, management)
        await request.registry.change(kind, name, lambda it: tagging.without_tags(it, tags))
        return nothing()

    return (("GET", path, get), ("PUT", path, put), ("DELETE", path, delete))


async def _sent(call: Call, management: Management) -> tuple[Asked, list[dict[str, str]]]:
    request = asked(call, management)
    return request, tagging.read_tags(await request.body())

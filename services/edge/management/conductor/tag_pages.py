"""Tags of a definition, as Orkes' clients manage them: a list of ``{"key", "value", "type"}``.

They are those of the newest version, which grants go by; a new version has them too, unless it
brings its own. Each change is put only over what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING

from services.edge.call import Answer, Call
from services.edge.management.conductor import tagging
from services.edge.management.conductor.asking import asked, nothing, shown
from services.edge.management.conductor.putting import known, validated
from services.edge.management.configuration.documents import Document
from services.edge.management.page import Page

if TYPE_CHECKING:
    from services.edge.management.pages import Management

Change = Callable[[Document, Iterable[Document]], Document]


def tag_pages(
    kind: str, path: str, unknown: str = "", put: Change = tagging.with_only
) -> tuple[tuple[str, str, Page], ...]:
    """Method, path and page of each, for definitions of a kind.

    Args:
        kind: Of definition.
        path: Of the tags, with one parameter: the definition's name.
        unknown: What is said of a name that is none, with ``{}`` for it; empty: what is said
            of all definitions.
        put: What PUT does.
    """
    return (
        ("GET", path, _getting(kind, unknown)),
        ("POST", path, _changing(kind, unknown, tagging.with_more)),
        ("PUT", path, _changing(kind, unknown, put)),
        ("DELETE", path, _changing(kind, unknown, tagging.without)),
    )


def _getting(kind: str, unknown: str) -> Page:
    async def get(call: Call, management: Management, name: str) -> Answer:
        """GET: 200 with a list."""
        with known(unknown.format(name)) if unknown else nullcontext():
            kept = await asked(call, management).registry.get(kind, name)
        return await shown(kept.size, lambda: tagging.tags_shown(kept.document))

    return get


def _changing(kind: str, unknown: str, change: Change) -> Page:
    async def put(call: Call, management: Management, name: str) -> Answer:
        """POST, PUT and DELETE of a list, or of one: 200."""
        request = asked(call, management)
        body = await request.body()
        with validated(), known(unknown.format(name)) if unknown else nullcontext():
            tags = tagging.read_tags(body, kind)
            await request.registry.change(kind, name, lambda before: change(before, tags))
        return nothing()

    return put

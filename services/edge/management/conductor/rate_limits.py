"""How many executions of a workflow run side by side, as Orkes' clients set it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import as_json, asked, nothing
from services.edge.management.conductor.fields import refused
from services.edge.management.conductor.putting import known, validated
from services.edge.management.configuration.documents import Document
from services.edge.management.page import Page
from services.errors import NotFound

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_LIMIT = "rateLimitConfig"
_LIMIT_FIELDS = ("rateLimitKey", "concurrentExecLimit", "policy")
_UNKNOWN = "No such workflow found by name: {}"
_PATH = "/api/metadata/workflow/{name}/rate-limit"


async def get_limit(call: Call, management: Management, name: str) -> Answer:
    """GET: 200 with how many executions of a workflow run side by side; 404: any number."""
    request = asked(call, management)
    with known(_UNKNOWN.format(name)):
        kept = await request.registry.get("workflow", name)
    limit = kept.document.get(_LIMIT)
    if not limit:
        raise NotFound(f"The workflow {name} has no rate limit.")
    return as_json(limit)


async def put_limit(call: Call, management: Management, name: str) -> Answer:
    """PUT of ``{concurrentExecLimit, rateLimitKey}``: 200."""
    request = asked(call, management)
    sent = await request.body()
    if not isinstance(sent, dict):
        raise refused("", "The body must be a JSON object: a rate limit")
    limit = {field: sent[field] for field in _LIMIT_FIELDS if sent.get(field) is not None}
    with validated({rf"{_LIMIT}\.": ""}), known(_UNKNOWN.format(name)):
        await request.registry.change("workflow", name, lambda before: {**before, _LIMIT: limit})
    return nothing()


async def delete_limit(call: Call, management: Management, name: str) -> Answer:
    """DELETE: 200, whether there was one or not."""
    request = asked(call, management)
    with validated(), known(_UNKNOWN.format(name)):
        await request.registry.change("workflow", name, _unlimited)
    return nothing()


def _unlimited(before: Document) -> Document:
    return {field: value for field, value in before.items() if field != _LIMIT}


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", _PATH, get_limit),
    ("PUT", _PATH, put_limit),
    ("DELETE", _PATH, delete_limit),
)

"""Tags of workflows, task definitions and secrets, and limits of workflows.

Tags are those of the newest version, which grants go by; a new version has them too, unless it
brings its own. Each change is put only over what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from services.edge.call import Answer, Call
from services.edge.management.conductor import tagging
from services.edge.management.conductor.asking import as_json, asked, nothing
from services.edge.management.conductor.putting import known, validated
from services.edge.management.configuration.documents import Document
from services.edge.management.page import Page
from services.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from services.edge.management.pages import Management

Change = Callable[[Document, Iterable[Document]], Document]

_UNKNOWN = {
    "workflow": "No such workflow found by name: {}",
    "task": "No such taskType found by name: {}",
    "secret": "No such secret found by name: {}",
}
_LIMIT = "rateLimitConfig"
_LIMIT_FIELDS = ("rateLimitKey", "concurrentExecLimit", "policy")


def _getting(kind: str) -> Page:
    async def get(call: Call, management: Management, name: str) -> Answer:
        """GET: 200 with a list."""
        request = asked(call, management)
        with known(_UNKNOWN[kind].format(name)):
            kept = await request.registry.get(kind, name)
        return as_json(tagging.tags_shown(kept.document))

    return get


def _changing(kind: str, change: Change) -> Page:
    async def put(call: Call, management: Management, name: str) -> Answer:
        """PUT, POST and DELETE of a list, or of one: 200."""
        request = asked(call, management)
        body = await request.body()
        with validated(), known(_UNKNOWN[kind].format(name)):
            tags = tagging.read_tags(body, kind)
            await request.registry.change(kind, name, lambda before: change(before, tags))
        return nothing()

    return put


def _pages(path: str, kind: str) -> tuple[tuple[str, str, Page], ...]:
    return (
        ("GET", path, _getting(kind)),
        ("POST", path, _changing(kind, tagging.with_more)),
        ("PUT", path, _changing(kind, tagging.with_only)),
        ("DELETE", path, _changing(kind, tagging.without)),
    )


async def get_limit(call: Call, management: Management, name: str) -> Answer:
    """GET: 200 with how many executions of a workflow run side by side; 404: any number."""
    request = asked(call, management)
    with known(_UNKNOWN["workflow"].format(name)):
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
        raise InvalidRequest("The body must be a JSON object: a rate limit.")
    limit = {field: sent[field] for field in _LIMIT_FIELDS if sent.get(field) is not None}
    with validated(), known(_UNKNOWN["workflow"].format(name)):
        await request.registry.change("workflow", name, lambda before: {**before, _LIMIT: limit})
    return nothing()


async def delete_limit(call: Call, management: Management, name: str) -> Answer:
    """DELETE: 200, whether there was one or not."""
    request = asked(call, management)
    with validated(), known(_UNKNOWN["workflow"].format(name)):
        await request.registry.change("workflow", name, _unlimited)
    return nothing()


def _unlimited(before: Document) -> Document:
    return {field: value for field, value in before.items() if field != _LIMIT}


PAGES: tuple[tuple[str, str, Page], ...] = (
    *_pages("/api/metadata/workflow/{name}/tags", "workflow"),
    *_pages("/api/metadata/task/{taskName}/tags", "task"),
    *_pages("/api/secrets/{key}/tags", "secret"),
    ("GET", "/api/metadata/workflow/{name}/rate-limit", get_limit),
    ("PUT", "/api/metadata/workflow/{name}/rate-limit", put_limit),
    ("DELETE", "/api/metadata/workflow/{name}/rate-limit", delete_limit),
)

"""Services and routes between the registry's documents and what Orkes' clients exchange. No IO.

What is read has every field, with its default; what is written leaves out those that say no more
than their default, so that to put what was read changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.edge.schemas import SchemaUse, read_use

Document = dict[str, Any]

SERVICE_DEFAULTS: Mapping[str, Any] = {
    "description": "",
    "enabled": True,
    "mcpEnabled": True,
    "tags": [],
    "routes": [],
}
ROUTE_DEFAULTS: Mapping[str, Any] = {
    "description": "",
    "workflowExecutionMode": "SYNCHRONOUS",
    "workflowMetadataInOutput": False,
    "waitUntilTasks": "",
    "timeoutInSeconds": 0,
    "queryParameters": [],
    "tags": [],
}
# Managed by requests of their own too: who leaves them out of a service means those.
_STAYING = ("routes", "tags")
_SCHEMAS = ("inputSchema", "outputSchema")


@dataclass(frozen=True, slots=True)
class Kept:
    """A definition that the registry keeps.

    Attributes:
        size: Of its JSON text.
        created_ms: Milliseconds since 1970, as is ``updated_ms``.
        updated_by: The principal that stored this state.
        generated: API keys that were made, by name; nobody can read them again.
        warnings: Of a put: what is taken and has another effect than it seems, in sentences.
    """

    document: Document
    etag: str
    size: int
    created_ms: int
    updated_ms: int
    updated_by: str
    generated: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def stamps(self) -> Document:
        """Of the definition, and of each route in it: a route is stored with its service."""
        return {
            "createTime": self.created_ms,
            "updateTime": self.updated_ms,
            "updatedBy": self.updated_by,
        }


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of a service beside its document.

    Attributes:
        public_url: Where the gateway is reached, without a slash at its end.
        schemas: JSON text of those that routes name, as far as they are known here.
        size: Of all copies of them.
    """

    public_url: str
    schemas: Mapping[SchemaUse, str]
    size: int = 0


def schemas_named(service: Document) -> Iterator[SchemaUse]:
    """The schema definitions that its routes name."""
    for route in service.get("routes") or ():
        for name in _SCHEMAS:
            use = read_use(route, name) if route.get(f"{name}Ref") else None
            if use is not None:
                yield use


def service_shown(kept: Kept, view: View) -> Document:
    """A service as clients read it."""
    document = kept.document
    routes = document.get("routes") or ()
    named = {"id": document["id"], "name": document.get("name") or document["id"]}
    return {
        **named,
        **SERVICE_DEFAULTS,
        **{name: value for name, value in document.items() if name not in ("kind", *named)},
        "routes": [route_shown(route, kept, view) for route in routes],
        "basePath": view.public_url + document["path"],
        **kept.stamps(),
    }


def route_shown(route: Document, kept: Kept, view: View) -> Document:
    """A route of the service ``kept`` as clients read it: its schemas are JSON text."""
    shown = {
        "httpMethod": route["httpMethod"],
        "path": route["path"],
        **ROUTE_DEFAULTS,
        **route,
        "serviceId": kept.document["id"],
        **kept.stamps(),
    }
    for name in _SCHEMAS:
        text = _schema_text(route, name, view)
        if text is None:
            shown.pop(name, None)
        else:
            shown[name] = text
    return shown


def _schema_text(route: Document, name: str, view: View) -> str | None:
    use = read_use(route, name)
    if use is None or not use.text:
        return None if use is None else view.schemas.get(use)
    own = route[name]
    return own if isinstance(own, str) else json.dumps(own, ensure_ascii=False)


def service_written(body: Document, before: Document | None = None) -> Document:
    """The document to put for what a client sent.

    Args:
        body: A service.
        before: The stored document where there is one: what is left out of ``body`` and has
            requests of its own stays as it is there.
    """
    document = {**without_defaults(body, SERVICE_DEFAULTS), "kind": "service"}
    if document.get("name") == document.get("id"):
        document.pop("name", None)
    routes = document.get("routes")
    if isinstance(routes, list):
        document["routes"] = [route_written(each) for each in routes]
    for name in _STAYING:
        if body.get(name) is None and name in (before or {}):
            document[name] = (before or {})[name]
    return document


def route_written(sent: Any, before: Document | None = None) -> Any:
    """The route to store for what a client sent; what is no object is the registry's to refuse.

    Args:
        sent: A route.
        before: The stored one in whose place it comes: its tags stay unless others are sent.
    """
    if not isinstance(sent, dict):
        return sent
    route = without_defaults(sent, ROUTE_DEFAULTS)
    for name in _SCHEMAS:
        # Beside a reference it is the copy that was read.
        if route.get(f"{name}Ref") or not route.get(name):
            route.pop(name, None)
    if before is not None and sent.get("tags") is None and "tags" in before:
        route["tags"] = before["tags"]
    return route


def without_defaults(sent: Document, defaults: Mapping[str, Any]) -> Document:
    """``sent`` without the fields that say no more than their absence does."""
    return {
        name: value
        for name, value in sent.items()
        if not (name in defaults and _same(value, defaults[name]))
    }


def _same(value: Any, default: Any) -> bool:
    # False is no 0.
    return type(value) is type(default) and bool(value == default)

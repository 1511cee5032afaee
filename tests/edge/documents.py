"""Definitions as the registry serves them."""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import count
from typing import Any

from services.replica import Removed, Replica, Stored
from services.replica.copy import Place, Trust

KEY = "a-key-of-the-partner"
OTHER_KEY = "another-key-of-the-partner"
STRANGERS_KEY = "a-key-of-somebody-else"

_revisions = count(1)

Json = dict[str, Any]


def hashed(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def stored(document: Json) -> Stored:
    """The newest state of a definition."""
    name = document.get("id") or document["name"]
    revision, version = next(_revisions), document.get("version", 1)
    text = json.dumps(document)
    return Stored(document["kind"], name, version, revision, f"etag-{revision}", text)


def route(method: str, path: str, workflow: str = "checkout", **fields: Any) -> Json:
    return {"httpMethod": method, "path": path, "mappedWorkflow": {"name": workflow}, **fields}


def service(*routes: Json, **fields: Any) -> Json:
    return {
        "kind": "service",
        "id": "orders",
        "path": "/api/orders",
        "authConfigId": "partners",
        "routes": list(routes),
        **fields,
    }


def workflow(name: str, *tags: str) -> Json:
    tagged = [dict(zip(("key", "value"), tag.split(":"), strict=True)) for tag in tags]
    return {"kind": "workflow", "name": name, "version": 1, "tasks": [], "tags": tagged}


def application(application_id: str, *grants: tuple[str, str]) -> Json:
    return {
        "kind": "application",
        "id": application_id,
        "roles": [],
        "permissions": [
            {"target": {"type": kind, "id": name}, "access": ["EXECUTE"]} for kind, name in grants
        ],
    }


def auth(auth_id: str, application_id: str, **keys: str) -> Json:
    return {
        "kind": "auth",
        "id": auth_id,
        "authenticationType": "API_KEY" if keys else "NONE",
        "applicationId": application_id,
        "apiKeys": [{"name": name, "hash": hashed(key)} for name, key in keys.items()],
    }


DOCUMENTS = (
    workflow("checkout"),
    workflow("reports", "team:finance"),
    workflow("secret"),
    application("storefront", ("workflow", "checkout"), ("tag", "team:finance")),
    application("nobody"),
    {**application("editors"), "roles": ["EDITOR"]},
    auth("partners", "storefront", first=KEY, second=OTHER_KEY),
    auth("strangers", "nobody", only=STRANGERS_KEY),
    auth("open", "storefront"),
    service(
        route("POST", "/{orderId}/checkout"),
        route("GET", "/{orderId}"),
        route("PUT", "/{orderId}", workflowExecutionMode="ASYNCHRONOUS"),
        route("POST", "/awaiting", waitUntilTasks="charge, ship"),
        route("POST", "/quick", timeoutInSeconds=1),
        route("POST", "/reports", "reports"),
        route("POST", "/secret", "secret"),
    ),
    service(route("POST", "/"), id="closed", path="/closed", enabled=False, authConfigId="gone"),
    service(
        route("POST", "/"),
        route("POST", "/later", workflowExecutionMode="ASYNCHRONOUS"),
        id="public",
        path="/public",
        authConfigId="open",
    ),
    service(route("POST", "/"), id="strange", path="/strange", authConfigId="strangers"),
)


def replica_of(*documents: Json) -> Replica:
    """A copy that holds ``documents``, and follows nobody."""
    held = [stored(document) for document in documents]
    return Replica(held, Place("epoch", held[-1].revision), Trust({}, frozenset()))


def put(replica: Replica, document: Json) -> None:
    """Change a definition, as the registry's watch would."""
    change = stored(document)
    replica.apply([change], Place("epoch", change.revision))


def remove(replica: Replica, kind: str, name: str) -> None:
    replica.apply([Removed(kind, name, 0)], Place("epoch", next(_revisions)))

"""The gateway against its own OpenAPI document: nothing that it does not say of itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.system.running import Suite

ITEM = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 50},
        "count": {"type": "integer", "minimum": 1, "maximum": 1000},
        "since": {"type": "string", "format": "date"},
    },
    "required": ["name", "count"],
    "additionalProperties": False,
}
ORDER = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "maxItems": 5},
        "note": {"type": ["string", "null"]},
    },
    "required": ["items"],
    "$defs": {"item": ITEM},
}
ECHO = {
    "type": "object",
    "properties": {"order": {}, "id": {"type": "string"}},
    "required": ["order", "id"],
}


def route(method: str, path: str, workflow: str = "shop-echo", **more: Any) -> dict[str, Any]:
    """A route of the service."""
    return {
        "httpMethod": method,
        "path": path,
        "mappedWorkflow": {"name": workflow},
        "timeoutInSeconds": 30,
        **more,
    }


ROUTES = [
    route("POST", "/{id}/orders", inputSchema=ORDER, outputSchema=ECHO),
    route("GET", "/{id}/orders", queryParameters=[
        {"name": "page", "type": "integer", "default": 1},
        {"name": "state", "required": True, "enum": ["open", "closed"]},
        {"name": "tag", "type": "array"},
        {"name": "paid", "type": "boolean"},
        {"name": "least", "type": "number"},
    ]),
    route("PUT", "/{id}/orders/{orderId}", inputSchemaRef={"name": "shop-item"}),
    route("PATCH", "/{id}/orders/{orderId}", workflowExecutionMode="ASYNCHRONOUS"),
    route("DELETE", "/{id}/orders/{orderId}"),
    route(
        "GET", "/{id}/kept",
        cacheConfig={"key": "${path.id}"},
        rateLimitConfig={"rateLimitKey": "${path.id}", "concurrentExecLimit": 5, "onFull": "QUEUE"},
    ),
    route(
        "POST", "/{id}/told",
        workflowExecutionMode="ASYNCHRONOUS",
        completionWebhook={"secretName": "SHOP_HOOK", "callerUrl": True},
    ),
    route(
        "POST", "/scripted",
        inputSchema=ITEM,
        preRequestScript="({order: $, id: 'scripted'})",
        postResponseScript="({statusCode: 201, body: $})",
        responseEnvelope=True,
        rateLimits=[
            {"name": "burst", "key": "${principal}", "limit": 100_000, "windowSeconds": 60}
        ],
    ),
]  # fmt: skip


def documents() -> list[dict[str, Any]]:
    """A service that uses all that a document can tell of."""
    return [
        {"kind": "secret", "name": "SHOP_HOOK", "value": f"whsec_{'c2hvcA' * 8}"},
        {"kind": "schema", "name": "shop-item", "version": 1, "type": "JSON", "data": ITEM},
        {
            "name": "shop-echo",
            "version": 1,
            "tasks": [{"name": "noop", "taskReferenceName": "noop", "type": "NOOP"}],
            "outputParameters": {"order": "${workflow.input.items}", "id": "${workflow.input.id}"},
        },
        {
            "kind": "application",
            "id": "shop",
            "permissions": [
                {"target": {"type": "workflow", "id": "shop-echo"}, "access": ["EXECUTE"]}
            ],
        },
        {
            "kind": "auth",
            "id": "shop",
            "authenticationType": "API_KEY",
            "applicationId": "shop",
        },
        {
            "kind": "service",
            "id": "shop",
            "name": "Shop",
            "path": "/api/shop",
            "authConfigId": "shop",
            "routes": ROUTES,
        },
    ]


ROOT = {"PYTHONPATH": str(Path(__file__).parents[2])}
# What a Location leads to is told to nobody who may not have it: 404, not 401.
CONFIG = """
[[operations]]
include-path = "/-/executions/{executionId}"
checks.ignored_auth.enabled = false
"""
# Text with U+0000 or lone surrogates is no JSON that is taken here; a schema cannot say so.
GENERATION = (
    "--generation-allow-x00=false", "--generation-codec=utf-8", "--max-examples=25", "--seed=1",
    "--workers=1", "--no-color",
)  # fmt: skip


# Longer than 0.25 s: it asks some hundred times.
@pytest.mark.timeout(180)
def test_the_gateway_does_nothing_that_its_document_does_not_say(
    suite: Suite, tmp_path: Path
) -> None:
    suite.apply(*documents())
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)

    key = f"X-API-Key: {suite.keys['shop']}"
    run = [sys.executable, "-m", "schemathesis.cli", f"--config-file={config}", "run"]
    done = subprocess.run(
        [*run, f"{suite.gateway}/shop/openapi", *GENERATION, "-H", key],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.system.schemathesis_hooks"} | ROOT,
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]

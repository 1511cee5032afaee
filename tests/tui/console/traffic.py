"""Services with limits and a cache for the console's tests, and real calls of them."""

from __future__ import annotations

from typing import Any

import httpx

from tests.tui.services import Services, put

NOTHING = {"taskReferenceName": "nothing", "name": "nothing", "type": "NOOP"}
HOLDS = {
    "taskReferenceName": "hold", "name": "hold", "type": "WAIT",
    "inputParameters": {"duration": "600 seconds"},
}  # fmt: skip
FAILS = {
    "taskReferenceName": "fail", "name": "fail", "type": "TERMINATE",
    "inputParameters": {"terminationStatus": "FAILED", "terminationReason": "out of stock"},
}  # fmt: skip


async def serve(services: Services, name: str) -> None:
    """A service ``name`` with routes that are quick, that hold a slot and that fail."""
    anybody: list[dict[str, Any]] = [
        {
            "kind": "application", "id": name,
            "permissions": [
                {"target": {"type": "workflow", "id": f"{name}-{each}"}, "access": ["EXECUTE"]}
                for each in ("quick", "holds", "fails")
            ],
        },
        {"kind": "auth", "id": name, "authenticationType": "NONE", "applicationId": name},
    ]  # fmt: skip
    tasks = {"quick": NOTHING, "holds": HOLDS, "fails": FAILS}
    flows = [
        {"name": f"{name}-{flow}", "version": 1, "tasks": [task], "outputParameters": {"of": flow}}
        for flow, task in tasks.items()
    ]
    routes = [
        _route("GET", "/kept/{id}", f"{name}-quick",
               cacheConfig={"key": "${path.id}", "ttlInSecond": 600}),
        _route("POST", "/quick", f"{name}-quick", rateLimits=[
            {"name": "burst", "limit": 3, "windowSeconds": 600}]),
        _route("POST", "/held", f"{name}-holds", workflowExecutionMode="ASYNCHRONOUS",
               rateLimitConfig={"concurrentExecLimit": 2}),
        _route("POST", "/fails", f"{name}-fails"),
    ]  # fmt: skip
    service = {"kind": "service", "id": name, "name": name, "path": f"/{name}",
               "authConfigId": name, "routes": routes}  # fmt: skip
    await put(services, *flows, *anybody, service)


def _route(method: str, path: str, workflow: str, **fields: Any) -> dict[str, Any]:
    return {"httpMethod": method, "path": path, "mappedWorkflow": {"name": workflow}, **fields}


async def call(services: Services, *calls: str) -> list[int]:
    """Call each of ``POST /x``; the statuses."""
    async with httpx.AsyncClient(base_url=str(services.suite.gateway), trust_env=False) as client:
        answers = [
            await client.request(method, path, json=None if method == "GET" else {})
            for method, path in (each.split() for each in calls)
        ]
    return [answer.status_code for answer in answers]

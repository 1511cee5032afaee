"""The definitions under measurement."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


def documents(upstream: str) -> list[Document]:
    """Workflows W1, W2, W3 and W3-wide, and a service with a route for each."""
    workflows = [
        steps("w1", upstream, 1),
        steps("w2", upstream, 5),
        job("w3", upstream, seconds=2.9, interval=1),
        job("w4", upstream, seconds=6.0, interval=1),
        job("wide", upstream, seconds=29.9, interval=30),
    ]
    names = [workflow["name"] for workflow in workflows]
    return [
        *workflows,
        {
            "kind": "application",
            "id": "bench",
            "permissions": [
                {"target": {"type": "workflow", "id": name}, "access": ["EXECUTE"]}
                for name in names
            ],
        },
        {
            "kind": "auth",
            "id": "bench",
            "authenticationType": "API_KEY",
            "applicationId": "bench",
        },
        {
            "kind": "service",
            "id": "bench",
            "name": "Bench",
            "path": "/bench",
            "authConfigId": "bench",
            "routes": [
                *(route(name, "SYNCHRONOUS") for name in names),
                {**route("w1", "SYNCHRONOUS"), "path": "/cached", "cacheConfig": {}},
                *(route(name, "ASYNCHRONOUS") for name in names),
            ],
        },
    ]


def route(workflow: str, mode: str) -> Document:
    """A route that waits for ``workflow``, or with an ``a`` before it does not."""
    return {
        "httpMethod": "POST",
        "path": f"/{'a' if mode == 'ASYNCHRONOUS' else ''}{workflow}",
        "mappedWorkflow": {"name": workflow},
        "workflowExecutionMode": mode,
        "timeoutInSeconds": 60,
    }


def steps(name: str, upstream: str, count: int) -> Document:
    """``count`` HTTP steps, one after another."""
    return {
        "name": name,
        "version": 1,
        "schemaVersion": 2,
        "tasks": [
            {
                "name": f"step{number}",
                "taskReferenceName": f"step{number}",
                "type": "HTTP",
                "inputParameters": {
                    "uri": f"{upstream}/item/${{workflow.input.orderId}}/{number}",
                    "method": "GET",
                },
            }
            for number in range(1, count + 1)
        ],
        "outputParameters": {"item": f"${{step{count}.output.response.body}}"},
    }


def job(name: str, upstream: str, *, seconds: float, interval: float) -> Document:
    """A job that is started and polled."""
    return {
        "name": name,
        "version": 1,
        "schemaVersion": 2,
        "tasks": [
            {
                "name": "start",
                "taskReferenceName": "start",
                "type": "HTTP",
                "inputParameters": {
                    "uri": f"{upstream}/jobs",
                    "method": "POST",
                    "body": {"seconds": seconds, "owner": "${workflow.workflowId}"},
                },
            },
            {
                "name": "poll",
                "taskReferenceName": "poll",
                "type": "HTTP_POLL",
                "inputParameters": {
                    "uri": f"{upstream}/jobs/${{start.output.response.body.jobId}}",
                    "method": "GET",
                    "pollingInterval": interval,
                    "pollingStrategy": "FIXED",
                    "terminationCondition": "$.output.response.statusCode == 200",
                },
            },
        ],
        "outputParameters": {"result": "${poll.output.response.body.result}"},
    }

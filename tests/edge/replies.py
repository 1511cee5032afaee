"""What tests read of an answer, and of what the executor was asked."""

from __future__ import annotations

import httpx

from podium.executor.v1 import executor_pb2 as pb
from tests.edge.conftest import Edge


def problem(response: httpx.Response) -> tuple[int, str]:
    """The status, and the problem's class."""
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["requestId"] == response.headers["x-request-id"]
    assert document["title"]
    assert document["detail"]
    return response.status_code, document["type"].rpartition(":")[2]


async def started(edge: Edge) -> pb.Start:
    return (await edge.executor.next()).start

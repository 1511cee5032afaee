"""What the gateway says of itself: its health, and its log."""

from __future__ import annotations

import pytest

from podium.executor.v1 import executor_pb2 as pb
from tests.edge.conftest import Edge
from tests.edge.scripted import result


async def test_health_says_how_the_neighbours_are(edge: Edge) -> None:
    await edge.client.post("/public")

    response = await edge.client.get("/-/health", headers={"x-api-key": ""})

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "executor": "connected", "definitions": "stale"}


async def test_what_went_wrong_is_logged_with_its_ids_and_no_token(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "services.edge.endpoint")
    edge.executor.script = lambda frame: [result(frame, status=pb.EXECUTION_STATUS_FAILED)]

    response = await edge.client.post("/api/orders/7/checkout")
    await edge.client.post("/-/callbacks/secret-token")

    failed, called = caplog.records
    assert failed.getMessage() == "POST /api/orders/{orderId}/checkout was answered 502."
    assert vars(failed)["request_id"] == response.headers["x-request-id"]
    assert vars(failed)["execution_id"] == response.headers["podium-execution-id"]
    assert (failed.levelname, called.levelname) == ("INFO", "DEBUG")
    assert called.getMessage() == "POST /-/callbacks was answered 200."

"""What was counted of routes, as the management API tells it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from podium.edge.v1 import edge_pb2 as pb
from services.edge.management.configuration.measures import measured
from tests.edge.management.conftest import Configured

SERVICES = "/api/gateway/config/services"
ROUTES = f"{SERVICES}/orders/routes"
METRICS = f"{SERVICES}/metrics"
LEFT = {"method": "POST", "path": "/left/{id}"}


def test_of_nothing_nothing_is_told() -> None:
    assert measured(pb.GatewayMetrics()) is None


def test_measures_are_told_in_the_units_of_the_page() -> None:
    metrics = pb.GatewayMetrics(
        requests=8,
        requests_per_second=0.5,
        errors=2,
        latency_mean_ms=3,
        latency_p50_ms=2,
        latency_p95_ms=9,
        latency_p99_ms=10,
        executions=pb.ExecutionCounts(completed=3, success_ratio=0.75),
        cache_hits=4,
        limited=1,
        answers=[
            pb.AnswerCount(status=200, count=6),
            pb.AnswerCount(status=401, problem="unauthenticated", count=1),
            pb.AnswerCount(status=499, count=1),
        ],
    )

    assert measured(metrics) == {
        "totalRequests": 8,
        "requestRate": 0.5,
        "successRate": 75.0,
        "avgLatency": 3.0,
        "p50Latency": 2.0,
        "p95Latency": 9.0,
        "p99Latency": 10.0,
        "errorRate": 25.0,
        "errors": [
            {"code": 401, "reason": "Unauthenticated", "count": 1},
            {"code": 499, "reason": "Client closed request", "count": 1},
        ],
        "cacheHits": 4,
        "limitHits": 1,
    }


@pytest.mark.parametrize(("status", "reason"), [(418, "I'm a Teapot"), (555, "")])
def test_a_status_of_a_script_has_the_reason_that_there_is(status: int, reason: str) -> None:
    metrics = pb.GatewayMetrics(requests=1, answers=[pb.AnswerCount(status=status, count=1)])

    told = measured(metrics)

    assert told is not None
    assert told["errors"] == [{"code": status, "reason": reason, "count": 1}]
    assert "successRate" not in told


@pytest.fixture
async def counted(api: Configured) -> Configured:
    """Two routes, of which one was called three times without a key."""
    workflow = {"name": "checkout"}
    service = {
        "id": "orders",
        "path": "/orders",
        "authConfigId": "partners",
        "routes": [
            {"httpMethod": "POST", "path": LEFT["path"], "mappedWorkflow": workflow},
            {"httpMethod": "GET", "path": "/", "mappedWorkflow": workflow},
        ],
    }
    assert (await api.client.post(SERVICES, json=service)).status_code == 200
    await api.arrived()
    async with httpx.AsyncClient(trust_env=False) as caller:
        for number in range(3):
            url = f"http://{api.edge.addresses['gateway']}/orders/left/{number}"
            assert (await caller.post(url, json={})).status_code == 401
    # Counted once the answer is written: a client may be as quick.
    async with asyncio.timeout(10):
        while (await of_orders(api)).get("totalRequests") != 3:
            continue
    return api


async def of_orders(api: Configured, **query: Any) -> dict[str, Any]:
    answer = await api.client.get(METRICS, params={"serviceId": "orders", **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json().get("orders", {})
    return found


async def test_each_route_has_its_measures_where_there_are_any(counted: Configured) -> None:
    called, other = (await counted.client.get(ROUTES)).json()
    one = (await counted.client.get(f"{ROUTES}/route", params=LEFT)).json()

    assert called["route"]["path"] == "/left/{id}"
    assert one["serviceRouteMetrics"]["totalRequests"] == 3
    assert called["serviceRouteMetrics"]["errors"] == [
        {"code": 401, "reason": "Unauthenticated", "count": 3}
    ]
    assert "serviceRouteMetrics" not in other


async def test_a_service_has_those_of_a_route_or_a_period_too(counted: Configured) -> None:
    assert (await of_orders(counted, **LEFT))["totalRequests"] == 3
    assert await of_orders(counted, method="GET", path="/") == {}
    assert await of_orders(counted, start=1, end=60_000) == {}
    assert (await of_orders(counted, start=1))["errorRate"] == 100.0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"start": "yesterday"}, 400),
        ({"end": "-1"}, 400),
        ({"end": "9" * 15}, 400),
        ({"end": "9" * 400}, 400),
        ({"start": "120000", "end": "60000"}, 400),
        ({"method": "GET", "path": "/nothing"}, 404),
        ({"serviceId": "nothing"}, 404),
        ({"serviceId": ""}, 404),
    ],
)
async def test_what_cannot_be_measured_is_told(
    counted: Configured, query: dict[str, str], expected: int
) -> None:
    answer = await counted.client.get(METRICS, params={"serviceId": "orders", **query})

    assert answer.status_code == expected, answer.text
    assert answer.json()["message"]


async def test_a_service_may_be_called_metrics(api: Configured) -> None:
    service = {"id": "metrics", "path": "/m", "authConfigId": "partners"}
    assert (await api.client.post(SERVICES, json=service)).status_code == 200

    assert (await api.client.get(METRICS)).json()["id"] == "metrics"
    assert (await api.client.put(METRICS, json=service)).status_code == 200


async def test_measures_are_for_who_may_read_the_service(counted: Configured) -> None:
    nobody = await counted.application("nobody")

    answer = await counted.client.get(METRICS, params={"serviceId": "orders"}, headers=nobody)

    assert answer.status_code == 403

"""What a suite of a test has counted, asked for as an operator does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from podium.edge.v1 import edge_pb2 as pb
from podium.edge.v1.edge_pb2_grpc import EdgeServiceStub
from services import rpc
from tests.edge.documents import KEY
from tests.edge.registry import token
from tests.edge.suites import Suite

if TYPE_CHECKING:
    from podium.edge.v1.edge_pb2_grpc import EdgeServiceAsyncStub

CHECKOUT = ("orders", "POST", "/api/orders/{orderId}/checkout")
FIRST = "key:partners/first"


@asynccontextmanager
async def asking(suite: Suite, application: str = "editors") -> AsyncIterator[EdgeServiceAsyncStub]:
    async with rpc.channel(suite.addresses["edge"], lambda: token(application)) as channel:
        with rpc.raising_ours():
            yield EdgeServiceStub(channel)


async def report(suite: Suite, by: str = "UNSPECIFIED", **query: Any) -> pb.GatewayMetricsReport:
    grouping = pb.GatewayMetricsGrouping.Value(f"GATEWAY_METRICS_GROUPING_{by}")
    asked = pb.GatewayMetricsQuery(group_by=grouping, **query)
    async with asking(suite) as edge:
        answer = await edge.GetGatewayMetrics(pb.GetGatewayMetricsRequest(query=asked), timeout=5)
    return answer.report


async def checkout(suite: Suite, key: str = KEY, **more: Any) -> httpx.Response:
    return await suite.gateway.post(
        "/api/orders/7/checkout", json={}, headers={"x-api-key": key}, **more
    )


def answers(metrics: pb.GatewayMetrics) -> dict[tuple[int, str], int]:
    return {(each.status, each.problem): each.count for each in metrics.answers}


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - of another process's, as it were
            await asyncio.sleep(0.02)


async def uses(suite: Suite, auth_id: str = "partners") -> dict[str, pb.KeyUse]:
    async with asking(suite) as edge:
        answer = await edge.ListKeyUse(pb.ListKeyUseRequest(auth_id=auth_id), timeout=5)
    return {use.name: use for use in answer.keys}


def figures(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """By name, and the values of the labels in the order of their names."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scraped(suite: Suite) -> dict[tuple[str, tuple[str, ...]], float]:
    """As Prometheus gets them."""
    headers = {"authorization": f"Bearer {token('editors')}"}
    return figures((await suite.management.get("/metrics", headers=headers)).text)

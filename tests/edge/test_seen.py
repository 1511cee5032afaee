"""An application with grants on services is told of those, and of no other."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from podium.edge.v1 import edge_pb2 as pb
from services.access import EVERY, Sight
from services.edge.metrics.keeping import keeping
from services.edge.metrics.reporting import Reporting
from services.errors import NotFound, PermissionDenied
from services.rpc import raising_ours
from tests.edge.conftest import Edge
from tests.edge.documents import KEY, Json, put, route, service
from tests.edge.figures import asking, checkout
from tests.edge.registry import token
from tests.edge.suites import Suite, suite_in

if TYPE_CHECKING:
    from podium.edge.v1.edge_pb2_grpc import EdgeServiceAsyncStub

BURST = {"name": "burst", "limit": 9, "windowSeconds": 60, "key": "${principal}"}
LIMITED: dict[str, Any] = {
    "cacheConfig": {"key": "${path.id}", "ttlInSecond": 100},
    "rateLimits": [BURST],
}


def reader(*grants: tuple[str, str], **fields: Any) -> Json:
    permissions = [
        {"target": {"type": kind, "id": name}, "access": ["READ"]} for kind, name in grants
    ]
    return {"kind": "application", "id": "reader", "permissions": permissions, **fields}


def shop(name: str) -> Json:
    return service(route("GET", "/{id}", **LIMITED), id=name, path=f"/{name}", authConfigId="open")


READER = reader(("service", "mine"), ("tag", "nobody:has"))


@pytest.fixture
async def shops(tmp_path: Path) -> AsyncGenerator[Suite]:
    stranger = {"kind": "application", "id": "stranger", "permissions": []}
    documents = (shop("mine"), shop("other"), READER, stranger)
    async with suite_in(tmp_path, *documents) as suite:
        for name in ("mine", "other", "other"):
            assert (await suite.gateway.get(f"/{name}/7")).status_code == 200
        yield suite


async def metrics(edge: EdgeServiceAsyncStub, by: str, **query: Any) -> pb.GatewayMetricsReport:
    grouping = pb.GatewayMetricsGrouping.Value(f"GATEWAY_METRICS_GROUPING_{by}")
    asked = pb.GatewayMetricsQuery(group_by=grouping, **query)
    with raising_ours():
        answer = await edge.GetGatewayMetrics(pb.GetGatewayMetricsRequest(query=asked))
    return answer.report


async def test_figures_are_of_services_that_may_be_read(shops: Suite) -> None:
    await shops.gateway.get("/no/such/thing")
    async with asking(shops, "reader") as edge:
        for by in ("UNSPECIFIED", "SERVICE", "ROUTE", "KEY", "MINUTE"):
            told = await metrics(edge, by)
            assert told.total.requests == 1, by
            assert {each.service_id for each in told.rows} <= {"", "mine"}
        assert (await metrics(edge, "ROUTE", service_id="mine")).total.requests == 1
        watch = edge.WatchGatewayMetrics(pb.WatchGatewayMetricsRequest())
        assert (await anext(aiter(watch))).report.total.requests == 1
        watch.cancel()
        for hidden in ("other", "nobody's"):
            with pytest.raises(PermissionDenied, match="no READ on the service"):
                await metrics(edge, "ROUTE", service_id=hidden)
    async with asking(shops) as edge:
        assert (await metrics(edge, "SERVICE")).total.requests == 4


async def test_what_is_kept_is_told_of_services_that_may_be_read(shops: Suite) -> None:
    async with asking(shops) as edge:
        everything = await edge.GetCacheStatus(pb.GetCacheStatusRequest())
        (other,) = (
            await edge.ListCacheEntries(pb.ListCacheEntriesRequest(service_id="other"))
        ).entries
    async with asking(shops, "reader") as edge:
        told = await edge.GetCacheStatus(pb.GetCacheStatusRequest())
        assert [each.service_id for each in told.routes] == ["mine"]
        assert (told.entries, everything.entries) == (1, 2)
        assert 0 < told.bytes < everything.bytes
        (mine,) = (
            await edge.ListCacheEntries(pb.ListCacheEntriesRequest(service_id="mine"))
        ).entries
        for hidden in ("other", "nobody's"):
            for refused in (
                edge.ListCacheEntries(pb.ListCacheEntriesRequest(service_id=hidden)),
                edge.GetCacheStatus(pb.GetCacheStatusRequest(service_id=hidden)),
            ):
                with pytest.raises(PermissionDenied), raising_ours():
                    await refused
        for id_ in (other.id, "00" * 32):
            with pytest.raises(NotFound, match="no kept answer of that id"), raising_ours():
                await edge.GetCacheEntry(pb.GetCacheEntryRequest(id=id_))
        # What is kept is what the workflow gave.
        with pytest.raises(PermissionDenied, match="the workflow of this answer"), raising_ours():
            await edge.GetCacheEntry(pb.GetCacheEntryRequest(id=mine.id))


async def test_an_answer_is_shown_to_who_may_read_the_service_and_its_workflow(
    tmp_path: Path,
) -> None:
    documents = (shop("mine"), reader(("service", "mine"), ("workflow", "checkout")))
    async with suite_in(tmp_path, *documents) as suite, asking(suite, "reader") as edge:
        answer = await suite.gateway.get("/mine/7")
        (entry,) = (
            await edge.ListCacheEntries(pb.ListCacheEntriesRequest(service_id="mine"))
        ).entries
        told = await edge.GetCacheEntry(pb.GetCacheEntryRequest(id=entry.id))

    assert told.body == answer.content


async def test_limits_are_told_of_services_that_may_be_read(shops: Suite) -> None:
    async with asking(shops, "reader") as edge:
        told = await edge.ListLimits(pb.ListLimitsRequest())
        assert [(each.service_id, each.keys_used) for each in told.limits] == [("mine", 1)]
        for hidden in ("other", "nobody's"):
            with pytest.raises(PermissionDenied), raising_ours():
                await edge.ListLimits(pb.ListLimitsRequest(service_id=hidden))


async def test_the_use_of_keys_is_told_to_who_may_read_their_auth(tmp_path: Path) -> None:
    async with suite_in(tmp_path, reader(("auth", "partners"))) as suite:
        await checkout(suite, KEY)
        async with asking(suite, "reader") as edge:
            told = await edge.ListKeyUse(pb.ListKeyUseRequest(auth_id="partners"))
            assert [each.name for each in told.keys] == ["first", "second"]
            for hidden in ("strangers", "nobody's"):
                with pytest.raises(PermissionDenied), raising_ours():
                    await edge.ListKeyUse(pb.ListKeyUseRequest(auth_id=hidden))


async def test_who_could_read_no_service_is_refused(shops: Suite) -> None:
    async with asking(shops, "stranger") as edge:
        for refused in (
            edge.GetCacheStatus(pb.GetCacheStatusRequest()),
            edge.GetCacheEntry(pb.GetCacheEntryRequest(id="00" * 32)),
            edge.ListLimits(pb.ListLimitsRequest()),
            edge.GetGatewayMetrics(pb.GetGatewayMetricsRequest()),
            edge.ListKeyUse(pb.ListKeyUseRequest(auth_id="partners")),
        ):
            with pytest.raises(PermissionDenied), raising_ours():
                await refused
        watch = edge.WatchGatewayMetrics(pb.WatchGatewayMetricsRequest())
        with pytest.raises(PermissionDenied), raising_ours():
            await anext(aiter(watch))


async def test_the_page_of_all_figures_takes_a_role(shops: Suite) -> None:
    statuses = [
        (
            await shops.management.get(
                "/metrics", headers={"authorization": f"Bearer {token(name)}"}
            )
        ).status_code
        for name in ("editors", "reader", "stranger")
    ]

    assert statuses == [200, 403, 403]


async def test_who_watches_is_told_of_other_services_once_he_may_read_them(
    edge: Edge, tmp_path: Path
) -> None:
    put(edge.replica, shop("mine"))
    seen = [Sight(frozenset(("mine",)))]

    def look() -> Sight:
        if not seen:
            raise PermissionDenied("no more")
        return seen[0]

    async with keeping(tmp_path / "edge.db", 1000, lambda: edge.clock.now.timestamp()) as kept:
        reporting = Reporting(
            kept, edge.gateway.definitions, lambda: edge.clock.now.timestamp(), watch_seconds=60
        )
        watched = reporting.watch(pb.WatchGatewayMetricsRequest(), look)
        first = await anext(watched)
        seen[:] = [EVERY]
        # Nothing is asked of the gateway meanwhile.
        second = await anext(watched)
        seen.clear()
        with pytest.raises(PermissionDenied):
            await anext(watched)

    assert first.total == second.total

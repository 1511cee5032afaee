"""Lists of executions by a query, over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import DeadlineExceeded, InvalidRequest
from services.executor import listing
from services.executor.searches import Searches
from services.executor.timers import now
from services.rpc import raising_ours
from tests.executor.rig import ADMIN, Rig, executing, step, workflow

QUICK = workflow("order_quick", step("a", "NOOP"), outputParameters={"echo": "${workflow.input}"})
WAITING = workflow("waiting", step("hold", "WAIT"))
BROKEN = workflow(
    "order_broken",
    step("t", "TERMINATE", terminationStatus="FAILED", terminationReason="Upstream said 502"),
)
DOCUMENT = {
    "order": {"id": 7, "code": "7", "paid": True, "note": None, "big": 2**70},
    "items": [{"sku": "A-1", "price": 19.99}],
    "weird name": {"größe": "x*"},
    "a\tb\x01": 1,
}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncGenerator[Rig]:
    async with executing(tmp_path / "x.db", [QUICK, WAITING, BROKEN]) as rig:
        yield rig


async def listed(rig: Rig, query: str, **fields: object) -> list[str]:
    """The ids, newest first, two a page."""
    found, token = [], ""
    while True:
        request = pb.ListExecutionsRequest(query=query, **fields)  # type: ignore[arg-type]
        request.page.page_size, request.page.page_token = 2, token
        page = await rig.stub.ListExecutions(request, metadata=ADMIN)
        found += [each.execution_id for each in page.executions]
        token = page.next_page_token
        if not token:
            return found


async def test_a_query_says_what_is_listed(rig: Rig) -> None:
    quick = [await rig.begin("order_quick", correlation_id=f"c-{n % 2}") for n in range(4)]
    broken = await rig.begin("order_broken")
    held = await rig.begin("waiting")
    for each in (*quick, broken):
        await rig.ended(each)
    newest = list(reversed(quick))

    assert await listed(rig, "") == [held, broken, *newest]
    assert await listed(rig, "status:failed") == [broken]
    assert await listed(rig, "status:failed,running") == [held, broken]
    assert await listed(rig, "wf:order*") == [broken, *newest]
    assert await listed(rig, "workflowType IN (order_quick) AND status = COMPLETED") == newest
    assert await listed(rig, "!wf:order*") == [held]
    assert await listed(rig, "corr:c-1") == [quick[3], quick[1]]
    assert await listed(rig, f"id:{quick[2][:30]}*") == [quick[2]]
    assert await listed(rig, "UPSTREAM") == [broken]
    assert await listed(rig, "reason~said*502 OR corr:c-0") == [broken, quick[2], quick[0]]
    assert await listed(rig, "newer:1h older:0s v:1") == [held, broken, *newest]
    assert await listed(rig, "older:1h") == []
    assert await listed(rig, "ended>2020-01-01 dur<1h") == [broken, *newest]
    assert await listed(rig, "by:*") == [held, broken, *newest]


async def test_a_query_and_the_fields_beside_it_must_both_hold(rig: Rig) -> None:
    first, second = [await rig.begin("order_quick", correlation_id=f"c-{n}") for n in range(2)]
    for each in (first, second):
        await rig.ended(each)

    assert await listed(rig, "wf:order*", correlation_id="c-1") == [second]
    assert await listed(rig, "corr:c-0", workflow_name="order*") == [first]
    assert await listed(rig, "corr:c-0", workflow_name="waiting") == []
    assert await listed(rig, "corr:c-0", statuses=[pb.EXECUTION_STATUS_FAILED]) == []


@pytest.mark.parametrize(
    "query",
    [
        "input.order.id=7",
        "input.order.id>6 input.order.id<=7",
        'input.order.code="7"',
        "input.order.paid=true",
        "input.order.note=null",
        f"input.order.big={2**70}",
        "input.items[0].sku:A-*",
        "input.items[0].sku~a-1",
        "output.echo.items[0].price=19.99",
        'input."weird name".größe=x\\*',
        'input."a\tb\x01"=1',
        "input.nothing!=1",
        "!input.nothing:*",
    ],
)
async def test_documents_are_looked_into(rig: Rig, query: str) -> None:
    execution_id = await rig.begin("order_quick", input=DOCUMENT)
    await rig.ended(execution_id)

    assert await listed(rig, query) == [execution_id]
    assert await listed(rig, f"!({query})") == []


@pytest.mark.parametrize("name", ["*" + "[" * 20_000, "a\0b", "*" * 11])
async def test_a_name_that_no_workflow_can_have_is_an_invalid_request(rig: Rig, name: str) -> None:
    with pytest.raises(InvalidRequest, match="workflow_name"), raising_ours():
        await listed(rig, "", workflow_name=name)


async def test_more_statuses_than_there_are_is_an_invalid_request(rig: Rig) -> None:
    with pytest.raises(InvalidRequest, match="statuses"), raising_ours():
        await listed(rig, "", statuses=[pb.EXECUTION_STATUS_RUNNING] * 40_000)


@pytest.mark.parametrize(
    ("query", "says", "start", "end"),
    [
        ("wf:a status:fialed", "did you mean failed?", "12", "18"),
        ("(" * 4000, "10 deep", "10", "11"),
        ("queue:x", "Queues cannot be asked for", "0", "5"),
    ],
)
async def test_what_is_no_query_is_an_invalid_request(
    rig: Rig, query: str, says: str, start: str, end: str
) -> None:
    with pytest.raises(InvalidRequest, match=says.replace("?", r"\?")) as caught, raising_ours():
        await listed(rig, query)

    assert caught.value.metadata == {"start": start, "end": end}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("input.a=1", "looks into documents"),
        (" OR ".join(f"x{n}" for n in range(99)), "Add what leaves fewer"),
    ],
)
async def test_what_takes_too_long_is_told_with_a_way_out(rig: Rig, query: str, says: str) -> None:
    await asyncio.gather(*(rig.begin("order_quick") for _ in range(60)))
    with pytest.raises(DeadlineExceeded, match=says) as caught:
        await listing.page(
            Searches(rig.store.readers),
            pb.ListExecutionsRequest(query=query),
            now(),
            within=timedelta(0),
        )

    assert "newer:1h" in caught.value.detail

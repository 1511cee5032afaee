"""Tasks of all executions by a query, over gRPC."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest, PermissionDenied
from services.rpc import on_behalf_of, raising_ours
from tests.executor.rig import ADMIN, Rig, executing, put, step, workflow

ORDER = workflow(
    "order",
    step("check", "NOOP"),
    step("note", "SET_VARIABLE", sku="A-1", count=7),
    step("hold", "WAIT"),
)
BROKEN = workflow(
    "broken",
    step("first", "NOOP"),
    step("script", "INLINE", evaluatorType="javascript", expression="throw 'card declined'"),
)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncGenerator[Rig]:
    async with executing(tmp_path / "x.db", [ORDER, BROKEN], scripts=1) as rig:
        yield rig


async def found(rig: Rig, query: str = "", order_by: str = "", size: int = 2) -> list[str]:
    """The refs, page by page."""
    refs, token = [], ""
    while True:
        request = pb.SearchTasksRequest(query=query, order_by=order_by)
        request.page.page_size, request.page.page_token = size, token
        page = await rig.stub.SearchTasks(request, metadata=ADMIN)
        refs += [each.task.ref for each in page.tasks]
        token = page.next_page_token
        if not token:
            return refs


async def test_a_query_says_which_tasks_are_listed(rig: Rig) -> None:
    held = await rig.begin("order", correlation_id="c-1")
    failed = await rig.begin("broken")
    await rig.ended(failed)

    assert await found(rig) == ["script", "first", "hold", "note", "check"]
    assert await found(rig, "status:failed_with_terminal_error,failed") == ["script"]
    assert await found(rig, "status:in_progress") == ["hold"]
    assert await found(rig, "status = IN_PROGRESS AND taskType = WAIT") == ["hold"]
    assert await found(rig, f"execution:{held}") == ["hold", "note", "check"]
    assert await found(rig, "workflowType IN (order) NOT referenceTaskName:hold") == [
        "note", "check",
    ]  # fmt: skip
    assert await found(rig, "kind:NOOP wf:o*") == ["check"]
    assert await found(rig, "corr:c-1 kind:SET*") == ["note"]
    assert await found(rig, "input.count=7 input.sku:A-*") == ["note"]
    assert await found(rig, 'reason~"CARD declined"') == ["script"]
    assert await found(rig, "declined") == ["script"]
    assert await found(rig, "newer:1h older:0s attempt:0 polls<1 !ended>2020-01-01") == ["hold"]
    assert await found(rig, "started>2020-01-01 dur<1h kind:INLINE") == ["script"]
    assert await found(rig, "older:1h") == []


async def test_tasks_tell_whose_they_are(rig: Rig) -> None:
    held = await rig.begin("order", correlation_id="c-1")
    request = pb.SearchTasksRequest(query="ref:hold", count_total=True)
    page = await rig.stub.SearchTasks(request, metadata=ADMIN)

    (one,) = page.tasks
    assert (one.execution_id, one.workflow_name, one.workflow_version) == (held, "order", 1)
    assert (one.correlation_id, one.execution_status) == ("c-1", pb.EXECUTION_STATUS_RUNNING)
    assert (page.total, page.total_is_bound, page.next_page_token) == (1, False, "")


@pytest.mark.parametrize(
    ("order_by", "first"),
    [
        ("ref", ["check", "first", "hold", "note", "script"]),
        ("ref desc", ["script", "note", "hold", "first", "check"]),
        ("referenceTaskName:DESC", ["script", "note", "hold", "first", "check"]),
        # What has not ended ends last.
        ("ended:desc", ["hold"]),
        ("kind", ["script"]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 50])
async def test_tasks_are_sorted_page_by_page(
    rig: Rig, order_by: str, first: list[str], size: int
) -> None:
    await rig.begin("order")
    await rig.ended(await rig.begin("broken"))
    sorted_ = await found(rig, order_by=order_by, size=size)

    assert sorted_[: len(first)] == first
    assert sorted(sorted_) == ["check", "first", "hold", "note", "script"]


async def test_a_total_counts_beyond_the_page(rig: Rig) -> None:
    for _ in range(3):
        await rig.begin("order")
    request = pb.SearchTasksRequest(query="wf:order kind:NOOP", count_total=True)
    request.page.page_size = 1
    page = await rig.stub.SearchTasks(request, metadata=ADMIN)

    assert (len(page.tasks), page.total, page.total_is_bound) == (1, 3, False)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"query": "version:1"}, "ask for executions"),
        ({"query": "status:runing"}, "There is no status"),
        ({"order_by": "input"}, "order_by cannot be 'input'"),
        ({"order_by": "ref sideways"}, "one field"),
        ({"page": {"page_token": "e30="}}, "page_token"),
        ({"page": {"page_size": -1}}, "negative"),
    ],
)
async def test_what_makes_no_sense_is_an_invalid_request(
    rig: Rig, fields: dict[str, object], says: str
) -> None:
    with pytest.raises(InvalidRequest, match=says), raising_ours():
        await rig.stub.SearchTasks(pb.SearchTasksRequest(**fields), metadata=ADMIN)  # type: ignore[arg-type]


async def test_a_token_of_another_order_is_refused(rig: Rig) -> None:
    await rig.begin("order")
    request = pb.SearchTasksRequest(order_by="ref")
    request.page.page_size = 1
    page = await rig.stub.SearchTasks(request, metadata=ADMIN)
    request.page.page_token, request.order_by = page.next_page_token, "kind"

    with pytest.raises(InvalidRequest, match="page_token"), raising_ours():
        await rig.stub.SearchTasks(request, metadata=ADMIN)


async def test_who_may_not_read_all_workflows_is_told_of_no_task(rig: Rig) -> None:
    grants = [{"target": {"type": "workflow", "id": "order"}, "access": ["READ"]}]
    put(rig.replica, {"kind": "application", "id": "some", "roles": [], "grants": grants})
    await rig.begin("order")

    with pytest.raises(PermissionDenied), raising_ours():
        await rig.stub.SearchTasks(pb.SearchTasksRequest(), metadata=on_behalf_of("some"))

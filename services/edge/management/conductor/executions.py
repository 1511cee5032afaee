"""``GET /api/workflow/{workflowId}`` and such: executions as they stand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from podium.common.v1.page_pb2 import PageRequest
from podium.executor.v1 import executor_pb2 as pb
from services.edge import statuses
from services.edge.bodies import aside
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, as_json, asked
from services.edge.management.conductor.fields import quoted, refused
from services.edge.management.conductor.told import of_execution, passed
from services.edge.management.page import Page
from services.errors import TooLarge

if TYPE_CHECKING:
    from services.edge.management.pages import Management

OPEN = (pb.EXECUTION_STATUS_RUNNING, pb.EXECUTION_STATUS_PAUSED)
_MOST_TASKS, _USUAL_TASKS = 1000, 15
_MOST_IDS, _PAGE = 10_000, 500
_STATUS = ("workflowId", "correlationId", "status")
_LATEST_MS = 32_503_680_000_000
_PREFIX = "TASK_STATUS_"


async def get(call: Call, management: Management, execution_id: str) -> Answer:
    """GET ``?includeTasks``: 200 with the Workflow.

    Raises:
        Problem: 401, 404; 413 where it is larger than a message holds.
    """
    request = asked(call, management)
    with_tasks = request.query.flag("includeTasks", default=True)
    return await passed((await document_of(request, execution_id, with_tasks=with_tasks),))


async def document_of(request: Asked, execution_id: str, *, with_tasks: bool) -> str:
    """The Workflow as JSON text. Raises as :func:`get`."""
    message = pb.GetExecutionRequest(execution_id=execution_id, without_tasks=not with_tasks)
    told = await of_execution(request, execution_id, request.stubs.executor.GetExecution, message)
    return told.document


async def status(call: Call, management: Management, execution_id: str) -> Answer:
    """GET ``?includeOutput&includeVariables``: 200 with the WorkflowStatus.

    Raises:
        Problem: 401, 404; 413 where what it includes is of one larger than a message holds.
    """
    request = asked(call, management)
    wanted = ["output"] * request.query.flag("includeOutput")
    wanted += ["variables"] * request.query.flag("includeVariables")
    if wanted:
        text = await document_of(request, execution_id, with_tasks=False)
        return await passed((await aside(len(text), _members, text, wanted),))
    # Clients ask for it over and over: what there is of the execution is not read.
    message = pb.GetExecutionRequest(execution_id=execution_id, state_only=True)
    told = await of_execution(request, execution_id, request.stubs.executor.GetExecution, message)
    return as_json(_status(told.state))


def _members(text: str, wanted: list[str]) -> str:
    whole = json.loads(text)
    told = {name: whole[name] for name in (*_STATUS, *wanted) if name in whole}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _status(state: pb.ExecutionState) -> dict[str, str]:
    standing = (state.execution_id, state.correlation_id, statuses.of_execution(state.status))
    return {name: value for name, value in zip(_STATUS, standing, strict=True) if value}


async def tasks(call: Call, management: Management, execution_id: str) -> Answer:
    """GET ``?start&count&status``: 200 with ``{totalHits, results}``, in order.

    Raises:
        Problem: 400 for more than 1,000 at once; as :func:`get`.
    """
    request = asked(call, management)
    page = pb.TaskPage(
        start=request.query.whole("start"),
        count=request.query.whole("count", most=_MOST_TASKS) or _USUAL_TASKS,
        statuses=[_task_status(each) for each in request.query.several("status")],
    )
    message = pb.GetExecutionRequest(execution_id=execution_id, task_page=page)
    told = await of_execution(request, execution_id, request.stubs.executor.GetExecution, message)
    results = ",".join(told.task_documents)
    return await passed((f'{{"totalHits":{told.task_total},"results":[', results, "]}"))


def _task_status(written: str) -> pb.TaskStatus.ValueType:
    known = dict(pb.TaskStatus.items()).get(_PREFIX + written)
    if not known:
        names = ", ".join(name.removeprefix(_PREFIX) for name in pb.TaskStatus.keys()[1:])
        raise refused("status", f"must be one of {names}, not {quoted(written)}")
    return known


async def running(call: Call, management: Management, name: str) -> Answer:
    """GET ``?version&startTime&endTime``: 200 with the ids of those that have not ended.

    Raises:
        Problem: 401, 403; 413 where there are more than 10,000.
    """
    request = asked(call, management)
    version = request.query.whole("version")
    wanted = pb.ListExecutionsRequest(
        workflow_name=name, statuses=OPEN, query=f"v:{version}" if version else ""
    )
    # Both are part of what is asked for, and neither of what the executor is asked.
    for field, into, beyond in (
        ("startTime", wanted.started_after, timedelta(microseconds=-1)),
        ("endTime", wanted.started_before, timedelta(milliseconds=1)),
    ):
        if moment := request.query.whole(field, most=_LATEST_MS):
            into.FromDatetime(datetime.fromtimestamp(moment / 1000, UTC) + beyond)
    return as_json(await _ids_of(request, wanted))


async def _ids_of(request: Asked, wanted: pb.ListExecutionsRequest) -> list[str]:
    found: list[str] = []
    async for page in pages_of(request, wanted):
        found += [each.execution_id for each in page.executions]
        if len(found) > _MOST_IDS:
            raise TooLarge(
                f"There are more than {_MOST_IDS:,} such executions: search them by pages."
            )
    return found


async def pages_of(
    request: Asked, wanted: pb.ListExecutionsRequest
) -> AsyncIterator[pb.ListExecutionsResponse]:
    """All that match, the newest first. Raises as :meth:`Asked.ask`."""
    token = ""
    while True:
        wanted.page.CopyFrom(PageRequest(page_size=_PAGE, page_token=token))
        page = await request.ask(request.stubs.executor.ListExecutions, wanted)
        yield page
        token = page.next_page_token
        if not token:
            return


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/api/workflow/{workflowId}", get),
    ("GET", "/api/workflow/{workflowId}/status", status),
    ("GET", "/api/workflow/{workflowId}/tasks", tasks),
    ("GET", "/api/workflow/running/{name}", running),
)

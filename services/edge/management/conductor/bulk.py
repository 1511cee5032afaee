"""``/api/workflow/bulk/…``: one operation on up to 1,000 executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from podium.executor.v1 import executor_pb2 as pb
from services import rpc
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, as_json, asked
from services.edge.management.conductor.fields import refused
from services.edge.management.conductor.waiting import said_once
from services.edge.management.conductor.wording import reworded
from services.edge.management.page import Page
from services.errors import DeadlineExceeded, Unavailable

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_MOST = 1000
_SECONDS = 300.0
_STANDS = "Workflow is still running.  status=RUNNING"
# Brought to where it stood already, one is done with; these have begun nothing then.
_BEGUN_BEFORE = {
    pb.OPERATION_RESUME: "The execution is not paused: it is RUNNING.",
    pb.OPERATION_RESTART: _STANDS,
    pb.OPERATION_RETRY: _STANDS,
}


async def pause(call: Call, management: Management) -> Answer:
    """PUT a list of ids: 200 with a BulkResponse.

    All of them raise a Problem: 400 for no ids, or for more than 1,000; 401, 403.
    """
    return await _operated(call, management, pb.OPERATION_PAUSE)


async def resume(call: Call, management: Management) -> Answer:
    """PUT."""
    return await _operated(call, management, pb.OPERATION_RESUME)


async def restart(call: Call, management: Management) -> Answer:
    """POST ``?useLatestDefinitions``."""
    return await _operated(call, management, pb.OPERATION_RESTART)


async def retry(call: Call, management: Management) -> Answer:
    """POST ``?resumeSubworkflowTasks``."""
    return await _operated(call, management, pb.OPERATION_RETRY)


async def terminate(call: Call, management: Management) -> Answer:
    """POST ``?reason&triggerFailureWorkflow``."""
    return await _operated(call, management, pb.OPERATION_TERMINATE)


async def remove(call: Call, management: Management) -> Answer:
    """DELETE ``?archiveWorkflow``."""
    return await _operated(call, management, pb.OPERATION_DELETE)


async def terminate_and_remove(call: Call, management: Management) -> Answer:
    """DELETE ``?reason&archiveWorkflow``."""
    return await _operated(call, management, pb.OPERATION_DELETE, terminate=True)


async def _operated(
    call: Call,
    management: Management,
    operation: pb.Operation.ValueType,
    *,
    terminate: bool = False,
) -> Answer:
    request = asked(call, management)
    request.query.flag("archiveWorkflow")
    message = pb.OperateExecutionsRequest(
        operation=operation,
        execution_ids=await ids_in(request),
        reason=request.query.text("reason"),
        use_latest_definitions=request.query.flag("useLatestDefinitions"),
        resume_sub_workflows=request.query.flag("resumeSubworkflowTasks"),
        trigger_failure_workflow=request.query.flag("triggerFailureWorkflow"),
        terminate=terminate,
    )
    operating = _results(request, message)
    anew = operation in (pb.OPERATION_RESTART, pb.OPERATION_RETRY)
    return as_json(_told(operation, await (said_once(operating) if anew else operating)))


async def ids_in(request: Asked) -> list[str]:
    """The ids that were sent, 1,000 at most. Raises :class:`InvalidRequest`, Problem."""
    given = await request.items("ids of workflows")
    # Both are Conductor's sentences.
    if not given:
        raise refused("", "WorkflowIds list cannot be null")
    if len(given) > _MOST:
        raise refused(
            "", f"Cannot process more than {_MOST} workflows. Please use multiple requests"
        )
    for number, each in enumerate(given):
        if not isinstance(each, str):
            raise refused(f"[{number}]", "must be an id")
    return given


async def _results(
    request: Asked, message: pb.OperateExecutionsRequest
) -> list[pb.OperationResult]:
    found: list[pb.OperationResult] = []
    answers = request.stubs.executor.OperateExecutions(
        message,
        metadata=rpc.on_behalf_of(request.application_id),
        timeout=_SECONDS,
        wait_for_ready=True,
    )
    try:
        with rpc.raising_ours():
            async for each in answers:
                found.extend(each.results)
    except DeadlineExceeded:
        raise Unavailable("They could not all be done in time; ask again for the rest.") from None
    return found


def _told(operation: pb.Operation.ValueType, results: list[pb.OperationResult]) -> dict[str, Any]:
    """Conductor's BulkResponse."""
    errors, successful = {}, []
    for each in results:
        if each.outcome == pb.OPERATION_OUTCOME_REFUSED:
            errors[each.execution_id] = _refusal(each)
        elif each.outcome == pb.OPERATION_OUTCOME_ALREADY and operation in _BEGUN_BEFORE:
            errors[each.execution_id] = _BEGUN_BEFORE[operation]
        else:
            successful.append(each.execution_id)
    return {
        "bulkErrorResults": errors,
        "bulkSuccessfulResults": successful,
        "message": "Bulk Request has been processed.",
    }


def _refusal(result: pb.OperationResult) -> str:
    if result.reason == "NOT_FOUND":
        return f"Workflow with id: {result.execution_id} not found."
    return reworded(result.detail)


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("PUT", "/api/workflow/bulk/pause", pause),
    ("PUT", "/api/workflow/bulk/resume", resume),
    ("POST", "/api/workflow/bulk/restart", restart),
    ("POST", "/api/workflow/bulk/retry", retry),
    ("POST", "/api/workflow/bulk/terminate", terminate),
    ("DELETE", "/api/workflow/bulk/remove", remove),
    # As newer clients have it.
    ("POST", "/api/workflow/bulk/delete", remove),
    ("DELETE", "/api/workflow/bulk/terminate-remove", terminate_and_remove),
)

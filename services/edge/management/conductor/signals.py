"""``/api/tasks/{workflowId}/{status}/signal`` and ``…/sync``: words for tasks that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, as_json, asked, nothing
from services.edge.management.conductor.executing import told
from services.edge.management.conductor.executions import document_of
from services.edge.management.conductor.fields import Fields
from services.edge.management.conductor.standing import Standing, strategy_of
from services.edge.management.conductor.told import passed
from services.edge.management.conductor.unknown import no_execution
from services.edge.management.conductor.waiting import (
    LONGEST_SECONDS,
    said_once,
    stood_still,
    while_there,
)
from services.edge.management.page import Page
from services.edge.management.tasks import output_of, status_in
from services.errors import (
    Conflict,
    NotFound,
    Overloaded,
    PermissionDenied,
    ServiceError,
    TooLarge,
    Unavailable,
)

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_MILLISECONDS = 5_000


async def signal(call: Call, management: Management, execution_id: str, status: str) -> Answer:
    """POST an output: 200 and nothing, also where no task waits for a signal.

    Raises:
        Problem: 400, 401, 403; 404 for an unknown execution.
    """
    request = asked(call, management)
    try:
        await _signalled(request, execution_id, status)
    except (NotFound, Conflict) as error:
        if not _is_of_no_task(error):
            raise
    return nothing()


async def signal_and_wait(
    call: Call, management: Management, execution_id: str, status: str
) -> Answer:
    """POST an output: 200 with how the execution stands when it stands still again.

    Raises:
        Problem: As :func:`signal`; 404 where no task waits.
    """
    request = asked(call, management)
    strategy = strategy_of(request.query.text("returnStrategy"))
    milliseconds = request.query.whole("timeoutMillis", _MILLISECONDS)
    seconds = min(milliseconds / 1000, LONGEST_SECONDS)
    try:
        await _signalled(request, execution_id, status)
    except (NotFound, Conflict) as error:
        if not _is_of_no_task(error):
            raise
        sentence = f"Found no blocked task in workflow {execution_id} to signal"
        raise NotFound(sentence) from error
    return await while_there(call, _stands(request, execution_id, strategy, seconds))


async def _stands(request: Asked, execution_id: str, strategy: str, seconds: float) -> Answer:
    try:
        standing = await stood_still(request, execution_id, (), seconds, show=True)
    except (Unavailable, Overloaded):
        # It has been signalled: who hears of an error signals again.
        standing = None
    return await told(Standing(standing, execution_id), strategy)


async def _signalled(request: Asked, execution_id: str, status: str) -> None:
    meant = pb.SignalExecutionRequest(
        execution_id=execution_id,
        status=status_in(Fields({"status": status})),
        output=await output_of(request.call, request.management),
    )
    request.call.let_go()
    try:
        await said_once(request.ask(request.stubs.executor.SignalExecution, meant))
    except NotFound as error:
        if _is_of_no_task(error):
            raise
        raise no_execution(execution_id) from error


def _is_of_no_task(error: ServiceError) -> bool:
    return error.metadata.get("missing") == "task"


async def update(
    call: Call, management: Management, execution_id: str, ref: str, status: str
) -> Answer:
    """POST an output for the task of that reference: 200 with the execution after it.

    Raises:
        Problem: 400, 401, 403; 404 for an unknown execution, or where no such task runs.
    """
    request = asked(call, management)
    update = pb.UpdateTaskRequest(
        execution_id=execution_id,
        ref=ref,
        status=status_in(Fields({"status": status})),
        output=await output_of(call, management),
        worker_id=request.query.text("workerid"),
    )
    try:
        await said_once(request.ask(request.stubs.executor.UpdateTask, update))
    except (NotFound, Conflict) as error:
        if error.metadata.get("execution_id"):
            raise no_execution(execution_id) from error
        why = f": {error.detail}" if isinstance(error, Conflict) else ""
        sentence = f"Found no running task {ref} of workflow {execution_id} to update{why}"
        raise NotFound(sentence) from error
    try:
        return await passed((await document_of(request, execution_id, with_tasks=True),))
    except (NotFound, PermissionDenied, TooLarge, Unavailable):
        # Updated it is; how it stands is not for the caller, is too much to be told, is not known
        # now, or it was deleted meanwhile.
        return as_json({"workflowId": execution_id, "tasks": []})


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("POST", "/api/tasks/{workflowId}/{status}/signal", signal),
    ("POST", "/api/tasks/{workflowId}/{status}/signal/sync", signal_and_wait),
    ("POST", "/api/tasks/{workflowId}/{taskRefName}/{status}/sync", update),
)

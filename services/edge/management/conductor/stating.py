"""``POST /api/workflow/{workflowId}/variables`` and ``/state``: what is under way is told more.

Orkes' pages, which their clients call.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, asked
from services.edge.management.conductor.executions import document_of
from services.edge.management.conductor.fields import Fields
from services.edge.management.conductor.skipping import text_of
from services.edge.management.conductor.told import of_execution, passed
from services.edge.management.conductor.waiting import (
    LONGEST_SECONDS,
    said_once,
    stood_still,
    while_there,
)
from services.edge.management.page import Page
from services.edge.management.tasks import status_in
from services.errors import Overloaded

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_USUAL_WAIT = 10


async def variables(call: Call, management: Management, execution_id: str) -> Answer:
    """POST an object of variables: 200 with the Workflow.

    Raises:
        Problem: 400, 401, 403, 404; 409 where it has ended, or they would hold too much.
    """
    request = asked(call, management)
    values = await request.read("variables by name", text_of)
    await _readable(request, execution_id)
    await _set(request, execution_id, values)
    return await passed((await document_of(request, execution_id, with_tasks=True),))


async def state(call: Call, management: Management, execution_id: str) -> Answer:
    """POST a WorkflowStateUpdate: 200 with the WorkflowRun, once that is waited for.

    First the variables are set, then the task is told of. It is waited only where the query has
    ``waitUntilTaskRef``, or ``waitForSeconds``: until one of those tasks has ended, or the
    workflow has, or stands still.

    Raises:
        Problem: As :func:`variables`; 404 for an unknown task.
    """
    request = asked(call, management)
    seconds, refs = _wait_of(request)
    word = await _said(request, execution_id)
    standing = _stands(request, execution_id, refs, seconds)
    return await (said_once(standing) if word else standing)


async def _said(request: Asked, execution_id: str) -> bool:
    """Have the variables set and the task told; whether twice would be another task's word.

    Of a loop the same reference is another task's, once that one has ended. Nothing that has the
    output lasts longer than this: the wait for what comes of it may be a long one.
    """
    values, update = await request.read(
        "a WorkflowStateUpdate", lambda sent: _state_of(execution_id, Fields(sent))
    )
    await _readable(request, execution_id)
    if values:
        await _set(request, execution_id, values)
    if update is None:
        return False
    telling = of_execution(request, execution_id, request.stubs.executor.UpdateTask, update)
    await (said_once(telling) if update.ref else telling)
    return bool(update.ref)


async def _stands(request: Asked, execution_id: str, refs: Sequence[str], seconds: int) -> Answer:
    """The WorkflowRun, once what is waited for has come."""
    if seconds:
        # How it stands is told, also where too many wait.
        with suppress(Overloaded):
            standing = stood_still(request, execution_id, refs, seconds, show=False)
            await while_there(request.call, standing)
    return await _run_of(request, execution_id)


async def _readable(request: Asked, execution_id: str) -> None:
    """Refuse, before anything is done, who may not read what is answered."""
    await document_of(request, execution_id, with_tasks=False)


async def _set(request: Asked, execution_id: str, values: str) -> None:
    message = pb.UpdateVariablesRequest(execution_id=execution_id, variables=values)
    await of_execution(request, execution_id, request.stubs.executor.UpdateVariables, message)


def _state_of(execution_id: str, body: Fields) -> tuple[str, pb.UpdateTaskRequest | None]:
    """Variables, as JSON text, empty for none; and what is told of a task."""
    update, changed = _update_of(execution_id, body), body.object("variables")
    return text_of(changed) if changed else "", update


def _update_of(execution_id: str, body: Fields) -> pb.UpdateTaskRequest | None:
    """What is told of a task, by its reference or its id; None: nothing is."""
    result = body.fields("taskResult")
    ref, task_id = body.text("taskReferenceName"), result.text("taskId")
    if not ref and not result.document:
        return None
    if not ref and not task_id:
        raise body.wrong("taskReferenceName", "must be given, or taskResult.taskId")
    return pb.UpdateTaskRequest(
        execution_id=execution_id,
        ref=ref,
        task_id="" if ref else task_id,
        status=status_in(result),
        output=text_of(result.object("outputData")),
        reason=result.text("reasonForIncompletion"),
        worker_id=result.text("workerId"),
    )


def _wait_of(request: Asked) -> tuple[int, Sequence[str]]:
    refs = request.query.several("waitUntilTaskRef")
    usual = _USUAL_WAIT if refs else 0
    return min(request.query.whole("waitForSeconds", usual), LONGEST_SECONDS), refs


async def _run_of(request: Asked, execution_id: str) -> Answer:
    """The WorkflowRun: a Workflow, and which request it answers."""
    text = await document_of(request, execution_id, with_tasks=True)
    named = text_of({"requestId": request.query.text("requestId")})
    return await passed((named[:-1], ",", text[1:]))


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("POST", "/api/workflow/{workflowId}/variables", variables),
    ("POST", "/api/workflow/{workflowId}/state", state),
)

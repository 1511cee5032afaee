"""``PUT /api/workflow/{workflowId}/pause`` and such: what operators do to one execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import as_text, asked, nothing
from services.edge.management.conductor.fields import Fields
from services.edge.management.conductor.skipping import given, text_of
from services.edge.management.conductor.told import done, of_execution
from services.edge.management.conductor.waiting import said_once
from services.edge.management.page import Page

if TYPE_CHECKING:
    from services.edge.management.pages import Management

# With all that it has started, each in a transaction of its own.
_DELETING_SECONDS = 60.0


async def decide(call: Call, management: Management, id_: str) -> Answer:
    """PUT: 200. All of them raise a Problem: 401, 403, 404; 409 where it is not in the state."""
    request = asked(call, management)
    executor = request.stubs.executor
    message = pb.DecideExecutionRequest(execution_id=id_)
    await of_execution(request, id_, executor.DecideExecution, message)
    return nothing()


async def pause(call: Call, management: Management, id_: str) -> Answer:
    """PUT: 200, where it was paused before, too."""
    request = asked(call, management)
    message = pb.PauseExecutionRequest(execution_id=id_)
    await of_execution(request, id_, request.stubs.executor.PauseExecution, message)
    return nothing()


async def resume(call: Call, management: Management, id_: str) -> Answer:
    """PUT: 200."""
    request = asked(call, management)
    message = pb.ResumeExecutionRequest(execution_id=id_)
    await of_execution(request, id_, request.stubs.executor.ResumeExecution, message)
    return nothing()


async def restart(call: Call, management: Management, id_: str) -> Answer:
    """POST ``?useLatestDefinitions``: 204."""
    request = asked(call, management)
    message = pb.RestartExecutionRequest(
        execution_id=id_, use_latest_definitions=request.query.flag("useLatestDefinitions")
    )
    await said_once(of_execution(request, id_, request.stubs.executor.RestartExecution, message))
    return done()


async def retry(call: Call, management: Management, id_: str) -> Answer:
    """POST ``?resumeSubworkflowTasks``: 204. Its parent always goes on, whoever retried it."""
    request = asked(call, management)
    request.query.flag("retryIfRetriedByParent")
    message = pb.RetryExecutionRequest(
        execution_id=id_, resume_sub_workflows=request.query.flag("resumeSubworkflowTasks")
    )
    await said_once(of_execution(request, id_, request.stubs.executor.RetryExecution, message))
    return done()


async def reset_callbacks(call: Call, management: Management, id_: str) -> Answer:
    """POST: 204."""
    request = asked(call, management)
    message = pb.ResetCallbacksRequest(execution_id=id_)
    await of_execution(request, id_, request.stubs.executor.ResetCallbacks, message)
    return done()


async def terminate(call: Call, management: Management, id_: str) -> Answer:
    """DELETE ``?reason&triggerFailureWorkflow``: 200."""
    request = asked(call, management)
    message = pb.TerminateExecutionRequest(
        execution_id=id_,
        reason=request.query.text("reason"),
        trigger_failure_workflow=request.query.flag("triggerFailureWorkflow"),
    )
    await of_execution(request, id_, request.stubs.executor.TerminateExecution, message)
    return nothing()


async def remove(call: Call, management: Management, id_: str) -> Answer:
    """DELETE ``?archiveWorkflow``: 200. There is no archive; what it says is read, no more."""
    return await _removed(call, management, id_, terminate=False)


async def terminate_and_remove(call: Call, management: Management, id_: str) -> Answer:
    """DELETE ``?reason&archiveWorkflow``: 200."""
    return await _removed(call, management, id_, terminate=True)


async def _removed(call: Call, management: Management, id_: str, *, terminate: bool) -> Answer:
    request = asked(call, management)
    request.query.flag("archiveWorkflow")
    message = pb.DeleteExecutionRequest(
        execution_id=id_, terminate=terminate, reason=request.query.text("reason")
    )
    method = request.stubs.executor.DeleteExecution
    await of_execution(request, id_, method, message, _DELETING_SECONDS)
    return nothing()


async def rerun(call: Call, management: Management, id_: str) -> Answer:
    """POST a RerunWorkflowRequest: 200 with the id as text; whose it is, its path says."""
    request = asked(call, management)
    message = await request.read(
        "a RerunWorkflowRequest", lambda sent: _rerun_of(id_, Fields(sent))
    )
    await said_once(of_execution(request, id_, request.stubs.executor.RerunExecution, message))
    return as_text(id_)


def _rerun_of(id_: str, body: Fields) -> pb.RerunExecutionRequest:
    task_id = body.text("reRunFromTaskId")
    whole, own = body.object("workflowInput"), body.object("taskInput")
    message = pb.RerunExecutionRequest(
        execution_id=id_,
        task_id=task_id,
        # Clients send empty ones where they mean none.
        task_input=text_of(own) if own else "",
        workflow_input=text_of(whole) if whole is not None and (whole or not task_id) else "",
    )
    if correlation_id := body.text("correlationId"):
        message.correlation_id = correlation_id
    return message


async def skip(call: Call, management: Management, id_: str, ref: str) -> Answer:
    """PUT a SkipTaskRequest, as a body or in the query: 200."""
    request = asked(call, management)
    message = await request.read(
        "a SkipTaskRequest", lambda sent: _skip_of(id_, ref, given(request.query, sent))
    )
    await of_execution(request, id_, request.stubs.executor.SkipTask, message)
    return nothing()


def _skip_of(id_: str, ref: str, body: Fields) -> pb.SkipTaskRequest:
    return pb.SkipTaskRequest(
        execution_id=id_,
        ref=ref,
        input=text_of(body.object("taskInput")),
        output=text_of(body.object("taskOutput")),
    )


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("PUT", "/api/workflow/decide/{workflowId}", decide),
    ("PUT", "/api/workflow/{workflowId}/pause", pause),
    ("PUT", "/api/workflow/{workflowId}/resume", resume),
    ("PUT", "/api/workflow/{workflowId}/skiptask/{taskReferenceName}", skip),
    ("POST", "/api/workflow/{workflowId}/rerun", rerun),
    ("POST", "/api/workflow/{workflowId}/restart", restart),
    ("POST", "/api/workflow/{workflowId}/retry", retry),
    ("POST", "/api/workflow/{workflowId}/resetcallbacks", reset_callbacks),
    ("DELETE", "/api/workflow/{workflowId}", terminate),
    ("DELETE", "/api/workflow/{workflowId}/remove", remove),
    ("DELETE", "/api/workflow/{workflowId}/terminate-remove", terminate_and_remove),
)

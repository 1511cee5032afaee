"""What searches can ask for, by Conductor's names of it. No IO."""

from __future__ import annotations

from dataclasses import replace

from services.edge.management.conductor.fields import refused
from services.edge.management.conductor.wording import Wording
from services.errors import InvalidRequest
from services.query.executions import EXECUTIONS as _EXECUTIONS
from services.query.tasks import TASKS as _TASKS
from services.query.vocabulary import Vocabulary

# How the executor names what ``sort`` asks for.
_ORDER = "order_by "
_BOTH = {
    "wf": "workflowType",
    "corr": "correlationId",
    "reason": "reasonForIncompletion",
    "started": "startTime",
    "updated": "updateTime",
    "ended": "endTime",
    "dur": "executionTime",
    "text": "freeText",
}
EXECUTIONS = replace(
    _EXECUTIONS,
    spoken={
        **_BOTH,
        "v": "version",
        "id": "workflowId",
        "parent": "parentWorkflowId",
        "by": "createdBy",
        "failed": "failedReferenceTaskNames",
    },
    absent={
        **_EXECUTIONS.absent,
        **dict.fromkeys(
            ("task", "taskid", "tasktype", "taskdefname", "taskname", "ref", "kind"),
            "Tasks are asked for by themselves: /api/tasks/search, or "
            "/api/workflow/search-by-tasks for the workflows that have them.",
        ),
        "classifier": "Executions have no classifier: ask by workflowType.",
        "tag": "Tags cannot be asked for: ask by workflowType for the workflows that have them.",
        "idempotencykey": "Of idempotency keys digests alone are kept: a start with the key and "
        "RETURN_EXISTING answers with its execution.",
        "failedtasknames": "Names of tasks are not asked for: failedReferenceTaskNames are, and "
        "/api/workflow/search-by-tasks finds taskDefName with status.",
        "tasktodomain": "Domains cannot be asked for: ask by workflowType.",
        "event": "What an event has started is told by createdBy, like event:NAME.",
    },
)
"""Of executions."""
TASKS = replace(
    _TASKS,
    spoken={
        **_BOTH,
        "kind": "taskType",
        "ref": "referenceTaskName",
        "name": "taskDefName",
        "execution": "workflowId",
        "id": "taskId",
        "worker": "workerId",
        "attempt": "retryCount",
        "polls": "pollCount",
        "scheduled": "scheduledTime",
    },
    absent={
        **_TASKS.absent,
        "queue": "Queues are told by /api/tasks/queue/all: ask by taskType and status.",
        "classifier": "Tasks have no classifier: ask by taskType, taskDefName or workflowType.",
        **dict.fromkeys(
            ("v", "version", "priority", "workflowpriority", "failedreferencetasknames"),
            "That is of the workflow of a task: ask for it by /api/workflow/search.",
        ),
    },
)
"""Of tasks."""


def order_refused(vocabulary: Vocabulary, error: InvalidRequest) -> InvalidRequest:
    """What the executor says of an order that it does not know, as ``sort`` asks for it."""
    if not error.detail.startswith(_ORDER):
        return error
    wording = Wording({**vocabulary.spoken, "asc or desc: ended desc": "ASC or DESC: endTime:DESC"})
    return refused("sort", wording.of(error.detail.removeprefix(_ORDER).rstrip(".")))

"""An execution as Conductor's API writes it: its JSON, times in epoch milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from services.executor.core.crowds import waits
from services.executor.core.masking import Sentences, masked
from services.executor.core.model import Execution, Json, Task, TaskStatus
from services.executor.core.policy import Limits
from services.executor.core.scope import milliseconds, shown_kind
from services.executor.core.spawning import step_of
from services.executor.core.turns import domain_of

UNSAID = Sentences(())


def execution_json(
    execution: Execution,
    attempts: Sequence[Task],
    definition: Mapping[str, Json] | None = None,
    created_by: str = "",
) -> dict[str, Json]:
    """Conductor's ``Workflow``; what is masked is not in it.

    Args:
        attempts: Every attempt, those that a retry replaced included, in order of sequence.
        definition: The workflow document; None: the execution's own.
        created_by: Who started it.
    """
    document = execution.workflow.document if definition is None else definition
    replaced = {task.retried_id for task in attempts if task.retried_id}
    keys = execution.workflow.masked
    said = sentences(execution, attempts)
    return _present(
        {
            "workflowId": execution.id,
            "workflowName": execution.workflow.name,
            "workflowVersion": execution.workflow.version,
            "status": execution.status.value,
            "createdBy": created_by or None,
            **_moments(execution),
            "correlationId": execution.correlation_id or None,
            "parentWorkflowId": execution.parent_id or None,
            "parentWorkflowTaskId": execution.parent_task_id or None,
            "reasonForIncompletion": said.text(execution.reason) or None,
            **_failures(execution),
            "input": masked(cast("Json", execution.input), keys),
            "output": masked(execution.output, keys) if execution.output is not None else {},
            "variables": masked(cast("Json", execution.variables), keys),
            "priority": execution.priority,
            "lastRetriedTime": milliseconds(execution.last_retried_at),
            "rateLimited": waits(execution),
            "history": list[Json](),
            "taskToDomain": cast("Json", dict(execution.task_to_domain)),
            "workflowDefinition": _definition(document),
            "tasks": [
                task_json(execution, task, said, retried=task.id in replaced) for task in attempts
            ],
        }
    )


def _definition(document: Mapping[str, Json]) -> Json:
    """As Conductor has it, whose definitions do not say what they are."""
    return {name: value for name, value in document.items() if name != "kind"}


def _moments(execution: Execution) -> dict[str, Json]:
    return {
        "createTime": milliseconds(execution.created_at),
        "startTime": milliseconds(execution.created_at),
        "updateTime": milliseconds(execution.updated_at),
        "endTime": milliseconds(execution.ended_at),
    }


def _failures(execution: Execution) -> dict[str, Json]:
    failed = [task for ref in execution.failed_refs if (task := execution.tasks.get(ref))]
    return {
        "failedReferenceTaskNames": list[Json](execution.failed_refs),
        "failedTaskNames": list[Json](dict.fromkeys(task.name for task in failed)),
    }


def masked_of(execution: Execution, task: Task) -> frozenset[str]:
    """The keys that are masked in the documents of a task."""
    step = step_of(execution, task)
    keys = execution.workflow.masked
    return keys if step is None or not step.masked else keys | step.masked


def sentences(execution: Execution, attempts: Sequence[Task]) -> Sentences:
    """What masks the reasons of an execution, and what was logged for its tasks."""
    documents: dict[frozenset[str], list[Json]] = {
        execution.workflow.masked: [cast("Json", execution.input), execution.output]
    }
    for task in attempts:
        if keys := masked_of(execution, task):
            documents.setdefault(keys, []).extend((task.input, task.output))
    found = (Sentences.beside(each, keys) for keys, each in documents.items() if keys)
    return Sentences(tuple(text for each in found for text in each.hidden))


def task_json(
    execution: Execution, task: Task, said: Sentences = UNSAID, *, retried: bool = False
) -> dict[str, Json]:
    """Conductor's ``Task``; beside its fields, ``polls`` where the task polls."""
    step, keys = step_of(execution, task), masked_of(execution, task)
    timeout = step.policy.response_timeout if step else None
    limits = step.policy.limits if step else None
    return _present(
        {
            "taskId": task.id,
            "taskType": shown_kind(task),
            "taskDefName": task.name,
            "referenceTaskName": task.ref,
            "status": task.status.value,
            "workflowInstanceId": execution.id,
            "workflowType": execution.workflow.name,
            "correlationId": execution.correlation_id or None,
            "seq": task.sequence,
            "retryCount": task.attempt,
            "retried": retried,
            "retriedTaskId": task.retried_id or None,
            "executed": task.status.final,
            "iteration": task.iteration,
            "loopOverTask": task.iteration > 0,
            "pollCount": task.poll_count,
            **_times(task),
            "callbackFromWorker": True,
            "responseTimeoutSeconds": int(timeout.total_seconds()) if timeout else 0,
            "reasonForIncompletion": said.text(task.reason) or None,
            "workerId": task.worker_id or None,
            "domain": domain_of(task.queue) or None,
            "isolationGroupId": (step.isolation.group or None) if step else None,
            "executionNameSpace": (step.isolation.namespace or None) if step else None,
            "workflowPriority": execution.priority,
            "subWorkflowId": _started_by(task),
            **_frequency(limits),
            "parentTaskId": None,
            "subworkflowChanged": False,
            "inputData": masked(task.input, keys) if task.input is not None else {},
            "outputData": masked(task.output, keys) if task.output is not None else {},
            "workflowTask": cast("Json", dict(step.document)) if step else None,
            "polls": task.memory.get("polls"),
        }
    )


def _started_by(task: Task) -> Json:
    """What a SUB_WORKFLOW has started, where its output says so, too."""
    found = task.output.get("subWorkflowId") if isinstance(task.output, dict) else None
    return found if task.kind == "SUB_WORKFLOW" and isinstance(found, str) else None


def _frequency(limits: Limits | None) -> dict[str, Json]:
    rate = limits.rate if limits else 0
    return {
        "rateLimitPerFrequency": rate,
        "rateLimitFrequencyInSeconds": int(limits.span.total_seconds()) if limits and rate else 0,
    }


def _times(task: Task) -> dict[str, Json]:
    scheduled, started = milliseconds(task.scheduled_at), milliseconds(task.started_at)
    delay = int(task.callback_after.total_seconds())
    return {
        "scheduledTime": scheduled,
        "startTime": started,
        "endTime": milliseconds(task.ended_at),
        "updateTime": milliseconds(task.updated_at),
        "firstStartTime": started,
        "queueWaitTime": max(0, started - scheduled) if started else 0,
        "startDelayInSeconds": delay if task.status is TaskStatus.SCHEDULED else 0,
        "callbackAfterSeconds": delay,
    }


def _present(fields: dict[str, Json]) -> dict[str, Json]:
    """Without the fields that are null, as Conductor leaves them out."""
    return {name: value for name, value in fields.items() if value is not None}

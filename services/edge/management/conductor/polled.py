"""A task as Conductor's workers read it: JSON text, with the task's own documents as they are.

No IO. Input, output and the task's definition are texts already: to read them only to write them
again would be most of what an answer costs.
"""

from __future__ import annotations

from collections.abc import Iterable
from json.encoder import encode_basestring as quoted

from google.protobuf.timestamp_pb2 import Timestamp

from podium.worker.v1 import worker_pb2 as pb


def tasks_text(tasks: Iterable[pb.Task]) -> str:
    """A list of them."""
    return f"[{','.join(map(task_text, tasks))}]"


def task_text(task: pb.Task) -> str:
    """One, which a worker has just been given."""
    told, scheduled = task.details, _milliseconds(task.scheduled_at)
    started = _milliseconds(told.started_at)
    fields = [
        f'{{"taskType":{quoted(told.shown_type)},"status":"IN_PROGRESS"',
        f'"inputData":{task.input or "{}"},"referenceTaskName":{quoted(task.ref)}',
        f'"retryCount":{task.attempt},"seq":{told.sequence},"pollCount":{task.poll_count}',
        f'"taskDefName":{quoted(task.name)},"scheduledTime":{scheduled},"startTime":{started}',
        f'"endTime":0,"updateTime":{_milliseconds(told.updated_at)},"startDelayInSeconds":0',
        '"retried":false,"executed":false,"callbackFromWorker":true',
        f'"responseTimeoutSeconds":{task.response_timeout.seconds}',
        f'"workflowInstanceId":{quoted(task.execution_id)}',
        f'"workflowType":{quoted(task.workflow_name)},"taskId":{quoted(task.task_id)}',
        f'"callbackAfterSeconds":0,"workerId":{quoted(told.worker_id)}',
        f'"outputData":{task.output or "{}"},"rateLimitPerFrequency":{told.rate}',
        f'"rateLimitFrequencyInSeconds":{told.rate_span.seconds}',
        f'"workflowPriority":{task.priority},"iteration":{task.iteration}',
        f'"subworkflowChanged":false,"firstStartTime":{started}',
        f'"queueWaitTime":{max(started - scheduled, 0)}',
        f'"loopOverTask":{"true" if task.iteration else "false"}',
        *_present(task, told),
    ]
    return f"{','.join(fields)}}}"


def _present(task: pb.Task, told: pb.TaskDetails) -> Iterable[str]:
    """Fields that are left out where there is nothing to say."""
    if told.workflow_task:
        yield f'"workflowTask":{told.workflow_task}'
    for name, value in (
        ("correlationId", task.correlation_id),
        ("domain", task.domain),
        ("retriedTaskId", told.retried_task_id),
        ("isolationGroupId", told.isolation_group),
        ("executionNameSpace", told.execution_namespace),
    ):
        if value:
            yield f'"{name}":{quoted(value)}'
    if task.runtime_metadata:
        pairs = (f"{quoted(name)}:{quoted(each)}" for name, each in task.runtime_metadata.items())
        yield f'"runtimeMetadata":{{{",".join(pairs)}}}'


def _milliseconds(at: Timestamp) -> int:
    return at.seconds * 1000 + at.nanos // 1_000_000

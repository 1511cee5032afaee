"""How an execution stands, as Conductor's ``SignalResponse`` tells it. No IO.

Of what the caller may not read it has what the result says: ids, status and output.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from podium.executor.v1 import executor_pb2 as pb
from services.edge import statuses
from services.edge.management.conductor.fields import refused

TARGET_WORKFLOW = "TARGET_WORKFLOW"
BLOCKING_WORKFLOW = "BLOCKING_WORKFLOW"
_OF_TASK = ("BLOCKING_TASK", "BLOCKING_TASK_INPUT")
STRATEGIES = (TARGET_WORKFLOW, BLOCKING_WORKFLOW, *_OF_TASK)
_OPEN = (pb.EXECUTION_STATUS_RUNNING, pb.EXECUTION_STATUS_PAUSED)
_OF_WORKFLOW = (
    "workflowId", "correlationId", "input", "output", "priority", "variables", "tasks",
    "createTime", "status", "updateTime", "reasonForIncompletion",
)  # fmt: skip
_SAME_OF_TASK = (
    "taskType", "taskId", "referenceTaskName", "retryCount", "taskDefName", "retriedTaskId",
    "workflowType", "correlationId", "reasonForIncompletion", "status", "updateTime",
)  # fmt: skip

Document = Mapping[str, Any]


def strategy_of(written: str) -> str:
    """One of :data:`STRATEGIES`. Raises :class:`InvalidRequest`."""
    if not written:
        return TARGET_WORKFLOW
    if written not in STRATEGIES:
        raise refused("returnStrategy", f"must be one of {', '.join(STRATEGIES)}")
    return written


def size_of(told: pb.AttachExecutionResponse) -> int:
    """Roughly the bytes that are read to show it."""
    shown = len(told.shown.document) + len(told.shown_blocked.document)
    return shown + len(told.result.output)


@dataclass(frozen=True, slots=True)
class Standing:
    """One execution, and the task of it or of a sub-workflow that waits for somebody.

    Attributes:
        told: What the executor says; None: nothing.
        execution_id: Which execution was asked for.
        request_id: What the answer is known by.
    """

    told: pb.AttachExecutionResponse | None
    execution_id: str
    request_id: str = ""

    def is_there(self, strategy: str) -> bool:
        """Whether there is what is asked for: a task that waits, where it is about that."""
        blocked = self.told is not None and self.told.result.HasField("blocked")
        return blocked or strategy not in _OF_TASK

    def response(self, strategy: str) -> dict[str, Any]:
        """The ``SignalResponse``, of what is there."""
        told = self.told or pb.AttachExecutionResponse()
        result = told.result
        target = _shown(told.shown) or _said(result, self.execution_id)
        about = target
        if strategy != TARGET_WORKFLOW and result.HasField("blocked"):
            holder = _holder(told) or {"workflowId": result.blocked.execution_id}
            about = _task(holder, result.blocked) if strategy in _OF_TASK else _workflow(holder)
        common = {
            "responseType": strategy,
            "targetWorkflowId": target["workflowId"],
            "targetWorkflowStatus": target.get("status"),
            "requestId": self.request_id or None,
            "signalTimeout": self.is_late,
        }
        return _present({**about, **common})

    @property
    def lacks_output(self) -> bool:
        """It has one that is too large to be sent."""
        return self.told is not None and self.told.result.output_left_out

    @property
    def is_open(self) -> bool:
        """There is no end yet of what is waited for, as far as is known."""
        result = self.told.result if self.told is not None else pb.Result()
        return not result.awaited_ref and (not result.status or result.status in _OPEN)

    @property
    def is_late(self) -> bool:
        """The wait was over before anything had come of it, as far as is known."""
        return self.is_open and not (self.told and self.told.result.HasField("blocked"))


def _holder(told: pb.AttachExecutionResponse) -> Document | None:
    """The execution whose task waits; None: it is not shown."""
    own = told.result.blocked.execution_id == told.result.execution_id
    shown = told.shown if own else told.shown_blocked
    return _document(shown) if shown.document else None


def _document(shown: pb.ShownExecution) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(shown.document)
    document["createdBy"] = shown.state.started_by
    return document


def _shown(shown: pb.ShownExecution) -> dict[str, Any] | None:
    return _workflow(_document(shown)) if shown.document else None


def _workflow(document: Document) -> dict[str, Any]:
    nothing: dict[str, Any] = {"input": {}, "output": {}, "variables": {}, "tasks": []}
    named = {name: document.get(name) for name in (*_OF_WORKFLOW, "createdBy")}
    return nothing | _present(named)


def _said(result: pb.Result, execution_id: str) -> dict[str, Any]:
    """What is known of an execution that is not shown."""
    ended = result.output and not result.awaited_ref
    return _workflow(
        {
            "workflowId": result.execution_id or execution_id,
            "status": statuses.of_execution(result.status) if result.status else None,
            "output": json.loads(result.output) if ended else {},
            "reasonForIncompletion": result.reason or None,
        }
    )


def _task(holder: Document, blocked: pb.BlockedTask) -> dict[str, Any]:
    """One of ``holder``'s tasks, by its documents where they are shown."""
    unseen = {
        "taskId": blocked.task_id,
        "referenceTaskName": blocked.ref,
        "status": "IN_PROGRESS",
    }
    tasks = holder.get("tasks") or ()
    task = next((each for each in tasks if each.get("taskId") == blocked.task_id), unseen)
    return {
        **{name: task.get(name) for name in _SAME_OF_TASK},
        "workflowId": holder["workflowId"],
        "input": task.get("inputData") or {},
        "output": task.get("outputData") or {},
        "priority": holder.get("priority", 0),
        "variables": holder.get("variables") or {},
        "tasks": [],
        "createdBy": holder.get("createdBy"),
        "createTime": task.get("startTime"),
    }


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}

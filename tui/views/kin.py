"""Which executions belong together, by what Conductor's documents of them say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# Where the output of a task says which execution it started.
_SAYS = {"SUB_WORKFLOW": "subWorkflowId", "START_WORKFLOW": "workflowId"}


def parent_of(document: Mapping[str, Any] | None) -> str:
    """The id of the execution whose task started this one; empty: none did, or it is not known."""
    return _text((document or {}).get("parentWorkflowId"))


def started_by(document: Mapping[str, Any] | None, task_id: str) -> str:
    """The id of the execution that a task of this one started; empty: none, or it is not known."""
    return next((id_ for task, id_ in _started(document) if task.get("taskId") == task_id), "")


def children_of(document: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """The reference name of each task that started an execution, and that one's id."""
    return [(_text(task.get("referenceTaskName")), id_) for task, id_ in _started(document)]


def _started(document: Mapping[str, Any] | None) -> Iterator[tuple[Mapping[str, Any], str]]:
    tasks = (document or {}).get("tasks")
    for task in tasks if isinstance(tasks, list) else ():
        if isinstance(task, dict) and (said := _SAYS.get(_text(task.get("taskType")))):
            output = task.get("outputData")
            if isinstance(output, dict) and (id_ := _text(output.get(said))):
                yield task, id_


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

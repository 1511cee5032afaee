"""What the ``${…}`` of an execution name: ``workflow`` and the tasks that were reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from services.executor.core.jsonpath import Visits
from services.executor.core.model import Execution, Json, Task

if TYPE_CHECKING:
    from services.executor.core.deciding import Deciding

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(moment: datetime | None) -> int:
    """Whole ones since the epoch, as Conductor writes times; 0: it has not come."""
    return (moment - _EPOCH) // _MILLISECOND if moment else 0


class ExecutionScope:
    """The scope of a decision; builds only what is asked for.

    Args:
        task: The attempt whose input is resolved, where it is one's.
    """

    __slots__ = ("_deciding", "_task")

    def __init__(self, deciding: Deciding, task: Task | None) -> None:
        self._deciding = deciding
        self._task = task

    @property
    def visits(self) -> Visits:
        return self._deciding.visits

    def root(self, name: str) -> Json:
        if name == "workflow":
            return {key: read(self._deciding) for key, read in WORKFLOW.items()}
        if name == "CPEWF_TASK_ID":
            return self._task.id if self._task else None
        task = self._named(name)
        return task_values(self._deciding.execution, task) if task else None

    def member(self, root: str, name: str) -> Json:
        if root == "workflow":
            if name == "env":
                # Only by name: whoever takes all of the workflow does not mean it.
                return cast("Json", self._deciding.workflow.environment) if self._trusted else {}
            read = WORKFLOW.get(name)
            return read(self._deciding) if read else None
        task = self._named(root)
        if task is None:
            return None
        read_task = TASK.get(name)
        if read_task is not None:
            return read_task(task)
        read_owner = OWNER.get(name)
        return read_owner(self._deciding.execution) if read_owner else None

    @property
    def _trusted(self) -> bool:
        return self._task is None or self._deciding.step(self._task).trusted

    def everything(self) -> Json:
        names = [task.step for task in self._deciding.tasks()]
        return {name: self.root(name) for name in ("workflow", *names)}

    def chosen(self, names: Iterable[str]) -> dict[str, Json]:
        """The roots of ``names``, without those that there are none of."""
        roots = {name: self.root(name) for name in names}
        return {name: value for name, value in roots.items() if value is not None}

    def _named(self, name: str) -> Task | None:
        """The latest attempt of the step, in a loop that of its latest iteration."""
        deciding = self._deciding
        task = deciding.latest(name)
        if task is None and self._task is not None and self._task.suffix:
            # What a fork has made in the same round is in no definition.
            task = deciding.latest(name + self._task.suffix)
        if task is None and (step := deciding.workflow.steps.get(name)) and step.parent:
            owner = self._named(step.parent)
            if owner is not None and owner.round:
                task = deciding.latest(name + owner.ref[len(owner.step) :] + f"__{owner.round}")
            elif owner is not None:
                task = deciding.latest(name + owner.ref[len(owner.step) :])
        return task


# Conductor's own clients know a fork by this name.
_SHOWN_KINDS = {"FORK_JOIN": "FORK", "FORK_JOIN_DYNAMIC": "FORK"}


def shown_kind(task: Task) -> str:
    """The type of a task as Conductor's clients know it: a SIMPLE one's is its name."""
    return task.name if task.kind == "SIMPLE" else _SHOWN_KINDS.get(task.kind, task.kind)


def task_values(execution: Execution, task: Task) -> dict[str, Json]:
    """Everything of ``task`` that can be named."""
    values = {name: read(task) for name, read in TASK.items()}
    return values | {name: read(execution) for name, read in OWNER.items()}


WORKFLOW: dict[str, Callable[[Deciding], Json]] = {
    "input": lambda deciding: cast("Json", deciding.execution.input),
    "output": lambda deciding: deciding.output if deciding.output is not None else {},
    "status": lambda deciding: deciding.status.value,
    "workflowId": lambda deciding: deciding.execution.id,
    "parentWorkflowId": lambda deciding: deciding.execution.parent_id or None,
    "parentWorkflowTaskId": lambda deciding: deciding.execution.parent_task_id or None,
    "workflowType": lambda deciding: deciding.workflow.name,
    "version": lambda deciding: deciding.workflow.version,
    "correlationId": lambda deciding: deciding.execution.correlation_id or None,
    "reasonForIncompletion": lambda deciding: deciding.reason or None,
    "schemaVersion": lambda deciding: 2,
    "variables": lambda deciding: cast("Json", deciding.variables),
}

TASK: dict[str, Callable[[Task], Json]] = {
    "input": lambda task: task.input if task.input is not None else {},
    "output": lambda task: task.output if task.output is not None else {},
    "taskType": lambda task: shown_kind(task),
    "status": lambda task: task.status.value,
    "referenceTaskName": lambda task: task.ref,
    "retryCount": lambda task: task.attempt,
    "pollCount": lambda task: task.poll_count,
    "taskDefName": lambda task: task.name,
    "scheduledTime": lambda task: milliseconds(task.scheduled_at),
    "startTime": lambda task: milliseconds(task.started_at),
    "endTime": lambda task: milliseconds(task.ended_at),
    "taskId": lambda task: task.id,
    "reasonForIncompletion": lambda task: task.reason or None,
    "callbackAfterSeconds": lambda task: int(task.callback_after.total_seconds()),
    "workerId": lambda task: task.worker_id or None,
    "iteration": lambda task: task.iteration,
}

# What a task has of its execution.
OWNER: dict[str, Callable[[Execution], Json]] = {
    "workflowInstanceId": lambda execution: execution.id,
    "correlationId": lambda execution: execution.correlation_id or None,
}

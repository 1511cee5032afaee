"""The end of an execution: its status, its output, what it leaves open, who is told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import cast

from services.executor.core import counts, loops, reasons, schemas
from services.executor.core.commands import Judge, StartExecution
from services.executor.core.copies import changed
from services.executor.core.deciding import Deciding
from services.executor.core.identity import derived_id
from services.executor.core.jsonpath import TooCostly
from services.executor.core.kind import View
from services.executor.core.model import Execution, ExecutionStatus, Json, Task, TaskStatus
from services.executor.core.scope import ExecutionScope, milliseconds
from services.executor.core.sizes import checked

FAILURE_OUTPUT = "conductor.failure_workflow"
# More of a failed task's output than this is read where it is kept, not handed on.
MAX_SUMMARY_BYTES = 64 << 10

_BY_TASK = {
    TaskStatus.CANCELED: ExecutionStatus.TERMINATED,
    TaskStatus.TIMED_OUT: ExecutionStatus.TIMED_OUT,
}


def complete(deciding: Deciding) -> None:
    """Nothing is open any more."""
    if not deciding.failed_refs:
        end(deciding, ExecutionStatus.COMPLETED, "", task=deciding.last)
        return
    known = {ref: deciding.latest(ref) for ref in deciding.failed_refs}
    failed = [task for task in known.values() if task and not task.status.successful]
    dropped = [ref for ref, task in known.items() if task is None]
    deciding.failed_refs = (*dropped, *(task.ref for task in failed))
    if not deciding.failed_refs:
        end(deciding, ExecutionStatus.COMPLETED, "", task=deciding.last)
        return
    # A loop keeps its last rounds only; what failed in the others has failed.
    said = [f"Task {ref} failed in a round that was dropped (keepLastN)" for ref in dropped]
    reason = ". ".join((*said, *([failed_tasks_reason(failed)] if failed else ())))
    failing = failed[-1] if failed else None
    end(deciding, ExecutionStatus.FAILED, reason, task=failing or deciding.last, failing=failing)


def failed_tasks_reason(failed: Iterable[Task]) -> str:
    """Why what holds ``failed`` has failed."""
    return ". ".join(
        f"Task {task.id} failed with status: {task.status} and reason: '{task.reason}'"
        for task in failed
    )


def fail(deciding: Deciding, task: Task) -> None:
    """The execution ends because ``task`` failed for good."""
    status = _BY_TASK.get(task.status, ExecutionStatus.FAILED)
    reason = f"Task {task.id} failed with status: {status} and reason: '{task.reason}'"
    deciding.failed_refs = tuple(dict.fromkeys((*deciding.failed_refs, task.ref)))
    end(deciding, status, reason, task=task, failing=task)


def end(
    deciding: Deciding,
    status: ExecutionStatus,
    reason: str,
    *,
    task: Task | None = None,
    output: dict[str, Json] | None = None,
    failing: Task | None = None,
    tells: bool = True,
) -> None:
    """Ends the execution.

    Args:
        task: Whose output is the execution's where the definition has no rule of its own.
        output: The execution's, beyond any rule.
        failing: The task that made it fail.
        tells: The ``failureWorkflow`` is started, unless it completed.
    """
    deciding.abandon()
    deciding.status = status
    deciding.reason = reasons.kept(deciding, reason, failing or task, output)
    deciding.ended_at = deciding.now
    deciding.open = 0
    _cancel_open(deciding, failing)
    if deciding.workflow.timeout:
        deciding.cancel_timer("", "timeout")
    result = output if output is not None else _output(deciding, task)
    if (
        tells
        and deciding.status is not ExecutionStatus.COMPLETED
        and deciding.workflow.failure_workflow
    ):
        result = _tell_failure_workflow(deciding, result, failing)
    deciding.output = result
    schema = deciding.workflow.output_schema
    if schema and deciding.status is ExecutionStatus.COMPLETED:
        deciding.commands.append(Judge("", schemas.OUTPUT, schema, result))


def output_broken(deciding: Deciding, faults: schemas.Faults) -> None:
    """It has completed, in this same unit, with an output that breaks its schema: it has failed."""
    deciding.status = ExecutionStatus.FAILED
    reason = schemas.broken("The output", schemas.OUTPUT, faults)
    deciding.reason = reasons.kept(deciding, reason, output=deciding.output)
    if deciding.workflow.failure_workflow:
        output = cast("dict[str, Json]", deciding.output)
        deciding.output = _tell_failure_workflow(deciding, output, None)


def _cancel_open(deciding: Deciding, failing: Task | None) -> None:
    _fail_owners(deciding, failing)
    for task in [task for task in deciding.tasks() if not task.status.final]:
        _cancel(deciding, task)


def _fail_owners(deciding: Deciding, failing: Task | None) -> None:
    for owner in [*counts.owners(deciding, failing)] if failing is not None else ():
        kind = deciding.kinds.get(owner.kind)
        if kind is not None and kind.fails_with_its_tasks and not owner.status.final:
            reason = failed_tasks_reason([failing]) if failing is not None else ""
            _cancel(deciding, owner, TaskStatus.FAILED, reason)


def cancel_within(deciding: Deciding, owner: Task) -> None:
    """Cancels all that is open in the rounds of the loop ``owner``; nothing there goes on."""
    within = dict.fromkeys(loops.refs_within(owner, deciding.step_at, deciding.latest))
    deciding.abandon(within)
    for ref in within:
        task = deciding.latest(ref)
        if task is not None and not task.status.final:
            _cancel(deciding, task, reason=f"The loop {owner.ref} has failed.")
        elif task is not None and (task.open or task.held):
            deciding.put(changed(task, open=0, held=False))


def _cancel(
    deciding: Deciding, task: Task, status: TaskStatus = TaskStatus.CANCELED, reason: str = ""
) -> None:
    task = changed(task, reason=reason)
    kind = deciding.kinds.get(task.kind)
    if kind is not None:
        deciding.commands.extend(kind.cancelled(View(deciding, task, deciding.step(task))))
    for timer in task.timers:
        deciding.cancel_timer(task.id, timer)
    now = deciding.now
    deciding.put(
        changed(
            task,
            status=status,
            updated_at=now,
            ended_at=now,
            pending=0,
            computing="",
            timers=(),
            next_at=None,
            open=0,
            held=False,
        )
    )


def _output(deciding: Deciding, task: Task | None) -> dict[str, Json]:
    workflow = deciding.workflow
    if workflow.output_template is not None:
        try:
            value = checked(workflow.output_template.resolve(ExecutionScope(deciding, None)))
        except (TooCostly, RecursionError, ArithmeticError, ValueError) as error:
            if deciding.status is ExecutionStatus.COMPLETED:
                deciding.status = ExecutionStatus.FAILED
            deciding.reason = deciding.reason or f"Its output cannot be resolved: {error}."
            return {}
        return cast("dict[str, Json]", value)
    if workflow.output:
        return workflow.output
    return task.output if task is not None and isinstance(task.output, dict) else {}


def _tell_failure_workflow(
    deciding: Deciding, output: dict[str, Json], failing: Task | None
) -> dict[str, Json]:
    execution = deciding.execution
    name = _failure_name(deciding)
    if not name:
        return output
    # An execution can fail, be retried and fail again: each failure starts one.
    child = derived_id("failure", execution.id, execution.restarts, deciding.next_sequence)
    inputs: dict[str, Json] = {
        **execution.input,
        "workflowId": execution.id,
        "reason": deciding.reason,
        "failureStatus": deciding.status.value,
        "failureTaskId": failing.id if failing else None,
        "failedWorkflow": _summary(deciding, failing),
    }
    deciding.commands.append(
        StartExecution(
            child,
            name,
            deciding.workflow.failure_version,
            inputs,
            execution.correlation_id,
            task_to_domain=execution.task_to_domain,
        )
    )
    return {**output, FAILURE_OUTPUT: child}


def missed(execution: Execution, child: str, why: str) -> Execution:
    """The execution that has failed, where its failure workflow ``child`` cannot be started."""
    output = execution.output
    if not isinstance(output, dict) or output.get(FAILURE_OUTPUT) != child:
        return execution
    return changed(execution, output={**output, FAILURE_OUTPUT: why})


def _failure_name(deciding: Deciding) -> str:
    """As given, or for ``$.workflow.input.x`` or ``$.input.x`` what the input names."""
    name = deciding.workflow.failure_workflow
    if not name.startswith("$"):
        return name
    key = name.removeprefix("${").removesuffix("}").rpartition(".")[2]
    value = deciding.execution.input.get(key)
    return value if isinstance(value, str) else ""


def _summary(deciding: Deciding, failing: Task | None) -> dict[str, Json]:
    """What failed, bounded: Conductor hands on the whole execution, which no screen opens."""
    execution = deciding.execution
    return {
        "workflowId": execution.id,
        "workflowName": deciding.workflow.name,
        "workflowVersion": deciding.workflow.version,
        "status": deciding.status.value,
        "reasonForIncompletion": deciding.reason,
        "correlationId": execution.correlation_id,
        "startTime": milliseconds(execution.created_at),
        "endTime": milliseconds(deciding.now),
        "failedReferenceTaskNames": list[Json](deciding.failed_refs),
        "tasks": [_task_summary(failing)] if failing else [],
    }


def _task_summary(task: Task) -> dict[str, Json]:
    output = task.output
    if len(json.dumps(output)) > MAX_SUMMARY_BYTES:
        output = None
    return {
        "taskId": task.id,
        "referenceTaskName": task.ref,
        "taskType": task.kind,
        "status": task.status.value,
        "retryCount": task.attempt,
        "reasonForIncompletion": task.reason,
        "outputData": output,
    }

"""What an operator asks of a whole execution: pause, resume, terminate, retry, restart and such."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from immutables import Map

from services.executor.core import (
    allowing,
    attempts,
    completion,
    counts,
    flow,
    reasons,
    timeouts,
    turns,
)
from services.executor.core.blocking import waiting_again
from services.executor.core.copies import changed
from services.executor.core.deciding import Deciding
from services.executor.core.events import Restarted, Terminated, VariablesSet
from services.executor.core.kind import View, Waiting
from services.executor.core.model import Execution, ExecutionStatus, Refused, Task, TaskStatus
from services.executor.core.sizes import too_large
from services.executor.core.workflow import Workflow, filled


def _refusal(deciding: Deciding, said: str) -> Refused:
    return allowing.refusal(said, deciding.status, deciding.workflow)


def pause(deciding: Deciding) -> None:
    """Nothing new starts from now on; what is under way goes on."""
    if deciding.status.final:
        raise _refusal(deciding, f"The execution has ended: it is {deciding.status}.")
    deciding.status = ExecutionStatus.PAUSED


def resume(deciding: Deciding) -> None:
    """Goes on with all that was held; the execution's time begins anew."""
    if deciding.status is not ExecutionStatus.PAUSED:
        raise _refusal(deciding, f"The execution is not paused: it is {deciding.status}.")
    deciding.status = ExecutionStatus.RUNNING
    deciding.last_retried_at = deciding.now
    timeouts.arm(deciding)
    _release(deciding, in_order(task for task in deciding.tasks() if task.held))


def _release(deciding: Deciding, held: Iterable[Task]) -> None:
    for task in held:
        deciding.later(flow.settle if task.status.final else attempts.begin, task)


def terminate(deciding: Deciding, event: Terminated) -> None:
    """Ends it now; the ``failureWorkflow`` is started only where ``event`` asks for it."""
    status = deciding.status
    if status.final and event.by_parent:
        return
    if status is ExecutionStatus.COMPLETED:
        raise _refusal(deciding, "Cannot terminate a COMPLETED workflow.")
    if status is ExecutionStatus.TERMINATED:
        return
    if status.final:
        deciding.status = ExecutionStatus.TERMINATED
        deciding.reason = reasons.kept(deciding, event.reason) or deciding.reason
        return
    completion.end(deciding, ExecutionStatus.TERMINATED, event.reason, tells=event.tells)


def retry(deciding: Deciding, *, resume: bool = False) -> None:
    """Runs the tasks that failed or were cancelled again, and goes on from there.

    Args:
        resume: What such a task has started is retried in its place, where it can be.
    """
    if not deciding.status.final:
        raise _refusal(deciding, f"Workflow is still running.  status={deciding.status}.")
    if deciding.status is ExecutionStatus.COMPLETED:
        raise _refusal(deciding, "There is nothing to retry: it is COMPLETED.")
    # Nothing is open any more: what is not successful failed, or was cancelled.
    failed = in_order(task for task in deciding.tasks() if not task.status.successful)
    held = in_order(task for task in deciding.tasks() if task.held and task.status.successful)
    if not failed and not held:
        raise Refused(
            "There are no retryable tasks! Use restart if you want to attempt entire workflow "
            "execution again."
        )
    waiting = {task.ref: _resumed(deciding, task) for task in failed} if resume else {}
    resumed = {ref: one for ref, one in waiting.items() if one is not None}
    run_again(deciding, failed, held, resumed)


def take_back(deciding: Deciding, task: Task) -> None:
    """What ``task`` had started, and failed with, runs again: so does the execution."""
    failed = in_order(task for task in deciding.tasks() if not task.status.successful)
    held = in_order(task for task in deciding.tasks() if task.held and task.status.successful)
    run_again(deciding, failed, held, {task.ref: waiting_again(task)})


def _resumed(deciding: Deciding, task: Task) -> Waiting | None:
    kind = deciding.kinds.get(task.kind)
    return kind.resumed(View(deciding, task, deciding.step(task))) if kind is not None else None


def run_again(
    deciding: Deciding,
    failed: Sequence[Task],
    held: Sequence[Task],
    resumed: Mapping[str, Waiting],
    anew: Sequence[Task] = (),
) -> None:
    """The execution runs; of ``failed``, those ``resumed`` wait again for what they started.

    Args:
        anew: Tasks that are gone, and that the caller begins once more.
    """
    _reopen(deciding)
    counts.recount(deciding, (*failed, *held, *anew))
    # In this order: nothing may take what is about to run again for what has ended.
    for task in failed:
        if task.ref in resumed:
            attempts.wait(deciding, _reopened(deciding, task), resumed[task.ref])
        elif not _is_reopened(deciding, task):
            deciding.later(_retry_task, task)
    for task in failed:
        if task.ref not in resumed and _is_reopened(deciding, task):
            deciding.put(_reopened(deciding, task))
            deciding.later(_wait_again, task)
    _release(deciding, held)


def _reopen(deciding: Deciding) -> None:
    deciding.status = ExecutionStatus.RUNNING
    deciding.reason = ""
    deciding.output = None
    deciding.ended_at = None
    deciding.failed_refs = ()
    deciding.last_retried_at = deciding.now
    timeouts.arm(deciding)


def _is_reopened(deciding: Deciding, task: Task) -> bool:
    kind = deciding.kinds.get(task.kind)
    return kind is not None and kind.reopened


def _retry_task(deciding: Deciding, task: Task) -> None:
    # The budget over all attempts begins anew, else it would be spent already.
    task = changed(task, first_scheduled_at=deciding.now)
    attempts.again(deciding, task, attempts.NONE, attempts.NONE, same_call=False)


def _reopened(deciding: Deciding, task: Task) -> Task:
    """A task that holds others together, open again."""
    return changed(
        deciding.latest(task.ref) or task,
        status=TaskStatus.IN_PROGRESS,
        ended_at=None,
        updated_at=deciding.now,
        reason="",
        held=False,
    )


def _wait_again(deciding: Deciding, task: Task) -> None:
    """It waits for those others; by now all that run again are open."""
    awaits = task.memory.get("awaits")
    if isinstance(awaits, list):
        flow.await_refs(deciding, task, tuple(map(str, awaits)))
    elif not task.open:
        deciding.later(flow.blocks_ended, task)


def set_variables(deciding: Deciding, event: VariablesSet) -> None:
    """All of them, or none where they would hold too much."""
    if deciding.status.final:
        raise _refusal(deciding, f"The execution has ended: it is {deciding.status}.")
    variables = {**deciding.variables, **event.variables}
    if (fault := too_large(variables)) is not None:
        raise Refused(fault)
    if variables != deciding.variables:
        deciding.variables = variables


def reset_callbacks(deciding: Deciding) -> None:
    """What waits for a delay, of its start or of a retry, begins now."""
    if deciding.status.final:
        raise _refusal(deciding, f"The execution has ended: it is {deciding.status}.")
    for task in in_order(task for task in deciding.tasks() if attempts.START in task.timers):
        deciding.cancel_timer(task.id, attempts.START)
        left = tuple(name for name in task.timers if name != attempts.START)
        deciding.put(changed(task, timers=left))
        deciding.later(attempts.begin, task)
    for task in in_order(filter(turns.is_given_back, deciding.tasks())):
        turns.queue_again(deciding, task)


def restarted(execution: Execution, event: Restarted, now: datetime) -> Execution:
    """The execution as it was before it began, under the same id."""
    if not execution.status.final:
        said = f"Workflow is still running.  status={execution.status}."
        raise allowing.refusal(said, execution.status, execution.workflow)
    if execution.status is ExecutionStatus.COMPLETED and not execution.workflow.restartable:
        said = f"Workflow: {execution.workflow.name} is non-restartable: it is COMPLETED."
        raise allowing.refusal(said, execution.status, execution.workflow)
    workflow: Workflow = event.workflow or execution.workflow
    given = execution.input if event.input is None else event.input
    named = execution.correlation_id if event.correlation_id is None else event.correlation_id
    return changed(
        execution,
        workflow=workflow,
        input=filled(workflow.input_template, given),
        correlation_id=named,
        status=ExecutionStatus.RUNNING,
        created_at=now,
        tasks=Map(),
        refs=Map(),
        extra=Map(),
        variables=workflow.variables,
        output=None,
        reason="",
        ended_at=None,
        last_retried_at=None,
        failed_refs=(),
        restarts=execution.restarts + 1,
        next_sequence=1,
        open=0,
    )


def in_order(tasks: Iterable[Task]) -> list[Task]:
    """``tasks`` as they were scheduled."""
    return sorted(tasks, key=lambda task: task.sequence)

"""The decision: what an event makes of an execution, and what is to be done about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.executor.core import (
    attempts,
    blocking,
    completion,
    flow,
    operations,
    rerun,
    schemas,
    skipping,
    timeouts,
    turns,
    updates,
)
from services.executor.core.commands import Decision, Judge
from services.executor.core.copies import changed
from services.executor.core.deciding import Deciding
from services.executor.core.events import (
    CallbacksReset,
    ChildEnded,
    ChildReopened,
    Computed,
    Event,
    Interrupted,
    Judged,
    LetGo,
    Paused,
    Performed,
    Recalled,
    Rerun,
    Restarted,
    Resumed,
    Retried,
    Skipped,
    Started,
    Taken,
    TaskUpdated,
    Terminated,
    TimerFired,
    VariablesSet,
)
from services.executor.core.kind import Kind
from services.executor.core.model import Execution, ExecutionStatus, Json, Task
from services.executor.core.workflow import Workflow, filled


def start(
    id: str,
    workflow: Workflow,
    input: Mapping[str, Json],
    now: datetime,
    *,
    correlation_id: str = "",
    priority: int = 0,
    parent_id: str = "",
    parent_task_id: str = "",
    depth: int = 0,
    task_to_domain: Mapping[str, str] | None = None,
) -> Execution:
    """A new execution; :class:`Started` is what happens to it next."""
    return Execution(
        id=id,
        workflow=workflow,
        # Mended: Conductor leaves the template out where the input is empty.
        input=filled(workflow.input_template, input) if workflow.input_template else input,
        created_at=now,
        updated_at=now,
        variables=workflow.variables,
        correlation_id=correlation_id,
        priority=priority,
        parent_id=parent_id,
        parent_task_id=parent_task_id,
        depth=depth,
        task_to_domain=task_to_domain or {},
    )


def decide(
    execution: Execution, event: Event, kinds: Mapping[str, Kind], now: datetime
) -> Decision:
    """What ``event``, at ``now``, makes of ``execution``; the same whenever it is asked.

    An event that comes again, or too late, changes nothing.

    Raises:
        Refused: The event asks for what the execution, as it stands, does not allow.
    """
    if isinstance(event, Restarted):
        again = operations.restarted(execution, event, now)
        deciding = Deciding(again, kinds, now, flow.MOVES, dropped=True)
        # An operator may bring it over the limit.
        _started(deciding, Started(admitted=True))
    elif isinstance(event, Rerun):
        task = rerun.meant(execution, event)
        deciding = _rewound(execution, task, kinds, now, event)
    elif isinstance(event, ChildReopened) and (waited := _done_with(execution, event)):
        deciding = _rewound(execution, waited, kinds, now)
    else:
        deciding = Deciding(execution, kinds, now, flow.MOVES)
        _HANDLERS[type(event)](deciding, event)
    deciding.work()
    return deciding.decision()


def _rewound(
    execution: Execution,
    task: Task,
    kinds: Mapping[str, Kind],
    now: datetime,
    event: Rerun | None = None,
) -> Deciding:
    """Begun again from ``task``; without an ``event`` that goes on as it is."""
    rewound = rerun.rewind(execution, task, kinds, kept=event is None)
    again = rerun.without(execution, rewound)
    void = tuple(sorted(rewound.void))
    deciding = Deciding(again, kinds, now, flow.MOVES, rewritten=True, voided=void)
    rerun.go_on(deciding, rewound, None if event is None else event.input)
    return deciding


def _done_with(execution: Execution, event: ChildReopened) -> Task | None:
    """The task that had ended well with what runs again now, if the whole has ended, too."""
    ref = execution.refs.get(event.task_id)
    task = execution.tasks.get(ref) if ref else None
    if task is None or task.id != event.task_id or not execution.status.final:
        return None
    return task if task.status.successful else None


def _started(deciding: Deciding, event: Started) -> None:
    if not deciding.running or deciding.execution.tasks:
        return
    if deciding.workflow.rate_limit is not None and not event.admitted:
        return
    if schema := deciding.workflow.input_schema:
        value = schemas.judged_input(deciding.execution.input, schema)
        deciding.commands.append(Judge("", schemas.INPUT, schema, value))
    else:
        _begin(deciding)


def _begin(deciding: Deciding) -> None:
    timeouts.arm(deciding)
    if deciding.workflow.first:
        deciding.open = 1
        flow.reach(deciding, deciding.workflow.first)
    else:
        completion.end(deciding, ExecutionStatus.COMPLETED, "No tasks found to be executed")


def _performed(deciding: Deciding, event: Performed) -> None:
    task = _under_way(deciding, event)
    if task is not None:
        attempts.ask(deciding, attempts.answered(deciding, task), "performed", event.outcome)


def _interrupted(deciding: Deciding, event: Interrupted) -> None:
    task = _under_way(deciding, event)
    if task is not None:
        attempts.ask(deciding, attempts.answered(deciding, task), "interrupted")


def _under_way(deciding: Deciding, event: Performed | Interrupted) -> Task | None:
    """The task, if its effect under way is the one that the event is about."""
    task = deciding.current(event.task_id)
    if task is None or task.status.final or task.pending != event.number:
        return None
    return task


def _computed(deciding: Deciding, event: Computed) -> None:
    task = deciding.current(event.task_id)
    if task is None or task.status.final or task.computing != event.label:
        return
    task = changed(task, computing="")
    attempts.ask(deciding, task, "computed", event.label, event.value, event.error)


def _judged(deciding: Deciding, event: Judged) -> None:
    if event.task_id:
        task = deciding.current(event.task_id)
        if task is not None and not task.status.final and task.computing == event.label:
            attempts.judged(deciding, task, event)
    elif event.label == schemas.OUTPUT:
        if event.faults and deciding.status is ExecutionStatus.COMPLETED:
            completion.output_broken(deciding, event.faults)
    elif deciding.running and not deciding.execution.tasks:
        if event.faults:
            reason = schemas.broken("The input", schemas.INPUT, event.faults)
            completion.end(deciding, ExecutionStatus.FAILED, reason)
        else:
            _begin(deciding)


def _recalled(deciding: Deciding, event: Recalled) -> None:
    task = deciding.current(event.task_id)
    if task is not None and not task.status.final and task.computing == event.label:
        attempts.recalled(deciding, task, event.output)


def _child_ended(deciding: Deciding, event: ChildEnded) -> None:
    task = deciding.current(event.task_id)
    if task is None:
        return
    if not task.status.final:
        attempts.ask(deciding, task, "child_ended", event)
    elif blocking.is_another_end(task, event.run):
        # What runs again while this goes on without it goes its own way: nobody tells of it again.
        deciding.put(blocking.having_heard(task, event.run))


def _paused(deciding: Deciding, event: Paused) -> None:
    operations.pause(deciding)


def _resumed(deciding: Deciding, event: Resumed) -> None:
    operations.resume(deciding)
    # It may have been paused before it began.
    _started(deciding, Started())


def _retried(deciding: Deciding, event: Retried) -> None:
    operations.retry(deciding, resume=event.resume)


def _child_reopened(deciding: Deciding, event: ChildReopened) -> None:
    task = deciding.current(event.task_id)
    if task is None or task.status.successful or not task.status.final:
        return
    # Else another attempt, or what is behind an optional task, has taken its place.
    if deciding.status.final:
        operations.take_back(deciding, task)


def _callbacks_reset(deciding: Deciding, event: CallbacksReset) -> None:
    operations.reset_callbacks(deciding)


_HANDLERS: dict[type, Callable[[Deciding, Any], None]] = {
    Started: _started,
    Performed: _performed,
    Interrupted: _interrupted,
    Computed: _computed,
    Judged: _judged,
    Recalled: _recalled,
    TimerFired: timeouts.fired,
    TaskUpdated: updates.updated,
    Paused: _paused,
    Resumed: _resumed,
    Terminated: operations.terminate,
    Retried: _retried,
    ChildEnded: _child_ended,
    ChildReopened: _child_reopened,
    Skipped: skipping.skip,
    VariablesSet: operations.set_variables,
    CallbacksReset: _callbacks_reset,
    Taken: turns.taken,
    LetGo: turns.let_go,
}

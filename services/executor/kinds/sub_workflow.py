"""SUB_WORKFLOW: another workflow, whose end the task waits for."""

from __future__ import annotations

from collections.abc import Mapping

from services.executor.core.blocking import HEARD, RESUMED, without_end, word_of
from services.executor.core.commands import (
    Command,
    FollowExecution,
    StartExecution,
    TellExecution,
    Wanted,
)
from services.executor.core.events import ChildEnded, Event, Retried, TaskUpdated, Terminated
from services.executor.core.identity import attempt_ids, derived_id
from services.executor.core.kind import KEPT, Finished, Kind, Look, Next, View, Waiting, unusable
from services.executor.core.model import ExecutionStatus, Json, TaskStatus
from services.executor.core.turns import domains_of
from services.executor.kinds.workflow_keys import Key, priority_of, version_of

MOST_LEVELS = 100

_MOST_REASON_CHARS = 600

_LOOK = "workflow"
_ATTACHED = "attached"
_ENDS = {
    ExecutionStatus.COMPLETED: TaskStatus.COMPLETED,
    ExecutionStatus.TIMED_OUT: TaskStatus.TIMED_OUT,
    ExecutionStatus.TERMINATED: TaskStatus.CANCELED,
}


class SubWorkflow(Kind):
    """Starts an execution, in the same transaction, with its own input; ends as that one does.

    A retry by its task definition starts another one; an operator's may retry it instead.
    """

    def begin(self, view: View) -> Next:
        param = _param(view)
        definition, name = param.get("workflowDefinition"), param.get("name")
        if definition is not None and not isinstance(definition, dict):
            return unusable("subWorkflowParam.workflowDefinition is no workflow.")
        if definition is None and (not isinstance(name, str) or not name):
            return unusable("subWorkflowParam.name must name a workflow.")
        if view.execution.depth >= MOST_LEVELS:
            return unusable(f"Sub-workflows nest deeper than {MOST_LEVELS} levels.")
        try:
            key, version, _ = Key.of(param), version_of(param), priority_of(param)
        except ValueError as error:
            return unusable(f"subWorkflowParam.{error}")
        wanted = Wanted(
            workflow=str(name or ""),
            version=version,
            definition=definition,
            trusted=_is_fixed(view),
            key=key.text,
            child=child_id(view),
            earlier=_earlier(view) if key.text else (),
        )
        return Waiting(look=Look(_LOOK, wanted))

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        found = value.get(_LOOK) if isinstance(value, dict) else None
        if error is not None or not isinstance(found, dict):
            return unusable(error or "There is no such workflow.")
        execution, param = view.execution, _param(view)
        key = Key.of(param)
        if isinstance(held := value.get("held") if isinstance(value, dict) else None, str):
            return _held(view, held, key)
        definition, priority = param.get("workflowDefinition"), priority_of(param)
        start = StartExecution(
            child_id(view),
            str(found["name"]),
            version_of(found),
            _input(view, is_dynamic=isinstance(definition, dict)),
            execution.correlation_id,
            definition=definition if isinstance(definition, dict) else None,
            trusted=_is_fixed(view),
            task_id=view.task.id,
            depth=execution.depth + 1,
            priority=execution.priority if priority is None else priority,
            task_to_domain=domains_of(param.get("taskToDomain")) or execution.task_to_domain,
            key=key.text,
            anew=key.anew,
            earlier=_earlier(view) if key.text else (),
        )
        return Waiting(output={"subWorkflowId": start.id}, commands=(start,))

    def child_ended(self, view: View, child: ChildEnded) -> Next:
        status = _ENDS.get(child.status, TaskStatus.FAILED)
        own = view.task.output if isinstance(view.task.output, dict) else {}
        output = {**child.output, **own} if isinstance(child.output, dict) else own
        # What runs on after that was reopened (kinship.py).
        memory = {**view.task.memory, HEARD: child.run or True}
        if status is TaskStatus.COMPLETED:
            return Finished(output=output, memory=memory)
        reason = f"Sub workflow {child.child} failure reason: {_end_of(child.reason)}"
        return Finished(status, output=output, reason=reason, memory=memory)

    def resumed(self, view: View) -> Waiting | None:
        if not has_begun(view) or _ATTACHED in view.task.memory:
            return None
        memory = without_end(view.task)
        before = memory.get(RESUMED)
        memory[RESUMED] = number = before + 1 if isinstance(before, int) else 1
        output: Json = {"subWorkflowId": child_id(view)}
        again = Retried(resume=True, by_parent=True, word=word_of(view.task.id, number))
        return Waiting(output, memory, commands=_told(view, again))

    def interrupted(self, view: View) -> Next:
        return Waiting()

    def timed_out(self, view: View, reason: str) -> Finished:
        return _leaving(view, TaskStatus.TIMED_OUT, reason)

    def updated(self, view: View, update: TaskUpdated) -> Next:
        return _leaving(view, update.status, update.reason)

    def cancelled(self, view: View) -> tuple[Command, ...]:
        return _terminating(view, view.ending_reason)


def child_id(view: View) -> str:
    """The id of what the attempt starts."""
    return _child_of(view, view.task.id)


def _earlier(view: View) -> tuple[str, ...]:
    """The ids of what the task's attempts before this one have started, if they have."""
    attempts = {view.task.retried_id} if view.task.retried_id else set[str]()
    execution, ref = view.execution, view.task.ref
    attempts.update(attempt_ids(execution.id, execution.restarts, ref, view.task.attempt))
    return tuple(_child_of(view, each) for each in sorted(attempts))


def _child_of(view: View, attempt_id: str) -> str:
    return derived_id("sub workflow", view.execution_id, attempt_id)


def has_begun(view: View) -> bool:
    """Whether the attempt has started its execution."""
    return isinstance(view.task.output, dict) and "subWorkflowId" in view.task.output


def _end_of(reason: str) -> str:
    """What it all began with stands at the end of a reason, each level around it before that."""
    return reason if len(reason) <= _MOST_REASON_CHARS else f"…{reason[-_MOST_REASON_CHARS:]}"


def _leaving(view: View, status: TaskStatus, reason: str) -> Finished:
    commands = _terminating(view, reason or f"the task is {status}")
    return Finished(status, KEPT, reason, commands=commands)


def _terminating(view: View, reason: str) -> tuple[Command, ...]:
    said = f"Parent workflow has been terminated with reason: {reason}"
    # What others have started goes on without it.
    own = has_begun(view) and _ATTACHED not in view.task.memory
    return _told(view, Terminated(said, by_parent=True)) if own else ()


def _held(view: View, holder: str, key: Key) -> Next:
    """Another execution has the key: it is waited for, or the task fails."""
    if not key.attaches or holder == view.execution_id:
        return unusable(key.refusal(holder))
    follow = FollowExecution(holder, view.task.id)
    memory = {**view.task.memory, _ATTACHED: holder}
    return Waiting({"subWorkflowId": holder}, memory, commands=(follow,))


def _told(view: View, event: Event) -> tuple[Command, ...]:
    return (TellExecution(child_id(view), event, view.task.id),)


def _param(view: View) -> Mapping[str, Json]:
    param = view.step.document.get("subWorkflowParam")
    if not isinstance(param, dict):
        return {}
    # What stands within a definition is about the execution that it defines.
    fixed = {key: value for key, value in param.items() if isinstance(value, dict)}
    given = {key: value for key, value in param.items() if key not in fixed}
    resolved = view.resolve(given)
    return {**resolved, **fixed} if isinstance(resolved, dict) else fixed


def _is_fixed(view: View) -> bool:
    """Whether what runs stands in a definition that no caller had a say in, and is not resolved."""
    param = view.step.document.get("subWorkflowParam")
    return (
        view.step.trusted
        and isinstance(param, dict)
        and not isinstance(param.get("workflowDefinition"), str)
    )


def _input(view: View, *, is_dynamic: bool) -> dict[str, Json]:
    """As Conductor marks what was started by a definition of its own."""
    return {**view.input, "_systemMetadata": {"dynamic": True}} if is_dynamic else view.input

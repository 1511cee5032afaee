"""What happens when a timer comes due: of the execution, of an attempt, or of a kind's own."""

from __future__ import annotations

from datetime import datetime

from services.executor.core import attempts, completion, turns
from services.executor.core.copies import changed
from services.executor.core.deciding import Deciding
from services.executor.core.events import TimerFired
from services.executor.core.model import ExecutionStatus, Task, TaskStatus
from services.executor.core.policy import TimeoutPolicy


def fired(deciding: Deciding, event: TimerFired) -> None:
    """A timer came due; one that is no longer set changes nothing."""
    key = event.key
    if not key.task_id:
        _execution_timed_out(deciding)
        return
    task = deciding.current(key.task_id)
    if task is None or task.status.final or key.name not in task.timers:
        return
    if later := turns.until_later(task, key.name, deciding.now):
        deciding.set_timer(task.id, key.name, later)
        return
    task = changed(task, timers=tuple(name for name in task.timers if name != key.name))
    own = _OWN.get(key.name.partition(" ")[0])
    if own is not None:
        own(deciding, task)
    else:
        attempts.ask(deciding, task, "fired", key.name)


def arm(deciding: Deciding) -> None:
    """Sets the execution's own timer."""
    if deciding.workflow.timeout:
        deciding.set_timer("", "timeout", deciding.now + deciding.workflow.timeout)


def _execution_timed_out(deciding: Deciding) -> None:
    timeout = deciding.workflow.timeout
    if timeout is None or deciding.status.final:
        return
    since = deciding.last_retried_at or deciding.execution.created_at
    # Where the clock was set back, the timer alone knows how long it was.
    if since <= deciding.now < since + timeout:
        # It came due before its time began anew, and is told of only now.
        deciding.set_timer("", "timeout", since + timeout)
        return
    reason = (
        f"Workflow timed out after {_elapsed(deciding.now, since)} seconds. Timeout configured as "
        f"{int(timeout.total_seconds())} seconds. Timeout policy configured to TIME_OUT_WF"
    )
    completion.end(deciding, ExecutionStatus.TIMED_OUT, reason)


def _attempt_timed_out(deciding: Deciding, task: Task) -> None:
    policy = deciding.step(task).policy
    reason = (
        f"Task timed out after {_elapsed(deciding.now, task.started_at)} seconds. Timeout "
        f"configured as {int(policy.timeout.total_seconds())} seconds. Timeout policy configured "
        f"to {policy.timeout_policy}"
    )
    _timed_out(deciding, task, policy.timeout_policy, reason)


def _timed_out(deciding: Deciding, task: Task, policy: TimeoutPolicy, reason: str) -> None:
    if policy is TimeoutPolicy.ALERT_ONLY:
        # Who waits for a worker keeps the place in its queue.
        waits = bool(task.queue) and task.status is TaskStatus.SCHEDULED
        at = task.updated_at if waits else deciding.now
        deciding.put(changed(task, reason=reason, updated_at=at))
        return
    attempts.ask(deciding, task, "timed_out", reason)
    if policy is TimeoutPolicy.TIME_OUT_WF:
        ended = deciding.latest(task.ref)
        # The kind may have known of another end, which came first.
        if ended is not None and ended.status is TaskStatus.TIMED_OUT:
            completion.fail(deciding, ended)


def _poll_timed_out(deciding: Deciding, task: Task) -> None:
    policy = deciding.step(task).policy
    reason = (
        f"Task poll timed out after {_elapsed(deciding.now, task.updated_at)} seconds. Poll "
        f"timeout configured as {int(policy.poll_timeout.total_seconds())} seconds. Timeout policy "
        f"configured to {policy.timeout_policy}"
    )
    if task.status is TaskStatus.SCHEDULED:
        _timed_out(deciding, task, policy.timeout_policy, reason)


def _response_timed_out(deciding: Deciding, task: Task) -> None:
    timeout = deciding.step(task).policy.response_timeout
    due = task.updated_at + timeout
    by_worker = task.queue and not task.queue.startswith(attempts.OWN_TURN)
    if by_worker and deciding.now < due:
        # Its worker was heard of since: that is noted, and the timer left where it is.
        if task.updated_at > deciding.now:
            # Or the clock was set back, by hours perhaps: it has its time once more, by this one.
            task = changed(task, updated_at=deciding.now)
            due = deciding.now + timeout
        deciding.put(attempts.with_timer(deciding, task, attempts.RESPONSE, due))
        return
    seconds = int(timeout.total_seconds())
    reason = (
        f"responseTimeout: {seconds} exceeded for the taskId: {task.id} with Task Definition: "
        f"{task.name}"
    )
    attempts.ask(deciding, task, "timed_out", reason)


def _total_timed_out(deciding: Deciding, task: Task) -> None:
    seconds = int(deciding.step(task).policy.total_timeout.total_seconds())
    elapsed = _elapsed(deciding.now, task.first_scheduled_at)
    reason = (
        f"Task {task.name}/{task.id} exceeded total timeout of {seconds} seconds (elapsed "
        f"{elapsed} seconds across all attempts). No further retries will be attempted."
    )
    task = changed(task, memory={**task.memory, "exhausted": True})
    attempts.ask(deciding, task, "timed_out", reason)


def _elapsed(now: datetime, since: datetime | None) -> int:
    return int((now - since).total_seconds()) if since else 0


_OWN = {
    attempts.START: attempts.begin,
    "timeout": _attempt_timed_out,
    attempts.RESPONSE: _response_timed_out,
    "total": _total_timed_out,
    "queued": _poll_timed_out,
}

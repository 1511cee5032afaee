"""From task to task: a step is reached, begins, waits, ends; what comes next is reached."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.executor.core import completion, counts, retries
from services.executor.core.commands import Compute, Perform
from services.executor.core.copies import changed
from services.executor.core.deciding import Deciding
from services.executor.core.identity import derived_id
from services.executor.core.jsonpath import TooCostly
from services.executor.core.kind import KEPT, Finished, Next, View, Waiting, unusable
from services.executor.core.model import Json, Task, TaskStatus
from services.executor.core.scope import ExecutionScope
from services.executor.core.sizes import checked, shortened
from services.executor.core.workflow import Step

NONE = timedelta()
# The timer of a call under way; what is set has the call's number behind it.
RESPONSE = "response"
# Callers send what expressions are about: numbers beyond any measure, too.
UNRESOLVABLE = (TooCostly, RecursionError, ArithmeticError, ValueError)


def reach(
    deciding: Deciding, ref: str, *, parent: str = "", suffix: str = "", iteration: int = 0
) -> None:
    """It is the turn of the step ``ref``, in the block of ``parent``.

    One that was reached before is not begun again: an operator's retry goes on over what has
    ended already, and no further than to what another way is at.
    """
    known = deciding.latest(ref + suffix)
    if known is not None:
        if counts.is_settled(known):
            deciding.later(_passed_over, known)
        else:
            _way_ended(deciding, parent)
        return
    step = deciding.workflow.steps[ref]
    task = new_task(deciding, step, ref + suffix, parent, iteration)
    deciding.add(task)
    schedule(deciding, task, step, step.start_delay)


def new_task(deciding: Deciding, step: Step, ref: str, parent: str, iteration: int) -> Task:
    """The first attempt of a step."""
    now, execution = deciding.now, deciding.execution
    return changed(
        _BLANK,
        id=derived_id(execution.id, execution.restarts, ref, 0),
        ref=ref,
        step=step.ref,
        kind=step.kind,
        name=step.name,
        sequence=deciding.next_sequence,
        iteration=iteration,
        parent=parent,
        scheduled_at=now,
        updated_at=now,
        first_scheduled_at=now,
    )


_NO_TIME = datetime.min.replace(tzinfo=UTC)
_BLANK = changed(Task(
    id="", ref="", step="", kind="", name="", sequence=0, status=TaskStatus.SCHEDULED,
    scheduled_at=_NO_TIME, updated_at=_NO_TIME,
))  # fmt: skip


def schedule(
    deciding: Deciding,
    task: Task,
    step: Step,
    delay: timedelta,
    shown_delay: timedelta | None = None,
) -> None:
    """A new attempt begins after ``delay``: at once, where that is nothing."""
    at_once = delay <= NONE
    try:
        # One copy, not two: nearly every task begins when it is reached.
        task = changed(
            task,
            input=_resolved_input(deciding, task, step),
            started_at=deciding.now if at_once else None,
        )
    except UNRESOLVABLE as error:
        finish(deciding, task, unusable(f"Its input cannot be resolved: {error}."))
        return
    total = step.policy.total_timeout
    if total and task.first_scheduled_at is not None:
        task = with_timer(deciding, task, "total", task.first_scheduled_at + total)
    if at_once:
        if step.policy.timeout:
            task = with_timer(deciding, task, "timeout", deciding.now + step.policy.timeout)
        deciding.put(task)
        # In its turn, not here: branches nest, and each would be some frames deeper.
        deciding.later(_act, task)
        return
    due = deciding.now + delay
    task = with_timer(deciding, task, "start", due)
    shown = delay if shown_delay is None else shown_delay
    deciding.put(changed(task, callback_after=shown, next_at=due))


def _resolved_input(deciding: Deciding, task: Task, step: Step) -> Json:
    if step.template is None:
        return step.input
    value = step.template.resolve(ExecutionScope(deciding, task))
    for key, fallback in step.fallback.items():
        if isinstance(value, dict) and value.get(key) is None:
            value[key] = fallback(ExecutionScope(deciding, task))
    return checked(value)


def begin(deciding: Deciding, task: Task) -> None:
    """The attempt's time has come."""
    if not deciding.running:
        deciding.put(changed(task, held=True))
        return
    step = deciding.step(task)
    task = changed(task, started_at=deciding.now, callback_after=NONE, next_at=None, held=False)
    if step.policy.timeout:
        task = with_timer(deciding, task, "timeout", deciding.now + step.policy.timeout)
    _act(deciding, task)


def _act(deciding: Deciding, task: Task) -> None:
    if deciding.running:
        ask(deciding, task, "begin")
    else:
        deciding.put(changed(task, held=True))


def ask(deciding: Deciding, task: Task, what: str, *arguments: object) -> None:
    """Asks the task's kind, by the name of a method of :class:`Kind`, and does what it says."""
    kind = deciding.kinds.get(task.kind)
    if kind is None:
        finish(deciding, task, unusable(f"There is no task type {task.kind!r}."))
        return
    view = View(deciding, task, deciding.step(task))
    try:
        follows: Next = getattr(kind, what)(view, *arguments)
    except UNRESOLVABLE as error:
        follows = unusable(f"What it came to cannot be kept: {error}.")
    if isinstance(follows, Finished):
        finish(deciding, task, follows)
    else:
        wait(deciding, task, follows)


def wait(deciding: Deciding, task: Task, waiting: Waiting) -> None:
    """The attempt stays open; what it asks for is done."""
    changes: dict[str, object] = {
        "status": TaskStatus.IN_PROGRESS,
        "updated_at": deciding.now,
        "next_at": waiting.next_at,
        "callback_after": waiting.next_at - deciding.now if waiting.next_at else NONE,
    }
    if waiting.output is not KEPT:
        changes["output"] = waiting.output
    if waiting.memory is not None:
        changes["memory"] = waiting.memory
    if waiting.poll_count is not None:
        changes["poll_count"] = waiting.poll_count
    if waiting.perform is not None:
        number = task.performs + 1
        changes["performs"] = changes["pending"] = number
        perform = waiting.perform
        deciding.commands.append(Perform(task.id, number, perform.name, perform.request))
    elif not waiting.goes_on:
        changes["pending"] = 0
    if waiting.compute is not None:
        script = waiting.compute
        changes["computing"] = script.label
        deciding.commands.append(Compute(task.id, script.label, script.source, script.scope))
    for name, at in waiting.timers:
        # By the call's number: that of an earlier call may come due while this one is made.
        numbered = f"{RESPONSE} {task.performs + 1}" if name == RESPONSE else name
        task = with_timer(deciding, task, numbered, at)
    deciding.commands.extend(waiting.commands)
    task = changed(task, **changes)
    deciding.put(task)
    if waiting.awaits:
        await_refs(deciding, task, waiting.awaits)
    elif waiting.enter:
        enter(deciding, task, waiting.enter, waiting.round)


def with_timer(deciding: Deciding, task: Task, name: str, at: datetime) -> Task:
    """``task`` with a timer set."""
    deciding.set_timer(task.id, name, at)
    return task if name in task.timers else changed(task, timers=(*task.timers, name))


def answered(deciding: Deciding, task: Task) -> Task:
    """``task`` with the time limit of its call cancelled, if one was set."""
    limits = [name for name in task.timers if name.startswith(RESPONSE)]
    if not limits:
        return task
    for name in limits:
        deciding.cancel_timer(task.id, name)
    return changed(task, timers=tuple(name for name in task.timers if name not in limits))


def finish(deciding: Deciding, task: Task, finished: Finished) -> None:
    """The attempt has ended; what follows is decided next."""
    changes = _final_changes(deciding, task, finished)
    for timer in task.timers:
        deciding.cancel_timer(task.id, timer)
    task = changed(task, **changes)
    deciding.put(task)
    deciding.commands.extend(finished.commands)
    if finished.variables is not None:
        deciding.variables = {**deciding.variables, **finished.variables}
    if finished.ends is not None:
        ends = finished.ends
        completion.end(deciding, ends.status, ends.reason, task=task, output=ends.output)
        return
    if finished.enter:
        enter(deciding, task, finished.enter, 0, detached=finished.detached)
    if not finished.enter or finished.detached:
        deciding.later(settle, task)


def _final_changes(deciding: Deciding, task: Task, finished: Finished) -> dict[str, object]:
    changes: dict[str, object] = {
        "status": finished.status,
        "reason": shortened(finished.reason),
        "updated_at": deciding.now,
        "ended_at": deciding.now,
        "pending": 0,
        "computing": "",
        "timers": (),
        "next_at": None,
        "callback_after": NONE,
        "held": False,
    }
    if finished.output is not KEPT:
        changes["output"] = finished.output
    if finished.input is not KEPT:
        changes["input"] = finished.input
    if finished.poll_count is not None:
        changes["poll_count"] = finished.poll_count
    notes: dict[str, Json] = {}
    if finished.unknown:
        notes["unknown"] = True
    if finished.retry_after is not None:
        notes["retryAfterSeconds"] = finished.retry_after.total_seconds()
    if finished.memory is not None or notes:
        memory = task.memory if finished.memory is None else finished.memory
        changes["memory"] = {**memory, **notes} if notes else memory
    return changes


def enter(
    deciding: Deciding,
    task: Task,
    names: tuple[str, ...],
    iteration: int,
    *,
    detached: bool = False,
) -> None:
    """Begins blocks of ``task``; with an ``iteration``, as that round of a loop."""
    step = deciding.step(task)
    first = [step.blocks[name] for name in names if step.blocks.get(name)]
    task = changed(task, open=len(first), round=iteration or task.round)
    deciding.put(task)
    if detached:
        task = counts.detached(deciding, task, len(first))
    suffix = task.ref[len(task.step) :] + (f"__{iteration}" if iteration else "")
    for ref in first:
        reach(
            deciding,
            ref,
            parent=task.ref,
            suffix=suffix,
            iteration=iteration or task.iteration,
        )
    if not first and not detached:
        deciding.later(blocks_ended, task)


def await_refs(deciding: Deciding, task: Task, refs: tuple[str, ...]) -> None:
    """``task`` waits for the end of what ``refs`` name."""
    awaited = (deciding.latest(ref) for ref in refs)
    missing = sum(1 for other in awaited if other is None or not counts.is_settled(other))
    memory = {**task.memory, "awaits": list[Json](refs)}
    task = changed(task, open=missing, memory=memory)
    deciding.put(task)
    if not missing:
        deciding.later(blocks_ended, task)


def settle(deciding: Deciding, task: Task) -> None:
    """An attempt has ended: go on, try again, or give up."""
    if deciding.status.final:
        return
    if not deciding.running:
        deciding.put(changed(task, held=True))
        return
    if task.held:
        task = changed(task, held=False)
        deciding.put(task)
    if task.status.successful:
        passed(deciding, task)
        return
    step = deciding.step(task)
    if retries.allowed(deciding, task, step):
        again(deciding, task, *retries.delays(task, step), same_call=_is_unknown(task))
    else:
        give_up(deciding, task, step)


def _is_unknown(task: Task) -> bool:
    return task.memory.get("unknown") is True


def again(
    deciding: Deciding, task: Task, delay: timedelta, shown: timedelta, *, same_call: bool
) -> None:
    """Another attempt of ``task`` begins after ``delay``."""
    following = retries.following(deciding, task, same_call=same_call)
    deciding.add(following)
    schedule(deciding, following, deciding.step(task), delay, shown)


def give_up(deciding: Deciding, task: Task, step: Step) -> None:
    """The last attempt has failed."""
    if step.optional:
        task = changed(task, status=TaskStatus.COMPLETED_WITH_ERRORS)
        deciding.put(task)
        passed(deciding, task)
    elif step.permissive:
        deciding.failed_refs = (*deciding.failed_refs, task.ref)
        passed(deciding, task)
    else:
        completion.fail(deciding, task)


def passed(deciding: Deciding, task: Task) -> None:
    """A task has ended for good and the flow goes on behind it, once its blocks have ended."""
    if not task.open and not deciding.status.final:
        deciding.last = task
        _go_on(deciding, task)


def _go_on(deciding: Deciding, task: Task) -> None:
    suffix = task.ref[len(task.step) :]
    for ref in deciding.step(task).joined_by:
        join = deciding.latest(ref + suffix)
        if join is not None and join.status is TaskStatus.IN_PROGRESS and join.open:
            join = changed(join, open=join.open - 1)
            deciding.put(join)
            _ended_if_none_open(deciding, join)
    _follow(deciding, task)


def _passed_over(deciding: Deciding, task: Task) -> None:
    """The flow comes upon what has ended already; whoever joins it knows."""
    deciding.last = task
    _follow(deciding, task)


def _follow(deciding: Deciding, task: Task) -> None:
    following = deciding.step(task).next
    if following:
        suffix = task.ref[len(task.step) :]
        reach(deciding, following, parent=task.parent, suffix=suffix, iteration=task.iteration)
    else:
        _way_ended(deciding, task.parent)


def _way_ended(deciding: Deciding, parent: str) -> None:
    """A way through the block of ``parent`` leads no further."""
    owner = counts.add(deciding, parent, -1)
    if owner is not None:
        _ended_if_none_open(deciding, owner)
    elif not deciding.open:
        completion.complete(deciding)


def _ended_if_none_open(deciding: Deciding, task: Task) -> None:
    if not task.open:
        deciding.later(blocks_ended, task)


def blocks_ended(deciding: Deciding, task: Task) -> None:
    """Nothing that the task waited for is open any more."""
    if deciding.status.final:
        return
    if task.status.final:
        _go_on(deciding, task)
    else:
        ask(deciding, task, "joined")

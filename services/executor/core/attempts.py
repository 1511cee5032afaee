"""One attempt of a step: it is scheduled, begins, waits, ends, and may be followed by another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

from services.executor.core import caching, completion, loops, reasons, retries, schemas, spawning
from services.executor.core.commands import Compute, Judge, Lookup, Offer, Perform, Recall
from services.executor.core.copies import changed
from services.executor.core.deciding import Deciding
from services.executor.core.events import Judged
from services.executor.core.identity import attempt_id
from services.executor.core.inputs import GIVEN, resolved_input
from services.executor.core.jsonpath import TooCostly
from services.executor.core.kind import KEPT, Becomes, Finished, Next, View, Waiting, unusable
from services.executor.core.model import Json, Task, TaskStatus
from services.executor.core.policy import Limits
from services.executor.core.references import escaped
from services.executor.core.workflow import Step

NONE = timedelta()
# The timer of a call under way; what is set has the call's number behind it.
RESPONSE = "response"
# The timer of an attempt that is still to begin.
START = "start"
# Begins the queue of the tasks of a definition that only wait for its limits.
OWN_TURN = "="
# Where an attempt that has waited for its turn remembers the limits of its definition.
LIMITS = "limits"
# Callers send what expressions are about: numbers beyond any measure, too.
UNRESOLVABLE = (TooCostly, RecursionError, ArithmeticError, ValueError)


def new_task(deciding: Deciding, step: Step, ref: str, parent: str, iteration: int) -> Task:
    """The first attempt of a step."""
    now, execution = deciding.now, deciding.execution
    given = deciding.given.pop(ref, None)
    if given is not None and step.template is not None and step.template.handoff:
        given = escaped(given)
    again = deciding.again.pop(ref, None) if deciding.again else None
    return changed(
        _BLANK,
        input=given if again is None else again.input,
        id=attempt_id(execution.id, execution.restarts, ref, 0),
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
        memory={GIVEN: True} if again is not None and again.given else _BLANK.memory,
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
            input=resolved_input(deciding, task, step),
            started_at=deciding.now if at_once else None,
        )
    except UNRESOLVABLE as error:
        finish(deciding, task, unusable(f"Its input cannot be resolved: {error}."))
        return
    total = step.policy.total_timeout
    if total and task.first_scheduled_at is not None:
        task = with_timer(deciding, task, "total", task.first_scheduled_at + total)
    if at_once:
        if step.policy.timeout and not has_turn(deciding, step):
            task = with_timer(deciding, task, "timeout", deciding.now + step.policy.timeout)
        deciding.put(task)
        # In its turn, not here: branches nest, and each would be some frames deeper.
        deciding.later(act, task)
        return
    due = deciding.now + delay
    task = with_timer(deciding, task, START, due)
    shown = delay if shown_delay is None else shown_delay
    deciding.put(changed(task, callback_after=shown, next_at=due))


def begin(deciding: Deciding, task: Task) -> None:
    """The attempt's time has come."""
    if not deciding.running:
        deciding.put(changed(task, held=True))
        return
    step = deciding.step(task)
    task = changed(task, started_at=deciding.now, callback_after=NONE, next_at=None, held=False)
    if step.policy.timeout and not has_turn(deciding, step):
        task = with_timer(deciding, task, "timeout", deciding.now + step.policy.timeout)
    act(deciding, task)


def act(deciding: Deciding, task: Task) -> None:
    """It is the attempt's turn, unless the execution is paused."""
    if not deciding.running:
        deciding.put(changed(task, held=True))
    elif schema := deciding.step(task).input_schema:
        _judge(deciding, task, schemas.INPUT, Judge(task.id, schemas.INPUT, schema, task.input))
    else:
        _act(deciding, task)


def _act(deciding: Deciding, task: Task) -> None:
    """It begins, unless what it would give is kept, or its definition is at a limit."""
    step = deciding.step(task)
    if step.cache is not None:
        deciding.put(changed(task, computing=caching.CACHE))
        recall = Recall(task.id, caching.CACHE, caching.key_of(task, step.cache))
        deciding.commands.append(recall)
    else:
        _take_turn(deciding, task)


def recalled(deciding: Deciding, task: Task, output: Json) -> None:
    """What is kept under its key is known: it ends with that, or begins."""
    task = changed(task, computing="")
    if isinstance(output, dict):
        finish(deciding, task, Finished(output={**output, caching.SHOWN: True}))
    else:
        _take_turn(deciding, task)


def _take_turn(deciding: Deciding, task: Task) -> None:
    if (limits := deciding.step(task).policy.limits) and not _by_workers(deciding, task.kind):
        _wait_for_turn(deciding, task, OWN_TURN + task.name, limits)
    else:
        ask(deciding, task, "begin")


def has_turn(deciding: Deciding, step: Step) -> bool:
    """Whether tasks of ``step`` wait for a turn that others give; their time begins with it."""
    return step.policy.limits is not None or _by_workers(deciding, step.kind)


def _by_workers(deciding: Deciding, name: str) -> bool:
    kind = deciding.kinds.get(name)
    return kind is not None and kind.by_workers


def _wait_for_turn(deciding: Deciding, task: Task, queue: str, limits: Limits | None) -> None:
    """It stays SCHEDULED until it is told :class:`Taken`."""
    policy = deciding.step(task).policy
    memory = task.memory
    if limits is not None:
        # So that whoever reads the queue from its rows has them.
        memory = {**memory, LIMITS: [limits.at_once, limits.rate, limits.span.total_seconds()]}
    elif LIMITS in memory:
        # Those of what it was before it became another one.
        memory = {name: value for name, value in memory.items() if name != LIMITS}
    if policy.poll_timeout and not queue.startswith(OWN_TURN):
        task = with_timer(deciding, task, "queued", deciding.now + policy.poll_timeout)
    task = changed(
        task,
        status=TaskStatus.SCHEDULED,
        queue=queue,
        memory=memory,
        # It begins when somebody has it.
        started_at=task.started_at if task.poll_count else None,
        updated_at=deciding.now,
        callback_after=NONE,
        next_at=None,
        pending=0,
    )
    deciding.put(task)
    deciding.commands.append(Offer(task.id, queue, task.name, limits))


def _judge(deciding: Deciding, task: Task, label: str, judge: Judge) -> None:
    deciding.put(changed(task, computing=label))
    deciding.commands.append(judge)


def judged(deciding: Deciding, task: Task, event: Judged) -> None:
    """The verdict on its input or output is there: it goes on, or fails for good."""
    task = changed(task, computing="")
    if event.label == schemas.INPUT:
        if event.faults:
            reason = schemas.broken("Its input", schemas.INPUT, event.faults)
            finish(deciding, task, unusable(reason))
        else:
            _act(deciding, task)
        return
    finished = cast("Finished", event.then)
    if event.faults:
        reason = schemas.broken("Its output", schemas.OUTPUT, event.faults)
        finished = unusable(reason, finished.output)
    _finish(deciding, task, finished)


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
    elif isinstance(follows, Becomes):
        become(deciding, task, follows)
    else:
        wait(deciding, task, follows)


def become(deciding: Deciding, task: Task, becomes: Becomes) -> None:
    """The attempt begins anew, as one of another kind."""
    memory = {**task.memory, **spawning.become(becomes.document, becomes.definition)}
    became = changed(task, kind=becomes.kind, name=becomes.name, memory=memory, computing="")
    try:
        deciding.extend(became)
    except UNRESOLVABLE as error:
        # Without the note: whoever reads it would come upon the same error.
        finish(deciding, task, unusable(f"It cannot become {becomes.name!r}: {error}."))
    else:
        schedule(deciding, became, deciding.step(became), NONE)


def wait(deciding: Deciding, task: Task, waiting: Waiting) -> None:
    """The attempt stays open; what it asks for is done."""
    if waiting.queue:
        _wait_for_turn(deciding, task, waiting.queue, deciding.step(task).policy.limits)
        return
    changes = _waiting_changes(deciding, task, waiting)
    if waiting.perform is not None:
        perform = waiting.perform
        number = task.performs + 1
        deciding.commands.append(Perform(task.id, number, perform.name, perform.request))
    elif waiting.compute is not None:
        script = waiting.compute
        compute = Compute(task.id, script.label, script.source, script.scope, script.language)
        deciding.commands.append(compute)
    elif waiting.look is not None:
        deciding.commands.append(Lookup(task.id, waiting.look.label, waiting.look.wanted))
    for name, at in waiting.timers:
        # By the call's number: that of an earlier call may come due while this one is made.
        numbered = f"{RESPONSE} {task.performs + 1}" if name == RESPONSE else name
        task = with_timer(deciding, task, numbered, at)
    deciding.commands.extend(waiting.commands)
    task = changed(task, **changes)
    deciding.put(task)
    if waiting.forget:
        step_at, latest = deciding.step_at, deciding.latest
        deciding.forget([*loops.refs_of_round(task, waiting.forget, step_at, latest)])
    if waiting.awaits is not None:
        deciding.moves.await_refs(deciding, task, waiting.awaits)
    elif waiting.enter:
        deciding.moves.enter(deciding, task, waiting.enter, waiting.round)


def _waiting_changes(deciding: Deciding, task: Task, waiting: Waiting) -> dict[str, object]:
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
        changes["performs"] = changes["pending"] = task.performs + 1
    elif not waiting.goes_on:
        changes["pending"] = 0
    if waiting.compute is not None:
        changes["computing"] = waiting.compute.label
    elif waiting.look is not None:
        changes["computing"] = waiting.look.label
    return changes


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
    if finished.status is TaskStatus.COMPLETED and (schema := deciding.step(task).output_schema):
        output = task.output if finished.output is KEPT else cast("Json", finished.output)
        judge = Judge(task.id, schemas.OUTPUT, schema, output, finished)
        _judge(deciding, task, schemas.OUTPUT, judge)
    else:
        _finish(deciding, task, finished)


def _finish(deciding: Deciding, task: Task, finished: Finished) -> None:
    ended = changed(task, **_final_changes(deciding, task, finished))
    if finished.given is not None:
        try:
            deciding.extend(ended, finished.given)
        except UNRESOLVABLE as error:
            # Without the note: whoever reads it would come upon the same error.
            finish(deciding, task, unusable(f"Its branches cannot run: {error}."))
            return
    for timer in task.timers:
        deciding.cancel_timer(task.id, timer)
    task = ended
    deciding.put(task)
    cache = deciding.step(task).cache
    if cache is not None and (keep := caching.kept(task, cache, deciding.now)) is not None:
        deciding.commands.append(keep)
    deciding.commands.extend(finished.commands)
    if finished.variables is not None:
        deciding.variables = {**deciding.variables, **finished.variables}
    if finished.ends is not None:
        ends = finished.ends
        completion.end(deciding, ends.status, ends.reason, task=task, output=ends.output)
        return
    if finished.enter:
        deciding.moves.enter(deciding, task, finished.enter, 0, detached=finished.detached)
    if not finished.enter or finished.detached:
        deciding.later(deciding.moves.settle, task)


def _final_changes(deciding: Deciding, task: Task, finished: Finished) -> dict[str, object]:
    output = None if finished.output is KEPT else cast("Json", finished.output)
    changes: dict[str, object] = {
        "status": finished.status,
        "reason": reasons.kept(deciding, finished.reason, task, output),
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


def again(
    deciding: Deciding, task: Task, delay: timedelta, shown: timedelta, *, same_call: bool
) -> None:
    """Another attempt of ``task`` begins after ``delay``."""
    following = retries.following(deciding, task, same_call=same_call)
    deciding.add(following)
    schedule(deciding, following, deciding.step(task), delay, shown)

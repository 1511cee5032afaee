"""What an event changed, as a unit of rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from services.auditing.calling import Calling
from services.auditing.outbox import changed
from services.errors import NotFound
from services.executor import states
from services.executor.actors import Actor, Letter
from services.executor.core.commands import CancelTimer, SetTimer, StartExecution
from services.executor.core.completion import missed
from services.executor.core.crowds import held_by
from services.executor.core.decide import start
from services.executor.core.events import Retried
from services.executor.core.masking import masked
from services.executor.core.model import Execution, Task
from services.executor.core.webhooks import followed
from services.executor.documents import LARGE_CHARS, plain, text_of
from services.executor.kinship import run_of
from services.executor.message_rows import PUT_MESSAGE, message_row
from services.executor.orders import Strategy, workflow_key
from services.executor.rows import (
    Origin,
    Row,
    Text,
    execution_row,
    micros,
    progress_row,
    task_row,
    weight,
)
from services.executor.snapshots import Snapshot
from services.executor.turn_rows import COUNT, COUNT_OUT, DROP_LOGS, LOG, LOG_LATE, late_row
from services.executor.unfolding import Unfolded
from services.executor.units import ChildClaim, Unit
from services.executor.webhook_rows import webhook_row
from services.tracing import span_of

logger = logging.getLogger(__name__)

HEARD_RETRY = "INSERT OR REPLACE INTO retries_heard VALUES (?, ?)"
RAN_AGAIN = "INSERT OR IGNORE INTO retries_heard VALUES (?, '')"
KEEP = "INSERT OR REPLACE INTO kept_outputs VALUES (?, ?, ?)"
# What is larger is made anew: all of it would stand beside the executions for its time.
_LONGEST_KEPT = 1 << 20

Child = tuple[Execution, Snapshot]
"""An execution that another one starts, as it begins."""


def unit_of(
    actor: Actor,
    letter: Letter,
    unfolded: Unfolded,
    children: Sequence[Child],
    done: Callable[[Unit], None],
) -> Unit:
    """The rows of what ``letter`` changed.

    Raises:
        TypeError, ValueError: A document cannot be stored.
    """
    unit = Unit(done)
    before, execution = unfolded.before, unfolded.execution
    new = before is not actor.execution
    if new or unfolded.dropped or unfolded.rewritten:
        _begin(unit, actor, letter, unfolded, new)
    elif execution is not before:
        row = progress_row(execution, before, unfolded.text)
        unit.progress.append(row)
        unit.output = row[-1]
    if before.workflow.rate_limit is not None or execution.workflow.rate_limit is not None:
        unit.also.extend(_crowd(before, execution))
    unit.tasks.extend(_task_rows(unfolded, new))
    unit.forgotten.extend((execution.id, ref) for ref in unfolded.forgotten)
    _timers(unit, actor, letter, unfolded, execution)
    if children:
        _children(unit, actor.origin, unfolded, children)
    if execution is not before or new:
        changed = unfolded.changed.values()
        unit.changes.extend(states.changes(execution, actor.origin, changed, unit.tasks))
    _turns(unit, unfolded)
    if unfolded.keeps or unfolded.published:
        unit.also.extend(_for_others(unfolded))
    _webhook(unit, actor, unfolded, new)
    if execution.parent_id and before.status.final and run_of(before) != run_of(execution):
        unit.also.append((RAN_AGAIN, (execution.id,)))
    if letter.event.__class__ is Retried and letter.event.word:
        unit.also.append((HEARD_RETRY, (execution.id, letter.event.word)))
    if letter.note is not None:
        unit.also.append(_note(letter.note, before, execution))
    _weigh(unit, actor)
    return unit


def _note(note: Calling, before: Execution, after: Execution) -> tuple[str, Row]:
    return changed(note, before.status, after.status, f"workflow {after.workflow.name!r}")


def _children(unit: Unit, origin: Origin, unfolded: Unfolded, children: Sequence[Child]) -> None:
    keyed = {each.id: each for each in unfolded.children if each.key}
    for child, snapshot in children:
        unit.children.append(_child_row(child, snapshot, origin, unfolded.text))
        if (command := keyed.get(child.id)) is not None:
            unit.child_claims.append(_child_claim(child, command))
        unit.snapshots.append((snapshot.hash, snapshot.text))


def _for_others(unfolded: Unfolded) -> Iterator[tuple[str, Row]]:
    """Outputs that are kept, and what event handlers are told."""
    for keep in unfolded.keeps:
        if len(output := unfolded.text(keep.output)) <= _LONGEST_KEPT:
            yield KEEP, (keep.key, output, micros(keep.until))
    at = unfolded.execution.updated_at
    for each in unfolded.published:
        text = unfolded.text(each.payload)
        yield PUT_MESSAGE, message_row(each.id, each.event, text, each.depth, at)


def _weigh(unit: Unit, actor: Actor) -> None:
    weights = [weight(row) for row in unit.tasks]
    tasks = sum(weights)
    if unit.size + tasks >= LARGE_CHARS and max(unit.size, *weights, 0) >= LARGE_CHARS:
        actor.large = True
    actor.weight += tasks
    unit.size += tasks


def _crowd(before: Execution, execution: Execution) -> Iterator[tuple[str, Row]]:
    """Whether it holds a slot among those of its workflow, where that is otherwise now."""
    holds = held_by(execution)
    if holds == held_by(before):
        return
    if holds:
        yield "INSERT OR REPLACE INTO crowds VALUES (?, ?)", (execution.id, holds)
    else:
        yield "DELETE FROM crowds WHERE execution_id = ?", (execution.id,)


def prepare(actor: Actor, unfolded: Unfolded, children: Iterable[Child]) -> None:
    """Write the documents that :func:`unit_of` needs: they are large. Called in a thread.

    Raises:
        TypeError, ValueError: One cannot be stored.
    """
    execution, before, text = unfolded.execution, unfolded.before, unfolded.text
    new = before is not actor.execution
    for _ in _task_rows(unfolded, new):
        pass
    if new or unfolded.dropped or unfolded.rewritten:
        text(execution.input)
    elif execution is not before:
        progress_row(execution, before, text)
    for child, snapshot in children:
        _child_row(child, snapshot, actor.origin, text)
    for each in unfolded.published:
        text(each.payload)


def _begin(unit: Unit, actor: Actor, letter: Letter, unfolded: Unfolded, new: bool) -> None:
    execution = unfolded.execution
    snapshot = letter.snapshot or actor.snapshot
    if snapshot is None:
        raise ValueError("an execution begins without a snapshot")
    row = execution_row(execution, snapshot.hash, actor.origin, unfolded.text)
    unit.created.append(row)
    unit.snapshots.append((snapshot.hash, snapshot.text))
    actor.weight = unit.size = weight(row)
    if new:
        unit.start = execution.id
        unit.claim = _claim(letter, execution)
        # Should it be there already, or not be written, it is loaded before anything else.
        actor.timed = False
    elif unfolded.dropped:
        unit.dropped.append(execution.id)


def _claim(letter: Letter, execution: Execution) -> Row | None:
    """The row by which other starts with the same idempotency key find this execution."""
    if letter.start is None or not letter.start.order.key:
        return None
    order = letter.start.order
    anew = order.strategy is Strategy.FAIL_ON_RUNNING
    return order.key, execution.id, text_of(order.refs), anew, micros(execution.created_at)


def _child_claim(child: Execution, command: StartExecution) -> ChildClaim:
    key = workflow_key(child.workflow.name, command.key)
    return (key, child.id, "[]", command.anew, micros(child.created_at)), command.earlier


def _task_rows(unfolded: Unfolded, new: bool) -> Iterator[Row]:
    execution_id = unfolded.execution.id
    stored = unfolded.before.tasks if not (new or unfolded.dropped) else None
    for task in unfolded.changed.values():
        yield task_row(execution_id, task, _own(stored, task), unfolded.text)


def _own(stored: object, task: Task) -> Task | None:
    """The row of ``task`` as it is stored."""
    if not stored:
        return None
    known: Task | None = stored.get(task.ref)  # type: ignore[attr-defined]
    return known if known is not None and known.id == task.id else None


def _timers(
    unit: Unit, actor: Actor, letter: Letter, unfolded: Unfolded, execution: Execution
) -> None:
    gone = [event.key for event in letter.fired if event.key not in unfolded.timers]
    for key, command in unfolded.timers.items():
        match command:
            case CancelTimer():
                gone.append(key)
            case SetTimer():
                row = (execution.id, key.task_id, key.name, micros(command.at))
                unit.timers_set.append(row)
    if execution.status.final or unfolded.dropped:
        # Whatever a kind has forgotten must not fire into an execution that has ended.
        if actor.timed or unit.timers_set:
            unit.ended.append(execution.id)
    else:
        unit.timers_gone.extend((execution.id, key.task_id, key.name) for key in gone)
    if unit.timers_set:
        actor.timed = True


def _turns(unit: Unit, unfolded: Unfolded) -> None:
    execution_id = unfolded.execution.id
    if unfolded.dropped:
        unit.also.append((DROP_LOGS, (execution_id,)))
    for command in unfolded.counts:
        unit.also.append((COUNT, (command.name, micros(command.at), command.task_id)))
        unit.also.append((COUNT_OUT, (command.name, micros(command.since))))
    for log in unfolded.logs:
        unit.size += sum(len(line) for _, line in log.lines)
        if log.number is None:
            unit.also.append((LOG_LATE, late_row(execution_id, log)))
            continue
        for number, (at, line) in enumerate(log.lines, log.number):
            unit.also.append((LOG, (execution_id, log.task_id, number, micros(at), plain(line))))


def _webhook(unit: Unit, actor: Actor, unfolded: Unfolded, new: bool) -> None:
    webhook, execution = actor.origin.webhook, unfolded.execution
    if webhook is None:
        return
    before = None if new else unfolded.before
    keys = execution.workflow.masked
    delivery = followed(
        webhook, before, execution, lambda: unfolded.text(masked(execution.output, keys))
    )
    if delivery is not None:
        unit.webhooks.append(webhook_row(execution.id, webhook, delivery))


def begun(actor: Actor, unfolded: Unfolded, now: datetime) -> Sequence[Child]:
    """The executions that are to be started, as they begin.

    A failure workflow that is not there is left out, and told in the output and in the log.
    """
    found = (_begun(actor, unfolded, command, now) for command in unfolded.children)
    return [child for child in found if child is not None]


def _begun(
    actor: Actor, unfolded: Unfolded, command: StartExecution, now: datetime
) -> Child | None:
    try:
        snapshot = unfolded.definitions.child(command, unfolded.execution.workflow.masked)
    except NotFound as missing:
        logger.error("%s Execution %s was to be started.", missing.detail, command.id)
        unfolded.execution = missed(unfolded.execution, command.id, missing.detail)
        return None
    execution = start(
        command.id,
        snapshot.workflow,
        command.input,
        now,
        correlation_id=command.correlation_id,
        priority=command.priority,
        parent_id=actor.id if command.task_id else "",
        parent_task_id=command.task_id,
        depth=command.depth,
        task_to_domain=command.task_to_domain,
    )
    return execution, snapshot


def _child_row(child: Execution, snapshot: Snapshot, origin: Origin, text: Text) -> Row:
    trace = origin.trace
    if trace is not None and child.parent_task_id:
        trace = trace.below(span_of(child.parent_task_id))
    theirs = Origin(started_by=origin.started_by, request_id=origin.request_id, trace=trace)
    return execution_row(child, snapshot.hash, theirs, text)

"""From task to task: a step is reached, and once its task has ended what comes next is."""

from __future__ import annotations

from services.executor.core import attempts, completion, counts, retries
from services.executor.core.copies import changed
from services.executor.core.deciding import Deciding, Moves
from services.executor.core.kind import Finished
from services.executor.core.model import Json, Task, TaskStatus
from services.executor.core.workflow import Step


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
        elif counts.is_ahead(known):
            # Whoever joins it has waited for the flow to come here.
            known = changed(known, memory={}, parent=parent, iteration=iteration)
            deciding.put(known)
            deciding.later(passed, known)
        else:
            _way_ended(deciding, parent)
        return
    step = deciding.step_at(ref, suffix)
    task = attempts.new_task(deciding, step, ref + suffix, parent, iteration)
    deciding.add(task)
    attempts.schedule(deciding, task, step, step.start_delay)


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
    if detached and first:
        counts.detached(deciding, task)
    suffix = task.suffix + (f"__{iteration}" if iteration else "")
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
    """``task`` waits for the end of what ``refs`` name: of those that are still to come, too.

    Where it stands behind a FORK, none of them can come once all of its branches have ended.
    """
    awaited = (deciding.latest(ref) for ref in refs)
    missing = sum(1 for other in awaited if other is None or not counts.is_settled(other))
    fork = _fork_before(deciding, task)
    if fork is not None and not fork.open:
        missing = 0
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
        delays = retries.delays(task, step)
        attempts.again(deciding, task, *delays, same_call=_is_unknown(task))
    else:
        give_up(deciding, task, step)


def _is_unknown(task: Task) -> bool:
    return task.memory.get("unknown") is True


def give_up(deciding: Deciding, task: Task, step: Step) -> None:
    """The last attempt has failed."""
    if step.optional:
        task = changed(task, status=TaskStatus.COMPLETED_WITH_ERRORS)
        deciding.put(task)
        passed(deciding, task)
    elif step.permissive:
        if len(deciding.failed_refs) < MOST_FAILED_REFS:
            deciding.failed_refs = (*deciding.failed_refs, task.ref)
        passed(deciding, task)
    elif (loop := _catching(deciding, task)) is not None:
        completion.cancel_within(deciding, loop)
        loop = changed(loop, open=0)
        reason = completion.failed_tasks_reason([task])
        attempts.finish(deciding, loop, Finished(TaskStatus.FAILED, reason=reason))
    else:
        completion.fail(deciding, task)


def _catching(deciding: Deciding, task: Task) -> Task | None:
    """The loop around ``task`` that fails with it, and without the whole."""
    for owner in counts.owners(deciding, task):
        kind, step = deciding.kinds.get(owner.kind), deciding.step(owner)
        if kind is not None and kind.fails_with_its_tasks and (step.optional or step.permissive):
            return owner
    return None


def passed(deciding: Deciding, task: Task) -> None:
    """A task has ended for good and the flow goes on behind it, once its blocks have ended."""
    if deciding.status.final or (task.open and not counts.is_detached(task)):
        return
    deciding.last = task
    _go_on(deciding, task)


def _go_on(deciding: Deciding, task: Task) -> None:
    for ref in deciding.step(task).joined_by:
        join = deciding.latest(ref + task.suffix)
        if join is not None and _is_waiting(join):
            join = changed(join, open=join.open - 1)
            deciding.put(join)
            _ended_if_none_open(deciding, join)
    _follow(deciding, task)


def _is_waiting(join: Task) -> bool:
    return join.status is TaskStatus.IN_PROGRESS and join.open > 0


def _passed_over(deciding: Deciding, task: Task) -> None:
    """The flow comes upon what has ended already; whoever joins it knows."""
    deciding.last = task
    _follow(deciding, task)


def _follow(deciding: Deciding, task: Task) -> None:
    following = deciding.step(task).next
    if following:
        reach(
            deciding,
            following,
            parent=task.parent,
            suffix=task.suffix,
            iteration=task.iteration,
        )
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
    if deciding.status.final or task.open:
        return
    if not task.status.final:
        attempts.ask(deciding, task, "joined")
    elif counts.is_detached(task):
        _branches_ended(deciding, task)
    else:
        _go_on(deciding, task)


def _branches_ended(deciding: Deciding, fork: Task) -> None:
    """All branches of ``fork`` have ended: what the JOIN behind it still waits for never comes."""
    join = deciding.latest(deciding.step(fork).next + fork.suffix)
    if join is not None and _is_waiting(join):
        join = changed(join, open=0)
        deciding.put(join)
        deciding.later(blocks_ended, join)
    _way_ended(deciding, fork.parent)


def _fork_before(deciding: Deciding, task: Task) -> Task | None:
    """The fork whose branches run side by side with ``task``, which follows it."""
    previous = deciding.step(task).previous
    fork = deciding.latest(previous + task.suffix) if previous else None
    return fork if fork is not None and fork.kind in _FORKS else None


# They are written with each event, and the execution fails by any of them.
MOST_FAILED_REFS = 1000
_FORKS = frozenset(("FORK_JOIN", "FORK_JOIN_DYNAMIC"))

MOVES = Moves(enter, await_refs, settle)
"""What follows from an attempt: for :class:`Deciding`."""

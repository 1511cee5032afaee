"""A task waits for its turn: for a worker to have it, or for room within its definition's limits.

It is SCHEDULED in its queue until it is told :class:`Taken`, and IN_PROGRESS from then on. A
worker's queue is named ``<domain>:<type>``; that of a definition's own turns ``=<name>``. Of what
its worker says only the time is noted: the response time-out looks at that when it comes due.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from services.executor.core import attempts
from services.executor.core.commands import Count, Log
from services.executor.core.copies import changed
from services.executor.core.deciding import Deciding
from services.executor.core.events import LetGo, Taken, TaskUpdated
from services.executor.core.kind import Waiting
from services.executor.core.model import Json, Refused, Task, TaskStatus

MOST_LOG_LINES = 1000

NO_DOMAIN = "NO_DOMAIN"

_LOGGED = "logged"
# The timer of a task that its worker has given back for later.
GIVEN_BACK = "callback"
# In a task's memory: the edge over whose stream a worker was given it.
CARRIER = "carrier"
# There, too: the last word by which it was given back, where that may be said again.
_LAST_BACK = "last_back"


def queue_of(domain: str, kind: str) -> str:
    """The queue of the tasks of a type, in a domain; empty: in none."""
    return f"{domain}:{kind}"


def domain_of(queue: str) -> str:
    """The domain of a queue; empty: none."""
    return "" if queue.startswith(attempts.OWN_TURN) else queue.partition(":")[0]


def kind_of(queue: str) -> str:
    """The task type of a worker's queue."""
    return queue.partition(":")[2]


def candidates(task_to_domain: Mapping[str, str], kind: str, suffix: str = "") -> tuple[str, ...]:
    """The queues in one of which a task of a type is to be put: the first with workers.

    Args:
        suffix: What tells its workers from others of the type.
    """
    domains = task_to_domain.get(kind) or task_to_domain.get("*") or ""
    named = [each.strip() for each in domains.split(",")]
    return tuple(queue_of("" if name == NO_DOMAIN else name, kind + suffix) for name in named)


def domains_of(value: Json) -> dict[str, str]:
    """What ``taskToDomain`` of a start says; what is no text, and domains that cannot be, go."""
    given = value.items() if isinstance(value, dict) else ()
    return {
        kind: domains
        for kind, domains in given
        if isinstance(domains, str) and not set(domains).intersection(":=")
    }


def taken(deciding: Deciding, event: Taken) -> None:
    """It is the turn of a task.

    Raises:
        Refused: It does not wait for one any more.
    """
    task = deciding.current(event.task_id)
    if task is None or not task.queue or task.next_at or task.status is not TaskStatus.SCHEDULED:
        raise Refused("The task does not wait for its turn.")
    step = deciding.step(task)
    if task.queue.startswith(attempts.OWN_TURN) and not deciding.running:
        # It takes its turn when the execution goes on.
        deciding.put(changed(task, queue="", held=True))
        return
    _count(deciding, task)
    now = deciding.now
    if step.policy.timeout and "timeout" not in task.timers:
        task = attempts.with_timer(deciding, task, "timeout", now + step.policy.timeout)
    if task.queue.startswith(attempts.OWN_TURN):
        attempts.ask(deciding, changed(task, started_at=now), "begin")
        return
    task = _without(deciding, task, "queued")
    if step.policy.response_timeout:
        due = now + step.policy.response_timeout
        task = attempts.with_timer(deciding, task, attempts.RESPONSE, due)
    deciding.put(
        changed(
            task,
            status=TaskStatus.IN_PROGRESS,
            worker_id=event.worker_id,
            memory=_carried(task.memory, event.carrier),
            poll_count=task.poll_count + 1,
            started_at=task.started_at or now,
            updated_at=now,
        )
    )


def _carried(memory: Mapping[str, Json], carrier: str) -> Mapping[str, Json]:
    if carrier:
        return {**memory, CARRIER: carrier}
    if CARRIER in memory:
        return {name: value for name, value in memory.items() if name != CARRIER}
    return memory


def let_go(deciding: Deciding, event: LetGo) -> None:
    """The worker does not do it."""
    task = deciding.current(event.task_id)
    if task is None or task.status is not TaskStatus.IN_PROGRESS or not task.queue:
        return
    if task.worker_id == event.worker_id and event.poll_count in (0, task.poll_count):
        queue_again(deciding, task)


def gave_back(task: Task, event: TaskUpdated) -> bool:
    """Whether this word gave the task back before; somebody else may have it by now."""
    return bool(event.word_id) and task.memory.get(_LAST_BACK) == event.word_id


def given_back_by(task: Task, event: TaskUpdated) -> Task:
    """``task``, for :func:`gave_back`."""
    if not event.word_id:
        return task
    return changed(task, memory={**task.memory, _LAST_BACK: event.word_id})


def give_back(deciding: Deciding, task: Task, after: timedelta) -> None:
    """The worker wants to be given the task again, or another one to be, after so long."""
    if after <= timedelta():
        queue_again(deciding, task)
        return
    due = deciding.now + after
    task = _without(deciding, task, attempts.RESPONSE)
    task = attempts.with_timer(deciding, task, GIVEN_BACK, due)
    status = TaskStatus.SCHEDULED
    deciding.put(changed(task, status=status, callback_after=after, next_at=due))


def is_given_back(task: Task) -> bool:
    """Whether its worker wants it to be given later; a call's callback has a timer of that name."""
    return GIVEN_BACK in task.timers and task.status is TaskStatus.SCHEDULED


def until_later(task: Task, name: str, now: datetime) -> datetime | None:
    """When a timer is due that is told of too early: the task was given back anew since.

    None: it is not too early. Where the clock was set back, the timer alone knows how long it was.
    """
    if name != GIVEN_BACK or not is_given_back(task) or task.next_at is None:
        return None
    return task.next_at if task.next_at - task.callback_after <= now < task.next_at else None


def check_worker(task: Task, event: TaskUpdated) -> None:
    """Whether the worker that speaks has the task, or had it to its end.

    Raises:
        Refused: It has not.
    """
    if event.lenient:
        if _is_anothers(task, event.worker_id):
            who = repr(task.worker_id) if task.worker_id else "one without a name"
            said = f"The task {task.ref!r} ({task.id}) is another worker's: {who} has it."
            raise Refused(said)
        return
    had = task.id == event.task_id and task.worker_id == event.worker_id
    if task.id != event.task_id:
        # An earlier attempt: what ended it is looked at next.
        return
    if task.status is TaskStatus.SCHEDULED:
        raise Refused("The task is not the worker's any more: it is in its queue again.")
    if not task.queue or not had:
        raise Refused("The task is not this worker's.")


def _is_anothers(task: Task, worker_id: str) -> bool:
    """Whether a worker has the task that is not the one who says its name."""
    by_worker = task.queue and not task.queue.startswith(attempts.OWN_TURN)
    at_work = by_worker and task.status is TaskStatus.IN_PROGRESS
    return bool(at_work and worker_id) and task.worker_id != worker_id


def logged(deciding: Deciding, task: Task, lines: tuple[tuple[datetime, str], ...]) -> Task:
    """``task`` with more lines in its log, if there is room for them."""
    known = task.memory.get(_LOGGED)
    number = known if isinstance(known, int) else 0
    lines = lines[: MOST_LOG_LINES - number]
    if not lines or task.status.final:
        return task
    deciding.commands.append(Log(task.id, number, lines))
    return changed(task, memory={**task.memory, _LOGGED: number + len(lines)})


def log_late(deciding: Deciding, task_id: str, lines: tuple[tuple[datetime, str], ...]) -> None:
    """More lines in the log of an attempt that has ended; nothing else of it changes."""
    deciding.commands.append(Log(task_id, None, lines[:MOST_LOG_LINES]))


def queue_again(deciding: Deciding, task: Task) -> None:
    """Any worker may have it, at once."""
    task = _without(deciding, _without(deciding, task, attempts.RESPONSE), GIVEN_BACK)
    attempts.wait(deciding, task, Waiting(queue=task.queue))


def _count(deciding: Deciding, task: Task) -> None:
    limits = deciding.step(task).policy.limits
    if limits is not None and limits.rate:
        now = deciding.now
        deciding.commands.append(Count(task.id, task.name, now, now - limits.span))


def _without(deciding: Deciding, task: Task, timer: str) -> Task:
    if timer not in task.timers:
        return task
    deciding.cancel_timer(task.id, timer)
    return changed(task, timers=tuple(name for name in task.timers if name != timer))

"""What somebody outside says about a task: once, twice, too early, too late."""

from __future__ import annotations

import json
from collections.abc import Iterable

from services.executor.core import attempts, turns
from services.executor.core.copies import changed
from services.executor.core.deciding import Deciding
from services.executor.core.events import TaskUpdated
from services.executor.core.identity import digest
from services.executor.core.jsonpath import TooCostly
from services.executor.core.model import Execution, Json, Refused, Task, TaskStatus
from services.executor.core.sizes import checked, shortened

ALLOWED = frozenset(
    (
        TaskStatus.IN_PROGRESS,
        TaskStatus.COMPLETED,
        TaskStatus.FAILED,
        TaskStatus.FAILED_WITH_TERMINAL_ERROR,
        TaskStatus.CANCELED,
    )
)


def updated(deciding: Deciding, event: TaskUpdated) -> None:
    """Applies the word; a repeat of one that was applied changes nothing.

    Raises:
        Refused: There is no such task, or it has ended otherwise.
    """
    if event.status not in ALLOWED:
        raise Refused(f"A task cannot be updated to {event.status}.")
    if event.lenient and _is_over(deciding, event.task_id):
        if event.logs and not _is_said_again(deciding, event):
            turns.log_late(deciding, event.task_id, event.logs)
        return
    task, word = _meant(deciding, event)
    if turns.gave_back(task, event):
        return
    if event.by_worker:
        turns.check_worker(task, event)
    if word is not None or task.status.final:
        _check_repeat(task, word, event)
        return
    if event.logs:
        task = turns.logged(deciding, task, event.logs)
    if event.status is TaskStatus.IN_PROGRESS:
        task = turns.given_back_by(_merged(deciding, task, event), event)
        if event.back_after is None or not task.queue or _waits(task, event):
            deciding.put(task)
        else:
            turns.give_back(deciding, task, event.back_after)
    else:
        task = _merged(deciding, task, event)
        task = changed(task, memory={**task.memory, "word": _word(event)})
        attempts.ask(deciding, task, "updated", event)


def _is_over(deciding: Deciding, task_id: str) -> bool:
    """Whether that attempt has ended, or what ends it is said."""
    task = deciding.holder(task_id)
    if task is None:
        return False
    return task.id != task_id or task.status.final or task.memory.get("word") is not None


def _is_said_again(deciding: Deciding, event: TaskUpdated) -> bool:
    """Whether that word was applied to the attempt: what it logs was logged with it."""
    task = deciding.holder(event.task_id)
    if task is not None and turns.gave_back(task, event):
        return True
    word = _word_of(task, event.task_id) if task is not None else None
    if not isinstance(word, dict) or word.get("status") != event.status.value:
        return False
    return word.get("digest") == _digest(event.output)


def _waits(task: Task, event: TaskUpdated) -> bool:
    """Whether the task is in its queue already, to which it is given back at once."""
    return task.status is TaskStatus.SCHEDULED and task.next_at is None and not event.back_after


def _unknown(deciding: Deciding, event: TaskUpdated) -> str:
    """Why there is no task that is meant: there never will be, or not yet."""
    try:
        deciding.step_at(event.ref, "")
    except KeyError:
        return f"There is no task {event.ref or event.task_id!r}."
    return f"The task {event.ref!r} is not reached yet."


def _meant(deciding: Deciding, event: TaskUpdated) -> tuple[Task, Json]:
    """The task, and what ended the attempt that is meant, where that was a word from outside."""
    task = deciding.holder(event.task_id) if event.task_id else named(deciding, event.ref)
    if task is None:
        raise Refused(_unknown(deciding, event), missing=True)
    word = _word_of(task, event.task_id or task.id)
    if word is None and event.task_id and task.id != event.task_id:
        raise Refused("The attempt has ended, and another one has taken its place.")
    return task, word


def _word_of(task: Task, task_id: str) -> Json:
    """What ended that attempt of the task, where that was a word from outside."""
    if task.id == task_id:
        return task.memory.get("word")
    earlier = task.memory.get("earlier")
    return earlier.get(task_id) if isinstance(earlier, dict) else None


def named(deciding: Deciding, ref: str) -> Task | None:
    """The latest attempt of ``ref``; where that is of a loop, in its first round that is open.

    Without an open one it is that of the last round.
    """
    task = deciding.latest(ref)
    if task is not None or ref not in deciding.workflow.steps:
        return task
    return _of_a_round(deciding.tasks(), ref)


def named_in(execution: Execution, ref: str) -> Task | None:
    """As :func:`named`."""
    return execution.tasks.get(ref) or _of_a_round(execution.tasks.values(), ref)


def _of_a_round(tasks: Iterable[Task], ref: str) -> Task | None:
    rounds = sorted((task for task in tasks if task.step == ref), key=lambda task: task.sequence)
    still_open = (task for task in rounds if not task.status.final)
    return next(still_open, rounds[-1] if rounds else None)


def _check_repeat(task: Task, word: Json, event: TaskUpdated) -> None:
    if isinstance(word, dict):
        known, same = word.get("status"), word.get("digest") == _digest(event.output)
    else:
        known, same = task.status.value, False
    if event.status.value != known or (event.exact and not same):
        raise Refused(f"The task has ended already: it is {known}.")


def _merged(deciding: Deciding, task: Task, event: TaskUpdated) -> Task:
    return changed(
        task,
        output=_checked(merged(task.output, event.output)),
        updated_at=deciding.now,
        worker_id=event.worker_id or task.worker_id,
    )


def _checked(output: Json) -> Json:
    try:
        return checked(output)
    except (TooCostly, RecursionError) as error:
        raise Refused(f"The output cannot be taken: {error}.") from None


def merged(output: Json, addition: Json) -> Json:
    """``output`` with ``addition``: an object's fields go over it, anything else is its body."""
    if addition is None:
        return output
    before = output if isinstance(output, dict) else {}
    return {**before, **(addition if isinstance(addition, dict) else {"body": addition})}


def _word(event: TaskUpdated) -> dict[str, Json]:
    return {
        "status": event.status.value,
        "digest": _digest(event.output),
        "reason": shortened(event.reason),
    }


def _digest(output: Json) -> str:
    return digest(json.dumps(output, sort_keys=True))

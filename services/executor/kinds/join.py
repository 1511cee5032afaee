"""JOIN: waits for tasks of the branches before it."""

from __future__ import annotations

from collections.abc import Iterable

from services.executor.core.kind import Finished, Kind, Next, View, Waiting
from services.executor.core.model import Json, Task, TaskStatus
from services.executor.core.sizes import MAX_REASON_CHARS


class Join(Kind):
    """Ends once all that ``joinOn`` names have; its output is theirs, by reference.

    It fails where one of them that is ``permissive`` did, after all have ended. What is never
    reached, since its branch went another way, is not waited for once all branches have ended.
    """

    retried = False
    reopened = True

    def begin(self, view: View) -> Next:
        return Waiting(awaits=(*joined_refs(view), *_made_before(view)))

    def joined(self, view: View) -> Next:
        awaited = view.task.memory.get("awaits")
        refs = map(str, awaited) if isinstance(awaited, list) else ()
        tasks = [task for ref in refs if (task := view.latest(ref)) is not None]
        output: dict[str, Json] = {task.ref: task.output for task in tasks if task.output}
        failed = [task for task in tasks if not task.status.successful]
        if failed:
            reason = _joined(" ", (task.reason for task in failed if task.reason))
            return Finished(_failure(failed), output=output, reason=reason)
        flawed = [task for task in tasks if task.status is TaskStatus.COMPLETED_WITH_ERRORS]
        if flawed:
            named = _joined(", ", (f"{task.name}/{task.id}" for task in flawed))
            reason = f"{named} completed with errors"
            return Finished(TaskStatus.COMPLETED_WITH_ERRORS, output=output, reason=reason)
        return Finished(output=output)


def _joined(between: str, texts: Iterable[str]) -> str:
    """``texts`` in one, as far as a reason has room for them: there may be 100,000."""
    found: list[str] = []
    room = MAX_REASON_CHARS
    for text in texts:
        found.append(text)
        room -= len(text) + len(between)
        if room < 0:
            break
    return between.join(found)


def _failure(failed: list[Task]) -> TaskStatus:
    cancelled = all(task.status is TaskStatus.CANCELED for task in failed)
    return TaskStatus.CANCELED if cancelled else TaskStatus.FAILED


def _made_before(view: View) -> tuple[str, ...]:
    """The branches that the fork before it has made of its input."""
    fork = view.latest(view.step.previous + view.task.suffix) if view.step.previous else None
    if fork is None or fork.kind != "FORK_JOIN_DYNAMIC":
        return ()
    return tuple(f"{ref}{view.task.suffix}" for ref in view.step_of(fork).blocks.values())


def joined_refs(view: View) -> tuple[str, ...]:
    """What ``joinOn`` names, in the round of a loop that the JOIN is in."""
    joined = view.step.document.get("joinOn")
    return tuple(f"{ref}{view.task.suffix}" for ref in joined) if isinstance(joined, list) else ()

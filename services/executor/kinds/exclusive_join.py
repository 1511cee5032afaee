"""EXCLUSIVE_JOIN: goes on with whichever of several branches was taken."""

from __future__ import annotations

from services.executor.core.kind import Finished, Kind, Next, View, Waiting
from services.executor.core.model import Task, TaskStatus
from services.executor.kinds.join import joined_refs


class ExclusiveJoin(Kind):
    """Its output is that of the first task of ``joinOn`` that was reached and not skipped.

    Where none was, that of the first of ``defaultExclusiveJoinTask`` that was; else it has none.
    """

    retried = False
    reopened = True

    def begin(self, view: View) -> Next:
        chosen = _chosen(view)
        # Nothing to wait for: it is asked at once what it joined.
        return Waiting(awaits=() if chosen is None else (chosen.ref,))

    def joined(self, view: View) -> Next:
        task = _chosen(view)
        if task is None:
            return Finished()
        if not task.status.successful:
            return Finished(TaskStatus.FAILED, output=task.output, reason=task.reason)
        return Finished(output=task.output)


def _chosen(view: View) -> Task | None:
    for ref in (*joined_refs(view), *_defaults(view)):
        task = view.latest(ref)
        if task is not None and task.status is not TaskStatus.SKIPPED:
            return task
    return None


def _defaults(view: View) -> tuple[str, ...]:
    refs = view.step.document.get("defaultExclusiveJoinTask")
    return tuple(f"{ref}{view.task.suffix}" for ref in refs) if isinstance(refs, list) else ()

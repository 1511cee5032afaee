"""SIMPLE, and every type that is not built in: a worker does it."""

from __future__ import annotations

from services.executor.core.commands import Wanted
from services.executor.core.kind import Finished, Kind, Look, Next, View, Waiting, unusable
from services.executor.core.model import Json, TaskStatus
from services.executor.core.turns import candidates

_LOOK = "queue"


class Simple(Kind):
    """Waits in the queue of its type, in the domain that the execution says, for a worker.

    The type of a SIMPLE task is its name; one of another type needs a task definition.
    """

    by_workers = True

    def begin(self, view: View) -> Next:
        step = view.step
        if step.kind != "SIMPLE" and not step.defined:
            return unusable(
                f"Invalid task specified. Cannot find task by name {step.name} in the task "
                "definitions"
            )
        kind = step.name if step.kind == "SIMPLE" else step.kind
        queues = candidates(view.execution.task_to_domain, kind, step.isolation.suffix)
        if len(queues) > 1:
            return Waiting(look=Look(_LOOK, Wanted(queues=queues)))
        return Waiting(queue=queues[0])

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        queue = value.get(_LOOK) if isinstance(value, dict) else None
        return Waiting(queue=str(queue)) if queue else unusable(error or "It has no queue.")

    def fired(self, view: View, timer: str) -> Next:
        # The time is over for which a worker has given it back.
        return Waiting(queue=view.task.queue)

    def timed_out(self, view: View, reason: str) -> Finished:
        return Finished(TaskStatus.TIMED_OUT, reason=reason)

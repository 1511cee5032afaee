"""Signals: a word for whichever task waits for one, here or in a workflow that is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.errors import Conflict, NotFound
from services.executor.calls import Calls
from services.executor.core import allowing
from services.executor.core.blocking import blocked
from services.executor.core.events import TaskUpdated
from services.executor.core.model import Execution, Json, Task, TaskStatus

# Of executions that are looked at for one signal.
MOST_LOOKED_AT = 1_000
# What is missing, for programs.
NO_TASK = "task"
# Others may have been quicker, so often.
_MOST_TRIES = 20


@dataclass(frozen=True, slots=True)
class Signal:
    """What is said; an output of None adds nothing."""

    status: TaskStatus = TaskStatus.COMPLETED
    output: Mapping[str, Json] | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Signalled:
    """The task that was meant, and whose it is."""

    execution_id: str
    task: Task


class Signalling:
    """Finds who is meant, and tells."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def signal(self, execution_id: str, signal: Signal) -> Signalled:
        """The task that took it.

        Raises:
            NotFound: There is no such execution, or none of its tasks waits for anybody.
            Conflict: It has ended.
        """
        output = None if signal.output is None else dict(signal.output)
        for _ in range(_MOST_TRIES):
            found = await self.first_blocked(execution_id)
            if found is None:
                raise _none_blocked(execution_id)
            update = TaskUpdated(
                signal.status, output, task_id=found.task.id, reason=signal.reason, exact=True
            )
            try:
                told = await self._calls.tell(found.execution_id, update)
            except Conflict:
                continue
            before = told.before.tasks.get(found.task.ref)
            # Of what had ended already it would be a repeat: this signal is for the next one.
            if before is not None and not before.status.final:
                return found
        raise Conflict("Others have signalled each task that waits first; try again.")

    async def first_blocked(self, execution_id: str) -> Signalled | None:
        """The task that a signal would meet; None: there is none.

        Raises:
            NotFound: There is no such execution.
            Conflict: It has ended.
        """
        pending: list[str | Signalled] = [execution_id]
        looked_at = 0
        while pending and looked_at < MOST_LOOKED_AT:
            following = pending.pop()
            if isinstance(following, Signalled):
                return following
            looked_at += 1
            execution = await self._look(following, root=execution_id)
            if execution is not None:
                found = [_of(execution, each) for each in blocked(execution)]
                pending.extend(reversed(found))
        return None

    async def _look(self, execution_id: str, *, root: str) -> Execution | None:
        """None: it has ended meanwhile, or is not there."""
        try:
            told = await self._calls.tell(execution_id, None)
        except NotFound:
            if execution_id == root:
                raise
            return None
        if told.after.status.final and execution_id == root:
            after = told.after
            way_out = allowing.way_out(after.status, after.workflow)
            ended = f"The execution has ended: it is {after.status}. {way_out}"
            raise Conflict(ended, execution_id=execution_id, missing=NO_TASK)
        return None if told.after.status.final else told.after


def _none_blocked(execution_id: str) -> NotFound:
    return NotFound(
        f"Found no blocked task in workflow {execution_id} to signal",
        execution_id=execution_id,
        missing=NO_TASK,
    )


def _of(execution: Execution, blocked: Task | str) -> str | Signalled:
    return blocked if isinstance(blocked, str) else Signalled(execution.id, blocked)

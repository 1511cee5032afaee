"""Reruns from a task: of an execution, or of one that its tasks have started, however deep."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from services.errors import Conflict, NotFound, PermissionDenied
from services.executor.actors import Told
from services.executor.calls import Calls
from services.executor.core.events import Rerun
from services.executor.core.model import Execution, Json
from services.executor.core.rerun import runs_still
from services.executor.core.spawning import step_of
from services.executor.core.updates import named_in
from services.executor.deleting import children
from services.executor.readers import Readers
from services.executor.seeing import EXECUTE, Seeing
from services.workflow_starts import STARTERS

_MOST_LOOKED_AT = 10_000


class Rerunning:
    """Finds whose task it is, and has that one run again; those around it hear of that."""

    def __init__(self, calls: Calls, readers: Readers, seeing: Seeing) -> None:
        self._calls = calls
        self._readers = readers
        self._seeing = seeing

    async def rerun(
        self, execution_id: str, ref: str, task_id: str, given: Mapping[str, Json] | None
    ) -> Told:
        """What became of the execution of the task.

        Raises:
            NotFound: There is no such execution, or task.
            Conflict: It, or the one that was asked for, has not ended.
            PermissionDenied: What is given would say which workflow is started, and the caller may
                not start any.
        """
        owner = execution_id
        is_bound = given is not None and not self._seeing.sight(EXECUTE).whole
        if task_id:
            told = await self._calls.tell(execution_id, None)
            if not told.after.status.final:
                raise Conflict(str(runs_still(told.after)))
            found = await self._readers.read(_owner, execution_id, task_id)
            if found is None or not await self._may(found):
                raise NotFound(f"Task {task_id} not found")
            owner = found
        if is_bound:
            told = await self._calls.tell(owner, None)
            _check_given(told.after, ref or told.after.refs.get(task_id, ""))
        return await self._calls.tell(owner, Rerun(ref, task_id, given))

    async def _may(self, owner: str) -> bool:
        """Whether the caller may act on the execution whose task it is."""
        try:
            await self._seeing.check_one(EXECUTE, owner)
        except (NotFound, PermissionDenied):
            return False
        return True


def _check_given(execution: Execution, ref: str) -> None:
    task = named_in(execution, ref)
    step = None if task is None else step_of(execution, task)
    kinds = {step.document.get("type") if step else None, task.kind if task else None}
    if not STARTERS.isdisjoint(kinds):
        raise PermissionDenied(
            f"The input of the task {ref!r} says which workflow it starts: to give it another one "
            "takes EXECUTE on all of them (workflow *)."
        )


def _owner(db: sqlite3.Connection, root: str, task_id: str) -> str | None:
    """Whose task it is: of the execution, or of those that it has started; None: of none."""
    pending, seen = [root], {root}
    while pending and len(seen) <= _MOST_LOOKED_AT:
        execution_id = pending.pop(0)
        if db.execute(_HAS, (execution_id, task_id)).fetchone() is not None:
            return execution_id
        found = [each for each in children(db, execution_id) if each not in seen]
        seen.update(found)
        pending.extend(found)
    return None


_HAS = "SELECT 1 FROM tasks WHERE execution_id = ? AND id = ?"

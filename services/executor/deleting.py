"""Executions are deleted when somebody asks for it, alone or with all that they have started."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.access import EVERY
from services.auditing import calling
from services.auditing.outbox import changed
from services.errors import Conflict, NotFound, PermissionDenied, ServiceError
from services.executor.calls import Calls
from services.executor.core.events import Terminated
from services.executor.core.model import ExecutionStatus
from services.executor.runtime import Runtime
from services.executor.seeing import EXECUTE, Seeing, not_there
from services.executor.states import GONE
from services.executor.timers import wall
from services.executor.units import Unit
from services.storage import told_of

MOST_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class _Standing:
    """An execution that is to go; ``awaited``: a task of its parent still waits for it."""

    id: str
    workflow: str
    status: ExecutionStatus
    awaited: bool


class Deleting:
    """Deletes them, each in a transaction of its own: those that others have started first."""

    def __init__(self, calls: Calls, runtime: Runtime, seeing: Seeing) -> None:
        self._calls = calls
        self._runtime = runtime
        self._seeing = seeing

    async def delete(
        self, execution_id: str, *, terminate: bool, with_children: bool, reason: str = ""
    ) -> list[str]:
        """The ids of those that are gone.

        Raises:
            NotFound: There is no such execution.
            Conflict: It, or a child that is to go with it, has not ended and is not to be
                terminated; or its parent still waits for it.
            PermissionDenied: A child that is to go with it is of a workflow that the caller may
                not execute.
        """
        found = await self._found(execution_id, with_children=with_children)
        self._check_children(found[1:])
        if terminate:
            for each in found:
                await self._end(each.id, reason)
            found = await self._found(execution_id, with_children=with_children)
            self._check_children(found[1:])
        for each in found:
            _check(each, execution_id)
        for each in reversed(found):
            await self._drop(each, found[0])
        return [each.id for each in found]

    async def _found(self, execution_id: str, *, with_children: bool) -> list[_Standing]:
        read = self._runtime.store.readers.read
        found = await read(_standing, execution_id, with_children)
        if not found:
            raise not_there(execution_id)
        return found

    def _check_children(self, found: Sequence[_Standing]) -> None:
        sight = self._seeing.sight(EXECUTE) if found else EVERY
        if any(each.workflow not in sight for each in found):
            raise PermissionDenied(
                "It has started executions of workflows that you have no EXECUTE on: delete it "
                "without its children."
            )

    async def _end(self, execution_id: str, reason: str) -> None:
        """Terminate it, unless it has ended or is gone."""
        with suppress(Conflict, NotFound):
            told = await self._calls.tell(execution_id, None)
            if not told.after.status.final:
                await self._calls.tell(execution_id, Terminated(reason))

    async def _drop(self, each: _Standing, root: _Standing) -> None:
        done: asyncio.Future[Unit] = asyncio.get_running_loop().create_future()
        unit = Unit(lambda unit: None if done.cancelled() else done.set_result(unit))
        unit.deleted.append(each.id)
        if (told := calling.current.get()) is not None:
            # Of several the first that goes, a child, is stored with the entry of what was asked.
            unit.also.append(changed(told, root.status, "", f"workflow {root.workflow!r}"))
        unit.changes.append((wall(), each.id, each.workflow, GONE))
        self._runtime.store.writer.submit(unit)
        # Whoever asked may be gone; what follows from the commit is done all the same.
        await asyncio.shield(asyncio.ensure_future(self._follow(each, done)))

    async def _follow(self, each: _Standing, done: asyncio.Future[Unit]) -> None:
        unit = await done
        if unit.error is not None:
            cause = told_of(unit.error)
            if isinstance(cause, ServiceError):
                raise cause
            raise ServiceError("It could not be deleted; the executor's log says why.")
        if (told := calling.current.get()) is not None:
            told.noted = True
        self._runtime.feed.publish(unit)
        self._runtime.tally.count(each.status, -1)


def _check(each: _Standing, root: str) -> None:
    child = "" if each.id == root else f" of its sub-workflow {each.id}"
    if not each.status.final:
        raise Conflict(
            f"Only what has ended can be deleted: the status{child} is {each.status}. Terminate "
            "it first, or have the deletion do so (remove --terminate)."
        )
    if each.awaited and each.id == root:
        raise Conflict("A task of another execution still waits for it; delete it with that one.")


def _standing(db: sqlite3.Connection, root: str, with_children: bool) -> list[_Standing]:
    """The execution and, if asked for, all that its tasks have started, parents first."""
    found: dict[str, _Standing] = {}
    pending: list[str] = [root]
    while pending:
        execution_id = pending.pop(0)
        row = db.execute(_ONE, (execution_id,)).fetchone()
        if row is None or execution_id in found:
            continue
        found[execution_id] = _Standing(row[0], row[1], ExecutionStatus(row[2]), bool(row[3]))
        if len(found) > MOST_AT_ONCE:
            raise Conflict(f"It has started more than {MOST_AT_ONCE} executions.")
        if with_children:
            pending.extend(children(db, execution_id))
    return list(found.values())


def children(db: sqlite3.Connection, execution_id: str) -> Sequence[str]:
    """The executions that its SUB_WORKFLOW tasks have started, those of every attempt."""
    return [child for (child,) in db.execute(_CHILDREN, (execution_id,)) if child]


_ONE = """
    SELECT id, workflow, status, parent_id != '' AND EXISTS (
        SELECT 1 FROM tasks
        WHERE execution_id = parent_id AND tasks.id = parent_task_id AND ended_at IS NULL
    )
    FROM executions WHERE id = ?
"""
# What is awaited by a task of its own definition only: an id that input gave names nothing here.
_CHILDREN = """
    SELECT executions.id FROM tasks
    JOIN executions ON executions.id = json_extract(tasks.output, '$.subWorkflowId')
    WHERE execution_id = ? AND kind = 'SUB_WORKFLOW' AND executions.parent_id = execution_id
"""

"""What handlers do: each action once in effect, however often it is begun.

What is started has an id that follows from message, handler and action. Which task is ended is
noted before it is: the same word for the same attempt is no second one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from services.errors import Conflict, InvalidRequest, NotFound
from services.executor.actors import Told
from services.executor.core.events import Event, TaskUpdated, Terminated, VariablesSet
from services.executor.core.identity import derived_id
from services.executor.core.jsonpath import TooCostly
from services.executor.core.model import Execution, ExecutionStatus, Json, Task, TaskStatus
from services.executor.core.turns import domains_of
from services.executor.documents import LARGE_CHARS
from services.executor.eventing import rows
from services.executor.eventing.handlers import Action, Handler, asked, started_input
from services.executor.eventing.rows import Message
from services.executor.kinds.event import DEPTH
from services.executor.launching import Launch, Launching, Prepared

Tell = Callable[[str, Event | None], Awaitable[Told]]
"""Lets something happen to an execution; None: asks how it stands."""

Note = Callable[..., Awaitable[None]]

_STATUSES = {"complete_task": TaskStatus.COMPLETED, "fail_task": TaskStatus.FAILED}


class Impossible(Exception):
    """It cannot be done, now or later; says why."""


@dataclass(frozen=True, slots=True)
class Doing:
    """One action for one message.

    Attributes:
        number: Of the action, in its handler.
        target: What was noted as its target before a crash; empty: nothing was.
    """

    message: Message
    payload: Mapping[str, Json]
    handler: Handler
    number: int
    target: str

    @property
    def action(self) -> Action:
        return self.handler.actions[self.number]


class Acting:
    """Does actions.

    Args:
        note: ``note(doing, outcome, target, reason, *starts)`` stores what became of one.
    """

    def __init__(self, launching: Launching, tell: Tell, note: Note) -> None:
        self._launching = launching
        self._tell = tell
        self._note = note

    async def do(self, doing: Doing) -> None:
        """Do it and note what came of it. Raises :class:`ServiceError`: it is to be tried again."""
        try:
            request = asked(doing.action, doing.payload)
            match doing.action.name:
                case "start_workflow":
                    await self._start(doing, request)
                case "complete_task" | "fail_task":
                    await self._end_task(doing, request)
                case "terminate_workflow":
                    await self._terminate(doing, request)
                case "update_workflow_variables":
                    await self._set_variables(doing, request)
                case other:
                    raise Impossible(f"There is no action {other!r}.")
        except (Impossible, TooCostly, RecursionError) as error:
            await self._note(doing, rows.FAILED, doing.target, str(error))
        except (Conflict, NotFound, InvalidRequest) as error:
            await self._note(doing, rows.FAILED, doing.target, error.detail)

    async def _start(self, doing: Doing, request: Mapping[str, Json]) -> None:
        message, handler = doing.message, doing.handler
        id_ = derived_id("event", message.id, handler.name, doing.number)
        if len(message.payload) >= LARGE_CHARS:
            prepared = await asyncio.to_thread(self._prepared, doing, request, id_)
        else:
            prepared = self._prepared(doing, request, id_)
        await self._note(doing, rows.DONE, id_, "", prepared)

    def _prepared(self, doing: Doing, request: Mapping[str, Json], id_: str) -> Prepared:
        version, priority = request.get("version"), request.get("priority")
        given = started_input(request, doing.message.id, doing.message.event)
        return self._launching.prepared(
            Launch(
                id_,
                _text(request, "name"),
                _whole(version),
                {**given, DEPTH: doing.message.depth},
                f"event:{doing.handler.name}",
                str(request.get("correlationId") or ""),
                _whole(priority),
                domains_of(request.get("taskToDomain")),
            )
        )

    async def _end_task(self, doing: Doing, request: Mapping[str, Json]) -> None:
        execution_id = _text(request, "workflowId")
        task_id = doing.target or str(request.get("taskId") or "")
        if not task_id:
            told = await self._tell(execution_id, None)
            task_id = _open(told.after, _text(request, "taskRefName")).id
        if not doing.target:
            await self._note(doing, rows.UNDER_WAY, task_id, "")
        output = request.get("output")
        event = TaskUpdated(
            _STATUSES[doing.action.name],
            output if isinstance(output, dict) else {},
            task_id=task_id,
            reason=str(request.get("reasonForIncompletion") or ""),
            exact=True,
        )
        await self._tell(execution_id, event)
        await self._note(doing, rows.DONE, task_id, "")

    async def _terminate(self, doing: Doing, request: Mapping[str, Json]) -> None:
        execution_id = _text(request, "workflowId")
        if not doing.target:
            await self._note(doing, rows.UNDER_WAY, execution_id, "")
        reason = str(
            request.get("terminationReason") or f"By the event handler {doing.handler.name}."
        )
        try:
            await self._tell(execution_id, Terminated(reason))
        except Conflict:
            told = await self._tell(execution_id, None)
            if not doing.target or told.after.status is not ExecutionStatus.TERMINATED:
                raise
        await self._note(doing, rows.DONE, execution_id, "")

    async def _set_variables(self, doing: Doing, request: Mapping[str, Json]) -> None:
        execution_id, variables = _text(request, "workflowId"), request.get("variables")
        if not isinstance(variables, dict):
            raise Impossible("variables must be an object.")
        await self._tell(execution_id, VariablesSet(variables))
        await self._note(doing, rows.DONE, execution_id, "")


def _open(execution: Execution, ref: str) -> Task:
    """The open task of that name; in a loop that of the latest round."""
    found = [
        task
        for task in execution.tasks.values()
        if not task.status.final and (task.ref == ref or task.ref.partition("__")[0] == ref)
    ]
    if not found:
        raise Impossible(f"There is no running task {ref!r} in the execution.")
    return max(found, key=lambda task: task.sequence)


def _text(request: Mapping[str, Json], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not value:
        raise Impossible(f"{name} must be text, and is {'missing' if value is None else 'not'}.")
    return value


def _whole(value: Json) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0

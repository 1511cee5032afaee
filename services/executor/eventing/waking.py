"""Ends the tasks that wait for a webhook, once a request has told what they want to hear.

Which ones those are is noted before any of them is ended: whatever waits later is not meant.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.errors import Conflict, NotFound
from services.executor.core.events import TaskUpdated
from services.executor.core.jsonpath import TooCostly
from services.executor.core.model import Json, TaskStatus
from services.executor.eventing import rows, waits
from services.executor.eventing.acting import Tell
from services.executor.eventing.rows import Message, Run
from services.executor.launching import Launching
from services.executor.store import Store
from services.executor.timers import now as utc_now

WEBHOOK = "webhook:"
# In place of a handler's name: no handler has none.
NOBODY = ""
_NAME = "complete_task"

Done = Mapping[tuple[str, int], tuple[str, str]]


class Waking:
    """Hands messages of webhooks to the tasks that wait for them."""

    def __init__(self, store: Store, launching: Launching, tell: Tell) -> None:
        self._store = store
        self._launching = launching
        self._tell = tell

    async def wake(self, message: Message, payload: Mapping[str, Json], done: Done) -> None:
        """End those that match, or go on with it. Raises :class:`ServiceError`: try again."""
        noted = {number: each for (name, number), each in done.items() if name == NOBODY}
        if not noted:
            noted = await self._matched(message, payload)
        for number, (outcome, target) in sorted(noted.items()):
            if outcome == rows.UNDER_WAY:
                await self._end(message, payload, number, target)

    async def _matched(
        self, message: Message, payload: Mapping[str, Json]
    ) -> dict[int, tuple[str, str]]:
        name = message.event.removeprefix(WEBHOOK)
        try:
            found = await self._store.loaders.read(waits.matching, name, payload)
        except TooCostly as error:
            await self._note(message, 0, rows.FAILED, "", f"It cannot be matched: {error}.")
            return {}
        targets = [f"{execution_id} {task_id}" for execution_id, task_id in found]
        notes = [
            rows.run_note(_run(message, number, rows.UNDER_WAY, target, ""))
            for number, target in enumerate(targets)
        ]
        if notes:
            await self._launching.write(notes)
        return {number: (rows.UNDER_WAY, target) for number, target in enumerate(targets)}

    async def _end(
        self, message: Message, payload: Mapping[str, Json], number: int, target: str
    ) -> None:
        execution_id, _, task_id = target.partition(" ")
        event = TaskUpdated(TaskStatus.COMPLETED, dict(payload), task_id=task_id, exact=True)
        try:
            await self._tell(execution_id, event)
        except (Conflict, NotFound) as error:
            await self._note(message, number, rows.FAILED, target, error.detail)
        else:
            await self._note(message, number, rows.DONE, target, "")

    async def _note(
        self, message: Message, number: int, outcome: str, target: str, reason: str
    ) -> None:
        run = _run(message, number, outcome, target, reason)
        await self._launching.write([rows.run_note(run)])


def _run(message: Message, number: int, outcome: str, target: str, reason: str) -> Run:
    return Run(message.id, message.event, NOBODY, number, _NAME, outcome, target, reason, utc_now())

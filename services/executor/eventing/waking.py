"""Ends the tasks that wait for a webhook, once a request has told what they want to hear.

Which ones those are is noted before any of them is ended: whatever waits later is not meant. Where
none waits, the delivery is kept for the first that will (:mod:`early`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import timedelta

from services.errors import Conflict, NotFound
from services.executor.core.events import TaskUpdated
from services.executor.core.jsonpath import TooCostly
from services.executor.core.model import Json, TaskStatus
from services.executor.eventing import rows, waits
from services.executor.eventing.acting import Tell
from services.executor.eventing.early import Early
from services.executor.eventing.kept_rows import keep_note
from services.executor.eventing.rows import Message, Run
from services.executor.eventing.waits import WEBHOOK
from services.executor.launching import Launching, Note
from services.executor.store import Store
from services.executor.timers import now as utc_now
from services.replica import Replica

KEEP_SECONDS = 300
# In place of a handler's name: no handler has none.
NOBODY = ""
_NAME = "complete_task"

Done = Mapping[tuple[str, int], tuple[str, str]]


class Waking:
    """Hands messages of webhooks to the tasks that wait for them.

    Attributes:
        early: Those for which none waited.
    """

    def __init__(self, store: Store, replica: Replica, launching: Launching, tell: Tell) -> None:
        self._store = store
        self._replica = replica
        self._launching = launching
        self._tell = tell
        self.early = Early(store, launching, self._keeps, _claim, self._end)

    def _keeps(self, name: str) -> timedelta:
        stored = self._replica.get("webhook", name)
        seconds = None if stored is None else stored.document.get("keepSeconds")
        return timedelta(seconds=KEEP_SECONDS if seconds is None else int(seconds))

    async def wake(self, message: Message, payload: Mapping[str, Json], done: Done) -> None:
        """End those that match, or go on with it. Raises :class:`ServiceError`: try again."""
        noted = {number: each for (name, number), each in done.items() if name == NOBODY}
        if not noted:
            name = message.event.removeprefix(WEBHOOK)
            shelf = self.early.shelf(name)
            async with nullcontext() if shelf is None else shelf.lock:
                noted = await self._matched(name, message, payload)
                if shelf is not None and not noted:
                    await self.early.keep(shelf, name, message)
        for number, (outcome, target) in sorted(noted.items()):
            if outcome == rows.UNDER_WAY:
                await self._end(message, payload, number, target)

    async def _matched(
        self, name: str, message: Message, payload: Mapping[str, Json]
    ) -> dict[int, tuple[str, str]]:
        try:
            found = await self._store.loaders.read(waits.matching, name, payload)
        except TooCostly as error:
            await self._note(message, 0, rows.FAILED, "", f"It cannot be matched: {error}.")
            return {0: (rows.FAILED, "")}
        targets = [f"{execution_id} {task_id}" for execution_id, task_id in found]
        if targets:
            notes = [_claim(message, number, target) for number, target in enumerate(targets)]
            # Of one that was kept, before a crash.
            await self._launching.write([*notes, keep_note(message.seq, None)])
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


def _claim(message: Message, number: int, target: str) -> Note:
    return rows.run_note(_run(message, number, rows.UNDER_WAY, target, ""))


def _run(message: Message, number: int, outcome: str, target: str, reason: str) -> Run:
    return Run(message.id, message.event, NOBODY, number, _NAME, outcome, target, reason, utc_now())

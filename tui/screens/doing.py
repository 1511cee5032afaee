"""Doing what was asked for: confirmed, sent, told as it is answered, and kept in the log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from services.errors import ServiceError
from services.home import HomeUnusable
from tui.live.session import Session
from tui.resources.model import Action, Danger, ItemResult, Resource
from tui.screens.confirm import Answers, ConfirmScreen
from tui.views.confirmation import plan
from tui.widgets.working import begin

if TYPE_CHECKING:
    from tui.app import Console


class Doing:
    """The actions of one console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def begin(
        self, resource: Resource[Any] | None, action: Action[Any], records: Sequence[Any]
    ) -> None:
        """Do ``action`` to ``records``, once it is confirmed.

        Args:
            resource: Whose rows the records are; None: they are no rows of a list.
        """
        if action.writes and self._console.read_only:
            return
        begin(self._console, partial(self._begin, resource, action, records), "actions")

    async def _begin(
        self, resource: Resource[Any] | None, action: Action[Any], records: Sequence[Any]
    ) -> None:
        session = self._console.session
        answers: Answers | None = {}
        if action.danger is not Danger.NONE or action.questions:
            answers = await self._ask(resource, action, records)
        if answers is None:
            return
        if session is not self._console.session:
            self._console.tell("Nothing was done: this is another suite now.", "warning")
            return
        await self._do(session, resource, action, records, answers)

    async def _ask(
        self, resource: Resource[Any] | None, action: Action[Any], records: Sequence[Any]
    ) -> Answers | None:
        context = self._console.context
        wanted = plan(
            action.title,
            [resource.label(each) if resource is not None else each.id for each in records],
            _statuses(resource, records),
            action.effect(records) if action.effect is not None else "",
            protected=context.name if context.protected else "",
            dangerous=action.danger is not Danger.NONE,
        )
        screen = ConfirmScreen(wanted, action.questions)
        return await self._console.push_screen_wait(screen)

    async def _do(
        self,
        session: Session,
        resource: Resource[Any] | None,
        action: Action[Any],
        records: Sequence[Any],
        answers: Mapping[str, str],
    ) -> None:
        many = len(records) > 1
        title = f"{action.title} {len(records):,}" if many else action.title
        entry = session.log.sent(title, action.command(records, answers))
        results = session.log.results(entry.id)
        name = resource.name if resource is not None else ""
        state = resource.state if resource is not None else _itself
        word = action.doing or action.title.lower()
        session.pending.sent(name, word, records, state)
        if many:
            self._console.frame.show_results(title, name, len(records), results)
        answered = 0
        fault = ""
        try:
            clients = await session.connection.clients()
            with session.connection.calling():
                async for result in action.perform(clients, records, answers):
                    answered += 1
                    results.put([result])
                    session.pending.answered(name, result.id, result.ok, time.monotonic())
        except (ServiceError, HomeUnusable) as error:
            fault = str(error)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            fault = "the suite was left before it answered"
        finally:
            ids = [record.id for record in records]
            session.pending.over(name, ids, time.monotonic())
        if fault:
            missing = [id_ for id_ in ids if id_ not in results.records]
            results.put(ItemResult(id_, False, fault) for id_ in missing)
        self._tell(session, entry.id, title, len(records))

    def _tell(self, session: Session, entry_id: str, title: str, count: int) -> None:
        """Put what came of it into the log, and say what went wrong."""
        entry = session.log.collection.get(entry_id)
        results = session.log.results(entry_id).records.values()
        failed = [result for result in results if not result.ok]
        done = sum(result.ok for result in results)
        if entry is None:
            return
        if not failed:
            session.log.done(entry, f"{done:,} of {count:,}")
            return
        session.log.failed(entry, f"{done:,} of {count:,}: {failed[0].detail}")
        more = f" {len(failed):,} failed; M marks them." if count > 1 else ""
        self._console.tell(f"{title}: {failed[0].detail}{more}")


def _itself(record: Any) -> Any:
    return record


def _statuses(resource: Resource[Any] | None, records: Sequence[Any]) -> list[str]:
    """Where they stand, as their list shows it; empty: it has no such column."""
    column = resource.column("status") if resource is not None else None
    if column is None:
        return []
    now = time.time()
    return [column.cell(record, now).text for record in records]

"""Doing what was asked for: confirmed, sent, told as it is answered, and kept in the log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from services.errors import ServiceError
from services.home import HomeUnusable
from tui.live.results import ItemResult, Outcomes, Results
from tui.live.session import Session
from tui.resources.model import Action, Resource, command_line
from tui.screens.confirm import Answers, ConfirmScreen
from tui.views.confirmation import asks, plan
from tui.widgets.working import begin

if TYPE_CHECKING:
    from tui.app import Console


class Place(Protocol):
    """Where records are shown and marked."""

    def out_of_sight(self, records: Sequence[Any]) -> int: ...

    def done_to(self, records: Sequence[Any]) -> None: ...

    def given(self, action_id: str) -> Mapping[str, str]: ...


class Doing:
    """The actions of one console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def begin(
        self, resource: Resource[Any] | None, action: Action[Any], records: Sequence[Any],
        query: str = "", over: Callable[[], None] | None = None, place: Place | None = None,
    ) -> None:  # fmt: skip
        """Do ``action`` to ``records``, once it is confirmed.

        Args:
            resource: Whose rows the records are; None: they are no rows of a list.
            query: Finds just those; empty: none is known that does.
            over: Is called once it has been answered.
            place: Where it was asked for, if that shows the records.
        """
        if action.writes and self._console.read_only:
            return
        about = records if resource is not None else []
        if reason := self._console.why_not(action.id, about):
            self._console.tell(f"{action.title}: {reason}", "warning")
            return
        hidden = place.out_of_sight(records) if place is not None else 0
        deed = _Deed(resource, action, records, query, over, place, hidden)
        begin(self._console, partial(self._begin, deed), "actions")

    async def _begin(self, deed: _Deed) -> None:
        session = self._console.session
        answers: Answers | None = {}
        protected = self._console.context.protected
        asked = asks(deed.action.danger, len(deed.records), protected)
        if deed.action.questions or asked or deed.hidden:
            answers = await self._ask(deed)
        if answers is None:
            return
        if session is not self._console.session:
            self._console.tell("Nothing was done: this is another suite now.", "warning")
            return
        if deed.place is not None:
            deed.place.done_to(deed.records)
        await self._do(session, deed, answers)

    async def _ask(self, deed: _Deed) -> Answers | None:
        context, action, records = self._console.context, deed.action, deed.records
        wanted = plan(
            action.title,
            [deed.label(each) for each in records],
            _statuses(deed.resource, records),
            action.effect(records) if action.effect is not None else "",
            protected=context.name if context.protected else "",
            danger=action.danger,
            hidden=deed.hidden,
        )
        given = deed.place.given(action.id) if deed.place is not None else {}
        questions = [
            replace(each, default=given.get(each.name, each.default)) for each in action.questions
        ]
        screen = ConfirmScreen(wanted, questions)
        return await self._console.push_screen_wait(screen)

    async def _do(self, session: Session, deed: _Deed, answers: Mapping[str, str]) -> None:
        before = {record.id: deed.state(record) for record in deed.records}
        command = command_line(deed.action, deed.records, answers, deed.query)
        entry_id, results = session.log.begin(deed.title, command, before)
        session.pending.sent(deed.noun, deed.word, deed.records, deed.state)
        if len(deed.records) > 1:
            self._console.frame.show_results(deed.title, deed.noun, results)
        outcomes = self._outcomes(session, deed, results, entry_id)
        fault = await self._perform(session, deed, answers, results, outcomes)
        session.pending.over(deed.noun, list(before), time.monotonic())
        results.fail_rest(fault or "nothing was said of it")
        session.log.tell(entry_id, results)
        if outcomes is not None:
            outcomes.heard(())
        if deed.over is not None:
            deed.over()
        if results.failed:
            more = f" {results.failed:,} failed; M marks them." if results.count > 1 else ""
            self._console.tell(f"{deed.title}: {results.first_failure}{more}")

    def _outcomes(
        self, session: Session, deed: _Deed, results: Results, entry_id: str
    ) -> Outcomes[Any] | None:
        """What tells what comes of records that were accepted; None: an answer is all there is."""
        if deed.resource is None or deed.resource.source is None or deed.action.outcome is None:
            return None
        return session.await_outcomes(
            deed.resource.source,
            results,
            deed.state,
            deed.action.outcome,
            partial(session.log.tell, entry_id, results),
        )

    async def _perform(
        self, session: Session, deed: _Deed, answers: Mapping[str, str], results: Results,
        outcomes: Outcomes[Any] | None,
    ) -> str:  # fmt: skip
        """Do it, and take in what is answered; why that ended early, or nothing."""
        try:
            clients = await session.connection.clients()
            with session.connection.calling():
                async for told in deed.action.perform(clients, deed.records, answers):
                    result = replace(told, document="")
                    self._show(deed, told)
                    results.answer(result if outcomes else replace(result, open=False))
                    session.pending.answered(deed.noun, result.id, result.ok, time.monotonic())
                    if outcomes is not None:
                        # The stream may have told of it before it was answered.
                        outcomes.heard((result.id,))
        except (ServiceError, HomeUnusable) as error:
            return str(error)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            return "the suite was left before it answered"
        return ""

    def _show(self, deed: _Deed, result: ItemResult) -> None:
        """A document that an answer has is read over everything."""
        if result.document:
            # Late: few actions have one.
            from tui.widgets.text_view import FullText

            title = f"{deed.action.title}: {result.detail}"
            self._console.push_screen(FullText(result.document, title, "json"))


@dataclass(frozen=True, slots=True)
class _Deed:
    """What is to be done, and to what."""

    resource: Resource[Any] | None
    action: Action[Any]
    records: Sequence[Any]
    query: str
    over: Callable[[], None] | None
    place: Place | None
    hidden: int

    @property
    def title(self) -> str:
        count = len(self.records)
        return f"{self.action.title} {count:,}" if count > 1 else self.action.title

    @property
    def noun(self) -> str:
        return self.resource.name if self.resource is not None else ""

    @property
    def word(self) -> str:
        return self.action.doing or self.action.title.lower()

    def state(self, record: Any) -> Any:
        return self.resource.state(record) if self.resource is not None else record

    def label(self, record: Any) -> str:
        if self.action.label is not None:
            return self.action.label(record)
        return self.resource.label(record) if self.resource is not None else str(record.id)


def _statuses(resource: Resource[Any] | None, records: Sequence[Any]) -> list[str]:
    """Where they stand, as their list shows it; empty: it has no such column."""
    column = resource.column("status") if resource is not None else None
    if column is None:
        return []
    now = time.time()
    return [column.cell(record, now).text for record in records]

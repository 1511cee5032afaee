"""Places with records that something can be done to: the keys of actions and openings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget

from tui.resources.model import Action, Opening, Resource
from tui.screens.pane import Pane
from tui.views.addresses import Address
from tui.widgets.working import begin

if TYPE_CHECKING:
    from tui.app import Console


class ActingPane(Pane):
    """A place about records of one resource."""

    resource: ClassVar[Resource[Any]]

    def records(self) -> list[Any]:
        """What an action is about, as it stands."""
        raise NotImplementedError

    def query_of(self, action: Action[Any], records: list[Any]) -> str:
        """Of all that ``action`` can be done to, it finds just ``records``; empty: none does."""
        return ""

    def out_of_sight(self, records: Sequence[Any]) -> int:
        """How many of ``records`` are not shown, though an action would be done to them."""
        return 0

    def done_to(self, records: Sequence[Any]) -> None:
        """An action is being done to ``records``."""

    def given(self, action_id: str) -> Mapping[str, str]:
        """What the questions of an action are answered with at first, by their names."""
        return {}

    def action_act(self, action_id: str) -> None:
        action = self._action(action_id)
        records = [record for record in self.records() if action.applies(record)]
        if records:
            records = records if action.many else records[:1]
            self.console.act(
                self.resource, action, records, self.query_of(action, records), place=self
            )

    def action_open_pane(self, opening_id: str) -> None:
        opening = self._opening(opening_id)
        record = next(iter(self.records()), None) if opening.needs_record else None
        if opening.leads is not None and record is not None:
            self.console.open(opening.leads(record))
        elif opening.tab and record is not None:
            self.open_tab(record, opening.tab)
        elif record is None and opening.owner:
            # Late: a list is shown without it.
            from tui.screens.choosing import open_in_owner

            work = partial(open_in_owner, self.console, self.resource, opening)
            begin(self.console.frame, work, "open", exclusive=True)
        else:
            self.console.open_pane(opening.pane, self.resource, record)

    def open_tab(self, record: Any, tab: str) -> None:
        """Go to a tab of a record's detail."""
        self.console.open(Address(self.resource.name, record.id, tab))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "act":
            wanted = self._action(str(parameters[0]))
            if wanted.writes and self.console.read_only:
                return False
            records = [record for record in self.records() if wanted.applies(record)]
            return True if records and not self.console.why_not(wanted.id, records) else None
        if action == "open_pane":
            opening = self._opening(str(parameters[0]))
            if opening.writes and self.console.read_only:
                return False
            needs = opening.needs_record and not opening.owner
            records = self.records() if opening.needs_record else []
            if self.console.why_not(opening.id, records):
                return None
            return True if records or not needs else None
        return True

    def on_key(self, event: events.Key) -> None:
        """Tell why what a grey key would do may not be done."""
        tell_why_grey(self, event, self.console, self.records)

    def _action(self, action_id: str) -> Action[Any]:
        return next(each for each in self.resource.actions if each.id == action_id)

    def _opening(self, opening_id: str) -> Opening:
        return next(each for each in self.resource.openings if each.id == opening_id)


def tell_why_grey(
    place: Widget, event: events.Key, console: Console, records: Callable[[], list[Any]]
) -> None:
    """Tell why the key of ``place`` that was pressed may not do anything to ``records``, if so."""
    pressed = place.screen.active_bindings.get(event.key)
    if pressed is None or pressed.enabled or pressed.node is not place:
        return
    reason = console.why_not(pressed.binding.id or "", records())
    if reason:
        event.stop()
        console.tell(f"{pressed.binding.description}: {reason}", "warning")


def bindings_of(resource: Resource[Any]) -> list[BindingType]:
    """The keys of what can be done to records; of a class, so that keymaps know them."""
    openings: list[BindingType] = [
        Binding(
            opening.key, f"open_pane('{opening.id}')", opening.title, id=opening.id,
            tooltip=opening.help,
        )
        for opening in resource.openings
    ]  # fmt: skip
    actions: list[BindingType] = [
        Binding(action.key, f"act('{action.id}')", action.title, id=action.id, tooltip=action.help)
        for action in resource.actions
    ]
    # In this order: where the line of keys has no room for all, those go that take away.
    return [*openings, *actions]

"""The one screen: link bar, crumbs, the place that is shown, command line, footer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, TextArea

from tui.live.link import LinkState
from tui.live.results import Results
from tui.screens.list_pane import ListPane
from tui.screens.pane import Pane
from tui.views.addresses import Address
from tui.views.may import Own
from tui.views.vitals import vitals
from tui.widgets.command_line import Candidates, CommandLine
from tui.widgets.crumbs import Crumbs
from tui.widgets.key_bar import KeyBar
from tui.widgets.laying_out import SteadyCompositor
from tui.widgets.link_bar import LinkBar
from tui.widgets.results_panel import ResultsPanel
from tui.widgets.working import begin

if TYPE_CHECKING:
    from tui.app import Console

MOST_PLACES = 20
# A filter is asked once its typing pauses for so long.
TYPING_SECONDS = 0.08


class ConsoleScreen(Screen[None]):
    """Places are kept in the order in which they were gone to, like pages of a browser."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "command", "Command", id="console.command", priority=True,
                tooltip="Go somewhere, do something"),
        Binding("slash", "filter", "Filter", id="console.filter", priority=True,
                tooltip="Filter the list as you type"),
        Binding("escape", "back", "Back", id="console.back", tooltip="To where you were before"),
        Binding("left_square_bracket", "back", "Back", id="console.earlier", show=False,
                tooltip="To where you were before"),
        Binding("right_square_bracket", "forward", "Forward", id="console.later", show=False,
                tooltip="To where you came back from"),
        Binding("minus", "last", "Last", id="console.last", show=False,
                tooltip="To the place that was shown last, and to and fro"),
        Binding("question_mark", "app.help", "Help", id="console.help",
                tooltip="What the focused part shows, and its keys"),
        Binding("M", "mark_failed", "Mark failed", id="console.mark_failed", show=False,
                tooltip="Mark those that the last action was not done to"),
        Binding("ctrl+r", "retry", "Reconnect", id="console.reconnect", show=False,
                tooltip="Try every broken line again now"),
        Binding("ctrl+l", "repaint", "Repaint", id="console.repaint", show=False,
                tooltip="Paint the screen anew"),
        Binding("q", "leave", "Quit", id="console.quit", show=False,
                tooltip="Leave, where nothing is behind"),
    ]  # fmt: skip

    def __init__(self, first: Address) -> None:
        super().__init__()
        self._compositor = SteadyCompositor()
        self._first = first
        self._places: list[Pane] = []
        self._at = -1
        self._last: Pane | None = None
        self._typing: Timer | None = None
        self._flushed_at = 0.0
        self._own: Own | None = None
        self._line: CommandLine | None = None
        self._focused_before_line: Widget | None = None
        self._results_of: Pane | None = None
        # A place is mounted before another one is gone to.
        self._going = asyncio.Lock()

    @property
    def console(self) -> Console:
        """The app."""
        return cast("Console", self.app)

    def compose(self) -> ComposeResult:
        popup = Candidates()
        self._line = CommandLine(popup)
        yield LinkBar()
        yield Crumbs()
        yield Container(id="places")
        yield ResultsPanel()
        yield self._line
        yield KeyBar()
        yield popup

    async def on_mount(self) -> None:
        await self.go(self._first)
        self.set_interval(self.console.flush_seconds, self._tick)

    @property
    def place(self) -> Pane | None:
        """What is shown."""
        return self._places[self._at] if 0 <= self._at < len(self._places) else None

    @property
    def earlier_address(self) -> Address | None:
        """Where one was before this place."""
        return self._places[self._at - 1].address if self._at > 0 else None

    def _tick(self) -> None:
        now = time.monotonic()
        # Nobody looks at a terminal that has no focus: once a second is often enough.
        if self.console.seen or now - self._flushed_at >= self.console.unseen_seconds:
            self.flush()

    def flush(self) -> None:
        """Show what has changed since."""
        self._flushed_at = time.monotonic()
        self._tell_link()
        now = time.time()
        if self.console.own_access is not self._own:
            self._own = self.console.own_access
            self.refresh_bindings()
        if self.place is not None:
            self.place.flush(now)
            self.query_one(Crumbs).stand(*self.place.standing(now))
        self.query_one(ResultsPanel).flush(now)

    def _tell_link(self) -> None:
        console = self.console
        session, counts = console.session, console.executions.collection.facts.get("counts", {})
        link = session.link
        services = session.services if link.state is not LinkState.LIVE else []
        self.query_one(LinkBar).show(
            console.context, console.read_only, link, services, vitals(counts), time.monotonic()
        )
        self.query_one("#places").set_class(link.state is LinkState.STALE, "-stale")

    def set_focus(
        self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False
    ) -> None:
        """Give ``widget`` the keys, unless they are not for it.

        A place that is ready late takes none from the open command line, nor from the place that is
        shown by then: what is typed meanwhile would be done to what one does not look at.
        """
        if widget is None or self._may_have_keys(widget):
            super().set_focus(widget, scroll_visible, from_app_focus)

    def _may_have_keys(self, widget: Widget) -> bool:
        around = [node for node in widget.ancestors_with_self if isinstance(node, Widget)]
        if self._line is not None and self._line.is_open:
            return self._line in around
        return all(node.display for node in around)

    def _take_keys(self) -> None:
        """Whatever place has the keys has them no more; the open line keeps them."""
        if not self.query_one(CommandLine).is_open:
            self.set_focus(None)

    # From place to place

    async def go(self, address: Address) -> None:
        """Show the place of ``address``."""
        pane = self.console.pane_of(address)
        if pane is not None:
            await self.show(pane)

    async def show(self, pane: Pane) -> None:
        """Show a new place; what lay ahead is forgotten, unless something is written there."""
        async with self._going:
            await self._show_new(pane)

    async def _show_new(self, pane: Pane) -> None:
        ahead, self._places = self._places[self._at + 1 :], self._places[: self._at + 1]
        gone = [*ahead, *self._places[: max(0, len(self._places) - MOST_PLACES)]]
        gone = [each for each in gone if not each.dirty]
        self._places += [each for each in ahead if each.dirty]
        shown = self.place if self._places else None
        self._places = [each for each in self._places if each not in gone]
        self._places.append(pane)
        if shown is not None:
            # Until the new one is there both would share the room.
            shown.display = False
        await self.query_one("#places").mount(pane)
        self._show(len(self._places) - 1, shown)
        for each in gone:
            await each.remove()

    async def close(self, pane: Pane) -> None:
        """Leave a place for good: what was shown before it is shown again."""
        if pane not in self._places:
            return
        shown = self.place
        at = self._places.index(pane)
        self._places.remove(pane)
        if self._last is pane:
            self._last = None
        if not self._places:
            self._at = -1
            await self.go(Address(pane.address.resource))
        elif shown is pane:
            self._show(max(0, at - 1), None)
        elif at < self._at:
            self._at -= 1
        await pane.remove()

    def show_record(self, id_: str) -> None:
        """Put the cursor of the shown list on a record, if it is there."""
        if isinstance(self.place, ListPane):
            self.flush()
            self.place.table.put_cursor_on(id_)

    @property
    def dirty_places(self) -> list[Pane]:
        """Those in which something is written that is not stored."""
        return [each for each in self._places if each.dirty]

    async def leave_all(self) -> None:
        """Show nothing: what is followed is of a suite that is left."""
        async with self._going:
            gone, self._places, self._at, self._last = self._places, [], -1, None
            await self.query_one(ResultsPanel).hide()
            for each in gone:
                await each.remove()

    def travel(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Go somewhere by ``work``; until one is there, what is typed is for nobody."""
        self._take_keys()
        begin(self, partial(self._travel, work), "navigation")

    async def _travel(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        finally:
            if self.focused is None:
                self._focus_place()

    def _show(self, at: int, before: Pane | None) -> None:
        self._at = at
        for number, each in enumerate(self._places):
            each.display = number == at
        if before is not None and before is not self._places[at]:
            # At once: the next key is for the other place.
            self._take_keys()
            self._last = before
            before.left()
        # How the other one stood is nothing of this one's.
        self.query_one(Crumbs).stand("", "text")
        panel = self.query_one(ResultsPanel)
        panel.display = panel.is_open and self._places[at] is self._results_of
        self._places[at].entered()
        self.place_changed()

    def show_place(self, at: int) -> None:
        """Show one of the places that were gone to."""
        if 0 <= at < len(self._places):
            self._show(at, self.place)

    def place_changed(self) -> None:
        """The place's crumbs or bindings are others now."""
        if self.place is not None:
            self.query_one(Crumbs).show(self.place.crumbs)
        self.refresh_bindings()

    # What came of actions

    def show_results(self, title: str, resource: str, results: Results) -> None:
        """Show what comes of an action on several records below the place where it was done."""
        begin(self, partial(self._show_results, self.place, title, resource, results), "results",
              exclusive=True)  # fmt: skip

    async def _show_results(
        self, place: Pane | None, title: str, resource: str, results: Results
    ) -> None:
        panel = self.query_one(ResultsPanel)
        await panel.show(title, resource, results)
        self._results_of = place
        panel.display = place is self.place

    async def action_mark_failed(self) -> None:
        panel = self.query_one(ResultsPanel)
        if not panel.failed:
            return
        if self._results_of in self._places:
            self.show_place(self._places.index(self._results_of))
        if not (isinstance(self.place, ListPane) and self.place.resource.name == panel.resource):
            await self.go(Address(panel.resource))
        if isinstance(self.place, ListPane):
            self.place.mark(panel.failed_ids)

    async def action_back(self) -> None:
        panel = self.query_one(ResultsPanel)
        if panel.display:
            await panel.hide()
            self._focus_place()
        elif self._at > 0:
            self.show_place(self._at - 1)

    def action_forward(self) -> None:
        self.show_place(self._at + 1)

    def action_last(self) -> None:
        if self._last in self._places:
            self.show_place(self._places.index(self._last))

    def action_leave(self) -> None:
        if self._at > 0:
            self.show_place(self._at - 1)
        else:
            begin(self, self.app.action_quit, "quit")

    def action_retry(self) -> None:
        self.console.session.retry()
        if self.place is not None and self.place.address.resource == "contexts":
            self.console.ask_contexts()

    def action_repaint(self) -> None:
        self.refresh(repaint=True, layout=True)

    async def on_crumbs_chosen(self, message: Crumbs.Chosen) -> None:
        """The crumb of the noun leads to its list, that of a record to the record."""
        address = self.place.crumb(message.number) if self.place is not None else None
        if address is not None:
            await self.go(address)

    # Commands and filters

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Signs that open the command line are text where text is written.

        Their bindings go first (priority): what is typed right behind a sign is for the line that
        it opens, never a key of the list.
        """
        if action in ("command", "filter") and isinstance(self.focused, (Input, TextArea)):
            return False
        if action == "back":
            return True if self._at > 0 or self.query_one(ResultsPanel).display else None
        if action == "mark_failed":
            return bool(self.query_one(ResultsPanel).failed)
        return action != "filter" or isinstance(self.place, ListPane)

    def action_command(self) -> None:
        self._focused_before_line = self.focused
        self.console.commanding.open_command(self.query_one(CommandLine))

    def action_filter(self) -> None:
        if isinstance(self.place, ListPane):
            self.console.commanding.open_filter(self.query_one(CommandLine), self.place)

    def on_command_line_entered(self, message: CommandLine.Entered) -> None:
        if message.sign == ":":
            self.console.command(message.text)
        else:
            self._filter(message.text)
            self._keep_filter(message.text)
            self._focus_place()

    def _keep_filter(self, text: str) -> None:
        if isinstance(self.place, ListPane):
            self.console.commanding.history(f"filters-{self.place.resource.name}").add(text)

    def on_command_line_typed(self, message: CommandLine.Typed) -> None:
        if message.sign != "/":
            return
        self._stop_typing()
        self._typing = self.set_timer(TYPING_SECONDS, lambda: self._filter(message.text))

    def on_command_line_left(self, message: CommandLine.Left) -> None:
        if message.sign == "/":
            self._filter(message.text)
        self._focus_place()

    def _stop_typing(self) -> None:
        if self._typing is not None:
            self._typing.stop()
            self._typing = None

    def _filter(self, text: str) -> None:
        """Filter the shown list; a text with a fault leaves it as it is: the line says why."""
        self._stop_typing()
        if isinstance(self.place, ListPane) and not self.place.filter(text):
            self.place_changed()

    def focus_again(self) -> None:
        """Give the keys back to what had them before the line, if it is still there."""
        before = self._focused_before_line
        if before is not None and before.is_attached:
            self.set_focus(before)

    def _focus_place(self) -> None:
        if self.place is not None:
            self.place.entered()

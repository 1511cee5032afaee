"""The one screen: link bar, crumbs, the place that is shown, command line, footer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Footer, Input, Static, TextArea

from tui.screens.list_pane import ListPane
from tui.screens.pane import Pane
from tui.views.addresses import Address
from tui.widgets.command_line import CommandLine
from tui.widgets.link_bar import LinkBar

if TYPE_CHECKING:
    from tui.app import Console

MOST_PLACES = 20
CRUMB_GAP = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "


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
        Binding("ctrl+r", "retry", "Reconnect", id="console.reconnect", show=False,
                tooltip="Try every broken line again now"),
        Binding("ctrl+l", "repaint", "Repaint", id="console.repaint", show=False,
                tooltip="Paint the screen anew"),
        Binding("q", "leave", "Quit", id="console.quit", show=False,
                tooltip="Leave, where nothing is behind"),
    ]  # fmt: skip

    def __init__(self, first: Address) -> None:
        super().__init__()
        self._first = first
        self._places: list[Pane] = []
        self._at = -1

    @property
    def console(self) -> Console:
        """The app."""
        return cast("Console", self.app)

    def compose(self) -> ComposeResult:
        yield LinkBar()
        yield Static("", id="crumbs", markup=False)
        yield Container(id="places")
        yield CommandLine()
        yield Footer(show_command_palette=False)

    async def on_mount(self) -> None:
        await self.go(self._first)
        self.set_interval(self.console.flush_seconds, self.flush)

    @property
    def place(self) -> Pane | None:
        """What is shown."""
        return self._places[self._at] if self._places else None

    def flush(self) -> None:
        """Show what has changed since."""
        self._tell_link()
        if self.place is not None:
            self.place.flush(time.time())

    def _tell_link(self) -> None:
        session = self.console.session
        self.query_one(LinkBar).show(
            self.console.context_name, self.console.read_only, session.link, "", time.monotonic()
        )

    # From place to place

    async def go(self, address: Address) -> None:
        """Show the place of ``address``."""
        pane = self.console.pane_of(address)
        if pane is not None:
            await self.show(pane)

    async def show(self, pane: Pane) -> None:
        """Show a new place; what lay ahead is forgotten."""
        ahead, self._places = self._places[self._at + 1 :], self._places[: self._at + 1]
        gone = [*ahead, *self._places[: max(0, len(self._places) - MOST_PLACES)]]
        self._places = [each for each in self._places if each not in gone]
        self._places.append(pane)
        await self.query_one("#places").mount(pane)
        self._show(len(self._places) - 1)
        for each in gone:
            await each.remove()

    def _show(self, at: int) -> None:
        for number, each in enumerate(self._places):
            each.display = number == at
        if self.place is not None and self._at != at:
            self.place.left()
        self._at = at
        self._places[at].entered()
        self.place_changed()

    def place_changed(self) -> None:
        """The place's crumbs or bindings are others now."""
        if self.place is not None:
            self.query_one("#crumbs", Static).update(CRUMB_GAP.join(self.place.crumbs))
        self.refresh_bindings()

    def action_back(self) -> None:
        if self._at > 0:
            self._show(self._at - 1)

    def action_forward(self) -> None:
        if self._at < len(self._places) - 1:
            self._show(self._at + 1)

    def action_leave(self) -> None:
        if self._at > 0:
            self.action_back()
        else:
            self.app.exit()

    def action_retry(self) -> None:
        self.console.session.retry()

    def action_repaint(self) -> None:
        self.refresh(repaint=True, layout=True)

    # Commands and filters

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Signs that open the command line are text where text is written.

        Their bindings go first (priority): what is typed right behind a sign is for the line that
        it opens, never a key of the list.
        """
        if action in ("command", "filter"):
            return not isinstance(self.focused, (Input, TextArea))
        return True

    def action_command(self) -> None:
        self.query_one(CommandLine).open(":")

    def action_filter(self) -> None:
        if isinstance(self.place, ListPane):
            self.query_one(CommandLine).open("/", self.place.query_text)

    async def on_command_line_entered(self, message: CommandLine.Entered) -> None:
        if message.sign == ":":
            await self.console.run_command(message.text)
        self._focus_place()

    def on_command_line_typed(self, message: CommandLine.Typed) -> None:
        if message.sign == "/":
            self._filter(message.text)

    def on_command_line_left(self, message: CommandLine.Left) -> None:
        if message.sign == "/":
            self._filter(message.text)
        self._focus_place()

    def _filter(self, text: str) -> None:
        if isinstance(self.place, ListPane):
            self.place.filter(text)
            self.place_changed()

    def _focus_place(self) -> None:
        if self.place is not None:
            self.place.entered()

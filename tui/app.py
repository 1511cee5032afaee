"""The console: a Textual app over one session with a suite, and over another when it is told so."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal

from textual import events
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.dom import DOMNode

from tui.clients import Connection, check_serving
from tui.live.collection import Collection as Records
from tui.live.contexts import ContextList
from tui.live.session import Session
from tui.resources import find, names
from tui.resources.executions import SOURCE as EXECUTIONS
from tui.resources.model import Action, Resource
from tui.resources.own_access import ME, SOURCE as OWN_ACCESS, why_not
from tui.screens.asking import AskScreen
from tui.screens.commanding import Commanding
from tui.screens.console_screen import ConsoleScreen
from tui.screens.detail_pane import detail_pane
from tui.screens.doing import Doing, Place
from tui.screens.list_pane import list_pane
from tui.screens.palette import ConsoleProvider
from tui.screens.pane import Pane
from tui.screens.panes import PANES
from tui.settings import DEFAULT_CONTEXT, Context, Fault, Settings, keymap
from tui.settings.failures import Failures
from tui.settings.terminal import FLUSH_SECONDS_UNSEEN, flush_seconds, is_ascii
from tui.suite import Suite, of_context
from tui.themes import SAFE, theme_of
from tui.views.addresses import Address, parse
from tui.views.may import Own
from tui.views.needs import ACTIONS, OPENINGS, TABS
from tui.views.visible import visible
from tui.widgets.ordered_keys import OrderedKeys
from tui.widgets.working import WorkFailed, begin

# What Rich calls a terminal of that many.
OF_16_COLORS = "standard"
# From so many cells on, a list has its record beside it.
WIDE = 140
PLACE_SECONDS = 10.0
CHECK_SECONDS = 1.5
Severity = Literal["information", "warning", "error"]


class Console(OrderedKeys[None]):
    """The app.

    Attributes:
        session: What is followed, and what was done.
        executions: Followed as long as the session lasts: the line on top counts them.
        settings: What the console's file says.
        context: The suite that is shown, and how careful one must be there.
        contexts: All that there are, by name.
        state: Where what the console keeps by itself lies; None: nowhere.
        failures: Errors of the console itself that were told.
        ascii: Whether boxes and bars are drawn of ASCII signs.
    """

    CSS_PATH = "app.tcss"
    TITLE = "Podium"
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (90, "-normal"), (WIDE, "-wide")]  # noqa: RUF012
    COMMANDS: ClassVar[set[type[Provider]]] = {ConsoleProvider}  # type: ignore[assignment]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f9", "picture", "Picture", id="console.picture", show=False,
                tooltip="Keep the screen as an SVG picture"),
        Binding("ctrl+z", "suspend_process", "Suspend", id="console.suspend", show=False,
                tooltip="Back to the shell; fg comes back"),
    ]  # fmt: skip
    COMMAND_PALETTE_BINDING: ClassVar[str] = "ctrl+p"

    def __init__(
        self, session: Session, first: str = "", *, context: Context | None = None,
        own: Context | None = None, settings: Settings | None = None, faults: Sequence[Fault] = (),
        suite_of: Callable[[Context], Suite] = of_context, state: Path | None = None,
        read_only: bool = False, theme: str = "",
    ) -> None:  # fmt: skip
        """Show ``session``.

        Args:
            first: The place that is opened first; empty: as the settings have it.
            context: Whose session it is.
            own: The suite that is not of the settings: of the home, or of the environment.
            faults: Of the settings' file: told on start.
            suite_of: Where a context's suite is; it may raise HomeUnusable.
            read_only: Leave out all that changes something, in every context.
            theme: Instead of that of the settings.
        """
        super().__init__()
        self.animation_level = "none"
        self.session = session
        self.settings = settings or Settings()
        self.state = state
        self.failures = Failures(state)
        self._faults = list(faults)
        self._suite_of = suite_of
        self._all_read_only = read_only
        self._wanted_theme = theme or self.settings.theme
        self._take_contexts(context or Context(DEFAULT_CONTEXT), own)
        self._take_terminal()
        self._switching = asyncio.Lock()
        self.commanding = Commanding(self)
        self.doing = Doing(self)
        self._clashed: set[Binding] = set()
        self._keys: Records[Any] = Records()
        self._first = self._first_place(first or self.settings.start)

    def _take_contexts(self, context: Context, own: Context | None) -> None:
        self.context = context
        own = own or context
        # One of the settings that has the same name is meant by it.
        self.contexts: Mapping[str, Context] = {own.name: own, **self.settings.contexts}
        self._context_list = ContextList(self.contexts.values(), self._check)
        self._context_list.chosen(context.name)

    def _take_terminal(self) -> None:
        self.ascii = is_ascii(self.settings)
        self.flush_seconds = flush_seconds(self.settings, os.environ)
        self.seen, self.unseen_seconds = True, FLUSH_SECONDS_UNSEEN

    def _first_place(self, text: str) -> Address:
        text = self.commanding.views.get(text, text)
        address = parse(text)
        if find(address.resource) is None:
            self._faults.append(Fault(0, f"There is no place {address.resource!r}."))
            return Address("executions")
        return address

    def on_mount(self) -> None:
        self._take_themes()
        self.executions = self.session.open(EXECUTIONS)
        self._own_access = self.session.open(OWN_ACCESS)
        self.set_keymap(keymap(self.settings.keymap, self.settings.keys))
        self.push_screen(ConsoleScreen(self._first))
        for fault in self._faults:
            self.tell(str(fault), "warning")

    def _take_themes(self) -> None:
        self.register_theme(SAFE)
        for colors in self.settings.themes.values():
            try:
                self.register_theme(theme_of(colors))
            except ValueError as error:
                self._faults.append(Fault(0, str(error)))
        if self._wanted_theme in self.available_themes:
            self.theme = self._wanted_theme
        elif not self._wanted_theme and self.console.color_system == OF_16_COLORS:
            # The tones of the others come to the same few there.
            self.theme = "ansi-dark"
        elif self._wanted_theme:
            self._faults.append(Fault(0, f"There is no theme {self._wanted_theme!r}."))

    async def on_unmount(self) -> None:
        await self.session.aclose()

    def on_app_blur(self, event: events.AppBlur) -> None:
        self.seen = False

    def on_app_focus(self, event: events.AppFocus) -> None:
        self.seen = True

    @property
    def read_only(self) -> bool:
        """Whether what changes something is absent."""
        return self._all_read_only or self.context.read_only

    @property
    def own_access(self) -> Own | None:
        """Who the console is at the suite that is shown; None: it has not been told yet."""
        return self._own_access.collection.get(ME)

    def why_not(self, id_: str, records: Sequence[Any]) -> str:
        """Why an action or opening may not be done to ``records``; empty: it may, or who knows."""
        needs = ACTIONS.get(id_) or OPENINGS.get(id_) or TABS.get(id_)
        return why_not(self.own_access, needs, records)

    @property
    def context_name(self) -> str:
        return self.context.name

    @property
    def frame(self) -> ConsoleScreen:
        """The screen below all dialogs."""
        return next(
            screen for screen in reversed(self.screen_stack) if isinstance(screen, ConsoleScreen)
        )

    def own_collection(self, resource_name: str) -> Records[Any]:
        """What the console itself knows of a noun without a source."""
        if resource_name == "contexts":
            return self._context_list.collection
        if resource_name == "keys":
            return self._all_keys()
        return self.session.log.collection

    def _all_keys(self) -> Records[Any]:
        if not len(self._keys):
            # Late: it imports every part of the console.
            from tui.bindings import rows

            self._keys.put(rows(keymap(self.settings.keymap, self.settings.keys)))
        return self._keys

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: DOMNode) -> None:
        """Tell once of a key that the settings give away twice."""
        for binding in clashed_bindings - self._clashed:
            self._clashed.add(binding)
            self.tell(
                f"{binding.key} had {binding.id} too: another one of [keys] took it.", "warning"
            )

    def tell(self, message: str, severity: Severity = "error") -> None:
        """Say something for a moment."""
        self.notify(visible(message), severity=severity, markup=False)

    def on_work_failed(self, message: WorkFailed) -> None:
        self.tell(self.failures.add(message.group, message.error))

    def copy_to_clipboard(self, text: str) -> None:
        """Copy ``text`` through the terminal; what no UTF-8 can hold becomes a question mark."""
        super().copy_to_clipboard(text.encode("utf-8", "replace").decode("utf-8"))

    def action_help(self) -> None:
        """What the focused part shows, and its keys."""
        # Late: Markdown and its parser are not needed to begin with.
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen))

    def action_picture(self) -> None:
        """Keep the screen as an SVG picture."""
        folder = self.state or Path.cwd()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.tell(self.save_screenshot(path=str(folder)), "information")
        except OSError as error:
            self.tell(f"{folder} cannot be written: {error.strerror or error}.")

    # From place to place

    def pane_of(self, address: Address) -> Pane | None:
        """A new pane for ``address``; None, and the operator is told: there is no such place."""
        address = self.commanding.meant(address)
        resource = find(address.resource)
        if resource is None:
            self.tell(f"There is no {address.resource!r}; there are {', '.join(names())}.")
            return None
        if address.id and resource.tabs:
            return detail_pane(resource.name)(address.id, address.tab, address.query)
        if resource.pane:
            return self._made(resource.pane, address)
        return list_pane(resource.name)(address.query)

    def fault_in_filter(self, address: Address) -> str:
        """What is wrong with the filter of an address; empty: nothing."""
        resource = find(address.resource)
        if resource is None or not address.query:
            return ""
        return list_pane(resource.name)().fault_in(address.query)

    def open(self, address: Address) -> None:
        """Go to a place."""
        self.frame.travel(partial(self.frame.go, address))

    async def go(self, address: Address, context: str = "") -> None:
        """Go to a place, in another context where one is named."""
        if context and context != self.context.name:
            await self.switch(context, address)
        else:
            await self.frame.go(address)

    def open_pane(
        self, name: str, resource: Resource[Any], record: Any,
        on_stored: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        """Go to a pane by its name in :mod:`tui.screens.panes`: ``Pane(resource, record)``.

        Args:
            on_stored: Is told the name of what is created there.
        """
        pane = self._made(name, resource, record)
        pane.on_stored = on_stored
        self.frame.travel(partial(self.frame.show, pane))

    @staticmethod
    def _made(name: str, *about: Any) -> Pane:
        module, attribute = PANES[name].split(":")
        pane: Pane = getattr(import_module(module), attribute)(*about)
        return pane

    def place_changed(self) -> None:
        """The shown place's crumbs or bindings are others now."""
        self.frame.place_changed()

    def command(self, text: str) -> None:
        """Do what could be typed after ``:``."""
        self.frame.travel(partial(self.commanding.run, text))

    async def action_quit(self) -> None:
        """Leave the console; what is written and not stored is asked for first."""
        begin(self.frame, self._quit, "quit", exclusive=True)

    async def _quit(self) -> None:
        if await self._may_lose("Leave the console?"):
            self.exit()

    async def _may_lose(self, title: str) -> bool:
        """Whether what is written in places that are left may be lost; asked in a worker."""
        places = [" / ".join(filter(None, each.crumbs)) for each in self.frame.dirty_places]
        if not places:
            return True
        text = "Written, and not stored:\n" + "\n".join(f"  {each}" for each in places)
        choices = (("stay", "Stay"), ("drop", "Drop it"))
        return await self.push_screen_wait(AskScreen(title, text, choices)) == "drop"

    # Contexts

    async def switch(self, name: str, address: Address | None = None) -> None:
        """Go to another suite: to ``address``, or to where one is now, if that is there."""
        async with self._switching:
            await self._switch(name, address)

    async def _switch(self, name: str, address: Address | None) -> None:
        if name == self.context.name and address is None:
            return
        wanted = address or (self.frame.place.address if self.frame.place else self._first)
        if wanted.resource == "contexts":
            wanted = self.frame.earlier_address or self._first
        if not await self._may_lose(f"Go to {name}?"):
            return
        await self.frame.leave_all()
        context = self.contexts[name]
        before = self.session
        # Together: nobody may be told of one suite and act on another.
        self.session = Session(Connection(lambda: self._suite_of(context)), before.log)
        self.context = context
        self.executions = self.session.open(EXECUTIONS)
        self._own_access = self.session.open(OWN_ACCESS)
        self._context_list.chosen(name)
        await before.aclose()
        await self.frame.go(Address(wanted.resource, query=wanted.query))
        if wanted.id:
            begin(self, partial(self._back_to, wanted), "place", exclusive=True)

    async def _back_to(self, wanted: Address) -> None:
        """Open a record once it is known to be here; where it never is, its list stays."""
        resource = find(wanted.resource)
        session = self.session
        if resource is None or resource.source is None:
            return
        known = asyncio.Event()
        feed = session.open(resource.source)
        listener = lambda ids: known.set() if wanted.id in ids else None  # noqa: E731
        try:
            with feed.collection.heard_by(listener):
                if feed.collection.get(wanted.id) is None:
                    async with asyncio.timeout(PLACE_SECONDS):
                        await known.wait()
            if session is self.session:
                await self.frame.go(wanted)
        except TimeoutError:
            self.tell(f"{self.context.name} has no {wanted.id} of {wanted.resource}.", "warning")
        finally:
            session.close(feed)

    def ask_contexts(self) -> None:
        """Ask every suite how it is."""
        begin(self, self._context_list.ask, "contexts", exclusive=True)

    async def _check(self, context: Context) -> str:
        suite = self._suite_of(context)
        for address in (suite.registry, suite.executor, suite.edge):
            await check_serving(address, CHECK_SECONDS, suite.tls)
        return "up"

    # Doing

    def act(
        self, resource: Resource[Any] | None, action: Action[Any], records: Sequence[Any],
        query: str = "", over: Callable[[], None] | None = None, place: Place | None = None,
    ) -> None:  # fmt: skip
        """Do ``action`` to ``records``, once it is confirmed; what comes of it is told and kept.

        Args:
            query: Finds just those; empty: none is known that does.
            over: Is called once it has been answered, whatever was said.
            place: Where it was asked for, if that shows the records.
        """
        self.doing.begin(resource, action, records, query, over, place)

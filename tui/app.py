"""The console: a Textual app over one session with a suite."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any, ClassVar

from textual.app import App

from services.errors import ServiceError
from services.home import HomeUnusable
from tui.live.session import Session
from tui.resources import find, names
from tui.resources.model import Action, Resource
from tui.screens.console_screen import ConsoleScreen
from tui.screens.detail_pane import detail_pane
from tui.screens.list_pane import list_pane
from tui.screens.pane import Pane
from tui.screens.panes import PANES
from tui.views.addresses import Address, parse

FLUSH_SECONDS = 0.1
FLUSH_SECONDS_OVER_SSH = 0.25


class Console(App[None]):
    """The app.

    Attributes:
        session: What is followed, and what was done.
        read_only: Whether what changes something is absent.
    """

    CSS_PATH = "app.tcss"
    TITLE = "Podium"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING: ClassVar[str] = "ctrl+p"

    def __init__(
        self, session: Session, first: str = "executions", context_name: str = "podium",
        read_only: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.animation_level = "none"
        self.session = session
        self.context_name = context_name
        self.read_only = read_only
        over_ssh = "SSH_CONNECTION" in os.environ
        self.flush_seconds = FLUSH_SECONDS_OVER_SSH if over_ssh else FLUSH_SECONDS
        self._first = parse(first)

    def on_mount(self) -> None:
        self.push_screen(ConsoleScreen(self._first))

    async def on_unmount(self) -> None:
        await self.session.aclose()

    @property
    def frame(self) -> ConsoleScreen:
        """The screen below all dialogs."""
        return next(
            screen for screen in reversed(self.screen_stack) if isinstance(screen, ConsoleScreen)
        )

    def pane_of(self, address: Address) -> Pane | None:
        """A new pane for ``address``; None, and the operator is told: there is no such place."""
        resource = find(address.resource)
        if resource is None:
            self.notify(
                f"There is no {address.resource!r}; there are {', '.join(names())}.",
                severity="error", markup=False,
            )  # fmt: skip
            return None
        if address.id and resource.tabs:
            return detail_pane(resource.name)(address.id, address.tab)
        return list_pane(resource.name)(address.query)

    def open(self, address: Address) -> None:
        """Go to a place."""
        self.frame.run_worker(self.frame.go(address), group="navigation", exit_on_error=False)

    def open_pane(self, name: str, resource: Resource[Any], record: Any) -> None:
        """Go to a pane by its name in :mod:`tui.screens.panes`: ``Pane(resource, record)``."""
        module, attribute = PANES[name].split(":")
        pane: Pane = getattr(import_module(module), attribute)(resource, record)
        self.frame.run_worker(self.frame.show(pane), group="navigation", exit_on_error=False)

    def place_changed(self) -> None:
        """The shown place's crumbs or bindings are others now."""
        self.frame.place_changed()

    async def run_command(self, text: str) -> None:
        """What was typed after ``:``."""
        if text.strip() in ("q", "quit", "exit"):
            self.exit()
        elif text.strip():
            await self.frame.go(parse(text))

    def act(self, resource: Resource[Any], action: Action[Any], records: Sequence[Any]) -> None:
        """Do ``action`` to ``records``; what comes of it is told and kept in the log."""
        self.run_worker(self._act(action, records, {}), group="actions", exit_on_error=False)

    async def _act(
        self, action: Action[Any], records: Sequence[Any], answers: dict[str, str]
    ) -> None:
        title = f"{action.title} {len(records)}" if len(records) > 1 else action.title
        entry = self.session.log.sent(title, action.command(records, answers))
        done = 0
        faults: list[str] = []
        try:
            clients = await self.session.connection.clients()
            with self.session.connection.calling():
                async for result in action.perform(clients, records, answers):
                    done += result.ok
                    if not result.ok:
                        faults.append(result.detail)
        except (ServiceError, HomeUnusable) as error:
            faults.append(str(error))
        if faults:
            self.session.log.failed(entry, f"{done} of {len(records)}: {faults[0]}")
            self.notify(faults[0], title=title, severity="error", markup=False)
        else:
            self.session.log.done(entry, f"{done} of {len(records)}")

"""The place where a route is tried: as a tab of it, and as a pane of its own."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from tui.resources.model import Resource
from tui.resources.routes import Route
from tui.screens.detail_pane import DetailPane, TabPane
from tui.screens.pane import Pane
from tui.screens.route.tester import RouteTester
from tui.views.addresses import Address


class TrialPane(Pane):
    """A route to be tried, from its row."""

    def __init__(self, resource: Resource[Any], record: Route) -> None:
        super().__init__()
        self._resource = resource
        self._route = record

    def compose(self) -> ComposeResult:
        self._tester = RouteTester(self.console, self._route)
        yield self._tester

    @property
    def address(self) -> Address:
        return Address(self._resource.name, self._route.id, "test")

    @property
    def crumbs(self) -> tuple[str, ...]:
        return (self._resource.name, f"{self._route.method} {self._route.path}", "test")

    @property
    def service(self) -> str:
        return "edge"

    def entered(self) -> None:
        self._tester.entered()

    def flush(self, now: float) -> None:
        self._tester.flush(now)


class TrialTab(TabPane):
    """The same within the route's detail, once the route is known."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._tester: RouteTester | None = None

    def compose(self) -> ComposeResult:
        yield Static(Content("Waiting for the route…"))

    def entered(self) -> None:
        if self._tester is not None:
            self._tester.entered()

    def flush(self, now: float) -> None:
        record = self.detail.record
        if self._tester is None and record is not None:
            self._tester = RouteTester(self.console, record)
            self.query_one(Static).remove()
            self.mount(self._tester)
        elif self._tester is not None:
            if record is not None:
                self._tester.route = record
            self._tester.flush(now)

"""The routes of a service, as rows; Enter opens one, and forms write them."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from tui.resources import routes
from tui.resources.routes import Route
from tui.screens.definition.table_tab import TableTab
from tui.views.addresses import Address
from tui.widgets.live_table import LiveTable


class RoutesTab(TableTab):
    """What the gateway serves below the service's path."""

    HELP = """\
## Routes

The routes of this service, as they change.

- `Enter` opens one, `t` tests it, `e` writes it in a form, `n` writes one more
"""
    # Who has a route under the cursor does not mean the whole service by d, x or E.
    has_own_keys = True
    source = routes.RESOURCE.source
    columns = tuple(each for each in routes.RESOURCE.columns if each.name != "service")
    title = "Routes"
    sort = "path"
    asks = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "test", "Test route", id="service.route_test",
                tooltip="Call the route under the cursor, and see what the gateway did"),
        Binding("n", "create", "New route", id="service.route_create",
                tooltip="Write one more route of this service in a form"),
        Binding("e", "edit", "Edit route", id="service.route_edit",
                tooltip="Write the route under the cursor in a form"),
    ]  # fmt: skip

    def keeps(self, row: Any) -> bool:
        """The stream is that of all routes."""
        return bool(row.service_id == self.owner)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("create", "edit", "test") and self.console.read_only:
            return False
        if action in ("create", "edit", "test") and self.refuses(f"service.route_{action}"):
            return None
        if action in ("edit", "test"):
            return True if self.row is not None else None
        return True if action != "create" or self.detail.record is not None else None

    def action_create(self) -> None:
        self.console.open_pane("route-form", routes.RESOURCE, self.detail.record)

    def action_edit(self) -> None:
        row: Route | None = self.row
        if row is not None:
            self.console.open_pane("definition-form", routes.RESOURCE, row)

    def action_test(self) -> None:
        row: Route | None = self.row
        if row is not None:
            self.console.open_pane("route-trial", routes.RESOURCE, row)

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        self.console.open(Address("routes", message.id))

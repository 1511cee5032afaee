"""One kept answer: what is known of it, its headers and its body."""

from __future__ import annotations

import json
from typing import Any

from textual.app import ComposeResult

from podium.edge.v1 import edge_pb2 as pb
from services.errors import ServiceError
from services.home import HomeUnusable
from tui.live.polling import CALL_SECONDS
from tui.resources.cache import Entry
from tui.resources.model import Resource
from tui.screens.pane import Pane
from tui.views.addresses import Address
from tui.views.cache import size, whole_document
from tui.widgets.json_view import JsonView
from tui.widgets.titles import as_title
from tui.widgets.working import begin


class EntryPane(Pane):
    """Read once: an answer that is kept does not change."""

    def __init__(self, resource: Resource[Any], entry: Entry) -> None:
        super().__init__()
        self._entry = entry
        self._view = JsonView("Kept answer")

    def compose(self) -> ComposeResult:
        yield self._view

    def on_mount(self) -> None:
        begin(self, self._read, "read")

    @property
    def address(self) -> Address:
        entry = self._entry
        return Address("cache", f"{entry.service} {entry.method} {entry.path}", "entries")

    @property
    def crumbs(self) -> tuple[str, ...]:
        return ("cache", f"{self._entry.method} {self._entry.path}", self._entry.key or "answer")

    @property
    def service(self) -> str:
        return "edge"

    def entered(self) -> None:
        self._view.focus()

    async def _read(self) -> None:
        connection = self.console.session.connection
        request = pb.GetCacheEntryRequest(id=self._entry.id)
        try:
            clients = await connection.clients()
            with connection.calling():
                told = await clients.edge.GetCacheEntry(request, timeout=CALL_SECONDS)
        except (ServiceError, HomeUnusable) as error:
            self._view.border_subtitle = as_title(str(error))
            return
        self._view.show(shown_entry(told))
        if (left := told.body_bytes - len(told.body)) > 0:
            self._view.border_subtitle = f"{size(left)} of the body are not shown"


def shown_entry(told: pb.GetCacheEntryResponse) -> dict[str, Any]:
    """The entry as it is shown: a body that is JSON is a value in it."""
    document = whole_document(told)
    document["headers"] = {each.name: each.value for each in told.headers}
    try:
        document["body"] = json.loads(told.body)
    except (ValueError, RecursionError):
        # It is shown as the text that it is.
        return document
    return document

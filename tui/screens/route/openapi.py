"""The OpenAPI document of a service, or of one of its routes, as callers find it."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import ContentSwitcher

from podium.edge.v1 import edge_pb2 as pb
from services.errors import ServiceError
from services.home import HomeUnusable
from tui.live.documents import openapi
from tui.screens.detail_pane import DetailPane, TabPane
from tui.views.visible import visible
from tui.widgets.json_view import JsonView
from tui.widgets.text_view import TextView
from tui.widgets.viewer import Choices, Viewer
from tui.widgets.working import begin


class OpenApiTab(TabPane):
    """YAML or JSON, read again when the service changes."""

    HELP = """\
## OpenAPI

What callers find at the gateway; of a route, the part that is about it.

- `F2` shows JSON that folds, or YAML again; `/` searches
- `y u` copies the URL of the page to read it on, `y o` that of the document
- `Ctrl+R` asks again
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "language", "JSON/YAML", id="openapi.language",
                tooltip="Show it as JSON, or as YAML again"),
        Binding("ctrl+r", "again", "Ask again", id="openapi.again", show=False,
                tooltip="Ask the edge again"),
    ]  # fmt: skip

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._views: dict[str, Viewer] = {
            "yaml": TextView("OpenAPI", id="openapi-yaml"),
            "json": JsonView("OpenAPI", id="openapi-json"),
        }
        self._language = "yaml"
        self._asked: tuple[int, str] | None = None
        self._told = pb.GetOpenApiResponse()
        self._gateway = ""

    def compose(self) -> ComposeResult:
        for view in self._views.values():
            view.more_copies = self._copies()
        with ContentSwitcher(initial="openapi-yaml"):
            yield from self._views.values()

    def _copies(self) -> Choices:
        return {
            "u": ("URL of the page", lambda: self._copy(self._told.docs_path)),
            "o": ("URL of the document", lambda: self._copy(self._told.document_path)),
        }

    def _copy(self, path: str) -> None:
        if path:
            self._views[self._language].copy("URL", f"{self._gateway}{path}")

    def entered(self) -> None:
        self._views[self._language].focus()

    def flush(self, now: float) -> None:
        record = self.detail.record
        if record is None:
            return
        wanted = (record.definition.revision, self._language)
        if wanted != self._asked:
            self._asked = wanted
            self._ask(record)

    def _ask(self, record: Any) -> None:
        self._say("Asking the edge…")

        async def ask() -> None:
            await self._read(record)

        begin(self, ask, "openapi", exclusive=True)

    def _say(self, text: str) -> None:
        """Say it where nothing is shown yet; below the document else."""
        view = self._views[self._language]
        if not self._told.document and isinstance(view, TextView):
            view.show(text)
        view.tell(text.partition("\n")[0])

    async def _read(self, record: Any) -> None:
        connection = self.console.session.connection
        yaml = self._language == "yaml"
        try:
            clients = await connection.clients()
            self._gateway = clients.suite.gateway
            with connection.calling():
                self._told = await openapi(clients, record, yaml=yaml)
        except (ServiceError, HomeUnusable) as error:
            told = error.detail if isinstance(error, ServiceError) else str(error)
            self._say(f"✘ {told}\n\nCtrl+R asks again.")
        else:
            self._show()

    def _show(self) -> None:
        told = self._told
        view = self._views[self._language]
        if isinstance(view, JsonView):
            view.show(told.document)
        elif isinstance(view, TextView):
            view.show(told.document, "yaml")
        view.tell(view.place())
        public = "anybody" if told.docs_public else "with a key"
        view.border_subtitle = Content(visible(f"{self._gateway}{told.docs_path} · {public}"))

    def action_language(self) -> None:
        self._language = "json" if self._language == "yaml" else "yaml"
        self.query_one(ContentSwitcher).current = f"openapi-{self._language}"
        self.entered()

    def action_again(self) -> None:
        self._asked = None

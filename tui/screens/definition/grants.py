"""What an application may do where: switched cell by cell, stored as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from services.errors import ServiceError
from services.home import HomeUnusable
from services.json_text import Json
from tui.live import putting
from tui.live.putting import Answer
from tui.screens.choosing import ChooseScreen
from tui.screens.definition.drafting import draft_of
from tui.screens.definition.saver import Saver
from tui.screens.detail_pane import DetailPane, TabPane
from tui.views import drafts, grants as views
from tui.views.drafts import Draft
from tui.views.editing import Language
from tui.views.grants import TARGETS, Grants
from tui.views.visible import visible
from tui.widgets.grant_matrix import GrantMatrix
from tui.widgets.working import begin

_KINDS_TOLD = "A tag is on any definition that has it."
_NAMES_TOLD = "* is every {kind}, also those to come. A name need not exist yet."
_TAG_TOLD = "Type it as key:value."
WRITES = ("add", "remove", "undo", "save")


class GrantsTab(TabPane):
    """The grants as they are stored, until somebody switches one."""

    language: ClassVar[Language] = "yaml"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add target", id="grants.add", tooltip="Grant something on another"),
        Binding("delete,backspace", "remove", "Take out", id="grants.remove",
                tooltip="Grant nothing on this any more"),
        Binding("u", "undo", "Undo", id="grants.undo", tooltip="Back to what is stored"),
        Binding("ctrl+s", "save", "Save", id="grants.save",
                tooltip="Show what differs, and store it"),
    ]  # fmt: skip

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self.draft = Draft("application", {})
        self._matrix = GrantMatrix(ascii=detail.console.ascii)
        self._matrix.border_title = "Grants"
        self._saver: Saver | None = None
        self._stored: Grants = ()

    def compose(self) -> ComposeResult:
        self._saver = Saver(self)
        yield self._matrix

    def on_unmount(self) -> None:
        if self._saver is not None:
            self._saver.close()

    def entered(self) -> None:
        self._matrix.focus()

    @property
    def dirty(self) -> bool:
        return self._matrix.grants != self._stored and not self._is_sent

    @property
    def _is_sent(self) -> bool:
        return self._saver is not None and self._saver.is_awaited

    def flush(self, now: float) -> None:
        if self._saver is not None:
            self._saver.flush()
        record = self.detail.record
        if (
            record is not None
            and record.etag != self.draft.etag
            and not (self.dirty or self._is_sent)
        ):
            self._begin(draft_of(self.detail.resource, record))

    def _begin(self, draft: Draft) -> None:
        self.draft = draft
        self._stored = views.grants_of(draft.base)
        self._show(self._stored)

    def _show(self, grants: Grants, row: int | None = None) -> None:
        self._matrix.show(grants, self._stored, row)
        roles = self.draft.base.get("roles")
        told = [f"roles: {' '.join(map(str, roles))}"] if isinstance(roles, list) and roles else []
        told += [f"{len(grants)} target{'' if len(grants) == 1 else 's'}"]
        told += ["● changed · ctrl+s saves"] if self.dirty else []
        self._matrix.border_subtitle = Content(visible(" · ".join(told)))

    # What is written

    def on_grant_matrix_switched(self, message: GrantMatrix.Switched) -> None:
        message.stop()
        if self.check_action("add", ()) and not self._is_sent:
            self._show(views.toggled(self._matrix.grants, message.row, message.access))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action not in WRITES:
            return True
        if self.console.read_only:
            return False
        return None if self.refuses(f"grants.{action}") else True

    def action_add(self) -> None:
        begin(self.console.frame, self._add, "grants")

    async def _add(self) -> None:
        ask = self.console.push_screen_wait
        kind = await ask(ChooseScreen("Grant something on: which kind?", _KINDS_TOLD, TARGETS))
        if not kind:
            return
        names = [] if kind == "tag" else ["*", *await self._known(kind)]
        told = _TAG_TOLD if kind == "tag" else _NAMES_TOLD.format(kind=kind)
        title = f"Grant something on: which {kind}?"
        name = (await ask(ChooseScreen(title, told, names, free=True))).strip()
        if name and self.is_attached:
            self._show(*views.added(self._matrix.grants, kind, name))

    async def _known(self, kind: str) -> list[str]:
        """The names of a kind; none where nobody tells them: any can be typed."""
        try:
            return await putting.names_of(self.console.session.connection, kind)
        except (ServiceError, HomeUnusable) as error:
            self.console.tell(putting.in_words(error), "warning")
            return []

    def action_remove(self) -> None:
        if self._matrix.grants:
            self._show(views.removed(self._matrix.grants, self._matrix.row))

    def action_undo(self) -> None:
        self._show(self._stored)

    def action_save(self) -> None:
        if self.dirty and self._saver is not None:
            self._saver.begin()

    # What the saver asks

    @property
    def title(self) -> str:
        """As dialogs have it."""
        return f"grants of application {self.draft.name}"

    def to_save(self) -> dict[str, Json]:
        """The whole application, with the grants as they are now."""
        return self.draft.whole(views.with_grants(self.draft.base, self._matrix.grants))

    def turn_to_version(self, version: int) -> None:
        """An application has none."""

    def command(self, document: Mapping[str, Json]) -> str:
        """The command line that stores it."""
        return drafts.command(document)

    def mark(self, answer: Answer, *, all_of_it: bool = False) -> None:
        """The saver tells what is wrong; no cell is."""

    def take(self, draft: Draft, document: Mapping[str, Json] | None, *, theirs: bool) -> None:
        """Go on with those of ``document``, or with what is switched, against what is there now."""
        grants = self._matrix.grants if document is None else views.grants_of(document)
        self._begin(draft)
        self._show(grants)

    def sent(self, draft: Draft) -> None:
        """It is stored."""
        self.draft = draft

    def is_as_stored(self) -> None:
        """No cell differs."""
        self._begin(self.draft)

    def told(self, name: str) -> None:
        """It is stored: the next change is a new one."""
        self._begin(self.draft)

    async def leave(self) -> None:
        """There is no application any more: nothing is left to be written."""
        self._begin(self.draft)

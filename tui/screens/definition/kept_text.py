"""The text of an editor on disk, as long as it is not stored: a crash loses none of it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from tui.screens.asking import AskScreen
from tui.settings.unsaved import Drafts, Unsaved
from tui.widgets.working import begin

if TYPE_CHECKING:
    from tui.screens.definition.editor import DefinitionEditorPane


class KeptText:
    """Of one editor; of workflows only, whose texts hold no secrets."""

    def __init__(self, pane: DefinitionEditorPane) -> None:
        self._pane = pane
        self._drafts = Drafts(pane.console.state if pane.kind == "workflow" else None)
        self._is_kept = False

    def offer_earlier(self) -> None:
        """Offer what was written earlier and not stored, if anything was."""
        if (found := self._drafts.find(self._unsaved())) is not None:
            begin(self._pane.console.frame, partial(self._offer, found), "draft")

    def follow(self) -> None:
        """The text is another one: keep it, unless it is what is stored."""
        if not self._pane.dirty:
            self.forget()
            return
        self._is_kept = True
        if fault := self._drafts.keep(self._unsaved()):
            self._pane.editor.tell(f"A crash would lose this: {fault}")

    def forget(self) -> None:
        """It is stored, or not wanted."""
        if self._is_kept:
            self._is_kept = False
            self._drafts.drop(self._unsaved())

    def _unsaved(self) -> Unsaved:
        pane, draft = self._pane, self._pane.draft
        return Unsaved(
            pane.console.context_name, pane.kind, draft.name, draft.version,
            pane.editor.language, draft.etag, pane.base_text, pane.editor.text,
            f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        )  # fmt: skip

    async def _offer(self, found: Unsaved) -> None:
        pane = self._pane
        text = f"{pane.title}: written until {found.at}Z, and never stored."
        if found.etag != pane.draft.etag:
            text += " Somebody has changed it since: storing it will show both changes."
        choices = (("later", "Not now"), ("take", "Take it up"), ("drop", "Drop it"))
        answer = await pane.app.push_screen_wait(AskScreen("Not stored", text, choices))
        if answer == "later" or not pane.is_attached:
            return
        self._is_kept = True
        if answer == "drop":
            self.forget()
        else:
            pane.take_up(found)

"""A definition written as text: JSON or YAML, checked as it is typed, and stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from services.json_text import Json
from tui.live.session import Session
from tui.resources.catalog import Definition
from tui.resources.model import Resource
from tui.screens.asking import AskScreen
from tui.screens.definition.checking import Checker
from tui.screens.definition.naming import Known
from tui.screens.definition.storer import Storer
from tui.screens.pane import Pane
from tui.settings.unsaved import Drafts, Unsaved
from tui.views import drafts, writing
from tui.views.addresses import Address
from tui.views.drafts import Draft
from tui.views.editing import EditorFault, Language, placed_faults
from tui.views.faults import PlacedFault
from tui.views.json_values import read_json
from tui.views.writing import Written
from tui.widgets.document_editor import DocumentEditor
from tui.widgets.working import begin


class DefinitionEditorPane(Pane):
    """Writes a definition (``record``), or a new one where it is None.

    Attributes:
        kind: Of the definition.
        draft: What was read.
        editor: The text.
        checker: What the registry thinks of it.
        written: The text as a document, as it was when its typing last paused.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "language", "JSON/YAML", id="write.language",
                tooltip="Write it as YAML, or as JSON again"),
        Binding("escape", "leave", "Leave", id="write.leave",
                tooltip="Back to where you were; what is not stored is asked for"),
    ]  # fmt: skip

    def __init__(self, resource: Resource[Any], record: Any) -> None:
        super().__init__()
        self.resource = resource
        definition: Definition | None = record.definition if record is not None else None
        self.kind = definition.kind if definition is not None else resource.kind
        self.draft = _draft_of(self.kind, definition)
        self.base_text = definition.text if definition is not None else ""
        self.editor = DocumentEditor(self.title, complete=self._complete)
        self.written = Written(None)
        self.storer = Storer(self)
        self._kept = False

    @property
    def title(self) -> str:
        """What is written, as its panel says it."""
        if not self.draft.name:
            return f"New {self.kind}"
        version = f" v{self.draft.version}" if self.draft.version else ""
        return f"{self.kind} {self.draft.name}{version}"

    def compose(self) -> ComposeResult:
        self.session: Session = self.console.session
        self.known = Known(self.session, self.kind)
        self.checker = Checker(self, self.session, self.asked, self._verdict_changed)
        self._drafts = Drafts(self.console.state if self.kind == "workflow" else None)
        with Horizontal():
            yield self.editor

    def on_mount(self) -> None:
        self._language: Language = self._first_language()
        self.load(self.base_text)
        if not self.draft.name:
            text, cursor = writing.begun(self.kind, self._language)
            self.editor.load(text, self._language)
            line = text.count("\n", 0, cursor)
            self.editor.go_to(line + 1, cursor - (text.rfind("\n", 0, cursor) + 1) + 1)
            self.text_changed()
        if (found := self._drafts.find(self._unsaved())) is not None:
            begin(self.console.frame, partial(self._take_up, found), "draft")

    def on_unmount(self) -> None:
        self.known.close()

    def _first_language(self) -> Language:
        """YAML for who was reading YAML."""
        place = self.console.frame.place
        return "yaml" if place is not None and place.address.tab == "yaml" else "json"

    def load(self, document_text: str) -> None:
        """Write what was read; nothing of before can be undone."""
        text = writing.written(read_json(document_text).value, self._language)
        self.editor.load(text if document_text else "", self._language)
        self.text_changed()

    @property
    def address(self) -> Address:
        return Address(self.resource.name)

    @property
    def crumbs(self) -> tuple[str, ...]:
        if not self.draft.name:
            return (self.resource.name, "new")
        return (self.resource.name, self.draft.name, "edit")

    @property
    def service(self) -> str:
        return "registry"

    @property
    def dirty(self) -> bool:
        return self.editor.is_dirty

    def standing(self, now: float) -> tuple[str, str]:
        verdict = self.checker.verdict
        if self.storer.is_awaited:
            return "⋯ stored, the stream has not told of it yet", "primary"
        if self.written.document is None:
            return f"✘ cannot be read: {self.written.fault}", "error"
        if verdict.failed:
            return f"? only syntax is checked: {verdict.failed}", "warning"
        if verdict.is_old:
            return "⋯ checking", "muted"
        many = len(verdict.faults)
        if many:
            return f"✘ {many} fault{'s' if many > 1 else ''}", "error"
        return "✔ fine", "success"

    def entered(self) -> None:
        self.editor.focus()

    def flush(self, now: float) -> None:
        self.storer.flush()
        self.checker.link(self.known.is_live)

    # What is written

    def asked(self) -> tuple[Mapping[str, Any], str] | None:
        """What the registry is asked about while it is written."""
        if self.written.document is None:
            return None
        etag = "" if self.draft.name else drafts.NEW
        return self.to_send(self.written.document), etag

    def to_send(self, document: Mapping[str, Json]) -> dict[str, Json]:
        """The document as the registry takes it."""
        return dict(document) if "kind" in document else {"kind": self.kind, **document}

    def on_document_editor_changed(self, message: DocumentEditor.Changed) -> None:
        message.stop()
        self.text_changed()
        self._keep()

    def text_changed(self) -> None:
        """The text is another one: read it, mark what is known, ask the registry."""
        self.written = writing.read(self.editor.text, self.editor.language)
        self._mark()
        self.checker.soon()

    def _verdict_changed(self) -> None:
        self._mark()

    def _mark(self) -> None:
        self.editor.show_faults(self.faults())

    def faults(self) -> list[EditorFault]:
        """What is wrong with the text, at its places."""
        verdict, text = self.checker.verdict, self.editor.text
        language = self.editor.language
        found = placed_faults(text, language, verdict.faults)
        found += placed_faults(text, language, verdict.warnings, warnings=True)
        if (other := self._other_kind()) is not None:
            found += placed_faults(text, language, [other])
        return found

    def _other_kind(self) -> PlacedFault | None:
        kind = (self.written.document or {}).get("kind", self.kind)
        if kind == self.kind:
            return None
        return PlacedFault("", "kind", f"is not {self.kind}, of which this is: it stays so")

    def _complete(self, text: str, cursor: int) -> Any:
        return self.known.complete(text, cursor) if self.editor.language == "json" else ()

    def on_document_editor_save_requested(self, message: DocumentEditor.SaveRequested) -> None:
        message.stop()
        self.text_changed()
        if self._other_kind() is not None or self.written.document is None:
            self.editor.action_fault(1)
        else:
            self.storer.begin()

    # The other language

    def action_language(self) -> None:
        begin(self.console.frame, self._turn, "language", exclusive=True)

    async def _turn(self) -> None:
        text, language = self.editor.text, self.editor.language
        read = writing.read(text, language)
        if read.document is None:
            self.editor.tell(f"It cannot be turned: {read.fault}")
            return
        if writing.has_comments(text, language) and not await self._may_lose_comments():
            return
        self._language = "yaml" if language == "json" else "json"
        was_dirty = self.dirty
        if self.base_text:
            self.load(self.base_text)
        else:
            self.editor.load("", self._language)
        if was_dirty or not self.base_text:
            value = read_json(text).value if language == "json" else read.document
            self.editor.rewrite(writing.written(value, self._language))
        self.text_changed()

    async def _may_lose_comments(self) -> bool:
        text = "JSON has no comments: those of this text would be lost."
        choices = (("stay", "Stay with YAML"), ("turn", "Lose them"))
        answer = await self.app.push_screen_wait(AskScreen("Write it as JSON?", text, choices))
        return answer == "turn"

    # Leaving, and what is kept until it is stored

    def action_leave(self) -> None:
        begin(self.console.frame, self._leave, "leave", exclusive=True)

    async def _leave(self) -> None:
        if self.dirty:
            choices = (("edit", "Go on editing"), ("drop", "Drop what was written"))
            text = f"{self.title}: what was written is not stored."
            if await self.app.push_screen_wait(AskScreen("Leave?", text, choices)) != "drop":
                return
        self.forget_kept()
        await self.console.frame.close(self)

    def _unsaved(self) -> Unsaved:
        draft = self.draft
        return Unsaved(
            self.console.context_name, self.kind, draft.name, draft.version,
            self.editor.language, draft.etag, self.base_text, self.editor.text,
            f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        )  # fmt: skip

    def _keep(self) -> None:
        """Keep the text on disk as long as it is not stored."""
        if not self.dirty:
            self.forget_kept()
            return
        self._kept = True
        if fault := self._drafts.keep(self._unsaved()):
            self.editor.tell(f"A crash would lose this: {fault}")

    def forget_kept(self) -> None:
        """It is stored, or not wanted."""
        if self._kept:
            self._kept = False
            self._drafts.drop(self._unsaved())

    async def _take_up(self, found: Unsaved) -> None:
        """Offer what was written earlier and not stored."""
        text = f"{self.title}: written until {found.at}Z, and never stored."
        if found.etag != self.draft.etag:
            text += " Somebody has changed it since: storing it will show both changes."
        choices = (("later", "Not now"), ("take", "Take it up"), ("drop", "Drop it"))
        answer = await self.app.push_screen_wait(AskScreen("Not stored", text, choices))
        if answer == "later" or not self.is_attached:
            return
        self._kept = True
        if answer == "drop":
            self.forget_kept()
            return
        self._language = "yaml" if found.language == "yaml" else "json"
        base = dict(read_json(found.base).value or {}) if found.base else {}
        self.draft = Draft(self.kind, base, found.etag, found.name, found.version)
        self.base_text = found.base
        self.load(found.base)
        self.editor.rewrite(found.text)
        self.text_changed()


def _draft_of(kind: str, definition: Definition | None) -> Draft:
    if definition is None:
        return Draft(kind, {})
    return Draft(kind, definition.document, definition.etag, definition.id, definition.version)

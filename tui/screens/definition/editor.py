"""A definition written as text: JSON or YAML, checked as it is typed, and stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content

from services.json_text import Json
from tui.live.putting import Answer
from tui.live.session import Session
from tui.resources.catalog import Definition
from tui.resources.model import Resource
from tui.screens.asking import AskScreen
from tui.screens.definition.checking import Checker
from tui.screens.definition.kept_text import KeptText
from tui.screens.definition.naming import Known
from tui.screens.definition.saver import AWAITED, Saver
from tui.screens.pane import Pane
from tui.settings.unsaved import Unsaved
from tui.views import drafts, writing
from tui.views.addresses import Address
from tui.views.differences import HIDDEN
from tui.views.drafts import Draft
from tui.views.editing import EditorFault, Language, placed_faults
from tui.views.faults import PlacedFault
from tui.views.json_values import read_json
from tui.views.visible import in_one_line
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
        self.saver: Saver | None = None
        self._saving = self._sent = ""

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
        self.saver = Saver(self)
        self.checker = Checker(self, self.session, self.asked, self._verdict_changed)
        self._kept = KeptText(self)
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
        self._kept.offer_earlier()

    def on_unmount(self) -> None:
        self.known.close()
        if self.saver is not None:
            self.saver.close()

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
        if self.saver is not None and self.saver.is_awaited:
            return AWAITED
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
        if self.saver is not None:
            self.saver.flush()
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
        self._kept.follow()

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
        elif self.saver is not None:
            self.saver.begin()

    # What the saver asks

    @property
    def language(self) -> Language:
        """Of the text."""
        return self.editor.language

    def to_save(self) -> dict[str, Json] | None:
        """The document that the text is."""
        self._saving = self.editor.text
        document = writing.read(self._saving, self.language).document
        return self.to_send(document) if document is not None else None

    def turn_to_version(self, version: int) -> None:
        """Write what is to be saved as another version."""
        self._saving = writing.with_version(self._saving, self.language, version)
        self.editor.rewrite(self._saving)

    def command(self, document: Mapping[str, Json]) -> str:
        """The command line that stores it; what may hold keys is not shown in it."""
        return drafts.APPLY_FILE if self.kind in HIDDEN else drafts.command(document)

    def mark(self, answer: Answer, *, all_of_it: bool = False) -> None:
        """Mark faults in the text."""
        self.checker.take(answer)
        if all_of_it:
            self.editor.action_fault(1)

    def take(self, draft: Draft, document: Mapping[str, Json] | None, *, theirs: bool) -> None:
        """Write on against what is there by now."""
        self._base_on(draft)
        if document is not None:
            self.editor.rewrite(writing.written(dict(document), self.language))
        if theirs:
            self._is_stored(self.editor.text)
        self.text_changed()

    def sent(self, draft: Draft) -> None:
        """What is written from here on is written against what is stored now."""
        self._sent = self._saving
        self._kept.forget()
        self._base_on(draft)

    def _base_on(self, draft: Draft) -> None:
        self.draft = draft
        self.base_text = writing.compact(dict(draft.base)) if draft.base else ""

    def is_as_stored(self) -> None:
        """The text that was to be saved says what is stored."""
        self._is_stored(self._saving)

    def _is_stored(self, text: str) -> None:
        self.editor.mark_saved(text)
        self.editor.border_title = Content(in_one_line(self.title))
        if not self.dirty:
            self._kept.forget()

    def told(self, name: str) -> None:
        """Write on, or go back to who wanted something created."""
        self._is_stored(self._sent)
        self.console.place_changed()
        if self.on_stored is not None:
            begin(self.console.frame, partial(self._back, self.on_stored, name), "leave")

    async def _back(self, on_stored: Callable[[str], None], name: str) -> None:
        await self.console.frame.close(self)
        on_stored(name)

    async def leave(self) -> None:
        """Back to where one was; what was written is not wanted any more."""
        self._kept.forget()
        await self.console.frame.close(self)

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

    # Leaving, and coming back

    def action_leave(self) -> None:
        begin(self.console.frame, self._leave, "leave", exclusive=True)

    async def _leave(self) -> None:
        if self.dirty:
            choices = (("edit", "Go on editing"), ("drop", "Drop what was written"))
            text = f"{self.title}: what was written is not stored."
            if await self.app.push_screen_wait(AskScreen("Leave?", text, choices)) != "drop":
                return
        await self.leave()

    def take_up(self, found: Unsaved) -> None:
        """Go on with what was written earlier."""
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

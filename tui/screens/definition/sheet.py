"""A form, and beside it or behind it the whole as JSON to write and as YAML to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import ContentSwitcher, Tab, Tabs

from services.json_text import DocumentError, Json, parse_json
from tui.views.editing import placed_faults
from tui.views.faults import PlacedFault
from tui.views.forms.documents import read_path, written
from tui.views.json_values import json_text, safe
from tui.widgets.document_editor import DocumentEditor
from tui.widgets.form import Form
from tui.widgets.text_view import TextView

WIDE = 110


class Sheet(Vertical):
    """Three ways to see one document. Where there is room, the form and one other are shown."""

    DEFAULT_CSS = """
    Sheet Form { border: round $foreground 30%; border-title-color: $text-primary; width: 1fr; }
    Sheet Form:focus-within { border: round $border; }
    Sheet ContentSwitcher { width: 1fr; height: 1fr; }
    """

    @dataclass
    class SaveAsked(Message):
        """It is to be stored."""

        sheet: Sheet

        @property
        def control(self) -> Sheet:
            return self.sheet

    TITLES: ClassVar[dict[str, str]] = {"form": "1 Form", "json": "2 JSON", "yaml": "3 YAML"}

    def __init__(
        self, form: Form, shown: Callable[[], Json], write: Callable[[Json], None]
    ) -> None:
        """A sheet for ``form``.

        Args:
            shown: Gives the document as it may be shown.
            write: Takes another document, which was written as JSON.
        """
        super().__init__()
        self._form = form
        self._shown = shown
        self._write = write
        self._editor = DocumentEditor("JSON", id="json")
        self._yaml = TextView("YAML", id="yaml")
        self._part = "form"
        self._beside = "json"
        self.unreadable = ""

    def compose(self) -> ComposeResult:
        yield Tabs(*(Tab(title, id=name) for name, title in self.TITLES.items()))
        with Horizontal():
            yield self._form
            with ContentSwitcher(initial="json"):
                yield self._editor
                yield self._yaml

    def on_mount(self) -> None:
        self.query_one(Tabs).can_focus = False
        self._lay_out()
        self.follow()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        wide = self.size.width >= WIDE
        self._form.display = wide or self._part == "form"
        self.query_one(ContentSwitcher).display = wide or self._part != "form"
        self.query_one(ContentSwitcher).current = self._beside

    def entered(self) -> None:
        """Put the focus where one writes."""
        parts = {"form": self._form, "json": self._editor, "yaml": self._yaml}
        parts[self._part].focus()

    def turn_to(self, name: str) -> None:
        """Show one of the three, and write there."""
        if self._part == "json":
            self.take_over()
        self._part = name
        if name != "form":
            self._beside = name
        with self.prevent(Tabs.TabActivated):
            self.query_one(Tabs).active = name
        self._lay_out()
        self.follow()
        self.call_after_refresh(self.entered)

    def back_to_form(self) -> bool:
        """From a text to the form; False: one was there."""
        if self._part == "form":
            return False
        self.turn_to("form")
        return True

    def on_tabs_tab_activated(self, message: Tabs.TabActivated) -> None:
        message.stop()
        if message.tab.id and message.tab.id != self._part:
            self.turn_to(message.tab.id)

    def on_descendant_focus(self) -> None:
        """Whoever clicks into a part writes there."""
        for name, part in (("form", self._form), ("json", self._editor), ("yaml", self._yaml)):
            if part.has_focus_within and name != self._part:
                if self._part == "json":
                    self.take_over()
                self._part = name
                with self.prevent(Tabs.TabActivated):
                    self.query_one(Tabs).active = name

    # The same document everywhere

    def follow(self) -> None:
        """Show what the form says; a text that is being written stays as it is."""
        if not self.is_mounted:
            return
        # It may be wider by now than when it was mounted.
        self._lay_out()
        if self._beside == "yaml":
            # Late: only whoever reads YAML waits for its writer.
            from tui.views.yaml_text import yaml_text

            self._yaml.show(yaml_text(self._shown()), "yaml")
        if not self._editor.has_focus_within and not self.unreadable:
            text = safe(json_text(self._shown()))
            if text != self._editor.text:
                self._editor.load(text, "json")

    def on_document_editor_changed(self, message: DocumentEditor.Changed) -> None:
        message.stop()
        if self._editor.has_focus_within:
            self.take_over()

    def on_document_editor_save_requested(self, message: DocumentEditor.SaveRequested) -> None:
        message.stop()
        self.take_over()
        self.post_message(self.SaveAsked(self))

    def take_over(self) -> None:
        """What was written as JSON, if it can be read and is another."""
        if not self._editor.is_dirty:
            return
        try:
            document = parse_json(self._editor.text)
        except DocumentError as error:
            self.unreadable = f"line {error.line}: {error.detail}"
            return
        self.unreadable = "" if isinstance(document, dict) else "it is no object"
        if not self.unreadable and document != self._shown():
            self._write(document)

    # What is wrong

    def show_faults(self, faults: Iterable[tuple[str, str]]) -> None:
        """Mark faults of the document in its text, too."""
        placed = [PlacedFault("", written(read_path(path)), detail) for path, detail in faults]
        self._editor.show_faults(placed_faults(self._editor.text, "json", placed))

    def tell(self, wrong: int, missing: int, failed: str) -> None:
        """Say below the form how it stands."""
        parts = [f"{wrong} to mend"] if wrong else []
        parts += [f"{missing} to fill in"] if missing else []
        parts += ["not checked: the registry does not answer"] if failed else []
        changed = "● changed" if self._form.changed else ""
        fine = [] if parts or not changed else ["✔ fine"]
        self._form.border_subtitle = " · ".join([each for each in (changed, *parts, *fine) if each])

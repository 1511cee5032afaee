"""A text that is written over what is shown: JSON or a script in an editor, or one line."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.views.editing import Language, syntax_fault
from tui.widgets.document_editor import DocumentEditor
from tui.widgets.titles import as_title


class EditScreen(ModalScreen[str | None]):
    """Gives the text when it is saved; None: it is to stay as it was."""

    DEFAULT_CSS = """
    EditScreen { align: center middle; & > DocumentEditor { width: 94%; height: 90%; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="edit-text.back",
                tooltip="Back; a changed text is asked for twice"),
    ]  # fmt: skip

    def __init__(self, title: str, text: str, language: Language) -> None:
        super().__init__()
        self._editor = DocumentEditor(title)
        self._text, self._language = text, language
        self._warned = False

    def compose(self) -> ComposeResult:
        yield self._editor

    def on_mount(self) -> None:
        self._editor.load(self._text, self._language)
        self._editor.focus()

    def on_document_editor_save_requested(self, message: DocumentEditor.SaveRequested) -> None:
        message.stop()
        fault = syntax_fault(message.text, self._language)
        if fault is not None:
            self._editor.go_to(fault.line, fault.column)
            self._editor.tell(fault.message)
        else:
            self.dismiss(message.text)

    def action_leave(self) -> None:
        if self._editor.is_dirty and not self._warned:
            self._warned = True
            self._editor.tell("It was changed: ctrl+s keeps it, escape again throws it away.")
        else:
            self.dismiss(None)


class LineScreen(ModalScreen[str]):
    """Gives one line; empty: none was written."""

    DEFAULT_CSS = """
    LineScreen { align: center middle; }
    LineScreen > Vertical {
        width: 90%; max-width: 76; height: auto; padding: 0 1;
        border: round $primary; background: $surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="line.back", tooltip="Back, with nothing written"),
    ]

    def __init__(self, title: str, text: str = "", told: str = "") -> None:
        super().__init__()
        self._title, self._text, self._told = title, text, told

    def compose(self) -> ComposeResult:
        with Vertical() as dialog:
            dialog.border_title = as_title(self._title)
            yield Input(self._text, compact=True)
            yield Static(self._told, markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.dismiss(message.value.strip())

    def action_leave(self) -> None:
        self.dismiss("")

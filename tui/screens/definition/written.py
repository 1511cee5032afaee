"""Values of a form that are written where there is room for them, or come from a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.views.editing import Language
from tui.views.forms.documents import written
from tui.views.visible import in_one_line
from tui.widgets.document_editor import DocumentEditor
from tui.widgets.form import Form

if TYPE_CHECKING:
    from tui.app import Console
    from tui.views.forms.rows import FormRow

MOST_BYTES = 1_000_000


class WritingScreen(ModalScreen[str | None]):
    """An editor over the form. Gives the text, or None: it is to stay as it was."""

    HELP = """\
## A text with room

- `Ctrl+S` takes it over into the form, `Esc` leaves what was there
- `Ctrl+E` opens it in your own editor
"""
    DEFAULT_CSS = """
    WritingScreen { align: center middle; }
    WritingScreen DocumentEditor { width: 94%; height: 90%; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="writing.leave", tooltip="Leave what was there"),
    ]

    def __init__(self, title: str, text: str, language: Language) -> None:
        super().__init__()
        self._title, self._text, self._language = title, text, language

    def compose(self) -> ComposeResult:
        yield DocumentEditor(f"{self._title} · ctrl+s takes it over, esc leaves it")

    def on_mount(self) -> None:
        editor = self.query_one(DocumentEditor)
        editor.load(self._text, self._language)
        editor.focus()

    def on_document_editor_save_requested(self, message: DocumentEditor.SaveRequested) -> None:
        message.stop()
        self.dismiss(message.text)

    def action_leave(self) -> None:
        self.dismiss(None)


class FileScreen(ModalScreen[str | None]):
    """Asks for the path of a file."""

    HELP = """\
## From a file

- `Enter` puts what the file holds into the field, `Esc` leaves what was there
"""
    DEFAULT_CSS = """
    FileScreen { align: center middle; }
    FileScreen #dialog {
        width: 90%; max-width: 76; height: auto; padding: 0 1; border: round $primary;
        background: $surface;
    }
    FileScreen Input { border: none; height: 1; padding: 0 1; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="file.leave", tooltip="Leave what was there"),
    ]

    def __init__(self, field: str) -> None:
        super().__init__()
        self._field = field

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(in_one_line(f"{self._field} from a file"))
            yield Static("Path of a UTF-8 text file; ~ is your home.", markup=False)
            yield Input(id="path", select_on_focus=False, compact=True)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.dismiss(message.value.strip() or None)

    def action_leave(self) -> None:
        self.dismiss(None)


async def written_outside(console: Console, request: Form.ScriptEditRequested) -> None:
    """Let the text of a field be written with room."""
    language = cast("Language", request.language)
    title = written(request.path)
    text = await console.push_screen_wait(WritingScreen(title, request.text, language))
    if text is not None and request.form.is_attached:
        request.form.put_text(request.path, text)


async def read_file(console: Console, form: Form, row: FormRow) -> None:
    """Put what a file holds into a field; why not, is told."""
    path = await console.push_screen_wait(FileScreen(row.label))
    if path is None:
        return
    try:
        text = await asyncio.to_thread(text_in, path)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        console.tell(f"{path}: {reason}")
        return
    # An editor's last line end is no part of a key; whoever needs it types JSON.
    form.put_text(
        row.path, text.removesuffix("\n").removesuffix("\r") if row.field.secret else text
    )


def text_in(path_text: str) -> str:
    """The text of a file; ``~`` in its path is a home.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no UTF-8 text, or too large.
    """
    path = Path(path_text).expanduser()
    if not path.is_file():
        raise ValueError("is no file")
    with path.open("rb") as opened:
        read = opened.read(MOST_BYTES + 1)
    if len(read) > MOST_BYTES:
        raise ValueError(f"is larger than {MOST_BYTES:,} bytes")
    try:
        return read.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("is no UTF-8 text") from None

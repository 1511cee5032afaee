"""Before a text is stored: what that changes, and as which version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.screens.asking import Choices, buttons
from tui.views.visible import in_one_line
from tui.widgets.diff_view import DiffView


class StoreScreen(ModalScreen[str]):
    """Gives ``back``, or the name of the answer that was chosen."""

    HELP = """\
## Before it is stored

What differs between what is stored and what was written.

- `Tab` and the arrows go from answer to answer, `Enter` takes one
- `Ctrl+S` stores it as the version that the text says, `Esc` goes back to it
- in the difference `]` and `[` go from change to change, `/` searches
"""
    DEFAULT_CSS = """
    StoreScreen { align: center middle; }
    StoreScreen #dialog {
        width: 96%; height: 92%; padding: 0 1; border: round $primary; background: $surface;
    }
    StoreScreen .warnings { color: $text-warning; height: auto; max-height: 5; }
    StoreScreen #dialog > Horizontal { height: 1; align-horizontal: right; }
    StoreScreen Button { margin: 0 0 0 2; min-width: 8; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "end('back')", "Back", id="store.back", tooltip="Back to the text"),
        Binding("ctrl+s", "first", "Save", id="store.save",
                tooltip="Store it as the version that the text says"),
    ]  # fmt: skip

    def __init__(
        self, title: str, before: str, after: str, warnings: Sequence[str], choices: Choices
    ) -> None:
        """``choices`` are names and what their buttons say, beside that which goes back."""
        super().__init__()
        self._title = title
        self._texts = before, after
        self._warnings = warnings
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(in_one_line(self._title))
            yield DiffView("Stored → written")
            if self._warnings:
                told = "\n".join(f"⚠ {in_one_line(each)}" for each in self._warnings)
                yield Static(told, classes="warnings", markup=False)
            yield buttons((("back", "Back"), *self._choices))

    def on_mount(self) -> None:
        self.query_one(DiffView).show(*self._texts, names=("stored", "written"))
        self._button(self._choices[0][0]).focus()

    def _button(self, name: str) -> Button:
        return next(each for each in self.query(Button) if each.name == name)

    def on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        self.dismiss(message.button.name or "back")

    def on_key(self, event: events.Key) -> None:
        """Arrows go from button to button; in the difference they move."""
        if isinstance(self.focused, Button) and event.key in ("left", "right"):
            event.stop()
            if event.key == "left":
                self.focus_previous(Button)
            else:
                self.focus_next(Button)

    def action_first(self) -> None:
        self.dismiss(self._choices[0][0])

    def action_end(self, answer: str) -> None:
        self.dismiss(answer)

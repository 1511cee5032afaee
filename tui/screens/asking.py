"""A question with a few answers, asked over what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.views.visible import in_one_line

Choices = Sequence[tuple[str, str]]


class AskScreen(ModalScreen[str]):
    """Gives the name of the answer; ``Esc`` means the first, which changes nothing."""

    HELP = """\
## A question

- `Tab` and the arrows go from answer to answer, `Enter` takes one
- `Esc` takes the first, which leaves everything as it is
"""
    DEFAULT_CSS = """
    AskScreen { align: center middle; }
    AskScreen #dialog {
        width: 90%; max-width: 76; height: auto; max-height: 90%; padding: 0 1;
        border: round $primary; background: $surface;
    }
    AskScreen Horizontal { height: auto; align-horizontal: right; margin: 1 0 0 0; }
    AskScreen Button { margin: 0 0 0 2; min-width: 8; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "first", "Back", id="ask.back", tooltip="Leave everything as it is"),
        Binding("left,up", "app.focus_previous", "Before", id="ask.before", show=False,
                tooltip="The answer before"),
        Binding("right,down", "app.focus_next", "After", id="ask.after", show=False,
                tooltip="The next answer"),
    ]  # fmt: skip

    def __init__(self, title: str, text: str, choices: Choices) -> None:
        """``choices`` are names and what their buttons say; the first has the focus."""
        super().__init__()
        self._title = title
        self._text = text
        self._choices = choices

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog", can_focus=False) as dialog:
            dialog.border_title = Content(in_one_line(self._title))
            yield Static(self._text, markup=False)
            yield buttons(self._choices)

    def on_mount(self) -> None:
        self.query(Button).first().focus()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        self.dismiss(message.button.name or "")

    def action_first(self) -> None:
        self.dismiss(self._choices[0][0])


def buttons(choices: Choices) -> Horizontal:
    """A row of buttons by their names."""
    return Horizontal(*(Button(label, name=name, compact=True) for name, label in choices))

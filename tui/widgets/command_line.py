"""The line that ``:`` and ``/`` open: a command, or a filter as it is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label


class CommandLine(Horizontal):
    """An input with a sign before it; hidden until it is opened."""

    DEFAULT_CSS = """
    CommandLine { height: 1; }
    CommandLine Label { width: 2; color: $accent; text-style: bold; }
    CommandLine Input { border: none; height: 1; padding: 0; background: $surface; }
    CommandLine Input:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="command.leave", tooltip="Leave the line"),
    ]

    class Typed(Message):
        """The text has changed."""

        def __init__(self, sign: str, text: str) -> None:
            super().__init__()
            self.sign = sign
            self.text = text

    class Entered(Message):
        """The text is complete."""

        def __init__(self, sign: str, text: str) -> None:
            super().__init__()
            self.sign = sign
            self.text = text

    class Left(Message):
        """The line was left; what it was opened with holds."""

        def __init__(self, sign: str, text: str) -> None:
            super().__init__()
            self.sign = sign
            self.text = text

    def __init__(self) -> None:
        super().__init__()
        self.sign = ":"
        self._before = ""

    def compose(self) -> ComposeResult:
        self.display = False
        yield Label(":", markup=False)
        yield Input(id="command-input", select_on_focus=False)

    def open(self, sign: str, text: str = "") -> None:
        """Show it, with ``text`` in it, and take the focus."""
        self.sign, self._before = sign, text
        self.query_one(Label).update(sign)
        line = self.query_one(Input)
        with self.prevent(Input.Changed):
            line.value = text
        line.cursor_position = len(text)
        self.display = True
        # At once: the next key is for the line.
        self.screen.set_focus(line)

    def close(self) -> None:
        """Hide it."""
        self.display = False

    @property
    def is_open(self) -> bool:
        return bool(self.display)

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        if self.is_open:
            self.post_message(self.Typed(self.sign, message.value))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.close()
        self.post_message(self.Entered(self.sign, message.value))

    def action_leave(self) -> None:
        self.close()
        self.post_message(self.Left(self.sign, self._before))

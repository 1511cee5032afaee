"""Before a definition is stored: what differs; and what to do where somebody else was faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.screens.asking import Choices, buttons
from tui.views.visible import in_one_line
from tui.widgets.diff_view import DiffView
from tui.widgets.text_view import TextView


class _Over(ModalScreen[str]):
    """A large dialog with buttons below."""

    DEFAULT_CSS = """
    _Over { align: center middle; }
    _Over #dialog {
        width: 96%; height: 92%; padding: 0 1; border: round $primary; background: $surface;
    }
    _Over .told { height: auto; max-height: 6; }
    _Over .warnings { color: $text-warning; height: auto; max-height: 5; }
    _Over .sides { height: 1fr; }
    _Over .sides.-narrow { layout: vertical; }
    _Over #dialog > Horizontal.buttons { height: 1; align-horizontal: right; }
    _Over Button { margin: 0 0 0 2; min-width: 8; }
    """

    def on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        self.dismiss(message.button.name or "")


class SaveScreen(_Over):
    """Gives ``back``, or the name of the answer that was chosen."""

    HELP = """\
## Before it is stored

What differs between what is stored and what was written.

- `Tab` and the arrows go from answer to answer, `Enter` takes one
- `Ctrl+S` stores it, as the version that it says; `Esc` goes back to it
- in the difference `]` and `[` go from change to change, `/` searches
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "end('back')", "Back", id="save.back",
                tooltip="Back to what was written"),
        Binding("ctrl+s", "first", "Save", id="save.save",
                tooltip="Store it, as the version that it says"),
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
            row = buttons((("back", "Back"), *self._choices))
            row.add_class("buttons")
            yield row

    def on_mount(self) -> None:
        self.query_one(DiffView).show(*self._texts, names=("stored", "written"))
        self._button(self._choices[0][0]).focus()

    def _button(self, name: str) -> Button:
        return next(each for each in self.query(Button) if each.name == name)

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


class ConflictScreen(_Over):
    """Shows both changes of what was read.

    Gives ``edit``, ``theirs``, ``mine`` or, where the changes do not meet, ``both``.
    """

    HELP = """\
## Somebody else was faster

What was read has become something else meanwhile. Left: what they changed of it; right: what you
changed of it.

- `Go on editing` leaves all as it is; nothing is lost
- `Take theirs` throws away what you wrote
- `Keep mine` puts yours over theirs, once you have seen what that changes
- `Both` puts the two together, where they do not meet
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Go on", id="conflict.back", tooltip="Go on editing"),
    ]

    def __init__(
        self, told: str, theirs: Sequence[str], mine: Sequence[str], meeting: Sequence[str]
    ) -> None:
        super().__init__()
        self._told = told
        self._theirs = theirs
        self._mine = mine
        self._meeting = meeting

    def compose(self) -> ComposeResult:
        choices = [("edit", "Go on editing"), ("theirs", "Take theirs"), ("mine", "Keep mine")]
        if not self._meeting:
            choices.append(("both", "Both"))
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Changed meanwhile"
            yield Static(self._sentence(), classes="told", markup=False)
            with Horizontal(classes="sides"):
                yield TextView("Theirs: read → now", id="theirs")
                yield TextView("Mine: read → written", id="mine")
            row = buttons(choices)
            row.add_class("buttons")
            yield row

    def _sentence(self) -> str:
        if not self._meeting:
            return f"{self._told} The two changes do not meet."
        places = ", ".join(map(in_one_line, self._meeting[:3]))
        more = f" and {len(self._meeting) - 3} more" if len(self._meeting) > 3 else ""
        return f"{self._told} They meet at {places}{more}."

    def on_mount(self) -> None:
        self.query_one("#theirs", TextView).show("\n".join(self._theirs), "diff")
        self.query_one("#mine", TextView).show("\n".join(self._mine), "diff")
        self.query(Button).first().focus()

    def on_resize(self) -> None:
        self.query_one(".sides").set_class(self.size.width < 110, "-narrow")

    def action_back(self) -> None:
        self.dismiss("edit")

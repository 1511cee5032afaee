"""Keys that are shown once: whoever closes the dialog without them must make others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.views.visible import in_one_line


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """A key that cannot be read again; it has no representation, lest it stands in a log.

    Attributes:
        label: What it is, e.g. ``key default``.
    """

    label: str
    key: str


class OnceScreen(ModalScreen[None]):
    """Ends by its own button only: no key that one presses by the way loses the key."""

    HELP = """\
## A key, shown once

It cannot be read again: copy it now.

- `y` or `c` copies it (through the terminal, by OSC 52), `Tab` goes from button to button
- `Enter` on *I have it* closes this for good
"""
    DEFAULT_CSS = """
    OnceScreen { align: center middle; }
    OnceScreen #dialog {
        width: 90%; max-width: 90; height: auto; max-height: 90%; padding: 0 1;
        border: round $warning; border-title-color: $text-warning; background: $surface;
    }
    OnceScreen .key { margin: 1 0 0 2; text-style: bold; width: 1fr; height: auto; }
    OnceScreen .label { color: $text-muted; margin: 1 0 0 0; }
    OnceScreen Horizontal { height: auto; align-horizontal: right; margin: 1 0 0 0; }
    OnceScreen ToastRack { dock: top; align-vertical: top; max-height: 4; }
    OnceScreen Button { margin: 0 0 0 2; min-width: 10; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,c", "copy", "Copy", id="once.copy", tooltip="Copy the key"),
        Binding("left,up", "app.focus_previous", "Before", id="once.before", show=False,
                tooltip="The button before"),
        Binding("right,down", "app.focus_next", "After", id="once.after", show=False,
                tooltip="The next button"),
    ]  # fmt: skip

    def __init__(self, title: str, keys: Sequence[Shown], told: str = "") -> None:
        """Show ``keys``; ``told`` is what else there is to say of them."""
        super().__init__()
        self._title = title
        self._keys = tuple(keys)
        self._told = told

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog", can_focus=False) as dialog:
            dialog.border_title = Content(in_one_line(self._title))
            yield Static("Shown this once: it cannot be read again.", markup=False)
            for each in self._keys:
                yield Static(in_one_line(each.label), classes="label", markup=False)
                yield Static(each.key, classes="key", markup=False)
            if self._told:
                yield Static(self._told, classes="label", markup=False)
            yield Static("", id="copied", classes="label", markup=False)
            with Horizontal():
                yield Button("Copy", name="copy", compact=True)
                yield Button("I have it", name="done", variant="primary", compact=True)

    def on_mount(self) -> None:
        self.query(Button).first().focus()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        if message.button.name == "copy":
            self.action_copy()
        else:
            self._keys = ()
            self.dismiss(None)

    def action_copy(self) -> None:
        self.app.copy_to_clipboard("\n".join(each.key for each in self._keys))
        # Not as a toast: that may stand over the key.
        self.query_one("#copied", Static).update(
            "Copied. The terminal must allow it (OSC 52): look before you close this."
        )
        self.query(Button).last().focus()

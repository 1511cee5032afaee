"""A line that leads somewhere: Enter or a click follows it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from tui.widgets.titles import as_line


class Link(Static, can_focus=True):
    """A text with a place behind it; without one it is not shown."""

    HELP = """\
## Link

`Enter` or a click goes there.
"""
    DEFAULT_CSS = """
    Link { width: auto; height: 1; color: $text-primary; text-style: underline; }
    Link:focus { background: $primary 35%; }
    Link:ansi:focus { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "follow", "Go there", id="link.follow", tooltip="Go to what it names"),
    ]

    class Followed(Message):
        """It is to be gone where it leads."""

        def __init__(self, link: Link, place: str) -> None:
            super().__init__()
            self.link = link
            self.place = place

        @property
        def control(self) -> Link:
            return self.link

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self.display = False
        self.place = ""

    def lead(self, text: str, place: str) -> None:
        """Show ``text``, which leads to ``place``; empty: nowhere, and it is hidden."""
        self.place = place
        self.display = bool(place)
        self.update(as_line(text))

    def on_click(self) -> None:
        self.action_follow()

    def action_follow(self) -> None:
        if self.place:
            self.post_message(self.Followed(self, self.place))

"""Where one is, from the outside in; a click on a part goes there."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import Static

from tui.views.visible import in_one_line
from tui.widgets.tones import tone_style

GAP = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "


class Crumbs(Static):
    """One line of parts."""

    DEFAULT_CSS = """
    Crumbs { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Chosen(Message):
        """A part was clicked, counted from 0."""

        def __init__(self, crumbs: Crumbs, number: int) -> None:
            super().__init__()
            self.crumbs = crumbs
            self.number = number

        @property
        def control(self) -> Crumbs:
            return self.crumbs

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._parts: tuple[str, ...] = ()
        self._standing = ("", "text")

    def stand(self, text: str, tone: str = "text") -> None:
        """Say behind them how what is shown stands; empty: nothing is to be said."""
        standing = (in_one_line(text), tone)
        if standing != self._standing:
            self._standing = standing
            self.show(self._parts)

    def show(self, parts: Sequence[str]) -> None:
        """Show these."""
        self._parts = tuple(in_one_line(part) for part in parts)
        text = Text(no_wrap=True, overflow="ellipsis")
        for number, part in enumerate(self._parts):
            last = number == len(self._parts) - 1
            text.append(GAP if number else "", tone_style(self.app, "muted"))
            text.append(part, tone_style(self.app, "text" if last else "muted", bold=last))
        words, tone = self._standing
        if words:
            text.append(f"   {words}", tone_style(self.app, tone))
        self.update(text, layout=False)

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.styles.padding.left
        for number, part in enumerate(self._parts):
            width = cell_len(part)
            if 0 <= x < width:
                self.post_message(self.Chosen(self, number))
                return
            x -= width + len(GAP)

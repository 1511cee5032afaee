"""A tile: one figure, large, with how it came to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.views.digits import HEIGHT, tall
from tui.views.sparks import spark
from tui.views.timecolumns import fitted
from tui.views.visible import in_one_line
from tui.widgets.titles import as_title
from tui.widgets.tones import tone_style

# How many cells the line of values has beside a figure.
LEAST_SPARK, MOST_SPARK = 5, 16


class Tile(Widget, can_focus=True):
    """A title, a figure with its unit, a word on it, and a line of the values before.

    Where there is room the figure is three lines high.
    """

    HELP = """\
## Tile

A figure, and how it was in the time before.

- `Enter`, or a click, opens what it is about
"""
    DEFAULT_CSS = """
    Tile { height: 5; min-width: 12; border: round $primary 50%; padding: 0 1;
           border-title-color: $text-primary; border-subtitle-color: $foreground 70%; }
    Tile:focus { border: round $accent; }
    Tile:ansi { border: ascii ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "open", "Open", id="tile.open", tooltip="Open what it is about"),
    ]

    class Opened(Message):
        """A tile was opened."""

        def __init__(self, tile: Tile) -> None:
            super().__init__()
            self.tile = tile

        @property
        def control(self) -> Tile:
            return self.tile

    def __init__(self, title: str, *, ascii: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = as_title(title)
        self._ascii = ascii
        self._shown: tuple[str, str, str, str, tuple[float | None, ...]] = ("-", "", "", "text", ())

    def show(
        self,
        figure: str,
        unit: str = "",
        *,
        note: str = "",
        values: Sequence[float | None] = (),
        tone: str = "text",
    ) -> None:
        """Show a figure.

        Args:
            note: A word on it, beside the figure.
            values: Those before, in order.
            tone: One of ``statuses.TONES``; what it means the note says, too.
        """
        shown = (figure, unit, note, tone, tuple(values))
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.content_size
        line, tone, bold = self._line(y, width, height)
        style = self.rich_style + tone_style(self.app, tone, bold)
        return Strip([Segment(fitted(line, max(1, width), ascii=self._ascii), style)])

    def _line(self, y: int, width: int, height: int) -> tuple[str, str, bool]:
        figure, unit, note, tone, values = self._shown
        told = f"{in_one_line(figure)} {unit}".rstrip()
        high = tall(told)
        is_tall = not self._ascii and height >= HEIGHT + 2 and len(high[0]) <= width
        lines = list(high) if is_tall else [told]
        if height == 1 and values:
            return _alone(told, in_one_line(note), values, width, ascii=self._ascii), tone, True
        if y < len(lines):
            beside = f"  {in_one_line(note)}" if note and not is_tall else ""
            return lines[y] + beside, tone, True
        if is_tall and y == HEIGHT:
            return in_one_line(note), "muted", False
        if y == height - 1:
            return spark(values, width, ascii=self._ascii), tone, False
        return "", "text", False

    def action_open(self) -> None:
        self.post_message(self.Opened(self))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_open()


def _alone(told: str, note: str, values: Sequence[float | None], width: int, *, ascii: bool) -> str:
    """Figure, word and line of values side by side; without room the word goes, then the line."""
    room = width - cell_len(told) - 1
    if note and room - cell_len(note) - 2 >= LEAST_SPARK:
        told, room = f"{told}  {note}", room - cell_len(note) - 2
    if room < LEAST_SPARK:
        return told
    cells = min(room, MOST_SPARK)
    line = spark(values, cells, ascii=ascii)
    return told + " " * (width - cell_len(told) - cells) + line

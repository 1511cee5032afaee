"""What may come next, offered beside the cursor of an editor that keeps the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.geometry import Offset, Region
from textual.message import Message
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.views.completion import Completion

_MOST_ROWS = 8
_WIDEST = 70
# Padding, and the bar that says there is more.
_FRAME = 4


class CompletionList(OptionList, can_focus=False):
    """An overlay; the editor says where it is and which keys it gets."""

    DEFAULT_CSS = """
    CompletionList {
        position: absolute; overlay: screen; display: none;
        width: auto; height: auto; min-width: 20; padding: 0 1;
        border: none; background: $panel; scrollbar-size-vertical: 1;
    }
    """
    KEYS: ClassVar[frozenset[str]] = frozenset(("up", "down", "enter", "tab", "escape"))

    @dataclass
    class Taken(Message):
        """One of what is offered was chosen."""

        completion: Completion

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._offered: Sequence[Completion] = ()

    @property
    def is_open(self) -> bool:
        """Whether it is on screen."""
        return bool(self.display)

    def offer(self, offered: Sequence[Completion], cursor: Offset, within: Region) -> None:
        """Show ``offered`` below the cursor, or above it where there is more room.

        Args:
            offered: Not empty.
            cursor: On the screen.
            within: Of the screen, what it may cover.
        """
        self._offered = offered
        widest = max(len(each.label) for each in offered)
        self.clear_options()
        width = min(_WIDEST, within.width)
        self.add_options(Option(_row(each, widest, width - _FRAME)) for each in offered)
        self.highlighted = 0
        rows = min(_MOST_ROWS, len(offered))
        below, above = within.bottom - cursor.y - 1, cursor.y - within.y
        up = below < rows and above > below
        rows = max(1, min(rows, above if up else below))
        self.styles.max_height, self.styles.max_width = rows, width
        around = self.parent.content_region if isinstance(self.parent, Widget) else within
        x = min(cursor.x, max(within.x, within.right - width))
        y = cursor.y - rows if up else cursor.y + 1
        self.styles.offset = (x - around.x, y - around.y)
        self.display = True

    def close(self) -> None:
        """Offer nothing."""
        self.display = False
        self._offered = ()

    def take_key(self, key: str) -> bool:
        """Whether the key was for it."""
        if not self.is_open or key not in self.KEYS:
            return False
        if key == "up":
            self.action_cursor_up()
        elif key == "down":
            self.action_cursor_down()
        elif key == "escape":
            self.close()
        else:
            self._take(self.highlighted or 0)
        return True

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._take(event.option_index)

    def _take(self, index: int) -> None:
        completion = self._offered[index] if index < len(self._offered) else None
        self.close()
        if completion is not None:
            self.post_message(self.Taken(completion))


def _row(completion: Completion, widest: int, width: int) -> Content:
    """Label and detail on one line of ``width`` characters."""
    row = f"{completion.label.ljust(widest)}  {completion.detail}"
    cut = row if len(row) <= width else f"{row[: width - 1]}…"
    return Content(cut).stylize("dim", len(completion.label))

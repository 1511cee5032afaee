"""What a list is filtered by, and what of it the service decides."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widgets import Static

from tui.views.visible import in_one_line
from tui.widgets.tones import tone_style


class FilterChips(Static):
    """One line; hidden while there is no filter."""

    DEFAULT_CSS = """
    FilterChips { height: 1; padding: 0 1; display: none; text-wrap: nowrap;
                  text-overflow: ellipsis; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.text = ""

    def show(self, text: str, by_service: Sequence[str]) -> None:
        """The filter's text, and those of its terms that the service decides."""
        self.text = text
        self.display = bool(text)
        line = Text("/ ", tone_style(self.app, "accent", bold=True), no_wrap=True,
                    overflow="ellipsis")  # fmt: skip
        line.append(in_one_line(text), tone_style(self.app, "accent"))
        if by_service:
            terms = " ".join(in_one_line(term) for term in by_service)
            line.append(f"  the service decides {terms}", tone_style(self.app, "primary"))
        self.update(line)

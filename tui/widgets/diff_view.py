"""Two texts compared: side by side where there is room, what is the same folded."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from tui.views.diff_lines import DiffLines, DiffSearch
from tui.views.diffs import compared, unified
from tui.views.lines import Searching
from tui.widgets.line_pane import LinePane
from tui.widgets.titles import as_title
from tui.widgets.viewer import Choices, Viewer
from tui.widgets.working import begin

WIDE = 120
# Longer texts are compared beside the loop.
_LARGE = 300_000


class DiffView(Viewer):
    """Shows what differs between two texts."""

    HELP = """
    What was removed (`-`) and what was added (`+`), by lines; words that differ are underlined.

    - `]` and `[`, or `n` and `N` while nothing is searched: the next change, and the one before
    - `space`, `z` or `enter`: unfold what is the same, or fold it again
    - `u` shows both side by side, or one below the other
    - `/` searches · `y y` copies the diff as `diff -u` writes it · `v` opens it in `$PAGER`
    - `j` `k` `g` `G`, arrows, page keys: move · `h` `l`: look aside
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "change(1)", "Next change", id="diff.next-change",
                tooltip="Go to the next change"),
        Binding("left_square_bracket", "change(-1)", "Change before", show=False,
                id="diff.previous-change", tooltip="Go to the change before"),
        Binding("space,z,enter", "fold", "Fold", show=False, id="diff.fold",
                tooltip="Unfold what is the same, or fold it"),
        Binding("u", "beside", "Side by side", id="diff.beside",
                tooltip="Show both side by side, or one below the other"),
    ]  # fmt: skip
    suffix = ".diff"

    def __init__(self, title: str = "", *, id: str | None = None) -> None:
        super().__init__(title, id=id)
        self._lines = DiffLines(compared("", ""))
        self._names = ("before", "after")
        self._texts = ("", "")
        self._told_of = False
        self._beside: bool | None = None

    def show(
        self,
        before: str,
        after: str,
        names: tuple[str, str] = ("before", "after"),
        title: str | None = None,
    ) -> None:
        """Compare two texts; documents are compared as YAML or indented JSON.

        Args:
            before: What was, or is.
            after: What is, or would be.
            names: Of the two.
            title: Of the panel; None: as it is.
        """
        if title is not None:
            self.border_title = as_title(title)
        self._texts, self._names = (before, after), names
        self._told_of = True
        if len(before) + len(after) > _LARGE:
            self.tell("Comparing…")
            begin(self, partial(self._compare_beside, before, after), "compare", exclusive=True)
        else:
            self.workers.cancel_group(self, "compare")
            self._display(DiffLines(compared(before, after), self._width()))

    @property
    def changes(self) -> int:
        """How many there are."""
        return len(self._lines.comparison.changes)

    # What every viewer says of itself.

    def whole(self) -> str:
        """As ``diff -u`` writes it."""
        comparison = self._lines.comparison
        return "\n".join(unified(comparison.one, comparison.two, self._names))

    def place(self) -> str:
        comparison = self._lines.comparison
        if not self._told_of:
            return "Nothing is compared yet."
        if not comparison.changes:
            return "They are the same."
        at = self._lines.pair_at(self.pane.cursor)
        many = len(comparison.changes)
        here = sum(change <= at for change in comparison.changes)
        rough = "" if comparison.is_least else "   They differ in so much that not all is matched."
        return f"change {here} of {many}   - {self._names[0]}   + {self._names[1]}{rough}"

    def search(self, wanted: str) -> Searching:
        return DiffSearch(self._lines, wanted)

    def copies(self) -> Choices:
        before, after = self._texts
        return {
            **super().copies(),
            "b": (self._names[0], lambda: self.copy(self._names[0], before)),
            "a": (self._names[1], lambda: self.copy(self._names[1], after)),
        }

    def shown(self, line: int) -> None:
        """Rows may have been unfolded on the way to it."""
        self.pane.show(self._lines, line, self.pane.offset_of_cursor())

    def action_match(self, direction: int) -> None:
        """Go on in the search, or in the changes where nothing is searched."""
        if self.searching is None:
            self.action_change(direction)
        else:
            super().action_match(direction)

    def action_change(self, direction: int) -> None:
        """Go to the next change, or the one before."""
        at = self._lines.pair_at(self.pane.cursor)
        changes = self._lines.comparison.changes
        others = [each for each in changes if (each > at if direction > 0 else each < at)]
        if others:
            self.pane.go(self._lines.row_of(others[0] if direction > 0 else others[-1]))
        elif changes:
            self.tell(f"This is the {'last' if direction > 0 else 'first'} change.")
        else:
            self.tell(self.place())

    def action_fold(self) -> None:
        """Unfold what is the same, or fold it again."""
        pair = self._lines.pair_at(self.pane.cursor)
        if self._lines.toggle(self.pane.cursor):
            row = self._lines.row_of(pair)
            self.pane.show(self._lines, row, self.pane.offset_of_cursor())

    def action_beside(self) -> None:
        """Show both side by side, or one below the other, whatever the width."""
        self._beside = not self._lines.width
        self._lay_out()

    def action_wrap(self) -> None:
        """Side by side there is nothing to wrap."""
        if self._lines.width:
            self.tell("Lines are not wrapped side by side: u shows one below the other.")
        else:
            super().action_wrap()

    def on_resize(self) -> None:
        """Side by side takes room."""
        if self._width() != self._lines.width:
            self._lay_out()

    @on(LinePane.LineClicked)
    def _clicked(self, event: LinePane.LineClicked) -> None:
        event.stop()
        if event.twice:
            self.action_fold()

    async def _compare_beside(self, before: str, after: str) -> None:
        comparison = await asyncio.to_thread(compared, before, after)
        self._display(DiffLines(comparison, self._width()))

    def _width(self) -> int:
        """Of the pane where both stand side by side, else 0."""
        wide = self.app.size.width >= WIDE if self._beside is None else self._beside
        return max(20, self.pane.scrollable_content_region.width) if wide else 0

    def _lay_out(self) -> None:
        """The same comparison, otherwise: the cursor stays on its line."""
        pair = self._lines.pair_at(self.pane.cursor) if len(self._lines) else 0
        old, self._lines = (
            self._lines,
            DiffLines(self._lines.comparison, self._width(), self._lines.opened),
        )
        if old.width != self._lines.width and self._lines.width and self.pane.wrapped:
            self.pane.set_wrap(False)
        row = self._lines.row_of(pair)
        self.pane.show(self._lines, row, self.pane.offset_of_cursor())
        self.search_again()

    def _display(self, lines: DiffLines) -> None:
        """A new comparison, from its first change."""
        self._lines = lines
        changes = lines.comparison.changes
        row = lines.row_of(changes[0]) if changes else 0
        self.pane.show(lines, row, min(row, 3))
        self.search_again()
        self.tell(self.place())

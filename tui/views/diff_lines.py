"""A comparison as lines of the screen: side by side or unified, what is the same folded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from tui.views.diffs import CONTEXT, Comparison, Pair, words
from tui.views.json_lines import assembled
from tui.views.lines import MOST_MATCHES, Line, Mark, cut, matcher
from tui.views.text_lines import visible_line

REMOVED, ADDED, SAME = "error", "success", "muted"
# A tone that ends so is that of a changed word.
WORD = "!"


class _Row(NamedTuple):
    """A row of the screen.

    Attributes:
        pair: The first row of the comparison on it.
        hidden: How many more rows of the comparison are folded into it.
        half: ``one`` or ``two`` where it shows that side alone; empty: both.
    """

    pair: int
    hidden: int = 0
    half: str = ""


class DiffLines:
    """A comparison as it is shown.

    Args:
        comparison: What is shown.
        width: Cells for a row side by side; 0: one below the other.
        opened: First rows of what is the same and was unfolded; shared and kept.
    """

    def __init__(self, comparison: Comparison, width: int = 0, opened: set[int] | None = None):
        self.comparison = comparison
        self.width = width
        self.opened = set() if opened is None else opened
        self._digits = len(str(max(len(comparison.one), len(comparison.two))))
        self._rows: list[_Row] = []
        # By row of the comparison: its first of the screen; and those that hide others.
        self._first: dict[int, int] = {}
        self._hiding: list[tuple[int, int]] = []
        self._lay_out()

    def __len__(self) -> int:
        return len(self._rows)

    def line(self, index: int) -> Line:
        """One row of the screen."""
        row = self._rows[index]
        if row.hidden:
            return assembled([(f"{'':{self._digits}}  ⋯ {row.hidden:,} lines are the same", SAME)])
        pair = self.comparison.pairs[row.pair]
        return self._beside(pair) if self.width else self._below(pair, row.half)

    def most_cells(self, index: int) -> int:
        """An escape takes six cells, a tab four."""
        pair = self.comparison.pairs[self._rows[index].pair]
        one, two = self._text(pair.one, 1), self._text(pair.two, 2)
        return 6 * max(len(one), len(two)) + 40

    def pair_at(self, index: int) -> int:
        """The row of the comparison that a row of the screen shows first."""
        return self._rows[index].pair if self._rows else 0

    def row_of(self, pair: int) -> int:
        """The first row of the screen that shows a row of the comparison, or hides it."""
        known = self._first.get(pair)
        if known is None and self._hiding:
            known = self._hiding[bisect_right(self._hiding, (pair, len(self._rows))) - 1][1]
        return known or 0

    def toggle(self, index: int) -> bool:
        """Unfold what is the same on a row, or fold it again; whether there is anything to."""
        pair = self.pair_at(index)
        if not self._rows:
            return False
        if self._rows[index].hidden:
            self.opened.add(pair)
        else:
            start = self._same_around(pair)
            if start is None:
                return False
            self.opened.discard(start)
        self._lay_out()
        return True

    def reveal(self, pair: int) -> int:
        """The row of the screen of a row of the comparison, unfolded."""
        if self._rows[self.row_of(pair)].hidden:
            self.toggle(self.row_of(pair))
        return self.row_of(pair)

    def _same_around(self, pair: int) -> int | None:
        """What was unfolded and holds ``pair``."""
        for start, end in self._folds():
            if start <= pair < end and start in self.opened:
                return start
        return None

    def _folds(self) -> list[tuple[int, int]]:
        """The rows of the comparison that are the same and away from every change."""
        many = len(self.comparison.pairs)
        folds: list[tuple[int, int]] = []
        before = 0
        for change in [*self.comparison.changes, many]:
            start = before + CONTEXT if before else 0
            end = change - CONTEXT if change < many else many
            if end - start > 1:
                folds.append((start, end))
            before = change
            while before < many and self.comparison.pairs[before].is_change:
                before += 1
        return folds

    def _lay_out(self) -> None:
        self._rows = []
        at = 0
        for start, end in [*self._folds(), (len(self.comparison.pairs),) * 2]:
            self._show(at, start)
            if start in self.opened:
                self._show(start, end)
            elif end > start:
                self._rows.append(_Row(start, end - start))
            at = end
        self._first, self._hiding = {}, []
        for index, row in enumerate(self._rows):
            self._first.setdefault(row.pair, index)
            if row.hidden:
                self._hiding.append((row.pair, index))

    def _show(self, start: int, end: int) -> None:
        """The rows of a stretch; unified, what was removed comes before what was added."""
        pairs = self.comparison.pairs
        if self.width:
            self._rows += (_Row(index) for index in range(start, end))
            return
        index = start
        while index < end:
            last = index
            while last < end and pairs[last].is_change:
                last += 1
            if last == index:
                self._rows.append(_Row(index))
                last = index + 1
            else:
                changed = range(index, last)
                self._rows += (_Row(i, half="one") for i in changed if pairs[i].one is not None)
                self._rows += (_Row(i, half="two") for i in changed if pairs[i].two is not None)
            index = last

    def _beside(self, pair: Pair) -> Line:
        """Both sides, each cut where its half ends."""
        half = (self.width - 3) // 2
        spans_one, spans_two = self._spans(pair)
        one, one_marks = self._half(pair.one, 1, pair.is_change, spans_one, half)
        two, two_marks = self._half(pair.two, 2, pair.is_change, spans_two, half)
        place = len(one) + 3
        marks = [*one_marks, Mark(len(one), place, SAME)]
        marks += (Mark(start + place, end + place, tone) for start, end, tone in two_marks)
        return Line(f"{one} │ {two}", marks)

    def _half(
        self, number: int | None, side: int, is_change: bool, spans: Sequence[tuple[int, int]],
        width: int,
    ) -> tuple[str, list[Mark]]:  # fmt: skip
        if number is None:
            return " " * width, []
        tone = (REMOVED if side == 1 else ADDED) if is_change else ""
        sign = ("-" if side == 1 else "+") if is_change else " "
        head = f"{number + 1:>{self._digits}} {sign} "
        text = visible_line(cut(self._text(number, side)))
        room = max(1, width - len(head))
        if cell_len(text) > room:
            text = set_cell_size(text, room - 1) + "…"
        line = _marked(head, text, tone, spans)
        return set_cell_size(line.text, width), [
            Mark(start, min(end, len(line.text)), tone) for start, end, tone in line.marks
        ]

    def _below(self, pair: Pair, half: str) -> Line:
        """One side, or what is the same on both."""
        digits = self._digits
        spans = self._spans(pair)
        if half == "two":
            head = f"{'':{digits}} {(pair.two or 0) + 1:>{digits}} + "
            return _marked(head, self._shown(pair.two, 2), ADDED, spans[1])
        if half == "one":
            head = f"{(pair.one or 0) + 1:>{digits}} {'':{digits}} - "
            return _marked(head, self._shown(pair.one, 1), REMOVED, spans[0])
        head = f"{(pair.one or 0) + 1:>{digits}} {(pair.two or 0) + 1:>{digits}}   "
        return _marked(head, self._shown(pair.one, 1), "", ())

    def _shown(self, number: int | None, side: int) -> str:
        return visible_line(cut(self._text(number, side)))

    def _text(self, number: int | None, side: int) -> str:
        if number is None:
            return ""
        return (self.comparison.one if side == 1 else self.comparison.two)[number]

    def _spans(self, pair: Pair) -> tuple[Sequence[tuple[int, int]], Sequence[tuple[int, int]]]:
        """The words that differ, where a line became another."""
        if not pair.is_change or pair.one is None or pair.two is None:
            return (), ()
        return words(self._shown(pair.one, 1), self._shown(pair.two, 2))


def _marked(head: str, text: str, tone: str, spans: Sequence[tuple[int, int]]) -> Line:
    """A line after its numbers; the words of ``spans`` stand out."""
    if not tone:
        return assembled([(head, SAME), (text, "")])
    parts = [(head, tone)]
    place = 0
    whole = [(0, len(text))] == list(spans)
    for start, end in () if whole else spans:
        parts += [(text[place:start], tone), (text[start:end], tone + WORD)]
        place = end
    return assembled([*parts, (text[place:], tone)])


class DiffSearch:
    """The rows of a comparison that hold ``wanted`` on either side."""

    def __init__(self, lines: DiffLines, wanted: str) -> None:
        self._lines = lines
        self.wanted = wanted
        test = matcher(wanted)
        comparison = lines.comparison
        self._pairs = [
            index
            for index, pair in enumerate(comparison.pairs)
            if (pair.one is not None and test(comparison.one[pair.one]))
            or (pair.two is not None and pair.is_change and test(comparison.two[pair.two]))
        ][:MOST_MATCHES]
        self.count = len(self._pairs)

    def after(self, row: int) -> int:
        """The next match behind a row."""
        return bisect_right(self._pairs, self._lines.pair_at(row)) % self.count

    def before(self, row: int) -> int:
        """The last match before a row."""
        pair = self._lines.pair_at(row)
        return (bisect_right(self._pairs, pair - 1) - 1) % self.count

    def at(self, row: int) -> int:
        """The match on a row, or the next one."""
        return bisect_right(self._pairs, self._lines.pair_at(row) - 1) % self.count

    def line(self, place: int) -> int:
        """The row of a match, unfolded."""
        return self._lines.reveal(self._pairs[place])

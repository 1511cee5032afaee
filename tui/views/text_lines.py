"""A text as lines that a terminal may show, coloured a line at a time, and searched."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from tui.views.lines import MOST_MATCHES, Line, Mark, cut, matcher
from tui.views.visible import UNSEEN

TAB = 4
_UNSAFE = re.compile(f"[\x00-\x08\x0a-\x1f{UNSEEN}]")

Colours = Callable[[str], Sequence[Mark]]


class TextLines:
    """``text`` by its lines.

    Args:
        colours: What is marked in a line, if anything.
        whole: Long lines are not cut, as where they are wrapped.
    """

    def __init__(self, text: str, colours: Colours | None = None, *, whole: bool = False) -> None:
        self.lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
        self.whole = whole
        self._colours = colours

    def __len__(self) -> int:
        return len(self.lines)

    def line(self, index: int) -> Line:
        """The line as it may be shown; without ``whole`` a long one is cut."""
        raw = self.lines[index]
        shown = visible_line(raw if self.whole else cut(raw))
        return Line(shown, self._colours(shown) if self._colours else ())

    def most_cells(self, index: int) -> int:
        """An escape takes six cells, a tab four."""
        return 6 * len(self.lines[index])


def visible_line(text: str) -> str:
    r"""One line with ``\x1b`` for what a terminal would obey, and spaces for tabs."""
    if "\t" in text:
        text = text.expandtabs(TAB)
    return _UNSAFE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class TextSearch:
    """The lines that hold ``wanted``; at most :data:`MOST_MATCHES`."""

    def __init__(self, lines: Sequence[str], wanted: str) -> None:
        self.wanted = wanted
        self._places: list[int] = []
        test = matcher(wanted)
        for place, line in enumerate(lines if wanted else ()):
            if test(line):
                self._places.append(place)
                if len(self._places) >= MOST_MATCHES:
                    break
        self.count = len(self._places)

    def after(self, row: int) -> int:
        """The next place behind a row; the first of all if there is none."""
        return bisect_right(self._places, row) % self.count

    def before(self, row: int) -> int:
        """The last place before a row; the last of all if there is none."""
        return (bisect_left(self._places, row) - 1) % self.count

    def at(self, row: int) -> int:
        """The place on a row, or the next one."""
        return bisect_left(self._places, row) % self.count

    def line(self, place: int) -> int:
        """The row of a place."""
        return self._places[place]

"""What Textual's editor keeps its text in, told which lines there are and how wide they look."""

from __future__ import annotations

import re

from textual._cells import cell_width_to_column_index
from textual.document._document import Document, DocumentBase, EditResult, Location
from textual.document._syntax_aware_document import SyntaxAwareDocument
from textual.document._wrapped_document import WrappedDocument
from textual.geometry import Offset, clamp

from tui.views.visible import masked

_LINE_END = re.compile("\r\n|\r|\n")


class Lined(str):
    """A text whose lines end where an author ends them.

    For Python they also end at U+2028 and some controls, which would be lost by joining them.
    """

    __slots__ = ()

    def splitlines(self, keepends: bool = False) -> list[str]:
        lines = _LINE_END.split(self)
        return lines[:-1] if lines[-1] == "" else lines


class _Lines(Document):
    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        result = super().replace_range(start, end, Lined(text))
        self.widest = _widened(self, min(start, end), result)
        return result


class _ParsedLines(SyntaxAwareDocument):
    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        result = super().replace_range(start, end, Lined(text))
        self.widest = _widened(self, min(start, end), result)
        return result


class Rows(WrappedDocument):
    """Lines that are not wrapped; Textual's own counts all of them for every row it paints."""

    @property
    def height(self) -> int:
        return len(self._offset_to_line_info)

    def get_sections(self, line_index: int) -> list[str]:
        return [masked(self.document.get_line(line_index))]

    def offset_to_location(self, offset: Offset) -> Location:
        row = clamp(offset.y, 0, self.document.line_count - 1)
        line = masked(self.document.get_line(row))
        return row, cell_width_to_column_index(line, max(0, offset.x), self._tab_width)


def most_cells(line: str) -> int:
    """At least as many cells as a line takes."""
    if line.isascii() and "\t" not in line:
        return len(line)
    return 2 * len(line) + 2 * line.count("\t")


def widest(document: DocumentBase) -> int:
    """At least as many cells as the widest line takes that any edit of ``document`` has left."""
    return int(getattr(document, "widest", 0))


def _widened(document: Document, start: Location, result: EditResult) -> int:
    # Only what was put in: measuring all lines is felt at every key.
    lines = document.lines[start[0] : result.end_location[0] + 1]
    return max(widest(document), max(map(most_cells, lines), default=0))


def adopt(document: DocumentBase) -> DocumentBase:
    """``document``, which Textual has made of its own class, as one whose lines are ours."""
    if type(document) is Document:
        document.__class__ = _Lines
    elif type(document) is SyntaxAwareDocument:
        document.__class__ = _ParsedLines
    return document

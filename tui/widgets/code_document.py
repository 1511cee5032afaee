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
        return super().replace_range(start, end, Lined(text))


class _ParsedLines(SyntaxAwareDocument):
    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        return super().replace_range(start, end, Lined(text))


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


def adopt(document: DocumentBase) -> DocumentBase:
    """``document``, which Textual has made of its own class, as one whose lines are ours."""
    if type(document) is Document:
        document.__class__ = _Lines
    elif type(document) is SyntaxAwareDocument:
        document.__class__ = _ParsedLines
    return document

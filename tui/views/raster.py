"""Lines and areas on a raster of dots: two in a cell's width and four in its height (braille)."""

from __future__ import annotations

from collections.abc import Sequence

from tui.views.pieces import Piece, pieces

ACROSS, DOWN = 2, 4
_BRAILLE = 0x2800
# By column of the cell, the bits of its dots from above.
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
# By column, first and last dot: all bits between them.
_SPANS = tuple(
    tuple(tuple(sum(bits[first : last + 1]) for last in range(DOWN)) for first in range(DOWN))
    for bits in _BITS
)

Span = tuple[float, float]


class Raster:
    """Cells of dots; what is drawn later lies above, and gives the cell its tone."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._bits = [bytearray(width) for _ in range(height)]
        self._signs = [[" "] * width for _ in range(height)]
        self._tones = [["text"] * width for _ in range(height)]

    def column(self, x: int, top: int, bottom: int, tone: str) -> None:
        """The dots of column ``x`` from ``top`` down to ``bottom``, ends included."""
        cell, side = divmod(x, ACROSS)
        spans = _SPANS[side]
        for row in range(top // DOWN, bottom // DOWN + 1):
            first = max(0, top - row * DOWN)
            last = min(DOWN - 1, bottom - row * DOWN)
            self._bits[row][cell] |= spans[first][last]
            self._tones[row][cell] = tone

    def sign(self, cell: int, row: int, sign: str, tone: str) -> None:
        """A character in place of a cell's dots."""
        self._signs[row][cell] = sign
        self._tones[row][cell] = tone

    def lines(self) -> list[list[Piece]]:
        """The cells, from above."""
        return [list(pieces(self._characters(row), self._tones[row])) for row in range(self.height)]

    def _characters(self, row: int) -> Sequence[str]:
        return [
            sign if sign != " " or not bits else chr(_BRAILLE + bits)
            for bits, sign in zip(self._bits[row], self._signs[row], strict=True)
        ]

    def is_blank(self, cell: int, row: int) -> bool:
        return not self._bits[row][cell] and self._signs[row][cell] == " "


def spans_of(values: Sequence[float | None], columns: int) -> list[Span | None]:
    """For each of ``columns`` the lowest and the highest point of a line through ``values``.

    Neighbours meet, so that the line has no holes; None where there is no value, which no line
    leads over.
    """
    own = _gathered(values, columns) if len(values) > columns else _spread(values, columns)
    met: list[Span | None] = []
    before: float | None = None
    for span in own:
        if span is None:
            met.append(None)
            before = None
            continue
        low, high, last = span
        met.append((low, high) if before is None else (min(low, before), max(high, before)))
        before = last
    return met


def _gathered(
    values: Sequence[float | None], columns: int
) -> list[tuple[float, float, float] | None]:
    """Of the values that fall into a column: the lowest, the highest, the last."""
    total = len(values)
    spans: list[tuple[float, float, float] | None] = []
    for column in range(columns):
        chunk = values[column * total // columns : (column + 1) * total // columns]
        known = [value for value in chunk if value is not None]
        spans.append((min(known), max(known), known[-1]) if known else None)
    return spans


def _spread(
    values: Sequence[float | None], columns: int
) -> list[tuple[float, float, float] | None]:
    spans: list[tuple[float, float, float] | None] = []
    for column in range(columns):
        value = _between(values, (column + 0.5) * len(values) / columns - 0.5)
        spans.append(None if value is None else (value, value, value))
    return spans


def _between(values: Sequence[float | None], place: float) -> float | None:
    """The value at a place between two of them; beside a gap, that of the nearest."""
    if not values:
        return None
    before = min(max(int(place // 1), 0), len(values) - 1)
    after = min(before + 1, len(values) - 1)
    share = min(max(place - before, 0.0), 1.0)
    one, other = values[before], values[after]
    if one is None or other is None:
        return one if share < 0.5 else other
    return one + (other - one) * share

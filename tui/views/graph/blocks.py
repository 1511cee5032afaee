"""The pieces of a drawing, each with its size and its spine, and how they are put together.

A workflow is properly nested, so its drawing is: boxes below each other (a series), series beside
each other (branches), and series in frames (loops). Every piece is entered at the top of its spine,
a column, and left at its bottom. Places are relative to the piece around, and measured in cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tui.views.graph.plan import Step

GAP = 3
# A frame's side and a blank.
SIDE = 2
# The line that parts the ways, and the arrows; labels have a row between them.
_HEAD = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of text that is no task: where it all begins and ends.

    Attributes:
        ends: Whether nothing follows it.
    """

    text: str
    width: int
    spine: int
    height: int = 1
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A task, or all tasks of a block that is folded.

    Attributes:
        lines: What stands below its name, cut to the box.
        members: The keys of the tasks that it stands for, where it is folded.
    """

    step: Step
    title: str
    lines: tuple[str, ...]
    width: int
    height: int
    members: tuple[str, ...] = ()
    folded: bool = False
    ends: bool = False

    @property
    def spine(self) -> int:
        return self.width // 2


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece of a series."""

    x: int
    y: int
    block: Block


@dataclass(frozen=True, slots=True)
class Series:
    """Pieces below each other, their spines in one column.

    Attributes:
        tops: The rows in which the pieces begin.
    """

    pieces: tuple[Placed, ...]
    tops: tuple[int, ...]
    width: int
    height: int
    spine: int
    ends: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One of several ways.

    Attributes:
        x: Where it begins.
        spine: Its spine, from where the branches begin.
        block: Nothing is in its way where it is None.
        label_x: Where its label begins.
    """

    x: int
    width: int
    spine: int
    label: str
    label_x: int
    block: Block | None

    @property
    def ends(self) -> bool:
        return self.block is not None and self.block.ends


@dataclass(frozen=True, slots=True)
class Branches:
    """Ways beside each other, from one line at the top to one at the bottom.

    Attributes:
        step: The one that parts them.
        top: The row in which the pieces of the columns begin.
        ends: Whether no way leads out; there is no line at the bottom then.
    """

    step: Step
    columns: tuple[Column, ...]
    top: int
    width: int
    height: int
    spine: int
    ends: bool

    @property
    def has_labels(self) -> bool:
        return self.top > _HEAD


@dataclass(frozen=True, slots=True)
class Frame:
    """A loop around what is in it."""

    step: Step
    title: str
    caption: str
    x: int
    block: Block
    width: int
    height: int
    spine: int
    ends: bool


Block: TypeAlias = Mark | Box | Series | Branches | Frame


def series(blocks: Sequence[Block]) -> Block:
    """``blocks``, at least one, below each other."""
    if len(blocks) == 1:
        return blocks[0]
    spine = max(block.spine for block in blocks)
    width = spine + max(block.width - block.spine for block in blocks)
    pieces: list[Placed] = []
    y = 0
    for before, block in zip((None, *blocks), blocks, strict=False):
        # Branches have a line of their own at the top; all else is reached by an arrow.
        if before is not None and (before.ends or not isinstance(block, Branches)):
            y += 1
        pieces.append(Placed(spine - block.spine, y, block))
        y += block.height
    tops = tuple(piece.y for piece in pieces)
    return Series(tuple(pieces), tops, width, y, spine, blocks[-1].ends)


def branches(
    step: Step, ways: Sequence[tuple[str, Block | None]], label_widths: Sequence[int]
) -> Branches:
    """The ``ways`` of ``step``, at least one: each a label and a piece, or none."""
    columns: list[Column] = []
    x = 0
    for (label, block), label_width in zip(ways, label_widths, strict=True):
        columns.append(_column(x, label, label_width, block))
        x += columns[-1].width + GAP
    top = _HEAD + any(label_widths)
    height = top + max(column.block.height if column.block else 0 for column in columns)
    ends = all(column.ends for column in columns)
    spine = (columns[0].spine + columns[-1].spine) // 2
    return Branches(step, tuple(columns), top, x - GAP, height + (not ends), spine, ends)


def _column(x: int, label: str, label_width: int, block: Block | None) -> Column:
    before = max(block.spine if block else 0, label_width // 2)
    after = max(block.width - block.spine if block else 1, label_width - label_width // 2)
    spine = x + before
    return Column(x, before + after, spine, label, spine - label_width // 2, block)


def frame(step: Step, title: str, caption: str, block: Block, caption_width: int) -> Frame:
    """``block`` within a frame that has room for a caption of ``caption_width``."""
    spread = max(0, caption_width - block.width)
    x = SIDE + spread // 2
    width = block.width + spread + 2 * SIDE
    return Frame(
        step, title, caption, x, block, width, block.height + 2, x + block.spine, block.ends
    )

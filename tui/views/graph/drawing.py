"""A workflow's drawing: where each task stands, and what any row of it looks like."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from tui.views.graph import overlay as overlays
from tui.views.graph.blocks import Block, Box, Branches, Frame, Mark, Series
from tui.views.graph.composing import Composing
from tui.views.graph.overlay import Overlay
from tui.views.graph.painting import Painter, Run
from tui.views.graph.plan import Plan, Step, read


@dataclass(frozen=True, slots=True)
class Region:
    """Where a task stands; places and sizes are cells.

    Attributes:
        parent: The key of the step whose block it is in, at whose region it stands; empty: none.
        is_frame: Whether it is a frame around other regions; else it is apart from all others.
        folded: Whether it stands for all that is in it.
    """

    step: Step
    x: int
    y: int
    width: int
    height: int
    is_frame: bool = False
    folded: bool = False

    @property
    def key(self) -> str:
        return self.step.key

    @property
    def parent(self) -> str:
        return self.step.parent

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Drawing:
    """A workflow, laid out.

    Attributes:
        steps: Every task by its key, those of dynamic forks included.
        regions: Of those that are drawn, by key.
        grown: The tasks of dynamic forks that it was laid out for: of an execution that has other
            ones, another drawing is to be made.
    """

    plan: Plan
    composing: Composing
    root: Block
    steps: Mapping[str, Step]
    regions: Mapping[str, Region]
    grown: Mapping[str, Sequence[Step]]

    @property
    def width(self) -> int:
        return self.root.width

    @property
    def height(self) -> int:
        return self.root.height

    @property
    def spine(self) -> int:
        """The column in which it begins and ends."""
        return self.root.spine

    def row(
        self, y: int, overlay: Overlay | None = None, left: int = 0, right: int | None = None
    ) -> list[Run]:
        """The runs of row ``y`` that reach into the columns from ``left`` to before ``right``."""
        end = self.width if right is None else right
        painter = Painter(overlay, self.composing.ascii, left, end)
        painter.paint(self.root, 0, y, False)
        return painter.runs

    def text(self, overlay: Overlay | None = None) -> Iterator[str]:
        """Its rows, without trailing blanks."""
        for y in range(self.height):
            yield text_of(self.row(y, overlay))


def lay_out(
    workflow: object,
    overlay: Overlay | None = None,
    *,
    folded: Collection[str] = (),
    opened: Collection[str] = (),
    ascii: bool = False,
) -> Drawing:
    """The drawing of a workflow. Its faults are ``drawing.plan.faults``; it never raises for them.

    Args:
        workflow: Its document, or what was read of it.
        overlay: An execution: dynamic forks have its tasks, and boxes have room for what it tells.
            What stands where does not depend on its statuses.
        folded: The keys of the steps that are drawn as one box with all that is in them.
        opened: Of the dynamic forks that would be folded for their many tasks, those that are not.
        ascii: Whether nothing else than ASCII is written.
    """
    plan = workflow if isinstance(workflow, Plan) else read(workflow)
    grown = overlays.grown(plan, overlay)
    live = overlay is not None
    composing = Composing(frozenset(folded), frozenset(opened), grown, live, ascii)
    root = composing.whole(plan)
    regions = {region.key: region for region in _regions(root, 0, 0)}
    made = {step.key: step for steps in grown.values() for step in steps}
    steps = {**plan.by_key, **made} if made else plan.by_key
    return Drawing(plan, composing, root, steps, regions, grown)


def _regions(block: Block, x: int, y: int) -> Iterator[Region]:
    match block:
        case Box():
            yield Region(block.step, x, y, block.width, block.height, folded=block.folded)
        case Frame():
            yield Region(block.step, x, y, block.width, block.height, is_frame=True)
            yield from _regions(block.block, x + block.x, y + 1)
        case Series():
            for piece in block.pieces:
                yield from _regions(piece.block, x + piece.x, y + piece.y)
        case Branches():
            for column in block.columns:
                if column.block is not None:
                    at = x + column.spine - column.block.spine
                    yield from _regions(column.block, at, y + block.top)
        case Mark():
            return


def text_of(runs: Sequence[Run]) -> str:
    """Runs as plain text."""
    parts: list[str] = []
    at = 0
    for run in runs:
        parts += (" " * (run.x - at), run.text)
        at = run.x + cell_len(run.text)
    return "".join(parts).rstrip()

"""Which ways through a drawing an execution has taken."""

from __future__ import annotations

from tui.views.graph.blocks import Block, Box, Branches, Frame, Mark, Series
from tui.views.graph.overlay import Overlay
from tui.views.graph.plan import Shape, shown


def is_entered(block: Block, overlay: Overlay) -> bool:
    """Whether the execution has come to the first task of ``block``."""
    match block:
        case Mark(text="end"):
            return overlay.status == "COMPLETED"
        case Mark():
            return block.text == "start"
        case Box() | Frame():
            return overlay.has(block.step)
        case Series():
            return is_entered(block.pieces[0].block, overlay)
        case Branches():
            return overlay.has(block.step)


def is_passed(block: Block, overlay: Overlay) -> bool:
    """Whether the execution has come out of ``block``."""
    match block:
        case Mark():
            return block.text == "start"
        case Box() | Frame():
            return overlay.is_past(block.step)
        case Series():
            return is_passed(block.pieces[-1].block, overlay)
        case Branches():
            return any(ways_out(block, overlay))


def is_taken(before: Block, after: Block, overlay: Overlay) -> bool:
    """Whether the line between two pieces of a series was gone along."""
    if isinstance(after, Box) and after.step.shape is Shape.JOIN:
        # It is scheduled together with the branches that it waits for.
        return is_passed(before, overlay)
    return is_entered(after, overlay)


def ways_in(parts: Branches, overlay: Overlay) -> list[bool]:
    """For each column, whether it was entered."""
    if parts.step.shape is Shape.SWITCH:
        return _chosen(parts, overlay)
    begun = overlay.is_past(parts.step)
    return [
        is_entered(column.block, overlay) if column.block else begun for column in parts.columns
    ]


def ways_out(parts: Branches, overlay: Overlay) -> list[bool]:
    """For each column, whether it was left at its bottom."""
    return [
        entered and (column.block is None or is_passed(column.block, overlay))
        for column, entered in zip(parts.columns, ways_in(parts, overlay), strict=True)
    ]


def _chosen(parts: Branches, overlay: Overlay) -> list[bool]:
    """As :func:`ways_in`; of a way in which nothing is, the SWITCH itself tells."""
    attempt = overlay.attempts.get(parts.step.key)
    if attempt is None or not overlay.is_past(parts.step):
        return [False] * len(parts.columns)
    entered = [
        column.block is not None and is_entered(column.block, overlay) for column in parts.columns
    ]
    empty = [index for index, column in enumerate(parts.columns) if column.block is None]
    if any(entered) or not empty:
        return entered
    # Columns have them cut.
    cases = [branch.label for branch in parts.step.branches]
    if attempt.selected is not None:
        selected = shown(attempt.selected)
        chosen = cases.index(selected) if selected in cases else len(cases) - 1
        if chosen in empty:
            entered[chosen] = True
    elif len(empty) == 1:
        entered[empty[0]] = True
    return entered

"""What holds for the drawing of any workflow."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from typing import Any

from hypothesis import given, settings, strategies as st
from rich.cells import cell_len, set_cell_size

from tests.tui.graph.workflows import overlays, refs, workflow, workflows
from tui.views.graph.drawing import Drawing, Region, lay_out
from tui.views.graph.lines import EAST, JUNCTIONS, NORTH, SOUTH, WEST
from tui.views.graph.moving import DIRECTIONS, Moves, home_of
from tui.views.graph.overlay import Overlay, of_document
from tui.views.graph.painting import Run
from tui.views.graph.plan import read

# Each example is a workflow of many tasks, all of which is drawn.
LAWS = settings(max_examples=30, deadline=None)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
ARMS = {sign: arms for arms, sign in JUNCTIONS.items()} | {
    "▼": NORTH, "═": EAST | WEST, "╌": EAST | WEST, "║": NORTH | SOUTH, "╎": NORTH | SOUTH,
    "╒": EAST | SOUTH, "╕": WEST | SOUTH, "╘": NORTH | EAST, "╛": NORTH | WEST,
    "╔": EAST | SOUTH, "╗": WEST | SOUTH, "╚": NORTH | EAST, "╝": NORTH | WEST,
    "╭": EAST | SOUTH, "╮": WEST | SOUTH, "╰": NORTH | EAST, "╯": NORTH | WEST,
    "╤": EAST | SOUTH | WEST,
}  # fmt: skip
NEIGHBOURS = {
    NORTH: (0, -1, SOUTH), SOUTH: (0, 1, NORTH), EAST: (1, 0, WEST), WEST: (-1, 0, EAST)
}  # fmt: skip
# Text stands in the way of a line, and the slopes of a SWITCH have no directions.
ANYTHING = NORTH | EAST | SOUTH | WEST


def cells(drawing: Drawing) -> dict[tuple[int, int], int]:
    """The directions in which the line in each cell goes on."""
    found: dict[tuple[int, int], int] = {}
    for y in range(drawing.height):
        for run in drawing.row(y):
            is_line = run.role in ("edge", "border")
            for offset, sign in enumerate(run.text if is_line else " " * cell_len(run.text)):
                if is_line and sign != " ":
                    found[run.x + offset, y] = ARMS.get(sign, ANYTHING)
                elif run.role in ("label", "mark", "title", "kind", "glyph"):
                    found[run.x + offset, y] = ANYTHING
    return found


def is_loose(arms: int, x: int, y: int, grid: dict[tuple[int, int], int]) -> bool:
    return arms != ANYTHING and any(
        arms & arm and not grid.get((x + right, y + down), 0) & back
        for arm, (right, down, back) in NEIGHBOURS.items()
    )


@LAWS
@given(workflows())
def test_every_line_goes_on_in_the_next_cell(document: dict[str, Any]) -> None:
    grid = cells(lay_out(document))

    assert [spot for spot, arms in grid.items() if is_loose(arms, *spot, grid)] == []


def apart(one: Region, other: Region) -> bool:
    return (
        one.right <= other.x
        or other.right <= one.x
        or one.bottom <= other.y
        or other.bottom <= one.y
    )


def inside(one: Region, frame: Region) -> bool:
    return (
        frame.is_frame
        and frame.x < one.x
        and one.right < frame.right
        and frame.y < one.y
        and one.bottom < frame.bottom
    )


@LAWS
@given(workflows())
def test_boxes_are_apart_or_one_frames_the_other(document: dict[str, Any]) -> None:
    drawing = lay_out(document)

    assert list(drawing.regions) == refs(document)
    for one, other in combinations(drawing.regions.values(), 2):
        assert apart(one, other) or inside(one, other) or inside(other, one)
    for region in drawing.regions.values():
        assert 0 <= region.x < region.right <= drawing.width
        assert 0 <= region.y < region.bottom <= drawing.height


def texts(runs: list[Run], region: Region) -> str:
    return "".join(run.text for run in runs if run.key == region.key)


@LAWS
@given(workflows(), st.booleans())
def test_every_ref_stands_in_its_own_region(document: dict[str, Any], live: bool) -> None:
    overlay = Overlay({}) if live else None
    drawing = lay_out(document, overlay)

    for region in drawing.regions.values():
        line = region.y + (not region.is_frame)
        assert region.step.ref in texts(drawing.row(line, overlay), region)
        for y in range(region.y, region.bottom):
            for run in drawing.row(y, overlay):
                if run.key == region.key:
                    assert region.x <= run.x
                    assert run.x + cell_len(run.text) <= region.right


@LAWS
@given(workflows(), st.data())
def test_what_an_execution_tells_moves_nothing(
    document: dict[str, Any], data: st.DataObject
) -> None:
    overlay = data.draw(overlays(refs(document)))
    before, after = lay_out(document, Overlay({})), lay_out(document, overlay)

    assert before.regions == after.regions
    for y in range(after.height):
        runs = after.row(y, overlay)
        for one, other in pairwise(runs):
            assert one.x + cell_len(one.text) <= other.x
        assert all(run.x + cell_len(run.text) <= after.width for run in runs)


@LAWS
@given(workflows(), st.data())
def test_a_part_of_a_row_is_as_in_the_whole(document: dict[str, Any], data: st.DataObject) -> None:
    drawing = lay_out(document)
    left = data.draw(st.integers(0, drawing.width))
    right = data.draw(st.integers(left, drawing.width))

    for y in range(drawing.height):
        part = [run for run in drawing.row(y, None, left, right) if reaches(run, left, right)]
        assert part == [run for run in drawing.row(y) if reaches(run, left, right)]


def reaches(run: Run, left: int, right: int) -> bool:
    return run.x < right and run.x + cell_len(run.text) > left


@LAWS
@given(workflows(), st.data())
def test_what_is_folded_has_a_home_and_the_rest_stays(
    document: dict[str, Any], data: st.DataObject
) -> None:
    names = refs(document)
    folded = data.draw(st.sets(st.sampled_from(names)) if names else st.just(set()))
    drawing = lay_out(document, folded=folded)

    for ref in names:
        home = home_of(drawing, ref)
        assert home in drawing.regions
        assert home == ref or home in folded
    grid = cells(drawing)
    assert [spot for spot, arms in grid.items() if is_loose(arms, *spot, grid)] == []


@LAWS
@given(workflows())
def test_down_comes_to_an_end_and_every_move_stays_in_the_drawing(document: dict[str, Any]) -> None:
    drawing = lay_out(document)
    moves = Moves(drawing)

    for key in drawing.regions:
        assert all(moves.to(key, direction) in drawing.regions for direction in DIRECTIONS)
    key = moves.first()
    for _ in drawing.regions:
        following = moves.to(key, "down")
        assert following == key or drawing.regions[following].y > drawing.regions[key].y
        key = following
    if key:
        assert moves.to(key, "down") == key


NAMES = st.sampled_from(
    ("tasks", "type", "taskReferenceName", "decisionCases", "defaultCase", "forkTasks", "loopOver",
     "inputParameters", "subWorkflowParam", "name", "version", "expression", "joinOn", "optional",
     "status", "referenceTaskName", "seq", "iteration", "inputData", "outputData", "forkedTasks")
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**12) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=30,
)
KINDS = st.sampled_from(
    ("SWITCH", "DECISION", "FORK_JOIN", "JOIN", "DO_WHILE", "SUB_WORKFLOW", "START_WORKFLOW",
     "FORK_JOIN_DYNAMIC", "DYNAMIC", "WAIT", "TERMINATE", "EVENT")
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.builds(lambda kind, rest: {**rest, "type": kind}, KINDS,
                       st.dictionaries(NAMES, JSON, max_size=6)) | JSON, max_size=4),
    JSON, st.booleans(),
)  # fmt: skip
def test_no_document_is_too_broken_to_be_drawn(tasks: list[Any], other: Any, plain: bool) -> None:
    overlay = of_document(other) if isinstance(other, dict) else None
    for document in (workflow(*tasks), other):
        drawing = lay_out(document, overlay, ascii=plain)
        lines = list(drawing.text(overlay))

        assert lines[0].strip() == "start"
        assert lines[-1].strip() == "end"
        assert len(lines) == drawing.height
        assert not plain or all(line.isascii() for line in lines)
        assert all(line == set_cell_size(line, cell_len(line)) for line in lines)
        assert not any(CONTROL.search(line) for line in lines)


@LAWS
@given(workflows())
def test_the_same_is_read_as_is_drawn(document: dict[str, Any]) -> None:
    plan = read(document)

    assert list(plan.by_key) == refs(document)
    assert plan.faults == ()
    assert sum(step.size for step in plan.steps) == len(plan.by_key)

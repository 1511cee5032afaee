"""The drawing as it is used: keys, mouse, changes while it is looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widgets import Input

from podium.executor.v1 import executor_pb2 as pb
from tests.tui.graph.workflows import ORDER, standing, task, workflow
from tests.tui.screen import burst, screen_text, until, until_snapshot
from tui.views.graph.overlay import Overlay, of_states
from tui.widgets.flow_graph import FlowGraph
from tui.widgets.graph_pane import GraphPane
from tui.widgets.graph_viewer import GraphViewer

STANDING = standing(
    validate="COMPLETED", risk="COMPLETED", auto_ok="COMPLETED", fork="COMPLETED",
    charge="FAILED", stock="COMPLETED", label="IN_PROGRESS", join="IN_PROGRESS",
)  # fmt: skip
LONG = workflow(*(task(f"t{number}") for number in range(60)))
WIDE = workflow(
    task("f", "FORK_JOIN", forkTasks=[[task(f"branch_{number}")] for number in range(20)])
)


class Shown(App[None]):
    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__()
        self.graph = FlowGraph("Graph", ascii=ascii)
        self.told: list[tuple[Any, ...]] = []
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.graph

    def on_flow_graph_task_selected(self, message: FlowGraph.TaskSelected) -> None:
        self.told.append(("selected", message.ref))

    def on_flow_graph_task_opened(self, message: FlowGraph.TaskOpened) -> None:
        self.told.append(("opened", message.ref, message.iteration))

    def on_flow_graph_workflow_opened(self, message: FlowGraph.WorkflowOpened) -> None:
        self.told.append(("workflow", message.ref, message.name, message.version))

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)


@asynccontextmanager
async def shown(
    document: Any = ORDER,
    overlay: Overlay | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    ascii: bool = False,
) -> AsyncIterator[tuple[Shown, Pilot[None]]]:
    app = Shown(ascii=ascii)
    async with app.run_test(size=size) as pilot:
        app.graph.show(document, overlay)
        app.graph.focus()
        await pilot.pause()
        app.told.clear()
        yield app, pilot


def state(ref: str, sequence: int, status: str, **fields: Any) -> pb.TaskState:
    value = pb.TaskStatus.Value(f"TASK_STATUS_{status}")
    return pb.TaskState(
        task_id=f"{ref}/{sequence}", ref=ref, kind="HTTP", sequence=sequence, status=value, **fields
    )


def in_sight(graph: FlowGraph) -> bool:
    region, pane = graph.pane.region_of_cursor, graph.pane
    assert region is not None
    x, y = pane.scroll_offset
    across = x <= region.x and region.right <= x + max(pane.room.width, region.right)
    return across and y <= region.y and region.bottom <= y + pane.room.height


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (44, 14)])
async def test_it_fits_every_size(size: tuple[int, int]) -> None:
    async with shown(ORDER, STANDING, size=size) as (_, pilot):
        await until_snapshot(pilot, f"graph_{size[0]}x{size[1]}")


async def test_it_needs_no_more_than_ascii() -> None:
    async with shown(ORDER, STANDING, ascii=True) as (app, _):
        inside = [line[1:-1] for line in screen_text(app).splitlines()[1:-1]]

        assert all(line.rstrip("▁▂▃▄▅▆▇█ ").isascii() for line in inside)


async def test_keys_go_from_task_to_task_and_bring_them_in_sight() -> None:
    async with shown() as (app, pilot):
        for key, goal in (
            ("j", "risk"), ("down", "review"), ("h", "auto_ok"), ("l", "review"), ("j", "notify"),
            ("j", "fork"), ("G", "audit"), ("up", "store"), ("g", "validate"), ("k", "validate"),
            ("end", "audit"), ("home", "validate"),
        ):  # fmt: skip
            await pilot.press(key)
            assert app.graph.cursor == goal
            assert in_sight(app.graph)

        assert app.told[:2] == [("selected", "risk"), ("selected", "review")]


async def test_pages_go_down_and_up() -> None:
    async with shown(LONG) as (app, pilot):
        await pilot.press("pagedown", "pagedown")
        below = app.graph.cursor
        assert app.graph.pane.scroll_offset.y > 20
        await pilot.press("pageup", "pageup", "pageup")

        assert below not in ("t0", "t1", "t2")
        assert app.graph.cursor == "t0"


async def test_a_wide_drawing_begins_in_the_middle_and_scrolls_aside() -> None:
    async with shown(WIDE) as (app, pilot):
        drawing, pane = app.graph.drawing, app.graph.pane
        assert drawing is not None
        assert pane.scroll_offset.x == pytest.approx(drawing.spine - pane.room.width // 2, abs=2)
        await pilot.press("j", *"l" * 12)
        assert app.graph.cursor == "branch_19"
        assert pane.scroll_offset.x == drawing.width - pane.room.width
        assert "branch_19" in screen_text(app)


async def test_enter_opens_a_task_and_at_a_door_the_workflow() -> None:
    async with shown(ORDER, standing(validate="COMPLETED")) as (app, pilot):
        await pilot.press("enter", "G", "enter")

        assert app.told == [
            ("opened", "validate", 0),
            ("selected", "audit"),
            ("workflow", "audit", "audit_log", 2),
        ]


async def test_the_iteration_of_a_task_in_a_loop_is_told() -> None:
    loop = workflow(task("loop", "DO_WHILE", loopOver=[task("track")]))
    overlay = of_states([state("loop", 1, "IN_PROGRESS", iteration=3),
                         state("track__3", 7, "IN_PROGRESS", iteration=3)])  # fmt: skip
    async with shown(loop, overlay) as (app, pilot):
        await pilot.press("j", "enter")

        assert app.told[-1] == ("opened", "track", 3)
        assert "loop > track  SIMPLE  in progress  iteration 3" in screen_text(app)


def spot(graph: FlowGraph, ref: str) -> tuple[int, int]:
    """Where on the pane a task's name stands."""
    assert graph.drawing is not None
    region, pane = graph.drawing.regions[ref], graph.pane
    origin = max(0, (pane.room.width - graph.drawing.width) // 2)
    return region.x + 4 + origin - pane.scroll_offset.x, region.y + 1 - pane.scroll_offset.y


async def test_a_click_selects_and_two_open() -> None:
    async with shown() as (app, pilot):
        await pilot.click(GraphPane, offset=spot(app.graph, "risk"))
        assert app.told == [("selected", "risk")]
        await pilot.click(GraphPane, offset=spot(app.graph, "validate"), times=2)
        assert app.told[1:] == [("selected", "validate"), ("opened", "validate", 0)]
        await pilot.click(GraphPane, offset=(1, 1))
        assert app.graph.cursor == "validate"


async def test_dragging_moves_the_drawing_and_selects_nothing() -> None:
    async with shown(LONG) as (app, pilot):
        await pilot.mouse_down(GraphPane, offset=(40, 15))
        await pilot.hover(GraphPane, offset=(40, 9))
        await pilot.mouse_up(GraphPane, offset=(40, 9))
        await pilot.pause()

        assert app.graph.pane.scroll_offset.y == 6
        assert app.graph.cursor == "t0"
        await pilot.hover(GraphPane, offset=(40, 3))
        assert app.graph.pane.scroll_offset.y == 6


async def test_the_wheel_scrolls_down_and_with_shift_aside() -> None:
    both = workflow(*WIDE["tasks"], *LONG["tasks"])
    async with shown(both) as (app, pilot):
        pane = app.graph.pane
        x, y = pane.scroll_offset
        fields: dict[str, Any] = {
            "widget": pane, "x": 5, "y": 5, "delta_x": 0, "delta_y": 1, "button": 0,
            "meta": False, "ctrl": False, "screen_x": 5, "screen_y": 5,
        }  # fmt: skip
        pane.post_message(events.MouseScrollDown(shift=False, **fields))
        await until(pilot, lambda: pane.scroll_offset.y > y, "scrolled down")
        pane.post_message(events.MouseScrollDown(shift=True, **fields))
        await until(pilot, lambda: pane.scroll_offset.x > x, "scrolled aside")


async def test_blocks_are_folded_and_the_cursor_stays_with_them() -> None:
    async with shown(ORDER, STANDING) as (app, pilot):
        app.graph.go_to("notify")
        await pilot.press("z")
        assert app.graph.cursor == "risk"
        assert "SWITCH ×4 (4 tasks)" in screen_text(app)  # noqa: RUF001
        await pilot.press("z", "Z")
        drawing = app.graph.drawing
        assert drawing is not None
        assert list(drawing.regions) == ["validate", "risk", "fork", "join", "loop", "audit"]
        await pilot.press("Z")
        assert len(app.graph.drawing.regions) == 15 if app.graph.drawing else False
        await pilot.press("g", "z")
        assert "There is no block here." in screen_text(app)


async def test_a_search_goes_to_what_it_finds_unfolded() -> None:
    async with shown() as (app, pilot):
        await pilot.press("Z", "slash", *"http")
        assert app.graph.cursor == "validate"
        await pilot.press("enter", "n")
        assert app.graph.cursor == "notify"
        assert "2 of 4 with 'http'" in screen_text(app)
        await pilot.press("n", "n", "n", "N")
        assert app.graph.cursor == "track"
        await pilot.press("escape", "n")
        assert "Nothing is searched" in screen_text(app)


async def test_escape_leads_back_to_where_a_search_began() -> None:
    async with shown() as (app, pilot):
        await pilot.press("j", "slash", *"audit")
        assert app.graph.cursor == "audit"
        await pilot.press("escape")
        assert app.graph.cursor == "risk"
        await pilot.press("slash", *"nothing")
        assert "Nothing holds 'nothing'." in screen_text(app)
        assert app.graph.cursor == "risk"


async def test_what_changes_is_shown_and_nothing_else_is_painted() -> None:
    async with shown(ORDER, of_states([state("validate", 1, "IN_PROGRESS")])) as (app, pilot):
        pane = app.graph.pane
        pane._repaint_regions.clear()
        drawing = app.graph.drawing
        app.graph.apply([state("validate", 1, "COMPLETED")])
        lines = {y for each in pane._repaint_regions for y in range(each.y, each.bottom)}
        await pilot.pause()

        assert lines == {2, 3, 4, 5}
        assert app.graph.drawing is drawing
        assert "✔ validate" in screen_text(app)
        assert "15 tasks · ✔ 1" in screen_text(app)


async def test_the_first_attempts_bring_room_for_what_is_told() -> None:
    async with shown() as (app, pilot):
        await pilot.press("j")
        app.graph.apply([state("validate", 1, "FAILED", attempt=2)], "RUNNING")
        await pilot.pause()

        assert "HTTP   ↻2" in screen_text(app)
        assert app.graph.cursor == "risk"


async def test_following_goes_to_what_runs_until_somebody_moves() -> None:
    async with shown(ORDER, STANDING, size=(80, 14)) as (app, pilot):
        await pilot.press("f")
        assert app.graph.cursor == "label"
        assert in_sight(app.graph)
        assert "following" in screen_text(app)
        app.graph.apply([state("label", 20, "COMPLETED"), state("audit", 21, "IN_PROGRESS")])
        await pilot.pause()
        assert app.graph.cursor == "audit"
        await pilot.press("k")
        app.graph.apply([state("track", 22, "IN_PROGRESS")])
        await pilot.pause()
        assert app.graph.cursor == "store"
        assert "following" not in screen_text(app)


async def test_the_cursor_stays_at_its_place_when_the_document_is_edited() -> None:
    async with shown(LONG) as (app, pilot):
        app.graph.go_to("t30")
        await pilot.pause()
        where = spot(app.graph, "t30")[1]
        app.graph.show(workflow(*LONG["tasks"][10:], 7))
        await pilot.pause()

        assert app.graph.cursor == "t30"
        assert spot(app.graph, "t30")[1] == where
        assert "tasks[50] is no object" in screen_text(app)
        assert "1 fault" in screen_text(app)


async def test_the_cursor_goes_to_the_first_task_where_its_own_is_gone() -> None:
    async with shown(LONG) as (app, pilot):
        app.graph.go_to("t30")
        app.graph.show(workflow(task("other")))
        await pilot.pause()

        assert app.graph.cursor == "other"


async def test_a_dynamic_fork_grows_while_it_is_looked_at() -> None:
    dynamic = workflow(task("dyn", "FORK_JOIN_DYNAMIC"), task("dj", "JOIN"))
    async with shown(dynamic, of_states([state("dyn", 1, "COMPLETED")])) as (app, pilot):
        app.graph.apply([state("x", 2, "IN_PROGRESS"), state("y", 3, "IN_PROGRESS")])
        await pilot.pause()
        assert "● x" in screen_text(app)
        many = [state(f"z{number}", 10 + number, "IN_PROGRESS") for number in range(20)]
        app.graph.apply(many)
        await pilot.pause()
        assert "×22 (22 tasks)" in screen_text(app)  # noqa: RUF001
        await pilot.press("z")
        assert "● z1" in screen_text(app)


async def test_markup_and_control_characters_of_users_are_only_text() -> None:
    async with shown(workflow(task("[bold]a[/]"), task("b\x1b[2J"), name="[red]")) as (app, pilot):
        await pilot.press("j")

        assert "[bold]a[/]" in screen_text(app)
        assert "b\\x1b[2J  SIMPLE" in screen_text(app)


async def test_the_ref_is_copied() -> None:
    async with shown() as (app, pilot):
        await pilot.press("j", "y")

        assert app.copied == ["risk"]


@pytest.mark.parametrize("theme", ["textual-dark", "ansi-dark", "textual-light"])
async def test_every_theme_draws_it(theme: str) -> None:
    async with shown(ORDER, STANDING) as (app, pilot):
        before = screen_text(app)
        app.theme = theme
        await pilot.pause()

        assert screen_text(app) == before


async def test_no_document_and_no_room_harm_nothing() -> None:
    async with shown(None, size=(10, 4)) as (app, pilot):
        await pilot.press(*"jkhlgGzZfnN", "enter", "pagedown", "y")
        app.graph.apply([state("x", 1, "COMPLETED")])
        await pilot.resize_terminal(3, 3)
        await pilot.pause()

        assert app.graph.cursor == ""


def test_every_key_has_an_id_and_says_what_it_does() -> None:
    keys = [*FlowGraph.BINDINGS, *GraphViewer.BINDINGS]

    for each in keys:
        assert isinstance(each, Binding)
        assert each.id
        assert each.id.startswith("graph.")
        assert each.tooltip


async def test_a_search_typed_in_a_burst_is_no_keys_of_the_graph() -> None:
    async with shown(ORDER) as (app, pilot):
        burst(app, "/", " ", "z", "/")

        asking = app.graph.query_one(Input)
        await until(pilot, lambda: asking.value == " z/")
        assert asking.has_focus

"""The timeline as it is used: keys, mouse, changes while it is looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Static

from podium.executor.v1 import executor_pb2 as pb
from tests.tui.screen import screen_text, until_snapshot
from tests.tui.timelines import (
    NOW,
    ORDER,
    document,
    execution,
    numbered,
    order_tasks,
    polled,
    step,
    task,
)
from tui.views.timecolumns import columns_of
from tui.widgets.timeline import Timeline
from tui.widgets.timeline_lines import TimelineLines


class Shown(App[None]):
    CSS = "Timeline { border: round $primary; border-title-align: left; }"

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__()
        self.timeline = Timeline(ascii=ascii)
        self.timeline.border_title = "Timeline"
        self.told: list[Message] = []
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.timeline

    def on_timeline_task_selected(self, message: Timeline.TaskSelected) -> None:
        self.told.append(message)

    def on_timeline_task_opened(self, message: Timeline.TaskOpened) -> None:
        self.told.append(message)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)

    def opened(self) -> list[tuple[str, str, int]]:
        return [
            (each.task_id, each.ref, each.poll)
            for each in self.told
            if isinstance(each, Timeline.TaskOpened)
        ]


@asynccontextmanager
async def shown(
    size: tuple[int, int] = (80, 24),
    tasks: list[pb.TaskState] | None = None,
    doc: dict[str, Any] | None = None,
    *,
    ascii: bool = False,
) -> AsyncIterator[tuple[Shown, Pilot[None]]]:
    app = Shown(ascii=ascii)
    async with app.run_test(size=size) as pilot:
        app.timeline.focus()
        tasks = order_tasks() if tasks is None else tasks
        app.timeline.show(execution(), tasks, ORDER if doc is None else doc, NOW)
        await pilot.pause()
        yield app, pilot


def painted(timeline: TimelineLines) -> list[int]:
    """The lines that are to be drawn anew."""
    return sorted(
        line for region in timeline._repaint_regions for line in range(region.y, region.bottom)
    )


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (44, 14)])
async def test_it_fits_every_size(size: tuple[int, int]) -> None:
    async with shown(size) as (_, pilot):
        await until_snapshot(pilot, f"timeline_{size[0]}x{size[1]}")


async def test_it_needs_no_more_than_ascii() -> None:
    async with shown((80, 24), ascii=True) as (app, pilot):
        inside = "\n".join(line[1:-1] for line in screen_text(app).splitlines()[1:-1])

        assert inside.isascii()
        await until_snapshot(pilot, "timeline_ascii")


async def test_a_row_is_opened_by_key_and_by_mouse() -> None:
    async with shown() as (app, pilot):
        await pilot.press("j", "down", "enter")
        await pilot.click(Timeline, offset=(5, 2 + 6), times=2)
        await pilot.press("G", "enter")

        assert app.opened() == [
            ("auto_ok@0", "auto_ok", 0),
            ("charge@1", "charge", 0),
            ("poll__2@0", "poll__2", 2),
        ]


async def test_one_click_selects_only() -> None:
    async with shown() as (app, pilot):
        await pilot.click(Timeline, offset=(5, 2 + 3))
        await pilot.click(Timeline, offset=(5, 1))

        assert not app.opened()
        assert app.timeline.row is not None
        assert app.timeline.row.node.label == "fork"


async def test_the_last_line_tells_all_about_the_row() -> None:
    async with shown() as (app, pilot):
        await pilot.press(*"jjjjj")

        told = "first  failed  The server answered 502.  08:00:00.360Z  queued 40ms  ran 500m…"
        assert screen_text(app).splitlines()[-2][1:].startswith(told[:70])


async def test_the_cursor_stays_with_its_task_while_rows_come() -> None:
    async with shown() as (app, pilot):
        app.timeline.select("join@0")
        tasks = [task("ask__3", "runs", 3100, 3100, sequence=50, iteration=3)]
        tasks.append(task("charge", "runs", 3100, None, attempt=3, sequence=51))
        app.timeline.apply(None, tasks, NOW)
        await pilot.pause()

        assert app.timeline.row is not None
        assert app.timeline.row.node.task_id == "join@0"
        assert "#3" in [row.node.label for row in app.timeline.book.rows]


async def test_a_retry_is_the_same_row_still() -> None:
    async with shown(tasks=numbered(task("a", "failed", 0, 0, 1)), doc={}) as (app, pilot):
        app.timeline.apply(None, [task("a", "runs", 2, 2, attempt=1, sequence=2)], NOW)
        await pilot.press("enter")

        assert app.opened() == [("a@1", "a", 0)]


async def test_what_is_folded_with_the_cursor_in_it_leaves_it_at_the_row_above() -> None:
    async with shown() as (app, pilot):
        app.timeline.select("label@0")
        await pilot.press("z")

        assert app.timeline.row is not None
        assert (app.timeline.row.node.label, app.timeline.row.hidden) == ("fork", 7)
        assert "fork [+7]" in screen_text(app)
        await pilot.press("space")
        assert "label" in screen_text(app)
        app.timeline.select("poll__2@0")
        await pilot.press("Z")
        assert app.timeline.row.node.label == "track"


async def test_left_and_right_walk_the_tree() -> None:
    async with shown() as (app, pilot):
        app.timeline.select("charge@1")
        await pilot.press("h")
        assert app.timeline.row is not None
        assert app.timeline.row.node.label == "charge ↻2"
        await pilot.press("z", "l")
        assert app.timeline.row.node.label == "first"


async def test_following_goes_to_the_newest_until_the_cursor_is_moved() -> None:
    tasks = numbered(*(task(f"t{number}", "done", 0, 0, 1) for number in range(100)))
    async with shown(tasks=tasks, doc={}) as (app, pilot):
        await pilot.press("f")
        assert "t99" in screen_text(app)
        app.timeline.apply(None, [task("new", "runs", 2, 2, sequence=200)], NOW)
        await pilot.pause()
        assert "new" in screen_text(app)
        await pilot.press("k")
        assert not app.timeline.following
        app.timeline.apply(None, [task("newer", "runs", 3, 3, sequence=201)], NOW)
        await pilot.pause()
        assert app.timeline.row is not None
        assert app.timeline.row.node.task_id == "t99@0"


async def test_a_second_later_only_what_runs_is_drawn_anew() -> None:
    async with shown() as (app, pilot):
        # The axis of 6 s has room for a second more.
        app.timeline.tick(NOW + 2.8)
        await pilot.pause()
        app.timeline.tick(NOW + 3.5)
        assert not painted(app.timeline)
        app.timeline.apply(execution(), [], NOW + 3.6)
        assert not painted(app.timeline)
        app.timeline.tick(NOW + 3.81)

        rows = [line - 1 - 1 for line in painted(app.timeline)]
        words = {app.timeline.book.rows[row].node.label for row in rows if row >= 0}
        assert words == {
            "charge ↻2", "↻2", "label", "join", "track", "#2", "poll",
        }  # fmt: skip


async def test_a_change_draws_its_row_anew() -> None:
    tasks = numbered(*(task(f"t{number}", "done", 0, 0, 1) for number in range(9)))
    tasks.append(task("t9", "runs", 1, 1, sequence=10))
    async with shown(tasks=tasks, doc={}) as (app, _):
        app.timeline.apply(None, [task("t9", "done", 1, 1, 5, sequence=10)], NOW)

        assert painted(app.timeline) == [1 + 1 + 9]


async def test_an_execution_that_ended_is_as_long_as_it_took() -> None:
    async with shown(tasks=numbered(task("a", "runs", 0, 0)), doc={}) as (app, pilot):
        ended = [task("a", "done", 0, 0, 4000, sequence=1)]
        app.timeline.apply(execution(ended=4000), ended, NOW + 50)
        await pilot.pause()

        assert screen_text(app).count("█") == app.timeline._axis.cells


async def test_a_poll_comes_as_a_row() -> None:
    running = task("p", "runs", 0, 0, kind="HTTP_POLL", sequence=1)
    async with shown(tasks=[running], doc={}) as (app, pilot):
        app.timeline.apply(None, [polled(running, 7, 100, 12)], NOW)
        await pilot.pause()

        assert "poll 7" in screen_text(app)
        assert "again" in screen_text(app)


async def test_an_iteration_has_no_id_to_copy_and_a_task_has() -> None:
    async with shown() as (app, pilot):
        await pilot.press("y")
        app.timeline.select("ask__1@0")
        await pilot.press("h", "y")

        assert app.copied == ["validate@0"]


async def test_hostile_names_are_shown_as_they_are() -> None:
    name = "[red]日本\x1b[31m\n🎉"
    async with shown(tasks=numbered(task(name, "runs", 0, 0)), doc={}) as (app, _):
        assert "[red]日本\\x1b[31m 🎉" in screen_text(app)


async def test_ten_thousand_rows_scroll() -> None:
    doc = document(step("loop", "DO_WHILE", loopOver=[step("a")]))
    tasks = [task("loop", "runs", 0, 0)]
    tasks += [task(f"a__{number}", "done", 0, 0, 1, iteration=number) for number in range(1, 5000)]
    async with shown(tasks=numbered(*tasks), doc=doc) as (app, pilot):
        await pilot.press("Z", "Z", "G", "enter")

        assert len(app.timeline.book.rows) == 1 + 2 * 4999
        assert app.opened() == [("a__4999@0", "a__4999", 0)]


async def test_what_was_laid_out_for_another_width_is_laid_out_anew() -> None:
    async with shown((80, 24)) as (app, pilot):
        before = screen_text(app)
        width, app.timeline.virtual_size = app.timeline.virtual_size.width, Size(40, 24)
        app.timeline._columns = columns_of(40)
        app.timeline.fit()
        await pilot.pause()

        assert app.timeline.virtual_size.width == width
        assert screen_text(app) == before


async def test_nothing_to_show_is_said() -> None:
    async with shown(tasks=[], doc={}) as (app, pilot):
        await pilot.press("j", "G", "enter", "z", "Z", "f", "h", "l", "y", "pagedown")

        assert "no task has been reached" in screen_text(app)
        assert not app.told


async def test_other_keys_of_a_screen_are_left_alone() -> None:
    class Two(App[None]):
        def compose(self) -> ComposeResult:
            yield Static("above")
            yield Timeline()

    async with Two().run_test() as pilot:
        await pilot.resize_terminal(1, 1)
        await pilot.resize_terminal(300, 5)
        assert "above" in screen_text(pilot.app)


async def test_the_whole_row_under_the_cursor_has_its_background() -> None:
    async with shown() as (app, pilot):
        app.timeline.select("join@0")
        await pilot.pause()
        lines = app.query_one(TimelineLines)
        cursor = lines.get_component_rich_style("timeline--cursor").bgcolor

        marked = [
            y
            for y in range(lines.size.height)
            if {each.style.bgcolor for each in lines.render_line(y) if each.style} == {cursor}
        ]

        assert len(marked) == 1

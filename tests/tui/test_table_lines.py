"""The lines of a live list: what of them is painted again, and how the cursor looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Self

import pytest
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from tests.tui.screen import screen_text
from tui.live.collection import Collection
from tui.live.view import View
from tui.resources.model import Cell, Column
from tui.views.pace import CELLS_A_SECOND, FREE_CELLS, LONGEST_SECONDS, Pace
from tui.widgets.live_table import LiveTable
from tui.widgets.table_lines import TableLines

SIZE = (60, 12)


class Thing(NamedTuple):
    id: str
    status: str
    born: float = 0.0


COLUMNS: tuple[Column[Thing], ...] = (
    Column("status", "STATUS", 10, lambda row, _: Cell(row.status, "success")),
    Column("name", "NAME", 10, lambda row, _: Cell(row.id), lambda row: row.id, flex=1),
    Column("age", "AGE", 6, lambda row, now: Cell(f"{now - row.born:.0f}s"), ticks=True),
)


class Watched(LiveTable):
    """Takes note of what it is to paint again."""

    def __init__(self, view: View[Any]) -> None:
        self.asked: list[tuple[Region, ...]] = []
        super().__init__(view, COLUMNS, "name")

    def refresh(self, *regions: Region, **options: Any) -> Self:
        self.asked.append(regions)
        return super().refresh(*regions, **options)


class Shown(App[None]):
    def __init__(self, count: int, theme: str = "textual-dark") -> None:
        super().__init__()
        self.theme = theme
        self.things: Collection[Thing] = Collection()
        self.things.put(Thing(f"n{number:04}", "runs") for number in range(count))
        self.table = Watched(View(self.things))

    def compose(self) -> ComposeResult:
        yield self.table


@asynccontextmanager
async def shown(
    count: int, theme: str = "textual-dark"
) -> AsyncIterator[tuple[Shown, Pilot[None]]]:
    app = Shown(count, theme)
    async with app.run_test(size=SIZE) as pilot:
        app.table.flush(1.0)
        await pilot.pause()
        app.table.asked.clear()
        yield app, pilot


def segments(table: TableLines, line: int) -> list[Segment]:
    return list(table.render_line(line))


async def test_the_row_under_the_cursor_has_a_background_and_keeps_its_colours() -> None:
    async with shown(3) as (app, _):
        cursor, other = segments(app.table, 1), segments(app.table, 2)

    backgrounds = {segment.style.bgcolor for segment in cursor if segment.style}
    assert len(backgrounds) == 1
    assert backgrounds != {segment.style.bgcolor for segment in other if segment.style}
    assert [each.style.color for each in cursor if each.style and "runs" in each.text] == [
        each.style.color for each in other if each.style and "runs" in each.text
    ]


async def test_without_colours_the_row_under_the_cursor_is_reversed() -> None:
    async with shown(3, "ansi-dark") as (app, _):
        assert all(segment.style and segment.style.reverse for segment in segments(app.table, 1))
        assert not any(each.style and each.style.reverse for each in segments(app.table, 2))


async def test_nothing_is_painted_again_where_nothing_has_changed() -> None:
    async with shown(3) as (app, _):
        app.table.flush(1.1)

        assert app.table.asked == []


async def test_of_a_row_that_changed_so_much_is_painted_as_differs() -> None:
    async with shown(3) as (app, _):
        app.things.put([Thing("n0001", "done")])
        app.table.flush(1.1)

        # The mark, the first column, and the gap behind it.
        assert app.table.asked == [(Region(0, 2, 13, 1),)]


async def test_time_alone_paints_only_what_is_told_by_it() -> None:
    async with shown(3) as (app, _):
        app.things.put([Thing("n0001", "runs", born=1.0)])
        app.table.flush(1.5)
        app.table.asked.clear()
        app.table.flush(1.9)
        assert app.table.asked == []

        app.table.flush(2.1)

        assert {region.y for (region,) in app.table.asked} == {1, 2, 3}


async def test_rows_that_come_above_those_in_sight_paint_nothing() -> None:
    async with shown(100) as (app, pilot):
        await pilot.press("G")
        app.table.asked.clear()
        before = screen_text(app)

        app.things.put([Thing("m0001", "runs")])
        app.table.flush(1.1)
        await pilot.pause()

        assert [
            regions for regions in app.table.asked if not regions or regions[0].height > 1
        ] == []
        assert screen_text(app) == before
        bar = app.table.vertical_scrollbar
        assert (bar.window_virtual_size, bar.position) == (102, 102 - SIZE[1])


async def test_a_list_that_outgrows_the_screen_gets_a_scroll_bar() -> None:
    async with shown(3) as (app, pilot):
        assert not app.table.show_vertical_scrollbar

        app.things.put(Thing(f"x{number}", "runs") for number in range(50))
        app.table.flush(1.1)
        await pilot.pause()

        assert app.table.show_vertical_scrollbar
        await pilot.press("G")
        assert "x9" in screen_text(app)


async def test_where_all_changes_it_is_painted_less_often_and_a_choice_at_once() -> None:
    async with shown(200) as (app, pilot):
        wide = 2 * FREE_CELLS
        app.table._pace = Pace().after(1.0, wide)
        app.things.put([Thing("n0000", "done")])
        app.table.flush(1.0 + 0.5 * FREE_CELLS / CELLS_A_SECOND)
        await pilot.pause()
        assert "done" not in screen_text(app)

        app.table.view.choose(lambda thing: thing.status == "done")
        app.table.flush(1.0 + 0.6 * FREE_CELLS / CELLS_A_SECOND)
        await pilot.pause()
        assert "done" in screen_text(app)


@pytest.mark.parametrize("cells", [0, 1, FREE_CELLS])
def test_little_that_is_painted_makes_nobody_wait(cells: int) -> None:
    assert Pace().after(5.0, cells).is_due(5.0)


def test_much_that_is_painted_waits_for_as_long_as_a_slow_line_takes() -> None:
    pace = Pace().after(5.0, FREE_CELLS + CELLS_A_SECOND // 2)

    assert not pace.is_due(5.4)
    assert pace.is_due(5.5)


def test_a_clock_that_is_set_back_makes_nobody_wait_for_long() -> None:
    assert Pace().after(5_000.0, 10**9).is_due(10.0)
    assert not Pace().after(5_000.0, 10**9).is_due(5_000.0 + 0.9 * LONGEST_SECONDS)


async def test_a_scroll_bar_that_comes_brings_none_to_scroll_aside() -> None:
    async with shown(3) as (app, pilot):
        app.things.put(Thing(f"x{number}", "runs") for number in range(50))
        app.table.flush(1.1)
        await pilot.pause()

        assert app.table.show_vertical_scrollbar
        assert not app.table.show_horizontal_scrollbar


async def test_a_column_without_anything_in_sight_takes_no_room() -> None:
    things: Collection[Thing] = Collection()
    things.put([Thing("plain", "runs"), Thing("zoned", "runs", born=7.0)])
    born: Column[Thing] = Column(
        "born", "BORN", 6, lambda row, _: Cell(f"{row.born}" if row.born else ""), optional=True
    )
    view = View(things)
    view.choose(lambda row: not row.born)
    table = LiveTable(view, (*COLUMNS, born), "name")

    class Alone(App[None]):
        def compose(self) -> ComposeResult:
            yield table

    async with Alone().run_test(size=SIZE) as pilot:
        table.flush(1.0)
        await pilot.pause()
        assert "BORN" not in screen_text(pilot.app)

        view.choose(lambda row: True)
        table.flush(2.0)
        await pilot.pause()
        assert "BORN" in screen_text(pilot.app)
        assert "7.0" in screen_text(pilot.app)

        # It does not come and go with the rows.
        view.choose(lambda row: not row.born)
        table.flush(3.0)
        await pilot.pause()
        assert "BORN" in screen_text(pilot.app)

"""A live table by mouse and keys, and that it shows what there is however often that changes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tests.tui.screen import screen_text
from tui.live.collection import Collection
from tui.live.view import View
from tui.resources.model import Cell, Column
from tui.widgets.live_table import LiveTable


class Row(NamedTuple):
    id: str
    weight: int


COLUMNS: tuple[Column[Row], ...] = (
    Column("id", "ID", 8, lambda row, _: Cell(row.id), lambda row: row.id, priority=9),
    Column("weight", "WEIGHT", 8, lambda row, _: Cell(str(row.weight)), lambda row: row.weight),
)


class Lists(App[None]):
    CSS = "LiveTable { border: round red; }"

    def __init__(self, table: LiveTable) -> None:
        super().__init__()
        self.table = table
        self.opened: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        self.opened.append(message.id)


@asynccontextmanager
async def shown(
    rows: int = 5, size: tuple[int, int] = (40, 12), *, fixed: bool = False
) -> AsyncGenerator[tuple[Pilot[Any], Collection[Row], LiveTable, Lists]]:
    collection: Collection[Row] = Collection()
    collection.put([Row(f"row-{number}", number) for number in range(rows)])
    table = LiveTable(View(collection), COLUMNS, "id", fixed=fixed)
    app = Lists(table)
    async with app.run_test(size=size) as pilot:
        table.focus()
        table.flush(0.0)
        await pilot.pause()
        yield pilot, collection, table, app


async def test_of_an_id_that_does_not_fit_the_end_is_shown() -> None:
    columns = tuple(replace(each, tail=each.name == "id") for each in COLUMNS)
    collection: Collection[Row] = Collection()
    collection.put([Row("0198a3f2-0001-7aaa-8bbb-ccccdddd0001", 1234567890)])
    app = Lists(LiveTable(View(collection), columns, "id"))
    async with app.run_test(size=(40, 12)) as pilot:
        app.table.flush(0.0)
        await pilot.pause()

        assert "…ddd0001 1234567…" in screen_text(app)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("0198a3f2-0001-7aaa-8bbb-ccccdddd0001", "…7aaa-8bbb-ccccdddd0001"),
        ("podium retry 0198a3f2-0001-7aaa-8bbb-ccccdddd0001", "podium retry …dddd0001"),
        ("podium terminate 0198a3f2-0001-7aaa-8bbb-ccccdddd0001", "podium terminate …dddd…"),
        ("an order that is longer than this", "an order that is longe…"),
    ],
)
async def test_of_ids_that_do_not_fit_the_ends_are_shown_in_any_column(
    text: str, seen: str
) -> None:
    columns = (replace(COLUMNS[0], width=23),)
    collection: Collection[Row] = Collection()
    collection.put([Row(text, 1)])
    app = Lists(LiveTable(View(collection), columns, "id"))
    async with app.run_test(size=(29, 12)) as pilot:
        app.table.flush(0.0)
        await pilot.pause()

        assert seen in screen_text(app)


async def test_a_click_is_on_the_row_that_is_seen_there() -> None:
    async with shown() as (pilot, _, table, app):
        line = next(y for y, text in enumerate(screen_text(app).splitlines()) if "row-3" in text)

        await pilot.click(offset=(5, line))
        assert table.cursor_id == "row-3"

        await pilot.click(offset=(5, line), times=2)
        assert app.opened == ["row-3"]


async def test_a_click_on_a_heading_sorts_by_it_and_again_the_other_way_round() -> None:
    async with shown() as (pilot, _, table, app):
        heading = screen_text(app).splitlines()[1].index("WEIGHT")

        await pilot.click(offset=(heading, 1))
        assert (table.sorted_by, table.reversed) == ("weight", False)

        await pilot.click(offset=(heading, 1))
        assert (table.sorted_by, table.reversed) == ("weight", True)
        assert table.view.ids()[0] == "row-4"


async def test_a_fixed_order_has_no_arrow_and_no_other_order() -> None:
    async with shown(fixed=True) as (pilot, _, table, app):
        heading = screen_text(app).splitlines()[1].index("WEIGHT")
        await pilot.press("s", "S")
        await pilot.click(offset=(heading, 1))

        assert "▲" not in screen_text(app)
        assert table.view.ids() == [f"row-{number}" for number in range(5)]
    async with shown() as (pilot, _, table, app):
        assert "▲" in screen_text(app)


async def test_a_row_that_changes_twice_between_two_looks_shows_the_last() -> None:
    async with shown(1) as (pilot, collection, table, app):
        for weight in range(10, 400, 2):
            # Two by two: the second may lie where the first one's forerunner lay.
            collection.put([Row("row-0", weight)])
            collection.put([Row("row-0", weight + 1)])
            table.flush(0.0)
            await pilot.pause()

            assert f" {weight + 1} " in screen_text(app)


async def test_the_cursor_stays_with_its_row_while_rows_come_above_it() -> None:
    async with shown() as (pilot, collection, table, _):
        assert table.put_cursor_on("row-2")

        collection.put([Row(f"above-{number:02}", 0) for number in range(30)])
        table.flush(0.0)
        await pilot.pause()

        assert table.cursor_id == "row-2"
        top = table.scroll_offset.y
        index = table.view.index("row-2")
        assert index is not None
        assert top <= index < top + table.rows_shown


async def test_the_cursor_goes_to_the_next_row_when_its_own_is_gone() -> None:
    async with shown() as (pilot, collection, table, _):
        assert table.put_cursor_on("row-2")

        collection.drop(["row-2"])
        table.flush(0.0)
        await pilot.pause()

        assert table.cursor_id == "row-3"


async def test_what_is_gone_is_marked_no_more_and_what_a_filter_hides_is() -> None:
    async with shown() as (pilot, collection, table, _):
        await pilot.press("asterisk")
        assert len(table.marks) == 5

        collection.drop(["row-1"])
        table.view.choose(lambda row: row.weight > 2)
        table.flush(0.0)
        await pilot.pause()

        assert table.marks == {"row-0", "row-2", "row-3", "row-4"}
        assert table.selected_ids() == ["row-3", "row-4", "row-0", "row-2"]


async def test_a_range_is_marked_from_the_last_mark() -> None:
    async with shown() as (pilot, _, table, _app):
        await pilot.press("space", "down", "down", "V")

        assert table.marks == {"row-0", "row-1", "row-2", "row-3"}


async def test_a_list_that_is_held_shows_nothing_new_until_it_goes_on() -> None:
    async with shown() as (pilot, collection, table, app):
        await pilot.press("p")
        collection.put([Row("new", 9)])
        table.flush(0.0)
        await pilot.pause()
        assert "new" not in screen_text(app)

        await pilot.press("p")
        await pilot.pause()

        assert "new" in screen_text(app)

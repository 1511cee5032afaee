"""Charts and tiles as they are used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from tests.tui.screen import assert_snapshot, screen_text, until, until_snapshot
from tui.views.plot import Chart, Series
from tui.widgets.chart import ZOOMS, TimeChart
from tui.widgets.tile import Tile

START = datetime(2026, 11, 26, 6, 3, tzinfo=UTC)
WAVE = [abs(30 - number % 60) + 5.0 for number in range(1440)]
DAY = Chart(
    (Series("p50", WAVE, "success"), Series("p95", [2 * each for each in WAVE], "warning")),
    START,
    unit="ms",
)


class Shown(App[None]):
    CSS = "TimeChart { border: round $primary; } Tile { width: 24; }"

    def __init__(self) -> None:
        super().__init__()
        self.chart = TimeChart()
        self.chart.border_title = "Latency"
        self.tile = Tile("Running [now]")
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.tile
        yield self.chart

    def on_time_chart_moment_picked(self, message: TimeChart.MomentPicked) -> None:
        self.told.append(message)

    def on_time_chart_zoomed(self, message: TimeChart.Zoomed) -> None:
        self.told.append(message)

    def on_tile_opened(self, message: Tile.Opened) -> None:
        self.told.append(message)


@asynccontextmanager
async def shown(size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Shown, Pilot[None]]]:
    app = Shown()
    async with app.run_test(size=size) as pilot:
        app.chart.show(DAY)
        app.tile.show("1,204", note="of 20k", values=WAVE[:90], tone="success")
        app.chart.focus()
        await pilot.pause()
        yield app, pilot


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (30, 12)])
async def test_it_fits_every_size(size: tuple[int, int]) -> None:
    async with shown(size) as (_, pilot):
        await until_snapshot(pilot, f"chart_{size[0]}x{size[1]}")


async def test_zooming_stays_within_its_levels() -> None:
    async with shown() as (app, pilot):
        assert "last 1 h" in screen_text(app)
        await pilot.press("plus", "plus", "plus")
        assert app.chart.zoom == ZOOMS[0]
        assert "last 5 min" in screen_text(app)
        await pilot.press(*["minus"] * 9)
        assert app.chart.zoom == timedelta(hours=24)
        assert len([each for each in app.told if isinstance(each, TimeChart.Zoomed)]) == 4


async def test_the_crosshair_is_moved_and_opened() -> None:
    async with shown() as (app, pilot):
        await pilot.press("enter")
        assert not app.told
        await pilot.press("left", "h", "h", "right", "enter")
        await until(pilot, lambda: bool(app.told))

        assert isinstance(app.told[0], TimeChart.MomentPicked)
        assert app.told[0].at == START + timedelta(minutes=1440 - 2)
        assert f"{app.told[0].at:%H:%M}  ● p50" in screen_text(app)


async def test_the_crosshair_stays_at_its_moment_while_time_goes_on() -> None:
    async with shown() as (app, pilot):
        await pilot.press("left", "left")
        before = app.chart.moment
        longer = tuple(Series(each.name, [*each.values, 1.0], each.tone) for each in DAY.series)
        app.chart.show(Chart(longer, START))

        assert app.chart.moment == before
        await pilot.press("escape")
        assert app.chart.moment is None


async def test_the_mouse_shows_the_values_where_it_is() -> None:
    async with shown() as (app, pilot):
        await pilot.hover(TimeChart, offset=(40, 8))
        await pilot.pause()
        assert app.chart.moment is not None
        await pilot.click(TimeChart, offset=(2, 8))
        await pilot.click(TimeChart, offset=(60, 8), times=2)
        await until(pilot, lambda: bool(app.told))


async def test_a_scale_becomes_logarithmic() -> None:
    async with shown() as (app, pilot):
        assert "10 ms┤" not in screen_text(app)
        await pilot.press("L")
        assert "10 ms┤" in screen_text(app)
        await pilot.press("L")
        assert "10 ms┤" not in screen_text(app)


async def test_without_colours_each_series_has_its_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown() as (app, _):
        assert "* p50" in screen_text(app)
        assert "+ p95" in screen_text(app)


async def test_a_chart_of_nothing_is_empty() -> None:
    async with shown() as (app, pilot):
        app.chart.show(Chart((), START))
        await pilot.press("left", "g", "G", "enter", "L", "plus")
        await pilot.hover(TimeChart, offset=(40, 8))

        assert app.chart.moment is None


async def test_a_tile_is_opened_by_key_and_by_click() -> None:
    async with shown() as (app, pilot):
        app.tile.focus()
        await pilot.press("enter")
        await pilot.click(Tile)
        await until(pilot, lambda: len(app.told) == 2)

        assert all(isinstance(each, Tile.Opened) for each in app.told)
        assert "Running [now]" in screen_text(app)
        assert "1,204  of 20k" in screen_text(app)


async def test_a_tile_with_room_has_a_tall_figure() -> None:
    async with shown() as (app, pilot):
        app.tile.styles.height = 8
        await pilot.pause()
        assert_snapshot("\n".join(screen_text(app).splitlines()[:8]), "tile_tall")

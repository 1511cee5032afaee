"""The pulse and the metrics as they look, from fixed values, at three sizes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from math import sin
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tests.tui.screen import screen_text, until, until_snapshot
from tests.tui.test_pulse import NOW, failing, failure, span, state
from tui.live.collection import Collection
from tui.live.traffic import Group
from tui.live.view import View
from tui.resources.execution_row import Execution
from tui.resources.metrics import COLUMNS
from tui.resources.pulse import FAILING_COLUMNS, FAILURE_COLUMNS
from tui.views.pulse import TITLES as TILES, Failing, Known, Traffic, figures
from tui.views.traffic import TITLES, Minute, Scope, charts
from tui.widgets.chart_grid import ChartGrid
from tui.widgets.list_and_charts import ListAndCharts
from tui.widgets.live_table import LiveTable
from tui.widgets.pulse_board import PulseBoard
from tui.widgets.tile import Tile

SIZES = [(80, 24), (120, 40), (200, 60)]


def minutes() -> dict[str, Minute]:
    """An hour with a wave in it."""
    made = {}
    for back in range(60):
        at, wave = int(NOW) - 60 * back, 1 + sin(back / 9)
        errors = (("429", int(40 * wave)), ("502", 12)) if back % 7 else ()
        told = Minute(
            str(at), int(600 * wave), errors, 4 * wave, 20 + 9 * wave, 40 + 20 * wave,
            0.99 - 0.05 * wave, int(100 * wave), int(40 * wave),
        )  # fmt: skip
        made[told.id] = told
    return made


def group(scope: Scope, requests: int, **fields: Any) -> Group:
    told = Group(scope.text, scope, requests, requests / 3600, 0.982, 4.2, 31.0, 88.5, 12,
                 (("502", 12),), 40, 3)  # fmt: skip
    return told._replace(**fields)


def execution(number: int) -> Execution:
    at = NOW - 300 * number
    return Execution(
        f"e-{number}", "ship-order", 1, "FAILED" if number % 2 else "TIMED_OUT", at, at + 2,
        at + 2, "no carrier answers [503]", "", "key:partners/first", (), (),
    )  # fmt: skip


def table(rows: Sequence[Any], columns: Any, sort: str) -> LiveTable:
    collection: Collection[Any] = Collection()
    collection.put(rows)
    return LiveTable(View(collection), columns, sort, True)


def orders() -> list[Failing]:
    return failing(*(failure(str(number), "ship-order", 60 * number) for number in range(4)))


def known() -> Known:
    return Known(
        NOW,
        [state(100 + number % 9, 3, 41) for number in range(60)],
        {
            str(at): span(at, started=number % 11, ended={"COMPLETED": 4, "FAILED": number % 3},
                          commits=9, p95=1.5, p99=2.5)
            for number, at in enumerate(range(int(NOW) - 595, int(NOW) + 1, 5))
        },
        NOW,
        Traffic(18.4, 0.951, 48.0, 7, (("502", 5), ("429", 2))),
        minutes(),
        NOW,
        orders(),
        ("e-0", "onboarding", NOW - 4_000),
        {"registry": True, "executor": True, "edge": True},
    )  # fmt: skip


class Board(App[None]):
    CSS = "LiveTable { border: round $panel; }"

    def __init__(self, ascii: bool = False) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.tables = (
            table(orders(), FAILING_COLUMNS, "all"),
            table([execution(number) for number in range(6)], FAILURE_COLUMNS, "ended"),
        )
        self.board = PulseBoard(TILES, self.tables, ascii=ascii)

    def compose(self) -> ComposeResult:
        yield self.board

    def on_mount(self) -> None:
        self.board.show(figures(known()))
        for each in self.tables:
            each.flush(NOW)
        self.board.focus_first()

    def on_tile_opened(self, message: Tile.Opened) -> None:
        self.opened.append(self.board.opens(message.tile))


async def laid_out(pilot: Pilot[None], *texts: str) -> None:
    """Until all of ``texts`` are shown, and the screen stays as it is."""
    before: list[str] = []

    def still() -> bool:
        before.append(screen_text(pilot.app))
        shown = all(text in before[-1] for text in texts)
        return shown and len(before) > 4 and len(set(before[-4:])) == 1

    await until(pilot, still)


@pytest.mark.parametrize("size", SIZES)
async def test_the_pulse_looks_so(size: tuple[int, int]) -> None:
    app = Board()
    async with app.run_test(size=size) as pilot:
        await laid_out(pilot, "Services", "╭─ Paused")

        await until_snapshot(pilot, f"pulse_{size[0]}x{size[1]}")


async def test_the_pulse_is_of_ascii_signs_where_it_must_be() -> None:
    app = Board(ascii=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await laid_out(pilot, "Services", "╭─ Paused")

        assert not set(screen_text(app)).intersection("▁▂▃▄▅▆▇█")


async def test_tiles_are_gone_through_by_arrows_and_opened_by_enter_and_by_a_click() -> None:
    app = Board()
    async with app.run_test(size=(80, 40)) as pilot:
        await until(pilot, lambda: isinstance(app.focused, Tile))

        await pilot.press("l", "enter", "down", "left", "enter")
        await pilot.click(app.board.query(Tile)[6])

        assert app.opened == [
            "executions status:failed newer:1h",
            "executions status:paused",
            "metrics zoom:5m",
        ]


async def test_no_key_is_lost_however_fast_they_come() -> None:
    app = Board()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.focused, Tile))

        for _ in range(3):
            app.board.action_go(0, 1)

        assert app.focused is app.board.query(Tile)[6]


async def test_below_the_last_tile_are_the_lists() -> None:
    app = Board()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.focused, Tile))

        await pilot.press(*["down"] * 7)

        await until(pilot, lambda: app.focused is app.tables[0])
        await until(pilot, lambda: "WORKFLOW" in screen_text(app))


class Metrics(App[None]):
    CSS = "LiveTable { border: round $panel; }"

    def __init__(self) -> None:
        super().__init__()
        rows = [
            group(Scope(), 1_250_400, success=0.951),
            group(Scope("orders", "POST", "/orders/{id}/checkout"), 812_000, hits=0),
            group(Scope("orders", "GET", "/orders/{id}"), 438_000, success=None, errors=0),
            group(Scope("", "", ""), 400, p50=None, p95=None, p99=None),
        ]
        grid = ChartGrid(TITLES, zoom=timedelta(hours=1))
        self.both = ListAndCharts(table(rows, COLUMNS, "requests"), grid)

    def compose(self) -> ComposeResult:
        yield self.both

    def on_mount(self) -> None:
        shown = charts(minutes(), NOW + 59, timedelta(hours=1), UTC)
        self.both.charts.show(shown, "all requests")
        self.both.table.flush(NOW)


@pytest.mark.parametrize("size", SIZES)
async def test_metrics_look_so(size: tuple[int, int]) -> None:
    app = Metrics()
    async with app.run_test(size=size) as pilot:
        await laid_out(pilot, "Requests · all requests", "1.25M")

        await until_snapshot(pilot, f"metrics_{size[0]}x{size[1]}")


async def test_a_chart_goes_and_comes_with_the_room_there_is() -> None:
    app = Metrics()
    async with app.run_test(size=(200, 60)) as pilot:
        await until(pilot, lambda: "Limited · all requests" in screen_text(app))

        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "Limited · all requests" not in screen_text(app))
        await pilot.resize_terminal(200, 60)

        await until(pilot, lambda: "Limited · all requests" in screen_text(app))

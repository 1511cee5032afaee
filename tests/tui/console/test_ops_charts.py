"""The gateway's and the engine's figures as charts, with real calls behind them."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

from podium.common.v1 import page_pb2
from podium.executor.v1 import executor_pb2
from tests.tui.console.conftest import console_on
from tests.tui.console.traffic import call, serve
from tests.tui.screen import POLL_SECONDS, screen_text, typed, until, until_shown
from tests.tui.services import PATIENCE_SECONDS, Services, start
from tui.clients import connected
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.traffic import END, MINUTES
from tui.screens.operations.traffic import TrafficCharts
from tui.settings import Settings
from tui.views.traffic import Minute, Scope
from tui.widgets.chart import TimeChart
from tui.widgets.chart_grid import ChartGrid
from tui.widgets.live_table import LiveTable
from tui.widgets.tile import Tile


def table(pilot: Any) -> LiveTable:
    tables: list[LiveTable] = list(pilot.app.screen.query(LiveTable))
    return next(each for each in tables if each.is_on_screen)


def row_of(pilot: Any, name: str) -> Any:
    return next((row for row in table(pilot).view.shown() if str(row.scope) == name), None)


def told_of(pilot: Any, name: str) -> tuple[Any, ...]:
    row = row_of(pilot, name)
    return (row.requests, row.errors, row.success) if row is not None else ()


async def test_routes_are_told_apart_and_change_as_they_are_called(services: Services) -> None:
    await serve(services, "routed")
    await call(services, "POST /routed/quick")
    async with console_on(services, "metrics", size=(120, 40)) as pilot:
        await until(pilot, lambda: row_of(pilot, "POST /routed/quick") is not None)

        await call(services, "POST /routed/quick", *["POST /routed/fails"] * 2)

        # How executions ended is told a moment after how calls were answered.
        await until(pilot, lambda: told_of(pilot, "POST /routed/fails") == (2, 2, 0.0))
        await until(pilot, lambda: told_of(pilot, "POST /routed/quick") == (2, 0, 1.0))


async def test_enter_shows_the_charts_of_a_route(services: Services) -> None:
    await serve(services, "charted")
    await call(services, "POST /charted/fails")
    async with console_on(services, "metrics", size=(120, 40)) as pilot:
        await until(pilot, lambda: row_of(pilot, "POST /charted/fails") is not None)
        table(pilot).put_cursor_on(row_of(pilot, "POST /charted/fails").id)

        await pilot.press("enter")

        # Its only answers are errors of one kind.
        await until_shown(pilot, "Requests · POST /charted/fails", "● 502")
        assert "429" not in screen_text(pilot.app)


async def test_grouping_goes_from_routes_to_services_to_keys(services: Services) -> None:
    await serve(services, "grouped")
    await call(services, "POST /grouped/quick")
    async with console_on(services, "metrics", size=(120, 40)) as pilot:
        await until(pilot, lambda: row_of(pilot, "POST /grouped/quick") is not None)

        await pilot.press("b")
        await until_shown(pilot, "By service")
        await until(pilot, lambda: row_of(pilot, "grouped") is not None)
        await pilot.press("b")
        await until_shown(pilot, "By key")

        await until(pilot, lambda: row_of(pilot, "public:grouped") is not None)


async def test_all_charts_show_as_much_of_the_time(services: Services) -> None:
    async with console_on(services, "metrics", size=(160, 40)) as pilot:
        await until_shown(pilot, "last 1 h")

        await pilot.press("minus")
        await until(pilot, lambda: screen_text(pilot.app).count("last 6 h") == 6)
        await until_shown(pilot, "By route, last 6h")
        await pilot.press("c", "plus", "plus")

        await until(pilot, lambda: screen_text(pilot.app).count("last 5 min") == 6)
        assert "zoom:5m" in str(pilot.app.frame.place.address)  # type: ignore[attr-defined]


async def test_a_narrow_screen_shows_one_chart_and_c_the_next(services: Services) -> None:
    async with console_on(services, "metrics", size=(80, 24)) as pilot:
        await until_shown(pilot, "Requests · all requests")
        assert "Latency ·" not in screen_text(pilot.app)

        await pilot.press("c", "c", "c")

        await until_shown(pilot, "Latency · all requests")
        assert "Requests ·" not in screen_text(pilot.app)


async def test_the_table_alone_has_every_column(services: Services) -> None:
    async with console_on(services, "metrics", size=(120, 40)) as pilot:
        await until_shown(pilot, "Requests ·")

        await pilot.press("t")

        await until_shown(pilot, "SUCCESS", "P99", "LIMITED", "HITS")
        assert "Requests ·" not in screen_text(pilot.app)


async def test_an_address_opens_what_it_says(services: Services) -> None:
    await serve(services, "addressed")
    await call(services, "GET /addressed/kept/7")
    place = "metrics by:key zoom:24h service:addressed"
    async with console_on(services, place, size=(120, 40)) as pilot:
        await until_shown(pilot, "By key, last 24h", "Requests · addressed")
        charts = pilot.app.screen.query_one(TrafficCharts)

        assert charts.zoom == timedelta(hours=24)
        assert charts.scope == Scope("addressed")


async def test_a_service_and_a_route_have_their_traffic(services: Services) -> None:
    await serve(services, "tabbed")
    await call(services, "POST /tabbed/fails", "POST /tabbed/quick")
    place = "routes/tabbed%20POST%20%2Ftabbed%2Ffails/traffic"
    async with console_on(services, place, size=(120, 40)) as pilot:
        await until_shown(pilot, "Requests · POST /tabbed/fails", "● 502")

        await typed(pilot, "colon", *"services/tabbed/traffic", "enter")

        await until_shown(pilot, "Requests · tabbed", "● 502", "executions 50 %")


async def test_the_figures_go_on_when_the_edge_is_back(own_services: Services) -> None:
    await serve(own_services, "back")
    async with console_on(own_services, "metrics", size=(120, 40)) as pilot:
        await until_shown(pilot, "LIVE")
        await own_services.stop("edge")
        await until_shown(pilot, "RECONNECTING")
        await own_services.start("edge")
        await pilot.press("ctrl+r")
        await until_shown(pilot, "LIVE")

        await call(own_services, "POST /back/quick")

        await until(pilot, lambda: row_of(pilot, "POST /back/quick") is not None)


def running() -> set[str]:
    """The names of all tasks."""
    return {each.get_name() for each in asyncio.all_tasks()}


async def test_what_is_out_of_sight_is_not_read(services: Services) -> None:
    async with console_on(services, "metrics", size=(120, 40)) as pilot:
        await until_shown(pilot, "LIVE")
        assert "follow traffic by minute" in running()

        await typed(pilot, "colon", *"suite", "enter")

        await until_shown(pilot, "● serving")
        assert "follow traffic by minute" not in running()


async def count(services: Services, query: str) -> int:
    """How many executions a query finds, of few."""
    async with connected(services.suite) as clients:
        request = executor_pb2.ListExecutionsRequest(
            query=query, page=page_pb2.PageRequest(page_size=500)
        )
        return len((await clients.executor.ListExecutions(request)).executions)


def drawn(pilot: Any) -> set[str]:
    """The names of all that the charts have a line or a bar for."""
    charts = [chart._whole for chart in pilot.app.screen.query(TimeChart)]
    return {series.name for chart in charts if chart is not None for series in chart.series}


def gauge(pilot: Any, name: str) -> int | None:
    """What the table says of the engine under that name; None: nothing yet."""
    found = next((row for row in table(pilot).view.shown() if row.name == name), None)
    return int(found.value) if found is not None else None


async def test_the_engine_shows_what_starts_and_what_runs(services: Services) -> None:
    await serve(services, "driven")
    async with console_on(services, "engine", size=(140, 45)) as pilot:
        await until_shown(pilot, "Commit time", "timers armed", "executor.db")

        await start(services, "driven-holds")
        await start(services, "driven-fails")
        # Legends have no room for all that other tests have running, nor is each kind told apart.
        await until(pilot, lambda: "failed" in drawn(pilot))
        await until(pilot, lambda: bool({"TERMINATE", "other"} & drawn(pilot)))

        # Other tests' executions may end meanwhile: both are looked at again.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (running := await count(services, "status:running")) != gauge(pilot, "running"):
                await pilot.pause(POLL_SECONDS)
        assert running


async def test_the_engine_has_a_day_behind_a_key(services: Services) -> None:
    async with console_on(services, "engine", size=(140, 45)) as pilot:
        await until_shown(pilot, "last 10 minutes", "LIVE", "running")

        await pilot.press("d")

        await until_shown(pilot, "last day")
        grid = pilot.app.screen.query_one(ChartGrid)
        assert grid.zoom == timedelta(hours=24)
        await pilot.press("d")
        await until_shown(pilot, "last 10 minutes")


async def test_the_pulse_tells_what_fails_and_leads_there(services: Services) -> None:
    await serve(services, "pulsed")
    async with console_on(services, "pulse", size=(120, 40)) as pilot:
        await until_shown(pilot, "3/3  serving", "Last failures")

        await start(services, "pulsed-fails")
        await until_shown(pilot, "pulsed-fails", "out of stock")
        await pilot.press("right", "enter")

        await until_shown(pilot, "status:failed newer:1h", "✘ failed", "pulsed-fails")


async def focused(pilot: Any, widget: LiveTable) -> None:
    """Give it the focus once its place has taken it for the first time."""
    await until(pilot, lambda: isinstance(pilot.app.focused, (Tile, LiveTable)))
    widget.focus()
    await until(pilot, lambda: widget.has_focus)


async def test_the_last_failure_opens_from_the_pulse(services: Services) -> None:
    await serve(services, "ticker")
    id_ = await start(services, "ticker-fails")
    async with console_on(services, "pulse", size=(120, 40)) as pilot:
        failures = pilot.app.screen.query_one("#failures", LiveTable)
        await until(pilot, lambda: failures.put_cursor_on(id_))

        await focused(pilot, failures)
        await pilot.press("enter")

        await until_shown(pilot, "Timeline", "✘ failed")
        await pilot.press("escape")
        workflows = pilot.app.screen.query_one("#failing", LiveTable)
        await until(pilot, lambda: workflows.put_cursor_on("ticker-fails"))
        await focused(pilot, workflows)
        await pilot.press("enter")
        await until_shown(pilot, "wf:ticker-fails status:failed,timed_out newer:1h")


async def test_the_pulse_can_be_where_the_console_begins(services: Services) -> None:
    async with console_on(services, "", settings=Settings(start="pulse")) as pilot:
        await until_shown(pilot, "Commit p95", "Open waits")


async def test_the_pulse_goes_on_without_the_edge(own_services: Services) -> None:
    await serve(own_services, "edgeless")
    async with console_on(own_services, "pulse", size=(120, 40)) as pilot:
        await until_shown(pilot, "3/3  serving")

        await own_services.stop("edge")
        await until_shown(pilot, "2/3  edge away")
        await start(own_services, "edgeless-fails")

        await until_shown(pilot, "edgeless-fails", "out of stock")


async def test_traffic_is_read_anew_where_the_gateways_clock_was_put_back(
    services: Services,
) -> None:
    await serve(services, "clocked")
    assert await call(services, "POST /clocked/quick") == [200]
    minutes, read = Collection[Minute](), asyncio.Event()
    minutes.listen(lambda _: read.set())
    # As it was read an hour later than it is now.
    minutes.facts[END] = time.time() + 3600
    async with connected(services.suite) as clients, asyncio.timeout(20):
        watching = MINUTES.watch(clients, Scope().text, minutes, Line("edge"))
        following = asyncio.ensure_future(watching)
        reading = asyncio.ensure_future(read.wait())
        await asyncio.wait([following, reading], return_when=asyncio.FIRST_COMPLETED)
        following.cancel()
        reading.cancel()

    assert minutes.records
    assert minutes.facts[END] < time.time() + 60

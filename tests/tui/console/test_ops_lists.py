"""Limits, the cache and the suite, as they stand while real calls are made."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.widgets import Button, Input

from services.home import HomeUnusable
from tests.tui.console.conftest import console_on
from tests.tui.console.traffic import call, serve
from tests.tui.screen import screen_text, typed, until, until_shown
from tests.tui.services import Services
from tui.app import Console
from tui.clients import Connection, connection
from tui.live.session import Session
from tui.resources.cache import SOURCE as CACHE
from tui.resources.limits import SOURCE as LIMITS
from tui.screens.confirm import ConfirmScreen
from tui.screens.detail_pane import DetailPane, TabPane
from tui.screens.preview import Preview
from tui.suite import Suite
from tui.widgets.live_table import LiveTable


def table(pilot: Any) -> LiveTable:
    tables: list[LiveTable] = list(pilot.app.screen.query(LiveTable))
    return next(each for each in tables if each.is_on_screen)


async def test_a_limit_shows_what_is_used_of_it_and_whom_it_refused(services: Services) -> None:
    await serve(services, "limited")
    async with console_on(services, "limits service:limited", size=(160, 30)) as pilot:
        await until_shown(pilot, "POST /limited/quick", "3 in 600 s", "□□□□□□□□ 0/3")

        statuses = await call(services, *["POST /limited/quick"] * 4)

        assert statuses == [200, 200, 200, 429]
        await until_shown(pilot, "■■■■■■■■ 3/3", "read 0 s ago")
        row = next(row for row in table(pilot).view.shown() if row.used == 3)
        assert row.refused == 1
        assert row.room_at is not None


async def test_a_reset_limit_begins_anew(services: Services) -> None:
    await serve(services, "reset")
    await call(services, *["POST /reset/quick"] * 3)
    async with console_on(services, "limits service:reset limit:burst", size=(160, 30)) as pilot:
        await until_shown(pilot, "■■■■■■■■ 3/3")
        await until(pilot, lambda: table(pilot).cursor_id != "")

        await confirmed(pilot, "r", "Reset burst (3 in 600 s) of POST", "counted by")

        await until_shown(pilot, "□□□□□□□□ 0/3")
        assert await call(services, "POST /reset/quick") == [200]


async def confirmed(pilot: Any, key: str, *shown: str) -> None:
    """Press the key of a dangerous action, and say yes to what is shown."""
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
    await until_shown(pilot, *shown)
    await until(pilot, lambda: isinstance(pilot.app.screen.focused, Button | Input))
    await pilot.press("ctrl+s")


async def test_who_holds_a_slot_is_listed_and_opens(services: Services) -> None:
    await serve(services, "slots")
    assert await call(services, "POST /slots/held") == [202]
    async with console_on(services, "limits service:slots limit:concurrent") as pilot:
        await until_shown(pilot, "■■■■□□□□ 1/2")
        await until(pilot, lambda: table(pilot).cursor_id != "")

        await pilot.press("enter")
        await until_shown(pilot, "Held by", "slots-holds")
        await until(pilot, lambda: len(table(pilot).view) == 1)
        await until(pilot, lambda: table(pilot).cursor_id != "")
        await pilot.press("enter")

        await until_shown(pilot, "Timeline", "hold")


async def test_the_cache_shows_hits_and_its_answers(services: Services) -> None:
    await serve(services, "caching")
    await call(services, *["GET /caching/kept/7"] * 3, "GET /caching/kept/8")
    async with console_on(services, "cache service:caching", size=(160, 30)) as pilot:
        await until_shown(pilot, "GET /caching/kept/{", "50 %")
        await until(pilot, lambda: table(pilot).cursor_id != "")

        await pilot.press("enter")
        await until_shown(pilot, "Kept answers", "read ")
        await until(pilot, lambda: {row.key for row in table(pilot).view.shown()} == {"7", "8"})
        await until(pilot, lambda: table(pilot).cursor_id != "")
        await pilot.press("enter")

        await until_shown(pilot, "Kept answer", '"of": "quick"', '"status": 200')


async def test_an_answer_that_is_purged_is_kept_no_more(services: Services) -> None:
    await serve(services, "purged")
    await call(services, "GET /purged/kept/7", "GET /purged/kept/8")
    place = "cache/purged%20GET%20%2Fpurged%2Fkept%2F{id}/entries"
    async with console_on(services, place, size=(160, 30)) as pilot:
        await until(pilot, lambda: len(table(pilot).view) == 2)
        wanted = next(row for row in table(pilot).view.shown() if row.key == "8")
        table(pilot).put_cursor_on(wanted.id)

        await confirmed(pilot, "x")

        await until(pilot, lambda: [row.key for row in table(pilot).view.shown()] == ["7"])


async def test_a_list_that_is_read_is_read_only_while_it_is_shown(services: Services) -> None:
    async with console_on(services, "limits") as pilot:
        await until_shown(pilot, "LIVE")
        session = pilot.app.session  # type: ignore[attr-defined]
        feed = session.open(LIMITS)
        session.close(feed)

        await typed(pilot, "colon", *"cache", "enter")
        await until_shown(pilot, "Cache", "read ")

        assert feed.task is None
        assert {each.get_name() for each in asyncio.all_tasks()} >= {f"follow {CACHE.name}"}
        await pilot.press("escape")
        await until(pilot, lambda: feed.task is not None)


async def test_what_is_beside_a_list_rests_with_it(services: Services) -> None:
    await serve(services, "resting")
    await call(services, "POST /resting/held")
    place = "limits service:resting limit:concurrent"
    async with console_on(services, place, size=(160, 30)) as pilot:
        await until(pilot, lambda: "follow holders of slots" in running())

        await typed(pilot, "colon", *"suite", "enter")
        await until(pilot, lambda: "follow holders of slots" not in running())
        await pilot.press("escape")

        await until(pilot, lambda: "follow holders of slots" in running())


async def test_what_comes_beside_a_list_that_was_left_meanwhile_rests_too(
    services: Services,
) -> None:
    await serve(services, "leaving")
    await call(services, "POST /leaving/held")
    place = "limits service:leaving limit:concurrent"
    async with console_on(services, place, size=(160, 30)) as pilot:
        await until(pilot, lambda: "follow holders of slots" in running())
        console: Any = pilot.app
        preview = console.screen.query_one(Preview)
        shown = preview.query_one(DetailPane)

        preview.about("")
        preview.flush(0.0)
        preview.flush(1.0)
        preview.about(shown.record_id)
        preview.flush(2.0)
        preview.flush(3.0)
        console.frame.place.left()

        def comes() -> bool:
            panes = preview.query(TabPane)
            return any(each.detail is not shown and each.is_mounted for each in panes)

        await until(pilot, comes)
        await until(pilot, lambda: "follow limits" not in running())


def running() -> set[str]:
    """The names of all tasks."""
    return {each.get_name() for each in asyncio.all_tasks()}


async def test_the_suite_says_which_service_is_away_and_when_it_is_back(
    own_services: Services,
) -> None:
    async with console_on(own_services, "status", size=(120, 30)) as pilot:
        await until_shown(pilot, "● serving", "● current")
        assert screen_text(pilot.app).count("● serving") == 3

        await own_services.stop("edge")
        await until_shown(pilot, "✘ away")
        await own_services.start("edge")

        await until(pilot, lambda: screen_text(pilot.app).count("● serving") == 3)


async def test_all_three_are_away_where_no_suite_is_any_more(services: Services) -> None:
    stopped = False

    def find() -> Suite:
        if stopped:
            raise HomeUnusable("No suite runs in the home.")
        return services.suite

    console = Console(Session(Connection(find)), "suite")
    async with console.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: screen_text(pilot.app).count("● serving") == 3)
        await typed(pilot, "colon", *"executions", "enter")
        await until_shown(pilot, "WORKFLOW")
        stopped = True
        await typed(pilot, "colon", *"suite", "enter")

        await until(pilot, lambda: screen_text(pilot.app).count("✘ away") == 3)
        assert "● serving" not in screen_text(pilot.app)
        assert "No suite runs" in screen_text(pilot.app)
        # The pulse does not say that they serve, either.
        await typed(pilot, "colon", *"pulse", "enter")
        await until_shown(pilot, "0/3")


async def test_the_suite_is_shown_though_the_registry_gives_no_token(
    own_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is asked for in vain before each reading.
    monkeypatch.setattr(connection, "TOKEN_SECONDS", 0.05)
    await own_services.stop("registry")
    async with console_on(own_services, "suite", size=(120, 30)) as pilot:
        await until_shown(pilot, "✘ away", "no token")
        assert screen_text(pilot.app).count("● serving") == 2

        await own_services.start("registry")

        await until(pilot, lambda: screen_text(pilot.app).count("● serving") == 3)

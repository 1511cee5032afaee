"""Several suites under one console."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, typed, until, until_shown
from tests.tui.services import Services, put, start
from tui.live.results import ItemResult
from tui.settings import Context, Settings
from tui.suite import HomeUnusable, Suite
from tui.widgets.live_table import LiveTable

WAITS = {
    "taskReferenceName": "hold", "name": "hold", "type": "WAIT",
    "inputParameters": {"duration": "600 seconds"},
}  # fmt: skip
SAME = Context("same", registry="r", color="#D55E00")
GONE = Context("gone", home="/nowhere")


def _options(services: Services) -> dict[str, Any]:
    def suite_of(context: Context) -> Suite:
        if context.name == "gone":
            raise HomeUnusable("No suite runs there.")
        return services.suite

    contexts = {"same": replace(SAME, read_only=True), "gone": GONE}
    return {"settings": Settings(contexts=contexts), "suite_of": suite_of}


async def test_contexts_are_listed_with_their_state(services: Services) -> None:
    async with console_on(services, "contexts", **_options(services)) as pilot:
        await until_shown(pilot, "● up", "✘ No suite runs there.", "here", "read-only")


async def test_enter_goes_to_another_and_the_place_stays(services: Services) -> None:
    async with console_on(services, "executions status:failed", **_options(services)) as pilot:
        await until_shown(pilot, "LIVE")
        await typed(pilot, "colon", *"ctx", "enter")
        await until_shown(pilot, "● up")
        table = pilot.app.screen.query(LiveTable).last()
        await until(pilot, lambda: table.put_cursor_on("same"))

        await pilot.press("enter")

        await until_shown(pilot, " same ", "RO", "/ status:failed", "LIVE")


async def test_a_record_is_shown_again_where_it_is_known(services: Services) -> None:
    await put(services, {"name": "in-both", "version": 1, "tasks": [WAITS]})
    id_ = await start(services, "in-both")
    async with console_on(services, f"executions/{id_}", **_options(services)) as pilot:
        await until_shown(pilot, "in-both")
        await typed(pilot, "colon", *"@same", "enter")

        await until_shown(pilot, " same ")
        await until(pilot, lambda: "Timeline" in screen_text(pilot.app).splitlines()[2])


async def test_one_that_is_away_says_so_and_one_comes_back(services: Services) -> None:
    async with console_on(services, "executions", **_options(services)) as pilot:
        await until_shown(pilot, "LIVE")
        await typed(pilot, "colon", *"ctx gone", "enter")
        await until_shown(pilot, " gone ", "No suite runs there.")
        await typed(pilot, "colon", *"@podium", "enter")

        await until_shown(pilot, " podium ", "LIVE")


async def test_what_was_done_is_kept_over_contexts(services: Services, tmp_path: Path) -> None:
    async with console_on(services, "executions", **_options(services)) as pilot:
        console: Any = pilot.app
        console.session.log.sent("Retry", "podium retry 1")
        await typed(pilot, "colon", *"actions @same", "enter")

        await until_shown(pilot, " same ", "podium retry 1")


async def test_two_that_are_asked_for_at_once_leave_name_and_suite_of_the_last(
    services: Services,
) -> None:
    found: list[str] = []

    def suite_of(context: Context) -> Suite:
        found.append(context.name)
        return services.suite

    contexts = {name: Context(name) for name in ("one", "two")}
    settings = Settings(contexts=contexts)
    async with console_on(services, settings=settings, suite_of=suite_of) as pilot:
        await until_shown(pilot, "LIVE")
        console: Any = pilot.app
        console.command("@one")
        console.command("@two")

        await until(
            pilot, lambda: console.context.name == "two" and console.frame.place is not None
        )
        await until_shown(pilot, " two ", "LIVE")
        found.clear()
        await console.session.connection.clients()
        assert set(found) == {"two"}


async def test_results_of_a_suite_that_is_left_are_shown_no_more(services: Services) -> None:
    async with console_on(services, "workflows", **_options(services)) as pilot:
        await until_shown(pilot, "LIVE")
        console: Any = pilot.app
        _, results = console.session.log.begin("Delete 2", "podium delete", {"checkout": 1, "x": 1})
        results.answer(ItemResult("checkout", False, "refused"))
        console.frame.show_results("Delete 2", "workflows", results)
        await until_shown(pilot, "checkout", "refused")

        await typed(pilot, "colon", *"@same", "enter")

        await until_shown(pilot, " same ", "LIVE")
        assert "refused" not in screen_text(pilot.app)
        assert not console.frame.check_action("mark_failed", ())

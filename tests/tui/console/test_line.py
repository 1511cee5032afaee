"""The line of ``:`` and ``/``: completion, history, faults that lose nothing, filters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, typed, until, until_shown
from tests.tui.services import Services, put, start
from tui.screens.list_pane import ListPane
from tui.widgets.command_line import CommandLine
from tui.widgets.live_table import LiveTable

WHERE = "executions \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} status:failed"
QUICK = {"taskReferenceName": "nothing", "name": "nothing", "type": "NOOP"}


async def test_tab_takes_what_is_offered(services: Services) -> None:
    async with console_on(services) as pilot:
        await typed(pilot, "colon", *"workf")
        await until_shown(pilot, "workflows")
        line = pilot.app.screen.query_one(CommandLine)
        await pilot.press("tab")

        await until(pilot, lambda: line.text == "workflows")


async def test_values_that_there_are_complete_a_term(services: Services) -> None:
    await put(services, {"name": "offered-flow", "version": 1, "tasks": [QUICK]})
    await start(services, "offered-flow")
    async with console_on(services) as pilot:
        await until_shown(pilot, "offered-flow")
        await typed(pilot, "slash", *"wf:offered", "tab", "enter")

        chips = "/ wf:offered-flow"
        await until_shown(pilot, chips)


async def test_what_is_no_command_stays_in_the_line(services: Services) -> None:
    async with console_on(services) as pilot:
        await typed(pilot, "colon", *"executoins", "enter")

        await until_shown(pilot, "did you mean executions?", ": executoins")
        await pilot.press("escape")
        assert not pilot.app.screen.query_one(CommandLine).is_open


async def test_enter_takes_what_is_highlighted_where_the_text_is_no_command(
    services: Services,
) -> None:
    async with console_on(services) as pilot:
        await pilot.press("colon", "w", "o", "enter")

        frame: Any = pilot.app.screen
        await until(pilot, lambda: str(frame.place.address) == "workflows")


async def test_commands_are_kept_for_the_next_console(services: Services, tmp_path: Path) -> None:
    for place in ("executions", "actions"):
        async with console_on(services, place, state=tmp_path) as pilot:
            line = pilot.app.screen.query_one(CommandLine)
            if place == "executions":
                await typed(pilot, "colon", *"ex status:failed", "enter")
                await until_shown(pilot, "/ status:failed")
            else:
                await pilot.press("colon", *"wo", "up")
                assert line.text == "ex status:failed"
                await pilot.press("down")
                assert line.text == "wo"


async def test_a_filter_with_a_fault_is_red_and_the_list_stays(services: Services) -> None:
    await put(services, {"name": "filter-fault", "version": 1, "tasks": [QUICK]})
    await start(services, "filter-fault")
    async with console_on(services) as pilot:
        await until_shown(pilot, "filter-fault")
        await pilot.press("slash", *"wf:filter-fault (")

        await until_shown(pilot, "filter-fault")
        await pilot.press("enter")
        line = pilot.app.screen.query_one(CommandLine)
        assert line.is_open
        assert line.has_class("-fault")


async def test_escape_brings_the_filter_back_that_was(services: Services) -> None:
    async with console_on(services, "executions status:failed") as pilot:
        await until_shown(pilot, "/ status:failed")
        await typed(pilot, "slash", *" wf:x")
        pane = pilot.app.screen.query_one(ListPane)
        await until(pilot, lambda: pane.query_text == "status:failed wf:x")

        await pilot.press("escape")

        await until(pilot, lambda: pane.query_text == "status:failed")


async def test_a_place_is_saved_and_opened_by_its_name(services: Services) -> None:
    async with console_on(services, "executions status:failed") as pilot:
        await typed(pilot, "colon", *"save broken", "enter")
        await until_shown(pilot, ":broken opens")
        await typed(pilot, "colon", *"actions", "enter")
        await until_shown(pilot, "ACTION")

        await typed(pilot, "colon", *"broken", "enter")

        await until_shown(pilot, "/ status:failed")


async def test_an_unknown_term_on_start_is_told_and_shows_all(services: Services) -> None:
    async with console_on(services, "executions nofield:x") as pilot:
        await until_shown(pilot, "There is no field")
        assert pilot.app.screen.query_one(ListPane).query_text == ""


async def test_a_theme_is_put_on_at_once(services: Services) -> None:
    async with console_on(services) as pilot:
        await typed(pilot, "colon", *"theme gruvbox", "enter")

        await until(pilot, lambda: pilot.app.theme == "gruvbox")


@pytest.mark.parametrize(
    ("term", "wanted", "theme"),
    [
        ("xterm-16color", "", "ansi-dark"),
        ("xterm-16color", "nord", "nord"),
        ("xterm-256color", "", "textual-dark"),
    ],
)
async def test_a_terminal_of_16_colours_has_the_theme_whose_tones_differ_there(
    term: str, wanted: str, theme: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("COLORTERM", raising=False)
    async with console_on(services, theme=wanted) as pilot:
        assert pilot.app.theme == theme


async def test_minus_goes_to_and_fro_and_a_crumb_to_its_list(services: Services) -> None:
    async with console_on(services, "executions status:failed") as pilot:
        await typed(pilot, "colon", *"actions", "enter")
        await until_shown(pilot, "ACTION")
        await pilot.press("minus")
        await until_shown(pilot, WHERE)
        await pilot.press("minus")
        await until_shown(pilot, "ACTION")
        await pilot.press("minus")
        await until_shown(pilot, WHERE)

        await pilot.click("Crumbs", offset=(3, 0))

        await until(pilot, lambda: "status:failed" not in screen_text(pilot.app))
        assert pilot.app.screen.query(LiveTable).last().has_focus


async def test_what_only_the_service_knows_is_asked_of_it(services: Services) -> None:
    await put(services, {"name": "asked-for", "version": 1, "tasks": [QUICK]})
    wanted = await start(services, "asked-for", input='{"a": 7}')
    await start(services, "asked-for", input='{"a": 8}')
    async with console_on(services) as pilot:
        await until_shown(pilot, "asked-for")
        await typed(pilot, "slash", *"wf:asked-for input.a=7", "enter")

        await until_shown(pilot, "the service decides input.a=7")
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: list(table.view.ids()) == [wanted])
        await pilot.press("slash", *["backspace"] * 10, "enter")
        await until(pilot, lambda: len(table.view) == 2)


async def test_a_name_that_is_saved_again_is_of_the_newest_place(
    services: Services, tmp_path: Path
) -> None:
    async with console_on(services, "executions status:failed", state=tmp_path) as pilot:
        await typed(pilot, "colon", *"save my-place", "enter")
        await until_shown(pilot, ":my-place opens executions")
        await typed(pilot, "colon", *"actions", "enter")
        await until_shown(pilot, "COMMAND")
        await typed(pilot, "colon", *"save my-place", "enter")
        await until_shown(pilot, ":my-place opens actions")
    async with console_on(services, state=tmp_path) as pilot:
        console: Any = pilot.app

        assert console.commanding.views["my-place"] == "actions"

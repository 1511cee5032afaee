"""The frame: help, keys, palette, what is copied, what is said of an empty list, sizes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual import events

from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, typed, until, until_shown
from tests.tui.services import Services, put, start
from tui.app import Console
from tui.clients import Connection
from tui.live.session import Session
from tui.screens.help import HelpScreen
from tui.screens.pane import Pane
from tui.screens.preview import Preview
from tui.settings import Context, Fault, Settings
from tui.suite import Suite, find
from tui.views.addresses import Address
from tui.widgets.key_bar import KeyBar
from tui.widgets.live_table import LiveTable

WAITS = {
    "taskReferenceName": "hold", "name": "hold", "type": "WAIT",
    "inputParameters": {"duration": "600 seconds"},
}  # fmt: skip


async def _one(services: Services, workflow: str) -> str:
    await put(services, {"name": workflow, "version": 1, "tasks": [WAITS]})
    return await start(services, workflow)


async def test_help_is_about_what_has_the_focus(services: Services) -> None:
    async with console_on(services) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("question_mark")

        await until_shown(pilot, "Help", "Shows what there is as it changes", "list.open")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, HelpScreen))


async def test_help_that_is_typed_is_about_what_had_the_focus(services: Services) -> None:
    async with console_on(services) as pilot:
        await until_shown(pilot, "LIVE")
        await typed(pilot, "colon", *"help", "enter")

        await until_shown(pilot, "Help", "Shows what there is as it changes", "list.open")


async def test_all_keys_are_a_list(services: Services) -> None:
    async with console_on(services, "keys") as pilot:
        await typed(pilot, "slash", *"console.help", "enter")

        await until_shown(pilot, "question_mark", "What the focused part shows")


async def test_the_palette_has_what_can_be_done_here_first(services: Services) -> None:
    await _one(services, "in-palette")
    async with console_on(services, "executions wf:in-palette") as pilot:
        await until_shown(pilot, "● running")
        await typed(pilot, "ctrl+p", *"termin")
        await until_shown(pilot, "Terminate")
        await pilot.press("down", "enter")

        await until_shown(pilot, "Cancel")


async def test_the_palette_goes_places(services: Services) -> None:
    async with console_on(services) as pilot:
        await until_shown(pilot, "LIVE")
        await typed(pilot, "ctrl+p", *"go to actions")
        await until_shown(pilot, "Go to Actions")
        await pilot.press("enter")

        await until_shown(pilot, "ACTION", "COMMAND")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_line_of_keys_fits(services: Services, size: tuple[int, int]) -> None:
    async with console_on(services, size=size) as pilot:
        await until_shown(pilot, "LIVE", "Help")
        line = screen_text(pilot.app).splitlines()[-1]

        assert len(line) <= size[0]
        assert "…" not in line
        assert "Command" in line
        assert "Filter" in line


async def test_a_click_on_a_key_presses_it(services: Services) -> None:
    # Of no row: what runs would have other keys in the bar while it is read.
    async with console_on(services, "executions wf:of-no-row") as pilot:
        await until_shown(pilot, "LIVE", "? Help")
        await pilot.pause()
        bar = pilot.app.screen.query_one(KeyBar)
        x = screen_text(pilot.app).splitlines()[-1].index("? Help")

        await pilot.click(bar, offset=(x, 0))

        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))


@pytest.mark.parametrize("key", ["y", "j", "u", "c"])
async def test_what_is_copied_is_the_rows(services: Services, key: str) -> None:
    id_ = await _one(services, f"copied-{key}")
    async with console_on(services, f"executions wf:copied-{key}") as pilot:
        await until_shown(pilot, "● running")
        await pilot.press("y")
        await until_shown(pilot, "Copy")
        await pilot.press(key)

        await until_shown(pilot, "Copied")
        copied = pilot.app.clipboard
        if key == "j":
            assert json.loads(copied)["workflow"] == "copied-j"
        else:
            wanted = {"y": id_, "u": f"executions/{id_}", "c": f"podium watch {id_}"}
            assert copied == wanted[key]


async def test_what_runs_is_counted_on_top(services: Services) -> None:
    await _one(services, "counted")
    async with console_on(services, "actions", size=(80, 24)) as pilot:
        await until_shown(pilot, " running")
        assert all(len(line) <= 80 for line in screen_text(pilot.app).splitlines())


async def test_a_wide_list_has_its_record_beside_it(services: Services) -> None:
    await _one(services, "beside")
    async with console_on(services, "executions wf:beside", size=(160, 40)) as pilot:
        await until_shown(pilot, "● running", "Timeline")
        assert pilot.app.screen.query_one(LiveTable).has_focus
        await pilot.resize_terminal(120, 40)

        await until(pilot, lambda: not pilot.app.screen.query_one(Preview).display)


async def test_a_suite_that_does_not_run_is_told_and_shows_when_it_does(
    services: Services, tmp_path: Path
) -> None:
    there: list[Suite] = []

    def suite() -> Suite:
        return there[0] if there else find(tmp_path, {})

    console = Console(Session(Connection(suite)), "workflows")
    async with console.run_test(size=(100, 30)) as pilot:
        await until_shown(pilot, "No suite runs in", "podium up")
        there.append(services.suite)
        await pilot.press("ctrl+r")

        await until_shown(pilot, "LIVE")


async def test_an_empty_list_says_why(services: Services) -> None:
    async with console_on(services, "executions wf:nobody-has-this") as pilot:
        await until_shown(pilot, "Nothing matches the filter.")


async def test_a_picture_is_kept(services: Services, tmp_path: Path) -> None:
    async with console_on(services, state=tmp_path / "state") as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("f9")

        await until(pilot, lambda: bool(list((tmp_path / "state").glob("*.svg"))))


async def test_a_number_opens_a_saved_place(services: Services) -> None:
    views: Any = {"mine": "executions status:paused"}
    async with console_on(services, "actions", settings=Settings(views=views)) as pilot:
        await until_shown(pilot, "ACTION")
        await pilot.press("1")

        await until_shown(pilot, "/ status:paused")


async def test_what_nobody_sees_is_shown_once_a_second(services: Services) -> None:
    async with console_on(services) as pilot:
        await until_shown(pilot, "LIVE")
        console: Any = pilot.app
        assert console.seen
        console.post_message(events.AppBlur())
        await until(pilot, lambda: not console.seen)
        console.post_message(events.AppFocus())
        await until(pilot, lambda: bool(console.seen))


async def test_a_key_of_the_settings_takes_the_place_of_its_own(services: Services) -> None:
    settings = Settings(keys={"console.help": "f1"})
    async with console_on(services, settings=settings) as pilot:
        await until_shown(pilot, "f1 Help")
        await pilot.press("f1")

        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))


async def test_faults_of_the_settings_are_told_on_start(services: Services) -> None:
    faults = [Fault(3, "There is no setting 'thme'; did you mean theme?")]
    async with console_on(services, faults=faults) as pilot:
        await until_shown(pilot, "line 3: There is no setting")


async def test_back_is_dim_where_nothing_is_behind(services: Services) -> None:
    async with console_on(services) as pilot:
        await until_shown(pilot, "LIVE")
        frame: Any = pilot.app.screen
        assert frame.check_action("back", ()) is None
        await typed(pilot, "colon", *"actions", "enter")
        await until_shown(pilot, "COMMAND")
        assert frame.check_action("back", ()) is True


class Unsaved(Pane):
    """A place with something that was written and not saved."""

    dirty = True
    address = Address("executions", "unsaved")
    crumbs = ("executions", "unsaved")


LEAVING = [("ctrl+q",), ("colon", "q", "enter"), ("colon", *"@two", "enter")]


@pytest.mark.parametrize("keys", LEAVING)
async def test_what_is_not_saved_is_lost_only_when_that_is_agreed_to(
    services: Services, keys: tuple[str, ...]
) -> None:
    settings = Settings(contexts={"two": Context("two")})
    async with console_on(services, settings=settings, suite_of=lambda _: services.suite) as pilot:
        await until_shown(pilot, "LIVE")
        frame: Any = pilot.app.screen
        await frame.show(Unsaved())
        await pilot.press(*keys)
        await until_shown(pilot, "executions / unsaved", "Stay")

        await pilot.press("escape")

        await until(pilot, lambda: pilot.app.screen is frame)
        assert isinstance(frame.place, Unsaved)

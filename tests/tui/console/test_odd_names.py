"""Definitions whose names look like markup, or turn the text around them."""

from __future__ import annotations

from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, until_shown
from tests.tui.services import Services, put

NAME = "odd [/red] [b]/x\u202eend"
SHOWN = NAME.replace("\u202e", "\\u202e")


async def test_a_name_is_no_markup_in_forms_and_dialogs(services: Services) -> None:
    await put(services, {"kind": "schema", "name": NAME, "version": 1, "type": "JSON",
        "description": "turns-text", "data": {}})  # fmt: skip
    async with console_on(services, "schemas turns-text", size=(110, 30)) as pilot:
        await until_shown(pilot, SHOWN)
        await pilot.press("e")
        await until_shown(pilot, f"─ schema {SHOWN}")

        await pilot.press("escape")
        await until_shown(pilot, SHOWN, "d Delete")
        await pilot.press("d")
        await until_shown(pilot, "Cancel", f"Delete {SHOWN}")
        assert "\u202e" not in screen_text(pilot.app)

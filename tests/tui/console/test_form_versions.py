"""Schemas written in forms: each under its version, which need not be the latest."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from tests.tui.console.conftest import console_on, until_listed
from tests.tui.console.filling import form_in, press_button, saved, stored
from tests.tui.screen import screen_text, until, until_shown
from tests.tui.services import Services, put
from tui.widgets.form import Form
from tui.widgets.live_table import LiveTable


def schema(name: str, version: int) -> dict[str, Any]:
    return {"kind": "schema", "name": name, "version": version, "data": {"type": "object"}}


async def editing(pilot: Pilot[Any], name: str) -> Form:
    """The form of the latest version of a schema in the list."""
    await until_listed(pilot, name)
    await pilot.press("e")
    return await form_in(pilot)


async def test_a_form_closes_when_an_older_version_is_stored(services: Services) -> None:
    await put(services, schema("gap", 1), schema("gap", 3))
    async with console_on(services, "schemas gap", size=(100, 30)) as pilot:
        form = await editing(pilot, "gap")
        form.put(("version",), 2)

        await saved(pilot)

        await until_shown(pilot, "schema gap v2 is stored.")
        await until(pilot, lambda: pilot.app.screen.query_one(LiveTable).has_focus)


async def test_a_version_that_is_there_already_is_no_conflict(services: Services) -> None:
    await put(services, schema("both", 1), schema("both", 2))
    async with console_on(services, "schemas both", size=(100, 30)) as pilot:
        form = await editing(pilot, "both")
        form.put(("version",), 1)
        form.put(("data",), {"type": "array"})

        await pilot.press("ctrl+s")

        await until_shown(pilot, "✘", "is there already")
        assert "Changed meanwhile" not in screen_text(pilot.app)


async def test_a_form_stores_as_the_next_version(services: Services) -> None:
    await put(services, schema("next", 1))
    async with console_on(services, "schemas next", size=(100, 30)) as pilot:
        form = await editing(pilot, "next")
        form.put(("data",), {"type": "array"})
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Save as version 1", "Save as version 2")

        await press_button(pilot, "2")

        await until_shown(pilot, "schema next v2 is stored.")
        assert (await stored(services, "schema", "next"))["version"] == 2
